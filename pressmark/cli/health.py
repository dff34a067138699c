"""`pressmark doctor` and `pressmark mute`."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from pressmark.cli.articles import plain
from pressmark.cli.connection import ready_warehouse
from pressmark.cli.output import friendly, out, print_json, table
from pressmark.errors import ConfigError
from pressmark.health.monitor import (
    StorageStats,
    add_mute,
    check_health,
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


@friendly
def doctor(
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Evaluate all outlets now instead of showing the last result.")
    ] = False,
    as_json: _Json = False,
) -> None:
    """Show outlet health, alerts and disk usage.

    Also estimates when the disk is full. Exits with code 1 if an alert is open
    and not muted.

    Examples:

      pressmark doctor

      pressmark doctor --refresh --json
    """
    warehouse = ready_warehouse()
    if refresh:
        check_health(warehouse)
    storage = measure_storage(warehouse)
    health, alerts, overrides = read_health(warehouse), read_alerts(warehouse), read_overrides(warehouse)
    unmuted = [alert for alert in alerts if not alert.muted]
    if as_json:
        print_json({
            "health": [asdict(row) for row in health], "alerts": [asdict(alert) for alert in alerts],
            "overrides": [asdict(override) for override in overrides.values()], "storage": asdict(storage),
        })  # fmt: skip
        if unmuted:
            raise typer.Exit(1)
        return
    states = table("outlet", "state", "since", "reason")
    order = ["failing", "blocked", "extraction_broken", "silent", "late", "new", "paused", "fresh"]
    for row in sorted(health, key=lambda row: (order.index(row.state), row.outlet)):
        states.add_row(row.outlet, row.state, short_time(row.since), plain(row.reason))
    out.print(states if health else "No outlet has been evaluated yet. Run `pressmark doctor --refresh`.")
    out.print()
    for alert in alerts:
        note = ""
        if alert.muted:
            end = f"until {short_time(alert.muted_until)}" if alert.muted_until else f"for {alert.reference}"
            note = f" (muted {end})"
        out.print(f"[bold]alert[/bold] since {short_time(alert.opened_at)}: {plain(alert.message)}{plain(note)}")
    for override in overrides.values():
        until = f" until {short_time(override.until)}" if override.until else ""
        out.print(
            f"{override.outlet} is {override.state}{until}, by {plain(override.set_by)}: {plain(override.reason)}"
        )
    out.print(_storage_line(storage))
    if unmuted:
        raise typer.Exit(1)


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
