"""`pressmark doctor` and `pressmark mute`."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from pressmark.cli.articles import plain
from pressmark.cli.connection import ready_warehouse
from pressmark.cli.output import friendly, out, print_json, table
from pressmark.errors import ConfigError
from pressmark.health.installation import installation_problems
from pressmark.health.monitor import (
    OpenAlert,
    OutletHealth,
    Override,
    StorageStats,
    add_mute,
    check_health,
    health_summary,
    measure_storage,
    read_alerts,
    read_health,
    read_overrides,
    remove_mutes,
)
from pressmark.registry import load_registry
from pressmark.text import plural
from pressmark.times import parse_time, short_time

_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object to stdout.")]


_STYLES = {
    "failing": "red", "blocked": "red", "extraction_broken": "red", "silent": "red", "late": "yellow", "new": "dim",
    "paused": "dim", "fresh": "green",
}  # fmt: skip
"""Colour of each state, in the order of the table."""
_NEXT_STEPS = {
    "failing": "fix the cause, then try now: pressmark crawl {ids}",
    "blocked": "read what a page answers: pressmark why URL. If the publisher refuses: pressmark outlet pause {ids}",
    "extraction_broken": "look at a page: pressmark why URL. extraction.keep in the outlet's file may fix it",
    "silent": "check that its endpoints still exist: pressmark outlet check --live {ids}",
    "internal_failure": "check the network, DNS and the disk of this machine. The next good run ends the alert",
    "disk": "free some space, or move the archive (PRESSMARK_ARCHIVE)",
}  # fmt: skip
"""What to do about each cause of an alert."""


@friendly
def doctor(as_json: _Json = False) -> None:
    """Check outlets, alerts, settings and disk.

    Checks all outlets now. The first line counts them, the last lines say
    what to do. Also checks that this machine can write the archive and has the
    key of earlier erasures, and estimates when the disk is full. Exits with
    code 1 if an alert is open and not muted, or if this machine has a problem.

    Examples:

      pressmark doctor

      pressmark doctor --json
    """
    warehouse = ready_warehouse()
    check_health(warehouse)
    storage, problems = measure_storage(warehouse), installation_problems(warehouse)
    health, alerts, overrides = read_health(warehouse), read_alerts(warehouse), read_overrides(warehouse)
    unmuted = [alert for alert in alerts if not alert.muted]
    if as_json:
        print_json({
            "summary": health_summary(health), "health": [asdict(row) for row in health],
            "alerts": [asdict(alert) for alert in alerts],
            "overrides": [asdict(override) for override in overrides.values()], "storage": asdict(storage),
            "problems": problems,
        })  # fmt: skip
        if unmuted or problems:
            raise typer.Exit(1)
        return
    _print_health(health, alerts, overrides, storage)
    for problem in problems:
        out.print(f"[bold red]this machine[/]: {plain(problem)}")
    if unmuted or problems:
        raise typer.Exit(1)


def _print_health(
    health: Sequence[OutletHealth],
    alerts: Sequence[OpenAlert],
    overrides: Mapping[str, Override],
    storage: StorageStats,
) -> None:
    now = datetime.now(UTC)
    out.print(f"[bold]{health_summary(health)}[/bold]")
    states = table("outlet", "state", "since", "reason")
    order = list(_STYLES)
    for row in sorted(health, key=lambda row: (order.index(row.state), row.outlet)):
        style = _STYLES[row.state]
        state = f"[{style}]{row.state.replace('_', ' ')}[/{style}]"
        states.add_row(row.outlet, state, short_time(row.since), plain(row.explanation(now)))
    if health:
        out.print(states)
    out.print()
    for alert in alerts:
        note = ""
        if alert.muted:
            end = f"until {short_time(alert.muted_until)}" if alert.muted_until else f"for {alert.reference}"
            note = f" (muted {end})"
        style = "dim" if alert.muted else "bold red"
        out.print(f"[{style}]alert[/] since {short_time(alert.opened_at)}: {plain(alert.message)}{plain(note)}")
    for override in overrides.values():
        until = f" until {short_time(override.until)}" if override.until else ""
        out.print(
            f"{override.outlet} is {override.state}{until}, by {plain(override.set_by)}: {plain(override.reason)}"
        )
    out.print(_storage_line(storage))
    todo: dict[str, list[str]] = {}
    for alert in alerts:
        if not alert.muted:
            todo.setdefault(alert.cause, []).append(alert.outlet or "")
    if todo:
        out.print("\n[bold]What to do[/bold]")
    for cause, outlets in todo.items():
        ids = " ".join(filter(None, outlets))
        out.print(f"{cause.replace('_', ' ')}: {_NEXT_STEPS[cause].format(ids=ids)}", soft_wrap=True)


@friendly
def mute(
    outlet: Annotated[
        str | None, typer.Argument(metavar="ID", help="Outlet to mute. Default: all outlets.", show_default=False)
    ] = None,
    cause: Annotated[
        str | None,
        typer.Option(help="Mute only this cause: silent, blocked, extraction_broken, failing, disk, internal_failure."),
    ] = None,
    until: Annotated[str | None, typer.Option(help="End the mute at this day or time (UTC).")] = None,
    reference: Annotated[
        str | None, typer.Option(help="Name the ticket the mute belongs to, instead of an end.")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Remove the matching mutes now.")] = False,
) -> None:
    """Mute alerts for a time or for a ticket.

    Give an end with --until or a ticket with --reference, so that no mute is
    forgotten. Muted alerts are recorded and shown by `pressmark doctor`, but
    not sent.

    Examples:

      pressmark mute tagesschau --until 2026-12-01

      pressmark mute --cause disk --reference OPS-12

      pressmark mute tagesschau --clear
    """
    scope = f"{outlet or 'all outlets'} ({cause or 'all causes'})"
    if clear:
        removed = remove_mutes(ready_warehouse(), outlet, cause)
        out.print(f"Removed {plural(removed, 'mute')} for {scope}.")
        return
    end = parse_time(until, "--until")
    if end is None and reference is None:
        raise ConfigError("A mute needs --until or --reference.")
    if end is not None and end <= datetime.now(UTC):
        raise ConfigError(f"--until {until} is in the past.")
    warehouse = ready_warehouse()
    if outlet is not None:
        load_registry(warehouse.settings).get(outlet)
    add_mute(warehouse, getpass.getuser(), outlet, cause, end, reference)
    out.print(f"Muted {scope} {f'until {short_time(end)}' if end else f'for {reference}'}.")


def _storage_line(storage: StorageStats) -> str:
    sizes = ", ".join(
        f"{name} {size / 2**20:.0f} MB"
        for name, size in (("database", storage.database), ("archive", storage.archive), ("logs", storage.logs))
    )
    growth = f"; grows by {storage.growth / 2**20:.1f} MB per day" if storage.growth is not None else ""
    days = round(storage.days_left) if storage.days_left is not None else None
    full = f"; disk full in about {plural(days, 'day')}" if days is not None else ""
    return f"{sizes}; {storage.free / 2**30:.1f} GB free{growth}{full}"
