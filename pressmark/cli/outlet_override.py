"""`pressmark outlet pause`, `resume` and `retire`."""

from __future__ import annotations

import contextlib
import getpass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from pressmark.cli.articles import plain
from pressmark.cli.connection import ready_warehouse
from pressmark.cli.output import fail, friendly, out
from pressmark.errors import ConfigError
from pressmark.health.monitor import override_outlet
from pressmark.registry import load_registry
from pressmark.times import short_time

_Reason = Annotated[str, typer.Option(help="Why. The next person will ask.", show_default=False)]


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
    _override(outlet, "paused", reason, datetime.now(UTC) + timedelta(days=days) if days else None)


@friendly
def resume(outlet: Annotated[str, typer.Argument(help="The outlet.", show_default=False)], reason: _Reason) -> None:
    """Crawl a paused or retired outlet again, as its file says.

    Example:

      pressmark outlet resume tagesschau --reason "agreed by mail"
    """
    _override(outlet, "running", reason, None)


@friendly
def retire(outlet: Annotated[str, typer.Argument(help="The outlet.", show_default=False)], reason: _Reason) -> None:
    """Take an outlet out of schedule and watch for good; its articles stay.

    Example:

      pressmark outlet retire old-paper --reason "closed in 2026"
    """
    _override(outlet, "retired", reason, None)


def _override(outlet: str, state: str, reason: str, until: datetime | None) -> None:
    warehouse = ready_warehouse()
    with contextlib.suppress(ConfigError):
        outlet = load_registry(warehouse.settings.outlets).get(outlet).id
    if state != "running" and outlet not in load_registry(warehouse.settings.outlets).outlets:
        fail(f"No outlet {outlet!r} in {warehouse.settings.outlets}.", 2)
    override_outlet(warehouse, outlet, state, reason, getpass.getuser(), until)
    out.print(f"{outlet} is {state}" + (f" until {short_time(until)}" if until else "") + f": {plain(reason)}")
