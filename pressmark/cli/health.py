"""`pressmark doctor` and `pressmark mute`."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Annotated, Any

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
from pressmark.times import parse_time, short_time

_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object to stdout.")]


@friendly
def doctor(
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Evaluate all outlets now instead of showing the last result.")
    ] = False,
    as_json: _Json = False,
) -> None:
    """How the outlets fare, what alerts are open, how large everything is and how long the disk will do.

    Exit code 1 where an alert is open that no silence covers.

    Examples:

      pressmark doctor

      pressmark doctor --refresh --json
    """
    warehouse = ready_warehouse()
    if refresh:
        check_health(warehouse)
    storage = measure_storage(warehouse)
    health, alerts, off = read_health(warehouse), read_alerts(warehouse), read_overrides(warehouse)
    waiting = [row for row in alerts if not row["muted"]]
    if as_json:
        print_json(
            {"health": health, "alerts": alerts, "switched_off": list(off.values()), "storage": _storage_json(storage)}
        )
        if waiting:
            raise typer.Exit(1)
        return
    made = table("outlet", "state", "since", "why")
    order = ["failing", "blocked", "extraction_broken", "silent", "late", "new", "paused", "fresh"]
    for row in sorted(health, key=lambda row: (order.index(row["state"]), row["outlet"])):
        made.add_row(row["outlet"], row["state"], short_time(row["since"]), plain(row["reason"]))
    out.print(made if health else "No outlet was looked at yet: --refresh does it now.")
    out.print()
    for row in alerts:
        told = ""
        if row["muted"]:
            told = f" (silent {'until ' + short_time(row['muted_until']) if row['muted_until'] else row['reference']})"
        out.print(f"[bold]alert[/bold] since {short_time(row['opened_at'])}: {plain(row['message'])}{plain(told)}")
    for row in off.values():
        until = f" until {short_time(row['until'])}" if row["until"] else ""
        out.print(f"{row['outlet']} is {row['state']}{until}, by {plain(row['set_by'])}: {plain(row['reason'])}")
    out.print(_storage_line(storage))
    if waiting:
        raise typer.Exit(1)


@friendly
def mute(
    outlet: Annotated[str | None, typer.Argument(help="The outlet; without one, all.", show_default=False)] = None,
    cause: Annotated[
        str | None, typer.Option(help="Only this: silent, blocked, extraction_broken, failing, disk, internal_failure.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="End (day or time, UTC).")] = None,
    reference: Annotated[str | None, typer.Option(help="A ticket that says why, in place of an end.")] = None,
    clear: Annotated[
        bool, typer.Option("--clear", help="End the mutes of this outlet, or of all outlets, now.")
    ] = False,
) -> None:
    """Be told of nothing for a while: a silence has an end or a reference.

    Examples:

      pressmark silence tagesschau --until 2026-12-01

      pressmark silence --cause disk --reference OPS-12

      pressmark silence tagesschau --clear
    """
    if clear:
        ended = remove_mutes(ready_warehouse(), outlet, cause)
        out.print(f"{ended} silences ended: {outlet or 'those of all outlets'}, {cause or 'every cause'}.")
        return
    end = parse_time(until, "--until")
    if end is None and reference is None:
        raise ConfigError("A silence needs --until or --reference, so that it does not last for ever unseen.")
    if end is not None and end <= datetime.now(UTC):
        raise ConfigError(f"--until {until} is past.")
    warehouse = ready_warehouse()
    if outlet is not None:
        load_registry(warehouse.settings.outlets).get(outlet)
    add_mute(warehouse, getpass.getuser(), outlet, cause, end, reference)
    out.print(f"Silent: {outlet or 'all outlets'}, {cause or 'every cause'}, {short_time(end) if end else reference}.")


def _storage_json(storage: StorageStats) -> dict[str, Any]:
    return {name: getattr(storage, name) for name in StorageStats.__slots__}


def _storage_line(storage: StorageStats) -> str:
    counted = ", ".join(
        f"{name} {value / 2**20:.0f} MB"
        for name, value in (("database", storage.database), ("archive", storage.archive), ("logs", storage.logs))
    )
    growth = f"; grows {storage.growth / 2**20:.1f} MB a day" if storage.growth is not None else ""
    left = f", full in {storage.days_left:.0f} days" if storage.days_left is not None else ""
    return f"{counted}; {storage.free / 2**30:.1f} GB free{growth}{left}"
