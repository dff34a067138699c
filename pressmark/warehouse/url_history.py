"""The history of one URL in the warehouse."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg2.extensions import cursor as Cursor

from pressmark.errors import ConfigError
from pressmark.rights import TdmFile
from pressmark.robots import RobotsPolicy
from pressmark.settings import ROBOTS_TOKEN
from pressmark.urls import absolute, loose_uid, url_host, url_path, url_site, url_uid
from pressmark.warehouse.queries import queries
from pressmark.warehouse.site_policies import latest_check


@dataclass(slots=True)
class UrlHistory:
    """Everything the warehouse holds about a URL. Rows are dictionaries.

    rights: rules of the host's robots.txt and tdmrep.json for the URL, as last checked.
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
        """Whether the URL was ever listed, decided on or fetched."""
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
    """Return the history of a URL. Raises ConfigError if it is not an http(s) URL."""
    absolute_url = absolute(url)
    if absolute_url is None:
        raise ConfigError(f"{url!r} is not an http(s) URL.")
    cursor.execute(queries("url_history")["outlets_of_host"], {"host": url_host(absolute_url)})
    owners = cursor.fetchall()
    history = _read(cursor, absolute_url, owners, [url_uid(outlet, absolute_url, keep) for outlet, keep in owners])
    if not history.is_known:  # the warehouse may know the URL by its identity under URL rule 1
        earlier = _read(
            cursor, absolute_url, owners, [loose_uid(outlet, absolute_url, keep) for outlet, keep in owners]
        )
        history = earlier if earlier.is_known else history
    history.rights = _rights(cursor, history.frontier[0]["url"] if history.frontier else absolute_url)
    return history


def _read(cursor: Cursor, absolute_url: str, owners: list[tuple[Any, ...]], uids: list[UUID]) -> UrlHistory:
    history = UrlHistory(absolute_url, [outlet for outlet, _ in owners], uids)
    values: dict[str, Any] = {"uids": uids, "url": absolute_url, "outlets": history.outlets}
    cursor.execute(queries("url_history")["articles"], values)
    history.articles = [row[0] for row in cursor.fetchall()]
    values["articles"] = history.articles
    # Other URLs that led to the article are part of its history.
    cursor.execute(queries("url_history")["variants"], values)
    values["uids"] = sorted({*uids, *(row[0] for row in cursor.fetchall())})
    for name, columns in _COLUMNS.items():
        cursor.execute(queries("url_history")[name], values)
        setattr(history, name, [dict(zip(columns.split(), row, strict=True)) for row in cursor.fetchall()])
    return history


def _rights(cursor: Cursor, url: str) -> dict[str, Any]:
    robots, tdmrep = (latest_check(cursor, url_site(url), kind) for kind in ("robots", "tdmrep"))
    rights: dict[str, Any] = {}
    if robots is not None:
        if robots.status is None:
            policy = RobotsPolicy.from_failure(robots.error or "no response")
        else:
            policy = RobotsPolicy.from_response(robots.status, robots.body or b"")
        verdict = policy.verdict(url, ROBOTS_TOKEN)
        rights |= {"robots": verdict.outcome, "reason": verdict.reason, "checked_at": robots.checked_at}
        rights |= {"crawl_delay": policy.crawl_delay(ROBOTS_TOKEN), **policy.preferences.about(url_path(url))}
    if tdmrep is not None and tdmrep.body is not None:
        rights["tdm_reservation"], rights["tdm_policy"] = TdmFile.parse(tdmrep.body).reserves(url_path(url))
    return {name: value for name, value in rights.items() if value is not None}


def read_article(cursor: Cursor, articles: list[UUID]) -> dict[str, Any] | None:
    """Return the row of mart.article for these article ids, or None."""
    cursor.execute(queries("url_history")["article"], {"articles": articles})
    row = cursor.fetchone()
    return row[0] if row else None


def read_markdown(cursor: Cursor, article: UUID) -> str:
    """Return the headline and the text of an article as Markdown. Empty if it has no text."""
    cursor.execute(queries("url_history")["markdown"], {"article": article})
    (markdown,) = cursor.fetchone() or (None,)
    return markdown or ""
