"""What hosts say in robots.txt and tdmrep.json: the last look and until when it holds, each state kept once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from psycopg2.extensions import cursor as Cursor

from pressmark.text import clean_text
from pressmark.warehouse.queries import queries

Kind = Literal["robots", "tdmrep"]
ANSWER_HOLDS = timedelta(hours=24)  # the most that RFC 9309 2.4 allows
ERROR_HOLDS = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class SitePolicy:
    """A look at a host's file.

    site: scheme and host. status: None where no answer came; error then says why. body: None where there is none.
    """

    site: str
    kind: Kind
    checked_at: datetime
    status: int | None
    error: str | None = None
    body: bytes | None = None

    @property
    def body_hash(self) -> bytes | None:
        """First 16 bytes of the body's sha256."""
        return hashlib.sha256(self.body).digest()[:16] if self.body is not None else None

    @property
    def name(self) -> str | None:
        """The state it showed, as a visit's rights name it."""
        return self.body_hash.hex() if self.body_hash is not None else None

    @property
    def failed(self) -> bool:
        """Whether nothing was learnt: no answer, an error of the server's, overload, a redirect without an end."""
        return self.status is None or not (200 <= self.status < 300 or 400 <= self.status < 500) or self.status == 429

    @property
    def expires_at(self) -> datetime:
        """Until when it holds: errors and overload pass, an answer holds for a day."""
        return self.checked_at + (ERROR_HOLDS if self.failed else ANSWER_HOLDS)


def read_site_policy(cursor: Cursor, site: str, kind: Kind, now: datetime) -> SitePolicy | None:
    """The last look, where it still holds."""
    cursor.execute(queries("crawl")["site_policy"], {"site": site, "kind": kind, "now": now})
    row = cursor.fetchone()
    if row is None:
        return None
    checked_at, status, error, body = row
    return SitePolicy(site, kind, checked_at, status, error, bytes(body) if body is not None else None)


def latest_check(cursor: Cursor, site: str, kind: Kind) -> SitePolicy | None:
    """The last look, whether it still holds or not."""
    return read_site_policy(cursor, site, kind, datetime.min.replace(tzinfo=UTC))


def write_site_policy(cursor: Cursor, file: SitePolicy) -> None:
    """Keep a look, and its body where that is new. May be repeated."""
    values = {
        "site": clean_text(file.site),
        "kind": file.kind,
        "checked_at": file.checked_at,
        "expires_at": file.expires_at,
        "http_status": file.status,
        "error": clean_text(file.error),
        "body_hash": file.body_hash,
        "body": file.body,
    }
    if file.body is not None:
        cursor.execute(queries("crawl")["add_site_policy"], values)
    cursor.execute(queries("crawl")["add_site_policy_check"], values)
