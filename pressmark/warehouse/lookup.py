"""What is known of one address."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg2.extensions import cursor as Cursor

from pressmark.errors import ConfigError
from pressmark.urls import absolute, host_of, url_uid
from pressmark.warehouse.queries import queries


@dataclass(slots=True)
class Story:
    """All that the warehouse has of an address; rows as dictionaries."""

    url: str
    outlets: list[str]
    uids: list[UUID]
    articles: list[UUID] = field(default_factory=list)
    frontier: list[dict[str, Any]] = field(default_factory=list)
    sightings: list[dict[str, Any]] = field(default_factory=list)
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    visits: list[dict[str, Any]] = field(default_factory=list)
    quarantine: list[dict[str, Any]] = field(default_factory=list)
    copies: list[dict[str, Any]] = field(default_factory=list)
    removals: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_known(self) -> bool:
        """Whether anything at all is known of it."""
        return bool(self.frontier or self.sightings or self.outcomes or self.articles)


_COLUMNS = {
    "frontier": "url_uid outlet url article_uid first_listed_at next_due_at last_fetch_at last_outcome failures",
    "sightings": "method endpoint first_listed_at last_listed_at listed_headline",
    "outcomes": "crawl_id url decided_at mode discovered_via outcome reason meaning",
    "visits": "observed_at http_status url captured_by crawl_id archive_file archive_offset archive_length "
    "revision changed_parts rights",
    "quarantine": "created_at outcome stage reason archive_file archive_offset archive_length",
    "copies": "outlet url similarity containment",
    "removals": "target value action reason created_at",
}


def look_up(cursor: Cursor, url: str) -> Story:
    """Everything about an address. Raises ConfigError for what is no http(s) URL."""
    address = absolute(url)
    if address is None:
        raise ConfigError(f"{url!r} is not an http(s) URL.")
    cursor.execute(queries("lookup")["outlets_of_host"], {"host": host_of(address)})
    owners = cursor.fetchall()
    uids = [url_uid(outlet, address, parameters) for outlet, parameters in owners]
    story = Story(address, [outlet for outlet, _ in owners], uids)
    values: dict[str, Any] = {"uids": uids, "url": address, "outlets": story.outlets}
    cursor.execute(queries("lookup")["articles"], values)
    story.articles = [row[0] for row in cursor.fetchall()]
    values["articles"] = story.articles
    # What led to the article under another address belongs to its story.
    cursor.execute(queries("lookup")["variants"], values)
    values["uids"] = sorted({*uids, *(row[0] for row in cursor.fetchall())})
    for name, columns in _COLUMNS.items():
        cursor.execute(queries("lookup")[name], values)
        setattr(story, name, [dict(zip(columns.split(), row, strict=True)) for row in cursor.fetchall()])
    return story


def read_article(cursor: Cursor, articles: list[UUID]) -> dict[str, Any] | None:
    """The row of mart.article behind an address."""
    cursor.execute(queries("lookup")["article"], {"articles": articles})
    row = cursor.fetchone()
    return row[0] if row else None
