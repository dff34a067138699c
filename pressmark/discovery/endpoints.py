"""The state of an endpoint between polls. It determines when the endpoint is polled next and with which validators."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from uuid import UUID

from pressmark.text import clean_text
from pressmark.times import short_time
from pressmark.urls import literal_key

LISTED, NOT_MODIFIED, RESTING = "listed", "not_modified", "resting"
_FULL_REFETCH_INTERVAL = timedelta(days=1)
_FIRST_RETRY = timedelta(hours=1)
_INACTIVITY_DIVISOR = 10  # the poll interval is this fraction of the time without new URLs
_MAX_POLL_INTERVAL = timedelta(days=1)
_INDEX_SLACK = timedelta(hours=1)  # a lastmod is often rounded down to the minute or the hour
_DAY_SLACK = timedelta(hours=26)  # for a lastmod that is rounded down to the day


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint of an outlet. Its id is derived from the other fields."""

    outlet: str
    method: str
    url: str
    configured: bool = True

    @property
    def endpoint_id(self) -> UUID:
        """The first 16 bytes of sha256(outlet, method, URL)."""
        return literal_key(f"{self.outlet}\0{self.method}\0{self.url}")


@dataclass(frozen=True, slots=True)
class EndpointState:
    """The state of an endpoint. The columns of ops.endpoint describe the fields."""

    etag: str | None = None
    last_modified: str | None = None
    body_hash: bytes | None = None
    last_read_at: datetime | None = None
    last_new_at: datetime | None = None
    failures: int = 0
    next_poll_at: datetime | None = None
    validators_unreliable: bool = False
    index_modified: datetime | None = None
    failure: str | None = None
    failing_since: datetime | None = None

    def validators(self, now: datetime) -> dict[str, str]:
        """Return the headers of a conditional request, or none if the full listing is needed.

        The full listing is fetched at intervals, because some servers keep their validators when a listing changes.
        """
        if self.validators_unreliable or self.last_read_at is None or now - self.last_read_at >= _FULL_REFETCH_INTERVAL:
            return {}
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in headers.items() if value}

    def is_unchanged(self, modified: datetime | None, now: datetime) -> bool:
        """Return whether the sitemap index shows that this endpoint hasn't changed since the last poll.

        modified: lastmod of the endpoint in the index. A full refetch is due at intervals even if it hasn't changed.
        """
        if modified is None or modified != self.index_modified or self.last_read_at is None or self.failures:
            return False
        slack = _DAY_SLACK if modified.time() == time.min else _INDEX_SLACK
        return self.last_read_at > modified + slack and now - self.last_read_at < _FULL_REFETCH_INTERVAL

    def listed(
        self,
        now: datetime,
        etag: str | None,
        last_modified: str | None,
        body_hash: bytes | None,
        new: bool,
        index_modified: datetime | None = None,
    ) -> EndpointState:
        """Return the state after a poll that returned the full listing. new: whether it listed an unknown URL."""
        etag, last_modified = clean_text(etag), clean_text(last_modified)
        same = self.etag == etag if self.etag or etag else bool(last_modified) and self.last_modified == last_modified
        unreliable = self.validators_unreliable or (same and self.body_hash is not None and self.body_hash != body_hash)
        new_at = now if new or self.last_new_at is None else self.last_new_at
        return EndpointState(
            etag, last_modified, body_hash, now, new_at, 0, _next_poll(now, new_at), unreliable, index_modified
        )

    def not_modified(self, now: datetime) -> EndpointState:
        """Return the state after a response with status 304."""
        return replace(
            self, failures=0, next_poll_at=_next_poll(now, self.last_new_at or now), failure=None, failing_since=None
        )

    def failed(self, now: datetime, failure: str, longest: timedelta) -> EndpointState:
        """Return the state after a failed poll. The retry interval doubles up to a limit, and retries never stop.

        A poll during the back-off, as by the retry of a task or by hand, does not count as another failure.
        failure: what happened, in a sentence. longest: the limit, the interval of the outlet's crawls.
        """
        is_early = self.failures > 0 and self.next_poll_at is not None and now < self.next_poll_at
        failures = self.failures if is_early else self.failures + 1
        wait = min(_FIRST_RETRY * 2 ** min(failures - 1, 10), longest)
        # The retry is due slightly early, so that a scheduled run that starts early doesn't miss it.
        return replace(
            self, failures=failures, next_poll_at=now + wait * 0.9, failure=failure,
            failing_since=self.failing_since or now,
        )  # fmt: skip

    @property
    def why_it_rests(self) -> str:
        """Why scheduled crawls do not poll it before next_poll_at: the failure, or that it has nothing new."""
        if not self.failures:
            return "nothing new for a long time"
        cause = self.failure or "it failed"
        since = f" since {short_time(self.failing_since)}" if self.failing_since else ""
        return f"{cause} (failed {'once' if self.failures == 1 else f'{self.failures} times'}{since})"


def _next_poll(now: datetime, last_new: datetime) -> datetime:
    """Return the time of the next poll. The interval is a tenth of the time without new URLs, and one day at most."""
    return now + min((now - last_new) / _INACTIVITY_DIVISOR, _MAX_POLL_INTERVAL)
