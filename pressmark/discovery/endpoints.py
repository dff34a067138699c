"""When an endpoint is looked at, and how: the state of a feed, sitemap or section from look to look. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from uuid import UUID

from pressmark.text import clean_text
from pressmark.urls import literal_key

LISTED, NOT_MODIFIED, RESTING = "listed", "not_modified", "resting"
_FULL_REFETCH_INTERVAL = timedelta(days=1)
_FIRST_RETRY, _LAST_RETRY = timedelta(hours=1), timedelta(days=7)
_QUIET_SHARE = 10
_MAX_POLL_INTERVAL = timedelta(days=1)
_INDEX_SLACK = timedelta(hours=1)  # a lastmod is often the begin of the minute, or of the hour
_DAY_SLACK = timedelta(hours=26)  # or that of the day


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A feed or sitemap of an outlet; its id is made of what it is."""

    outlet: str
    method: str
    url: str
    configured: bool = True

    @property
    def endpoint_id(self) -> UUID:
        """First 16 bytes of sha256(outlet, method, URL)."""
        return literal_key(f"{self.outlet}\0{self.method}\0{self.url}")


@dataclass(frozen=True, slots=True)
class EndpointState:
    """What is known of an endpoint; see ops.endpoint."""

    etag: str | None = None
    last_modified: str | None = None
    body_hash: bytes | None = None
    last_read_at: datetime | None = None
    last_new_at: datetime | None = None
    failures: int = 0
    next_poll_at: datetime | None = None
    validators_unreliable: bool = False
    index_modified: datetime | None = None

    def validators(self, now: datetime) -> dict[str, str]:
        """Headers by which its server may answer 304; none where the listing is wanted in full.

        Now and then it is, since some servers keep their validators while a listing changes.
        """
        if self.validators_unreliable or self.last_read_at is None or now - self.last_read_at >= _FULL_REFETCH_INTERVAL:
            return {}
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in headers.items() if value}

    def is_unchanged(self, modified: datetime | None, now: datetime) -> bool:
        """Whether the index that names it says `modified` as it did when it was last read, not too long ago."""
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
        """After a listing that came in full. new: whether it brought an address that was not known."""
        etag, last_modified = clean_text(etag), clean_text(last_modified)
        same = self.etag == etag if self.etag or etag else bool(last_modified) and self.last_modified == last_modified
        lied = same and self.body_hash is not None and self.body_hash != body_hash
        new_at = now if new or self.last_new_at is None else self.last_new_at
        return EndpointState(
            etag, last_modified, body_hash, now, new_at, 0, _next_poll(now, new_at), self.validators_unreliable or lied,
            index_modified,
        )  # fmt: skip

    def not_modified(self, now: datetime) -> EndpointState:
        """After a 304."""
        return replace(self, failures=0, next_poll_at=_next_poll(now, self.last_new_at or now))

    def failed(self, now: datetime) -> EndpointState:
        """After a look that brought nothing: looked at less and less often, never given up."""
        failures = self.failures + 1
        wait = min(_FIRST_RETRY * 2 ** min(failures - 1, 10), _LAST_RETRY)
        # A run of the schedule that begins a little early shall not miss its turn.
        return replace(self, failures=failures, next_poll_at=now + wait * 0.9)


def _next_poll(now: datetime, last_new: datetime) -> datetime:
    """The longer it has brought nothing, the longer it rests: a tenth of that time, a day at most."""
    return now + min((now - last_new) / _QUIET_SHARE, _MAX_POLL_INTERVAL)
