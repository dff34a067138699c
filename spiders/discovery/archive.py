"""Daily archives: one page of links for each day of a window, or for today and yesterday."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from pressmark.dates import ParsedDate
from pressmark.discovery.endpoints import Endpoint
from spiders.discovery.base import DiscoveryContext, Found
from spiders.discovery.section import read_pages


async def discover(context: DiscoveryContext, endpoint: Endpoint) -> Found:
    """Fetch the pages of each day, latest first. Their articles were published on that day."""
    for number, day in enumerate(_days(context)):
        if number >= context.outlet.budgets.archive_days:
            return
        day_endpoint = Endpoint(context.outlet.id, endpoint.method, day_url(endpoint.url, day), configured=False)
        published = ParsedDate(day.isoformat(), "archive", datetime(day.year, day.month, day.day, tzinfo=UTC), "day")
        # If the day is only partly inside the window, the time stated in the page decides.
        certain = _is_inside(context, day)
        async for poll, candidates in read_pages(context, day_endpoint, published if certain else None, True):
            yield poll, candidates


def day_url(pattern: str, day: date) -> str:
    """Fill {yyyy}, {mm} and {dd} of an archive URL. {m} and {d} have no leading zero."""
    parts = {"yyyy": f"{day.year:04}", "mm": f"{day.month:02}", "dd": f"{day.day:02}", "m": day.month, "d": day.day}
    for name, value in parts.items():
        pattern = pattern.replace(f"{{{name}}}", str(value))
    return pattern


def _is_inside(context: DiscoveryContext, day: date) -> bool:
    """Return whether the whole day, in the outlet's time zone, is in the window. True if there is no window."""
    scope = context.scope
    if scope.mode != "window" or scope.start is None:
        return True
    begin = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(context.outlet.timezone))
    return scope.start <= begin and begin + timedelta(days=1) <= scope.end


def _days(context: DiscoveryContext) -> Iterator[date]:
    """Return the days to fetch, in the outlet's time zone, latest first."""
    zone = ZoneInfo(context.outlet.timezone)
    scope = context.scope
    if scope.mode == "window" and scope.start is not None:
        last = (scope.end - timedelta(microseconds=1)).astimezone(zone).date()
        first = scope.start.astimezone(zone).date()
    else:
        last = datetime.now(zone).date()
        first = last - timedelta(days=1)
    while last >= first:
        yield last
        last -= timedelta(days=1)
