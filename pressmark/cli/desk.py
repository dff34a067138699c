"""`pressmark reextract`, `doctor`, `silence`, and pausing outlets: the operator's desk on the command line."""

from __future__ import annotations

import contextlib
import getpass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.progress import Progress

from pressmark.cli.articles import plain
from pressmark.cli.output import err, fail, friendly, out, print_json, read_time, short_time, table
from pressmark.errors import ConfigError
from pressmark.registry import load_registry
from pressmark.settings import Settings
from pressmark.warehouse.connection import Warehouse
from pressmark.warehouse.health import (
    Sizes,
    check_health,
    lift_silences,
    measure_sizes,
    read_alerts,
    read_health,
    switch_outlet,
    switched_off,
)
from pressmark.warehouse.health import silence as add_silence
from pressmark.warehouse.migrations import ensure_ready

_Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
_Reason = Annotated[str, typer.Option(help="Why; the next person will ask.", show_default=False)]


def _warehouse() -> Warehouse:
    warehouse = Warehouse(Settings.from_env())
    ensure_ready(warehouse)
    return warehouse


@friendly
def reextract(
    outlets: Annotated[
        list[str] | None, typer.Argument(metavar="[ID...]", help="Outlets to read again.", show_default=False)
    ] = None,
    since: Annotated[str | None, typer.Option(help="Only pages fetched at or after this day (UTC).")] = None,
    until: Annotated[str | None, typer.Option(help="Only pages fetched before this day (UTC).")] = None,
    promote: Annotated[
        UUID | None, typer.Option(metavar="ID", help="Make the fields of a re-extraction count.")
    ] = None,
    keep: Annotated[
        UUID | None, typer.Option(metavar="ID", help="Leave the old fields; of a promoted one: take it back.")
    ] = None,
    as_list: Annotated[bool, typer.Option("--list", help="The latest re-extractions.")] = False,
    as_json: _Json = False,
) -> None:
    """Read archived pages again by the extractor of today, compare, then let it count or not. Asks no outlet anything.

    Pages that gave no text are read again too; what is an article now becomes one when you promote.

    Examples:

      pressmark reextract tagesschau

      pressmark reextract --promote 6a0f...

      pressmark reextract --keep 6a0f...     # also takes a promoted one back
    """
    from pressmark.archive.store import ArchiveStore
    from pressmark.cli.crawling import cluster_with_progress
    from pressmark.crawl.second_reading import read_refused
    from pressmark.crawl.services import Services
    from pressmark.warehouse import reextraction as again
    from pressmark.warehouse.comparison import Rereader

    warehouse = _warehouse()
    settings = warehouse.settings
    registry = load_registry(settings.outlets)
    if as_list:
        made = table("re-extraction", "made", "by", "state", "#pages", "#failed", "outlets")
        for row in again.list_reextractions(warehouse):
            made.add_row(
                str(row.reextraction_id), short_time(row.created_at), row.requested_by, row.state, str(row.payloads),
                str(row.failed), ", ".join(row.outlets),
            )  # fmt: skip
        out.print(made)
        return
    rereader = Rereader(registry, ArchiveStore(settings.archive))
    services = Services.open(settings, lambda event: None)
    refused: dict[str, dict[str, int]] = {}
    try:
        if promote or keep:
            done = again.promote(warehouse, promote, rereader) if promote else again.keep(warehouse, keep, rereader)  # type: ignore[arg-type]
            if promote:
                for outlet in registry.select(o for o in done.outlets if o in registry.outlets):
                    read = read_refused(services, outlet, stage=True)
                    refused[outlet.id] = {"read": read.pages, "articles_now": read.articles}
        else:
            chosen = registry.select(outlets or ())
            if not chosen:
                raise ConfigError("Name outlets, or --promote, --keep or --list.")
            begin, end = read_time(since, "--since"), read_time(until, "--until")
            with Progress(console=err, disable=not err.is_terminal, transient=True) as progress:
                bar = progress.add_task("pages", total=None)
                done = again.extract_again(
                    warehouse, chosen, rereader, begin, end,
                    on_page=lambda place, total: progress.update(bar, completed=place, total=total),
                )  # fmt: skip
                for outlet in chosen:
                    read = read_refused(services, outlet, begin, end)
                    refused[outlet.id] = {"read": read.pages, "articles_now": read.articles}
    finally:
        services.close()
        rereader.close()
    if promote or keep:
        from pressmark.cli.crawling import load_outlets

        load_outlets(settings, registry, done.outlets)
        cluster_with_progress(warehouse)
    if as_json:
        print_json({
            "reextraction_id": str(done.reextraction_id), "state": done.state, "payloads": done.payloads,
            "failed": done.failed, "comparison": done.comparison, "refused": refused,
        })  # fmt: skip
        return
    for line in done.lines:
        out.print(plain(line))
    for name, counts in refused.items():
        if counts["read"]:
            out.print(f"{name}: {counts['articles_now']} of {counts['read']} pages that gave no article give one now")
    if done.state == "extracted":
        out.print(f"\nNothing has changed yet. `pressmark reextract --promote {done.reextraction_id}` makes it count.")
    else:
        out.print(f"\n{done.reextraction_id} is {done.state.replace('_', ' ')}.")


@friendly
def doctor(
    look: Annotated[
        bool, typer.Option("--look", help="Judge all outlets now instead of telling the last look.")
    ] = False,
    as_json: _Json = False,
) -> None:
    """How the outlets fare, what alerts are open, how large everything is and how long the disk will do.

    Exit code 1 where an alert is open that no silence covers.

    Examples:

      pressmark doctor

      pressmark doctor --look --json
    """
    warehouse = _warehouse()
    if look:
        check_health(warehouse)
    sizes = measure_sizes(warehouse)
    health, alerts, off = read_health(warehouse), read_alerts(warehouse), switched_off(warehouse)
    waiting = [row for row in alerts if not row["silenced"]]
    if as_json:
        print_json(
            {"health": health, "alerts": alerts, "switched_off": list(off.values()), "sizes": _sizes_json(sizes)}
        )
        if waiting:
            raise typer.Exit(1)
        return
    made = table("outlet", "state", "since", "why")
    order = ["failing", "blocked", "extraction_broken", "silent", "late", "new", "paused", "fresh"]
    for row in sorted(health, key=lambda row: (order.index(row["state"]), row["outlet"])):
        made.add_row(row["outlet"], row["state"], short_time(row["since"]), plain(row["reason"]))
    out.print(made if health else "No outlet was looked at yet: --look does it now.")
    out.print()
    for row in alerts:
        told = ""
        if row["silenced"]:
            told = (
                f" (silent {'until ' + short_time(row['silent_until']) if row['silent_until'] else row['reference']})"
            )
        out.print(f"[bold]alert[/bold] since {short_time(row['opened_at'])}: {plain(row['message'])}{plain(told)}")
    for row in off.values():
        until = f" until {short_time(row['until'])}" if row["until"] else ""
        out.print(f"{row['outlet']} is {row['state']}{until}, by {plain(row['switched_by'])}: {plain(row['reason'])}")
    out.print(_sizes_line(sizes))
    if waiting:
        raise typer.Exit(1)


@friendly
def silence(
    outlet: Annotated[str | None, typer.Argument(help="The outlet; without one, all.", show_default=False)] = None,
    cause: Annotated[
        str | None, typer.Option(help="Only this: silent, blocked, extraction_broken, failing, disk, our_side.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="End (day or time, UTC).")] = None,
    reference: Annotated[str | None, typer.Option(help="A ticket that says why, in place of an end.")] = None,
    lift: Annotated[bool, typer.Option("--lift", help="End the silences of this outlet, or of all, now.")] = False,
) -> None:
    """Be told of nothing for a while: a silence has an end or a reference.

    Examples:

      pressmark silence tagesschau --until 2026-12-01

      pressmark silence --cause disk --reference OPS-12

      pressmark silence tagesschau --lift
    """
    if lift:
        ended = lift_silences(_warehouse(), outlet, cause)
        out.print(f"{ended} silences ended: {outlet or 'those of all outlets'}, {cause or 'every cause'}.")
        return
    end = read_time(until, "--until")
    if end is None and reference is None:
        raise ConfigError("A silence needs --until or --reference, so that it does not last for ever unseen.")
    if end is not None and end <= datetime.now(UTC):
        raise ConfigError(f"--until {until} is past.")
    warehouse = _warehouse()
    if outlet is not None:
        load_registry(warehouse.settings.outlets).get(outlet)
    add_silence(warehouse, getpass.getuser(), outlet, cause, end, reference)
    out.print(f"Silent: {outlet or 'all outlets'}, {cause or 'every cause'}, {short_time(end) if end else reference}.")


@friendly
def pause(
    outlet: Annotated[str, typer.Argument(help="The outlet.", show_default=False)],
    reason: _Reason,
    days: Annotated[int | None, typer.Option(min=1, help="It goes on by itself after so many days.")] = None,
) -> None:
    """Leave an outlet out of scheduled runs; its file stays as it is.

    Example:

      pressmark outlet pause tagesschau --reason "they asked for quiet until Monday" --days 3
    """
    _switch(outlet, "paused", reason, datetime.now(UTC) + timedelta(days=days) if days else None)


@friendly
def resume(outlet: Annotated[str, typer.Argument(help="The outlet.", show_default=False)], reason: _Reason) -> None:
    """Crawl a paused or retired outlet again, as its file says.

    Example:

      pressmark outlet resume tagesschau --reason "agreed by mail"
    """
    _switch(outlet, "running", reason, None)


@friendly
def retire(outlet: Annotated[str, typer.Argument(help="The outlet.", show_default=False)], reason: _Reason) -> None:
    """Take an outlet out of schedule and watch for good; its articles stay.

    Example:

      pressmark outlet retire old-paper --reason "closed in 2026"
    """
    _switch(outlet, "retired", reason, None)


def _switch(outlet: str, state: str, reason: str, until: datetime | None) -> None:
    warehouse = _warehouse()
    with contextlib.suppress(ConfigError):
        outlet = load_registry(warehouse.settings.outlets).get(outlet).id
    if state != "running" and outlet not in load_registry(warehouse.settings.outlets).outlets:
        fail(f"No outlet {outlet!r} in {warehouse.settings.outlets}.", 2)
    switch_outlet(warehouse, outlet, state, reason, getpass.getuser(), until)
    out.print(f"{outlet} is {state}" + (f" until {short_time(until)}" if until else "") + f": {plain(reason)}")


def _sizes_json(sizes: Sizes) -> dict[str, Any]:
    return {name: getattr(sizes, name) for name in Sizes.__slots__}


def _sizes_line(sizes: Sizes) -> str:
    counted = ", ".join(
        f"{name} {value / 2**20:.0f} MB"
        for name, value in (("database", sizes.database), ("archive", sizes.archive), ("logs", sizes.logs))
    )
    growth = f"; grows {sizes.growth / 2**20:.1f} MB a day" if sizes.growth is not None else ""
    left = f", full in {sizes.days_left:.0f} days" if sizes.days_left is not None else ""
    return f"{counted}; {sizes.free / 2**30:.1f} GB free{growth}{left}"
