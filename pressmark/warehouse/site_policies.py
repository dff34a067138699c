"""robots.txt and tdmrep.json of hosts: the last check with its expiry, and each distinct content once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from psycopg2.extensions import cursor as Cursor

from pressmark.text import clean_text
from pressmark.warehouse.queries import queries

Kind = Literal["robots", "tdmrep"]
ANSWER_TTL = timedelta(hours=24)  # the maximum of RFC 9309, section 2.4
ERROR_TTL = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class SitePolicy:
    """One check of a host's file.

    site: scheme and host. status: None if there was no response; error is then the reason. body: None if there is
    none.
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
        """The hash of the content, as stored in the rights of a capture."""
        return self.body_hash.hex() if self.body_hash is not None else None

    @property
    def failed(self) -> bool:
        """Whether the check was inconclusive: no response, a server error, overload or a redirect loop."""
        return self.status is None or not (200 <= self.status < 300 or 400 <= self.status < 500) or self.status == 429

    @property
    def expires_at(self) -> datetime:
        """When the check expires: after minutes for a failure, after a day for an answer."""
        return self.checked_at + (ERROR_TTL if self.failed else ANSWER_TTL)


def read_site_policy(cursor: Cursor, site: str, kind: Kind, now: datetime) -> SitePolicy | None:
    """Return the last check if it has not expired."""
    cursor.execute(queries("crawl")["site_policy"], {"site": site, "kind": kind, "now": now})
    row = cursor.fetchone()
    if row is None:
        return None
    checked_at, status, error, body = row
    return SitePolicy(site, kind, checked_at, status, error, bytes(body) if body is not None else None)


def latest_check(cursor: Cursor, site: str, kind: Kind) -> SitePolicy | None:
    """Return the last check, even if it has expired."""
    return read_site_policy(cursor, site, kind, datetime.min.replace(tzinfo=UTC))


def write_site_policy(cursor: Cursor, file: SitePolicy) -> None:
    """Store a check, and its body if that is new. Idempotent."""
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
