"""`pressmark reextract`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer
from rich.progress import Progress

from pressmark.archive.store import ArchiveStore
from pressmark.cli.articles import plain
from pressmark.cli.connection import ready_warehouse
from pressmark.cli.crawl import cluster_with_progress, load_outlets
from pressmark.cli.output import err, friendly, out, print_json, table
from pressmark.crawl.reextract_rejected import RejectedReextraction, reextract_rejected
from pressmark.crawl.services import Services
from pressmark.errors import ConfigError
from pressmark.registry import load_registry
from pressmark.text import plural
from pressmark.times import parse_time, short_time
from pressmark.warehouse import reextraction
from pressmark.warehouse.extraction_diff import ArchivedPageExtractor

_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object to stdout.")]


@friendly
def reextract(
    outlets: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="Ids of the outlets to re-extract.", show_default=False)
    ] = None,
    since: Annotated[str | None, typer.Option(help="Re-extract only pages fetched on or after this day (UTC).")] = None,
    until: Annotated[str | None, typer.Option(help="Re-extract only pages fetched before this day (UTC).")] = None,
    promote: Annotated[UUID | None, typer.Option(metavar="ID", help="Use the fields of this re-extraction.")] = None,
    discard: Annotated[
        UUID | None, typer.Option(metavar="ID", help="Close this re-extraction and keep the old fields.")
    ] = None,
    rollback: Annotated[
        UUID | None, typer.Option(metavar="ID", help="Undo the promotion of this re-extraction.")
    ] = None,
    as_list: Annotated[bool, typer.Option("--list", help="List the latest re-extractions.")] = False,
    as_json: _Json = False,
) -> None:
    """Re-extract archived pages and compare.

    Runs the current extractor on archived pages and compares its results with
    the current fields. Makes no requests to outlets, and changes nothing until
    you promote the result. Rejected pages are included: those that are articles
    now are added by the promotion.

    Examples:

      pressmark reextract tagesschau

      pressmark reextract --promote 6a0f...

      pressmark reextract --rollback 6a0f...
    """
    warehouse = ready_warehouse()
    if as_list:
        _print_list(reextraction.list_reextractions(warehouse), as_json)
        return
    decisions = {"promote": promote, "discard": discard, "rollback": rollback}
    chosen = {name: value for name, value in decisions.items() if value is not None}
    if len(chosen) + bool(outlets) != 1:
        raise ConfigError("Name outlets, or use one of --promote, --discard, --rollback, --list.")
    settings = warehouse.settings
    registry = load_registry(settings)
    page_extractor = ArchivedPageExtractor(registry, ArchiveStore(settings.archive))
    services = Services.open(settings, lambda event: None)
    try:
        if chosen:
            (action, reextraction_id), *_ = chosen.items()
            decide = {
                "promote": reextraction.promote,
                "discard": reextraction.discard,
                "rollback": reextraction.rollback,
            }
            done = decide[action](warehouse, reextraction_id, page_extractor)
            known = registry.select(o for o in done.outlets if registry.find(o)) if promote else []
            rejected = {outlet.id: reextract_rejected(services, outlet, stage=True) for outlet in known}
        else:
            begin, end = parse_time(since, "--since"), parse_time(until, "--until")
            selected = registry.select(outlets or ())
            with Progress(console=err, disable=not err.is_terminal, transient=True) as progress:
                bar = progress.add_task("pages", total=None)
                done = reextraction.reextract(
                    warehouse, selected, page_extractor, begin, end,
                    on_page=lambda place, total: progress.update(bar, completed=place, total=total),
                )  # fmt: skip
            rejected = {outlet.id: reextract_rejected(services, outlet, begin, end) for outlet in selected}
    finally:
        services.close()
        page_extractor.close()
    if chosen:
        load_outlets(settings, registry, done.outlets)
        cluster_with_progress(warehouse)
    _print_result(done, rejected, as_json)


def _print_list(rows: Sequence[reextraction.Reextraction], as_json: bool) -> None:
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    listed = table("re-extraction", "created", "by", "state", "#pages", "#failed", "outlets")
    for row in rows:
        listed.add_row(
            str(row.reextraction_id), short_time(row.created_at), row.requested_by, row.state, str(row.payloads),
            str(row.failed), ", ".join(row.outlets),
        )  # fmt: skip
    out.print(listed)


def _print_result(done: reextraction.Reextraction, rejected: dict[str, RejectedReextraction], as_json: bool) -> None:
    if as_json:
        print_json({
            "reextraction_id": str(done.reextraction_id), "state": done.state, "payloads": done.payloads,
            "failed": done.failed, "comparison": done.comparison,
            "rejected": {name: {"pages": r.pages, "articles": r.articles} for name, r in rejected.items()},
        })  # fmt: skip
        return
    for line in done.lines:
        out.print(plain(line))
    for name, result in rejected.items():
        if result.pages:
            out.print(f"{name}: {result.articles} of {plural(result.pages, 'rejected page')} would now be articles")
    if done.state == "extracted" and not done.payloads and not any(r.articles for r in rejected.values()):
        out.print(
            "\nThere was no page to extract: all have the fields of the current extractor. Nothing is to be promoted."
        )
    elif done.state == "extracted":
        out.print(
            f"\nNothing has changed yet. Use the result with `pressmark reextract --promote {done.reextraction_id}`."
        )
    else:
        out.print(f"\nRe-extraction {done.reextraction_id} is {done.state.replace('_', ' ')}.")
