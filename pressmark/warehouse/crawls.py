"""The ledger and the frontier of running crawls: every change is one transaction.

A candidate is written down before it is fetched and settled with the segment that holds its page, so
that the ledger adds up whenever the process dies.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json, execute_values

from pressmark import __version__
from pressmark.archive.pointer import ArchivePointer
from pressmark.crawl_types import CrawlRequest, FetchRecord, Poll
from pressmark.dates import read_date
from pressmark.discovery.endpoints import LISTED, NOT_MODIFIED, RESTING, EndpointState
from pressmark.discovery.listing import Entry
from pressmark.extraction.fields import EXTRACTOR_NAME, ExtractionConfig, extractor_version
from pressmark.frontier import REVISIT, Candidate, Decision, FrontierEntry
from pressmark.frontier_updates import FrontierUpdate
from pressmark.outlet import Outlet
from pressmark.text import clean_text
from pressmark.warehouse.connection import dict_rows
from pressmark.warehouse.queries import queries

_PAGE = 500
_READ_BATCH = 5000


def open_crawl(cursor: Cursor, request: CrawlRequest, crawl_id: UUID) -> None:
    """A new attempt at a request. May be repeated."""
    cursor.execute(
        queries("crawl")["open_crawl"],
        {
            "crawl_id": crawl_id,
            "request_id": request.request_id,
            "code_version": __version__,
            "host": socket.gethostname(),
            "pid": os.getpid(),
        },
    )


def close_crawl(
    cursor: Cursor,
    crawl_id: UUID,
    finish_reason: str,
    error: str | None = None,
    stats: dict[str, Any] | None = None,
    requests: int = 0,
) -> None:
    """End a crawl. Candidates must be settled before: `resolve_open`."""
    cursor.execute(
        queries("crawl")["close_crawl"],
        {
            "crawl_id": crawl_id,
            "finish_reason": finish_reason,
            "error": clean_text(error),
            "stats": Json(stats) if stats is not None else None,
            "requests": requests,
        },
    )


def read_frontier(cursor: Cursor, uids: Iterable[UUID]) -> dict[UUID, FrontierEntry]:
    """The frontier's entries of these identities; unknown ones are absent."""
    entries: dict[UUID, FrontierEntry] = {}
    unique = list(dict.fromkeys(uids))
    for start in range(0, len(unique), _READ_BATCH):
        cursor.execute(queries("crawl")["frontier_entries"], {"uids": unique[start : start + _READ_BATCH]})
        for row in dict_rows(cursor):
            hashes = tuple(row.pop(name) for name in ("headline_hash", "description_hash", "authors_hash", "body_hash"))
            place = (row.pop("segment_id"), row.pop("archive_offset"), row.pop("archive_length"))
            digest = row.pop("wire_digest")
            entries[row["url_uid"]] = FrontierEntry(
                **row,
                content=None if None in hashes else hashes,
                wire_digest=bytes(digest) if digest is not None else None,
                pointer=ArchivePointer(*place) if place[0] is not None else None,
            )
    return entries


def latest_texts(cursor: Cursor, outlet: str, count: int) -> list[tuple[UUID, str | None, str, int]]:
    """(article_uid, headline, text, words) of an outlet's latest articles, newest first. Texts are cut."""
    cursor.execute(queries("crawl")["latest_texts"], {"outlet": outlet, "count": count})
    return [(row[0], row[1], row[2], row[3]) for row in cursor.fetchall()]


def read_endpoints(cursor: Cursor, outlet: str) -> dict[UUID, EndpointState]:
    """What is known of an outlet's endpoints."""
    cursor.execute(queries("crawl")["endpoint_states"], {"outlet": outlet})
    return {
        row[0]: EndpointState(row[1], row[2], bytes(row[3]) if row[3] is not None else None, *row[4:])
        for row in cursor.fetchall()
    }


def pages_today(cursor: Cursor, outlet: str, now: datetime) -> int:
    """Requests for articles of an outlet within the last day."""
    cursor.execute(queries("crawl")["pages_today"], {"outlet": outlet, "now": now})
    return int((cursor.fetchone() or (0,))[0])


def count_unreliable(cursor: Cursor, outlet: str) -> int:
    """How many addresses of an outlet changed under the same validators."""
    cursor.execute(queries("crawl")["count_unreliable"], {"outlet": outlet})
    return int((cursor.fetchone() or (0,))[0])


def read_due(cursor: Cursor, outlet: Outlet, now: datetime, limit: int) -> list[Candidate]:
    """The pages that are due, with what a listing once said of them."""
    # With stale statistics, the planner would read the frontier of all outlets.
    cursor.execute("SET LOCAL enable_seqscan = off")
    cursor.execute(queries("crawl")["due"], {"outlet": outlet.id, "now": now, "limit": limit})
    due = []
    context = outlet.date_context(now)
    for uid, url, headline, published_raw, method, modified in cursor.fetchall():
        source = "news_sitemap" if method == "sitemap" else method
        published = read_date(published_raw, source, context) if method else None
        due.append(Candidate(url, uid, REVISIT, None, Entry(url, headline, published, modified)))
    return due


def record_poll(
    cursor: Cursor,
    crawl_id: UUID,
    outlet: str,
    poll: Poll | None,
    decided: Sequence[tuple[Candidate, Decision]],
    known: dict[UUID, FrontierEntry],
    now: datetime,
    candidates_so_far: int,
    state: EndpointState | None = None,
) -> None:
    """Write down a poll, its url_listings, and what was decided of the candidates it brought. May be repeated.

    poll: None for candidates that come from the frontier itself.
    candidates_so_far: of the whole crawl, these included. state: of the endpoint after this poll.
    """
    again = [candidate for candidate, decision in decided if decision.outcome == "known_not_due"]
    stored = [(candidate, decision) for candidate, decision in decided if decision.outcome != "known_not_due"]
    fresh = sorted((c.url_uid, clean_text(c.url)) for c, _ in decided if c.url_uid not in known)
    execute_values(
        cursor,
        queries("crawl")["add_frontier"],
        [(uid, outlet, url, now, now) for uid, url in fresh],
        page_size=_PAGE,
    )
    # A window leaves out by its own dates: what another crawl still owes stays due.
    left_out = [
        (c.url_uid, d.outcome)
        for c, d in stored
        if d.outcome and d.outcome != "budget_exhausted" and (d.outcome != "out_of_window" or c.url_uid not in known)
    ]
    if left_out:
        execute_values(cursor, queries("crawl")["mark_skipped"], left_out, page_size=_PAGE)
    to_fetch = sorted(
        c.url_uid for c, d in decided if c.url_uid in known and (d.fetch or d.outcome == "budget_exhausted")
    )
    if to_fetch:
        cursor.execute(queries("crawl")["make_due"], {"uids": to_fetch, "now": now})
    if poll is not None:
        _add_poll(cursor, crawl_id, poll, len(decided), len(again), state)
    elif again:
        raise ValueError("a candidate of the frontier is due by definition")
    execute_values(
        cursor,
        queries("crawl")["add_candidates"],
        [
            (
                crawl_id,
                candidate.url_uid,
                clean_text(candidate.url),
                candidate.endpoint_id,
                candidate.via,
                decision.outcome,
                clean_text(decision.reason),
                now if decision.outcome else None,
            )
            for candidate, decision in stored
        ],
        page_size=_PAGE,
    )
    if decided:
        cursor.execute(queries("crawl")["count_candidates"], {"crawl_id": crawl_id, "count": candidates_so_far})


def _add_poll(
    cursor: Cursor, crawl_id: UUID, poll: Poll, candidates: int, again: int, state: EndpointState | None
) -> None:
    endpoint = poll.endpoint
    cursor.execute(
        queries("crawl")["add_endpoint"],
        {
            "endpoint_id": endpoint.endpoint_id,
            "outlet": endpoint.outlet,
            "method": endpoint.method,
            "url": endpoint.url,
            "configured": endpoint.configured,
        },
    )
    if poll.outcome == RESTING:
        return
    if state is not None:
        cursor.execute(queries("crawl")["update_endpoint"], {"endpoint_id": endpoint.endpoint_id, **asdict(state)})
    if poll.outcome == NOT_MODIFIED:
        cursor.execute(
            queries("crawl")["still_listed"],
            {"endpoint_id": endpoint.endpoint_id, "polled_at": poll.polled_at, "crawl_id": crawl_id},
        )
    overlap = None
    if poll.outcome == LISTED:
        cursor.execute(queries("crawl")["last_poll"], {"endpoint_id": endpoint.endpoint_id, "crawl_id": crawl_id})
        (before,) = cursor.fetchone() or (None,)
        if before is not None:
            uids = [uid for uid, _ in poll.entries]
            cursor.execute(
                queries("crawl")["overlap"],
                {"endpoint_id": endpoint.endpoint_id, "uids": uids, "polled_at": before},
            )
            (overlap,) = cursor.fetchone() or (None,)
    entries = {uid: entry for uid, entry in poll.entries}
    execute_values(
        cursor,
        queries("crawl")["add_url_listings"],
        [_url_listing_row(uid, entries[uid], poll) for uid in sorted(entries)],
        page_size=_PAGE,
    )
    cursor.execute(
        queries("crawl")["add_poll"],
        {
            "crawl_id": crawl_id,
            "endpoint_id": endpoint.endpoint_id,
            "polled_at": poll.polled_at,
            "http_status": poll.http_status,
            "outcome": poll.outcome,
            "detail": clean_text(poll.detail),
            "entries": len(poll.entries),
            "candidates": candidates,
            "already_known": again,
            "overlap": overlap,
            "is_truncated": poll.is_truncated,
            "gap_suspected": overlap == 0 and bool(poll.entries),
            "body_hash": poll.body_hash,
        },
    )


def _url_listing_row(uid: UUID, entry: Entry, poll: Poll) -> tuple[Any, ...]:
    published = entry.published
    return (
        uid,
        poll.endpoint.endpoint_id,
        poll.endpoint.outlet,
        clean_text(entry.url),
        poll.polled_at,
        poll.polled_at,
        clean_text(entry.headline),
        published.value if published else None,
        clean_text(published.raw) if published else None,
        entry.modified,
    )


def resolve_candidates(
    cursor: Cursor, rows: Iterable[tuple[UUID, UUID, str, str | None, UUID | None, UUID | None]]
) -> None:
    """Settle (crawl, url_uid, outcome, reason, segment, article); what has ended already stays."""
    ordered = sorted(rows, key=lambda row: (row[0], row[1]))
    cleaned = [(*row[:3], clean_text(row[3]), *row[4:]) for row in ordered]
    if cleaned:
        execute_values(cursor, queries("crawl")["resolve_candidates"], cleaned, page_size=_PAGE)


def resolve_open(cursor: Cursor, crawl_id: UUID, outcome: str, reason: str) -> int:
    """Settle all that is open in a crawl; returns how many."""
    cursor.execute(
        queries("crawl")["resolve_open"], {"crawl_id": crawl_id, "outcome": outcome, "reason": clean_text(reason)}
    )
    return int(cursor.rowcount)


def resolve_waiting(cursor: Cursor, crawl_id: UUID, uids: Sequence[UUID], outcome: str, reason: str) -> int:
    """Settle candidates of a crawl that wait in the spool; returns how many."""
    values = {"crawl_id": crawl_id, "uids": list(uids), "outcome": outcome, "reason": clean_text(reason)}
    cursor.execute(queries("crawl")["resolve_waiting"], values)
    return int(cursor.rowcount)


def segment_place(cursor: Cursor, segment_id: UUID) -> tuple[str, int] | None:
    """(file, first byte) of a segment in the archive; None where it is there no more."""
    cursor.execute(queries("crawl")["segment_place"], {"segment_id": segment_id})
    row = cursor.fetchone()
    return (row[0], row[1]) if row else None


def update_frontier(cursor: Cursor, outlet: str, updates: Iterable[FrontierUpdate], now: datetime) -> None:
    """Write the new states of URLs."""
    rows = [
        (
            u.url_uid, outlet, clean_text(u.url), now, u.outcome, u.fetched_at, u.next_due_at, u.failures,
            u.article_uid, u.captured_at, u.captured_at, u.listed_modified, u.date_published,
            *(u.content or (None,) * 4),
            clean_text(u.etag), clean_text(u.last_modified), u.wire_digest,
            *((u.pointer.segment_id, u.pointer.offset, u.pointer.length) if u.pointer else (None,) * 3),
            u.last_read_at, u.validators_unreliable,
        )
        for u in sorted({u.url_uid: u for u in updates}.values(), key=lambda u: u.url_uid)
    ]  # fmt: skip
    if rows:
        execute_values(cursor, queries("crawl")["update_frontier"], rows, page_size=_PAGE)


def add_fetches(cursor: Cursor, crawl_id: UUID, fetches: Sequence[FetchRecord]) -> None:
    """Write down requests that were made."""
    if not fetches:
        return
    execute_values(
        cursor,
        queries("crawl")["add_fetches"],
        [
            (
                crawl_id,
                f.fetched_at,
                clean_text(f.url),
                f.kind,
                f.http_status,
                f.bytes,
                f.seconds,
                f.ip,
                clean_text(f.error),
            )
            for f in fetches
        ],
        page_size=_PAGE,
    )


def ensure_extractor(cursor: Cursor, config: ExtractionConfig) -> int:
    """The number of the extractor that these hints make."""
    cursor.execute(
        queries("crawl")["ensure_extractor"],
        {
            "name": EXTRACTOR_NAME,
            "version": extractor_version(),
            "config_hash": config.config_hash,
            "config": Json(asdict(config)),
        },
    )
    row = cursor.fetchone()
    assert row is not None
    return int(row[0])
