"""What is known of one address."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg2.extensions import cursor as Cursor

from pressmark.errors import ConfigError
from pressmark.rights import TdmFile
from pressmark.robots import RobotsPolicy
from pressmark.settings import ROBOTS_TOKEN
from pressmark.urls import absolute, url_host, url_path, url_site, url_uid
from pressmark.warehouse.queries import queries
from pressmark.warehouse.site_policies import latest_check


@dataclass(slots=True)
class UrlHistory:
    """All that the warehouse has of an address; rows as dictionaries.

    rights: what robots.txt and tdmrep.json of its host say of it, as they were last seen.
    """

    url: str
    outlets: list[str]
    uids: list[UUID]
    articles: list[UUID] = field(default_factory=list)
    frontier: list[dict[str, Any]] = field(default_factory=list)
    url_listings: list[dict[str, Any]] = field(default_factory=list)
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    captures: list[dict[str, Any]] = field(default_factory=list)
    quarantine: list[dict[str, Any]] = field(default_factory=list)
    copies: list[dict[str, Any]] = field(default_factory=list)
    removals: list[dict[str, Any]] = field(default_factory=list)
    rights: dict[str, Any] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Whether anything at all is known of it."""
        return bool(self.frontier or self.url_listings or self.outcomes or self.articles)


_COLUMNS = {
    "frontier": "url_uid outlet url article_uid first_listed_at next_due_at last_fetch_at last_outcome failures",
    "url_listings": "method endpoint first_listed_at last_listed_at listed_headline",
    "outcomes": "crawl_id url decided_at mode discovered_via outcome reason meaning",
    "captures": "observed_at http_status url captured_by crawl_id archive_file archive_offset archive_length "
    "revision changed_parts rights",
    "quarantine": "created_at outcome stage reason archive_file archive_offset archive_length",
    "copies": "outlet url similarity containment",
    "removals": "target value action reason created_at",
}


def read_url_history(cursor: Cursor, url: str) -> UrlHistory:
    """Everything about an address. Raises ConfigError for what is no http(s) URL."""
    address = absolute(url)
    if address is None:
        raise ConfigError(f"{url!r} is not an http(s) URL.")
    cursor.execute(queries("url_history")["outlets_of_host"], {"host": url_host(address)})
    owners = cursor.fetchall()
    uids = [url_uid(outlet, address, parameters) for outlet, parameters in owners]
    story = UrlHistory(address, [outlet for outlet, _ in owners], uids)
    values: dict[str, Any] = {"uids": uids, "url": address, "outlets": story.outlets}
    cursor.execute(queries("url_history")["articles"], values)
    story.articles = [row[0] for row in cursor.fetchall()]
    values["articles"] = story.articles
    # What led to the article under another address belongs to its story.
    cursor.execute(queries("url_history")["variants"], values)
    values["uids"] = sorted({*uids, *(row[0] for row in cursor.fetchall())})
    for name, columns in _COLUMNS.items():
        cursor.execute(queries("url_history")[name], values)
        setattr(story, name, [dict(zip(columns.split(), row, strict=True)) for row in cursor.fetchall()])
    story.rights = _rights(cursor, story.frontier[0]["url"] if story.frontier else address)
    return story


def _rights(cursor: Cursor, url: str) -> dict[str, Any]:
    robots, tdmrep = (latest_check(cursor, url_site(url), kind) for kind in ("robots", "tdmrep"))
    told: dict[str, Any] = {}
    if robots is not None:
        if robots.status is None:
            policy = RobotsPolicy.from_failure(robots.error or "no answer")
        else:
            policy = RobotsPolicy.from_response(robots.status, robots.body or b"")
        verdict = policy.verdict(url, ROBOTS_TOKEN)
        told |= {"robots": verdict.outcome, "reason": verdict.reason, "checked_at": robots.checked_at}
        told |= {"crawl_delay": policy.crawl_delay(ROBOTS_TOKEN), **policy.preferences.about(url_path(url))}
    if tdmrep is not None and tdmrep.body is not None:
        told["tdm_reservation"], told["tdm_policy"] = TdmFile.parse(tdmrep.body).reserves(url_path(url))
    return {name: value for name, value in told.items() if value is not None}


def read_article(cursor: Cursor, articles: list[UUID]) -> dict[str, Any] | None:
    """The row of mart.article behind an address."""
    cursor.execute(queries("url_history")["article"], {"articles": articles})
    row = cursor.fetchone()
    return row[0] if row else None
