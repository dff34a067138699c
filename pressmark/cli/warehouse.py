"""`pressmark snapshot`, `export`, `remove` and `maintain`."""

from __future__ import annotations

import getpass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from pressmark.archive.store import ArchiveStore
from pressmark.cli.articles import plain
from pressmark.cli.output import err, fail, friendly, out, print_json, table
from pressmark.errors import ConfigError
from pressmark.removal.erasure import apply_removal, preview, record_removal
from pressmark.removal.rules import Action, Target
from pressmark.settings import Settings
from pressmark.times import short_time
from pressmark.warehouse.connection import Warehouse
from pressmark.warehouse.exports import Format
from pressmark.warehouse.exports import export as write_export
from pressmark.warehouse.migrations import ensure_ready
from pressmark.warehouse.snapshots import (
    Snapshot,
    check_snapshot,
    create_snapshot,
    datasheet,
    list_snapshots,
    read_snapshot,
)

_Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


class Formats(StrEnum):
    """File formats of an export."""

    parquet = "parquet"
    csv = "csv"
    jsonl = "jsonl"


def _warehouse() -> Warehouse:
    warehouse = Warehouse(Settings.from_env())
    ensure_ready(warehouse)
    return warehouse


@friendly
def snapshot(
    name: Annotated[
        str | None, typer.Argument(help="Its name; without one, all are listed.", show_default=False)
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Make the content hash of a named state anew.")] = False,
    sheet: Annotated[bool, typer.Option("--datasheet", help="Print its datasheet, as Markdown.")] = False,
    as_json: _Json = False,
) -> None:
    """Give the present state of the warehouse a name, so that it can be asked for later.

    Examples:

      pressmark snapshot 2026-q3

      pressmark snapshot 2026-q3 --check

      pressmark snapshot 2026-q3 --datasheet > datasheet.md
    """
    warehouse = _warehouse()
    if name is None:
        _list_snapshots(list_snapshots(warehouse), as_json)
        return
    if sheet:
        print(datasheet(warehouse, name), end="")
        return
    if check:
        checked = check_snapshot(warehouse, name)
        if as_json:
            removals = [{k: str(v) for k, v in row.items()} for row in checked.removals]
            print_json(
                {
                    "name": name, "equal": checked.equal, "content_hash": checked.content_hash, "removals": removals,
                    "comments_gone": checked.comments_gone,
                }
            )  # fmt: skip
        else:
            out.print(f"was {checked.snapshot.content_hash}\nis  {checked.content_hash}")
            for row in checked.removals:
                out.print(
                    f"removed since: {row['action']} of {row['target']}, {row['articles']} articles: {row['reason']}"
                )
            if checked.comments_gone:
                out.print(
                    f"{checked.comments_gone} readers' comments are gone: removed, or kept as long as they may be"
                )
        if not checked.equal:
            explained = checked.removals or checked.comments_gone
            fail("the state cannot be reproduced to the letter" + (": see what went since" if explained else ""))
        return
    made = create_snapshot(warehouse, name)
    if as_json:
        print_json({"name": made.name, "load_seq": made.load_seq, "content_hash": made.content_hash, **made.counts})
        return
    out.print(f"{made.name}: load {made.load_seq}, {made.counts['articles']} articles, {made.content_hash}")
    out.print(f"In SQL: mart.article_as_of({made.load_seq})")


def _list_snapshots(snapshots: list[Snapshot], as_json: bool) -> None:
    if as_json:
        print_json(
            {"snapshots": [{"name": s.name, "load_seq": s.load_seq, "content_hash": s.content_hash} for s in snapshots]}
        )
        return
    made = table("name", "#load", "made", "by", "#articles", "#removals since", "content hash")
    for s in snapshots:
        made.add_row(
            s.name, str(s.load_seq), short_time(s.created_at), s.created_by, str(s.counts["articles"]),
            str(s.removals_since), s.content_hash,
        )  # fmt: skip
    out.print(made)


@friendly
def export(
    source: Annotated[str, typer.Argument(help="A view (mart.article) or a SELECT in quotes.", show_default=False)],
    to: Annotated[Path, typer.Option(help="File to write; with --by-day a folder.", show_default=False)],
    file_format: Annotated[
        Formats | None, typer.Option("--format", help="Default: by the ending of --to, else parquet.")
    ] = None,
    with_text: Annotated[
        bool, typer.Option("--with-text", help="Full texts too (article_body, comment_body).")
    ] = False,
    by_day: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="A file a day by this column; what is there already is kept.")
    ] = None,
    of_snapshot: Annotated[
        str | None, typer.Option("--snapshot", help="mart.article as it was in this named state.")
    ] = None,
    comments: Annotated[bool, typer.Option("--comments", help="As the login that may read readers' comments.")] = False,
    as_json: _Json = False,
) -> None:
    """Write a view or a query to Parquet, CSV or JSONL, with a manifest beside it. No limit on rows.

    Examples:

      pressmark export mart.article --to articles.parquet

      pressmark export mart.article --to articles/ --by-day date_published_day --with-text

      pressmark export "SELECT outlet, url, headline FROM mart.article WHERE in_language = 'de'" --to german.csv
    """
    warehouse = _warehouse()
    ending = to.suffix.removeprefix(".")
    chosen: Format = file_format.value if file_format else ending if ending in list(Formats) else "parquet"  # type: ignore[assignment]
    load_seq = None
    if of_snapshot is not None:
        if source != "mart.article":
            raise ConfigError(
                "--snapshot goes with mart.article; in a query of your own use mart.article_as_of(load_seq)."
            )
        load_seq = read_snapshot(warehouse, of_snapshot).load_seq
        source = f"SELECT * FROM mart.article_as_of({load_seq:d})"  # noqa: S608 - a number
    columns = (TextColumn("{task.description}"), TextColumn("{task.completed} rows"), TimeElapsedColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as progress:
        bar = progress.add_task(to.name, total=None)
        done = write_export(
            warehouse, source, to, chosen, with_text=with_text, by_day=by_day, snapshot=of_snapshot, load_seq=load_seq,
            comments=comments, on_rows=lambda rows, file: progress.update(bar, completed=rows, description=file),
        )  # fmt: skip
    if as_json:
        print_json({"export_id": done.export_id, "rows": done.rows, "files": done.files, "skipped": done.skipped,
                    "left_out": done.left_out})  # fmt: skip
        return
    out.print(
        f"{done.rows} rows in {done.files} files"
        + (f", {done.skipped} days were there already" if done.skipped else "")
    )
    if done.left_out:
        out.print(f"Without {', '.join(done.left_out)}: --with-text adds it.")


@friendly
def remove(
    url: Annotated[str | None, typer.Option(help="One address, with all that leads to its article.")] = None,
    prefix: Annotated[str | None, typer.Option(help="Every address that begins so.")] = None,
    outlet: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Everything of an outlet; with another option, only at this outlet."),
    ] = None,
    author: Annotated[str | None, typer.Option(help="Articles with this author.")] = None,
    commenter: Annotated[str | None, typer.Option(help="Comments by this name.")] = None,
    hide: Annotated[bool, typer.Option("--hide", help="Not shown any more; the bytes stay.")] = False,
    erase: Annotated[bool, typer.Option("--erase", help="Taken out for good: tables, archive, logs.")] = False,
    reason: Annotated[str | None, typer.Option(help="Why; it is kept.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would cover; do nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Without a question.")] = False,
    as_json: _Json = False,
) -> None:
    """Take something out, and keep it out: crawls, loads, rebuilds and restored backups know of it.

    Examples:

      pressmark remove --url https://news.example/a-story/ --erase --reason "court order 12/26" --dry-run

      pressmark remove --author "Jane Doe" --outlet news-example --hide --reason "her request of 3 March"

    Backups and exports made before are not reached: see docs/removal.md.
    """
    targets: dict[Target, str | None] = {
        "url": url, "prefix": prefix, "author": author, "commenter": commenter,
    }  # fmt: skip
    given = [(target, value) for target, value in targets.items() if value is not None]
    if not given and outlet is not None:
        given, outlet = [("outlet", outlet)], None
    if len(given) != 1:
        raise ConfigError("Name one of --url, --prefix, --outlet, --author, --commenter.")
    if hide == erase:
        raise ConfigError("Say --hide (not shown, bytes stay) or --erase (bytes go too).")
    if not reason and not dry_run:
        raise ConfigError("--reason is missing: it is what the next person will ask for.")
    (target, value), action = given[0], "erase" if erase else "hide"
    verb: Action = "erase" if erase else "hide"
    warehouse = _warehouse()
    found = preview(warehouse, target, value, verb, outlet)
    told = {
        "target": target, "action": action, "articles": len(found.articles), "addresses": len(found.urls),
        "comments": len(found.comments), "dry_run": dry_run,
    }  # fmt: skip
    if not as_json:
        what = f"{len(found.comments)} comments in " if target == "commenter" else ""
        out.print(
            f"{action} {target} {plain(value)}: {what}{len(found.articles)} articles, {len(found.urls)} addresses"
        )
        for address in found.urls[:5]:
            out.print(f"  {plain(address)}")
        if len(found.urls) > 5:
            out.print(f"  and {len(found.urls) - 5} more")
    if dry_run:
        if as_json:
            print_json(told)
        return
    if not yes and not as_json and err.is_terminal:
        typer.confirm("This cannot be undone. Go on?" if erase else "Go on?", abort=True)
    store = ArchiveStore(warehouse.settings.archive)
    removal = record_removal(warehouse, store, target, value, verb, reason or "", outlet)
    done = apply_removal(warehouse, store, [removal])
    if as_json:
        print_json({**told, "removal_id": removal.removal_id, "captures_overwritten": done.captures,
                    "log_lines": done.log_lines})  # fmt: skip
        return
    out.print(
        f"Done: {done.articles} articles, {done.comments} comments; {done.captures} captures overwritten in the "
        f"archive, {done.log_lines} log lines blanked. By {getpass.getuser()}, removal {removal.removal_id}."
    )


@friendly
def maintain(as_json: _Json = False) -> None:
    """The daily care: partitions, retention, small archive files joined, files that no row knows staged again.

    The DAG `maintain` does the same. It may be cut off and run again at any time.

    Example:

      pressmark maintain
    """
    from pressmark.crawl.maintenance import RESTAGED_SEGMENTS, run_maintenance

    done = run_maintenance(_warehouse().settings)
    if as_json:
        print_json(done.counts)
        return
    for kind, count in done.counts.items():
        out.print(f"{count:>8}  {kind}")
    if done.counts[RESTAGED_SEGMENTS]:
        out.print("`pressmark load` loads what was staged.")
