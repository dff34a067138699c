"""`pressmark outlet pause`, `resume` and `retire`."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from pressmark.cli.articles import plain
from pressmark.cli.connection import ready_warehouse
from pressmark.cli.output import fail, friendly, out
from pressmark.health.monitor import override_outlet
from pressmark.registry import load_registry
from pressmark.times import short_time

_Outlet = Annotated[str, typer.Argument(metavar="ID", help="Id of the outlet.", show_default=False)]
_Reason = Annotated[str, typer.Option(help="Reason, shown to operators.", show_default=False)]


@friendly
def pause(
    outlet: _Outlet,
    reason: _Reason,
    days: Annotated[
        int | None, typer.Option(min=1, help="Resume automatically after this many days. Default: never.")
    ] = None,
) -> None:
    """Pause scheduled crawls of an outlet.

    Its file is not changed.

    Example:

      pressmark outlet pause tagesschau --reason "the publisher asked us to stop until Monday" --days 3
    """
    _override(outlet, "paused", reason, datetime.now(UTC) + timedelta(days=days) if days else None)


@friendly
def resume(outlet: _Outlet, reason: _Reason = "resumed") -> None:
    """Resume a paused or retired outlet.

    It is crawled again as its file configures it.

    Examples:

      pressmark outlet resume tagesschau

      pressmark outlet resume tagesschau --reason "agreed by email"
    """
    _override(outlet, "running", reason, None)


@friendly
def retire(outlet: _Outlet, reason: _Reason) -> None:
    """Stop crawling an outlet permanently.

    It is no longer scheduled or monitored. Its articles stay in the warehouse.

    Example:

      pressmark outlet retire old-paper --reason "closed in 2026"
    """
    _override(outlet, "retired", reason, None)


def _override(outlet: str, state: str, reason: str, until: datetime | None) -> None:
    warehouse = ready_warehouse()
    if state != "running" and load_registry(warehouse.settings).find(outlet) is None:
        fail(f"No outlet {outlet!r} in {warehouse.settings.outlets}. `pressmark outlet list` lists them.", 2)
    override_outlet(warehouse, outlet, state, reason, getpass.getuser(), until)
    out.print(f"{outlet} is {state}" + (f" until {short_time(until)}" if until else "") + f": {plain(reason)}")
