"""What becomes of a fetched page: its outcome, its staged visit, its place in the frontier. Pure.

The crawl settles each page as it comes; recovery settles the pages of an orphaned WARC by the same
function, from the WARC's own metadata records.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from pressmark.archive.records import Response
from pressmark.dates import ParsedDate, day_in_url
from pressmark.discovery.listing import Entry
from pressmark.extraction.extract import Extraction
from pressmark.extraction.worker import PageExtraction
from pressmark.frontier import FULL_REFETCH_INTERVAL, Candidate, CrawlScope, FrontierEntry, in_window, next_due
from pressmark.outlet import Outlet
from pressmark.rights import RightsSignals, read_rights
from pressmark.urls import absolute, is_homepage, on_domains, url_key, url_uid

KEPT = frozenset(("new", "revised", "unchanged", "duplicate_url"))
MISSING = frozenset(("gone", "redirect_home"))
NOT_MODIFIED = "not_modified"
REFUSALS = frozenset(("challenge_page", "consent_wall", "rate_limited", "geo_blocked"))
"""Outcomes by which a host tells that it does not want us as we are; many in a row stop its crawl."""


@dataclass(frozen=True, slots=True)
class Capture:
    """A page that came, and how we came to it.

    response: without its body. requested_url: before redirects; response.url is the final one. site_rights: what
    robots.txt and tdmrep.json of its host state about it.
    """

    candidate: Candidate
    response: Response
    requested_url: str
    site_rights: dict[str, Any] | None = None

    def metadata(self, crawl_id: UUID, outlet: str, segment_id: UUID) -> dict[str, Any]:
        """What the WARC's metadata record says, so that the visit can be staged from the file alone."""
        candidate, entry = self.candidate, self.candidate.entry
        published = entry.published if entry else None
        return {
            "crawl_id": str(crawl_id),
            "outlet": outlet,
            "segment_id": str(segment_id),
            "capture_id": str(self.response.capture_id),
            "requested_url": self.requested_url,
            "candidate_url": candidate.url,
            "url_uid": str(candidate.url_uid),
            "discovered_via": candidate.via,
            "endpoint_id": str(candidate.endpoint_id) if candidate.endpoint_id else None,
            "listed_headline": entry.headline if entry else None,
            "listed_modified": entry.modified.isoformat() if entry and entry.modified else None,
            "listed_published": {
                "raw": published.raw,
                "source": published.source,
                "value": published.value.isoformat() if published.value else None,
                "precision": published.precision,
                "offset": published.offset,
            }
            if published
            else None,
            "site_rights": self.site_rights,
        }

    def rights(self, page: RightsSignals) -> dict[str, Any] | None:
        """All that page, headers and host state: for the visit's row."""
        found = {**(page.as_json() or {}), **({"site": self.site_rights} if self.site_rights else {})}
        return found or None


def capture_from_record(response: Response, fields: dict[str, Any]) -> Capture:
    """The capture that a WARC's response and its metadata record describe."""
    listed = fields.get("listed_published")
    published = (
        ParsedDate(
            listed["raw"],
            listed["source"],
            datetime.fromisoformat(listed["value"]) if listed["value"] else None,
            listed["precision"],
            listed["offset"],
        )
        if listed
        else None
    )
    modified = fields.get("listed_modified")
    entry = Entry(
        fields["candidate_url"],
        fields.get("listed_headline"),
        published,
        datetime.fromisoformat(modified) if modified else None,
    )
    endpoint = fields.get("endpoint_id")
    candidate = Candidate(
        fields["candidate_url"],
        UUID(fields["url_uid"]),
        fields["discovered_via"],
        UUID(endpoint) if endpoint else None,
        entry,
    )
    return Capture(candidate, response.without_body(), fields["requested_url"], fields.get("site_rights"))


@dataclass(frozen=True, slots=True)
class FrontierUpdate:
    """New state of a URL in ops.frontier. None in `content` and the pointer leaves what was there."""

    url_uid: UUID
    url: str
    outcome: str
    fetched_at: datetime | None
    next_due_at: datetime | None
    failures: int
    article_uid: UUID | None = None
    captured_at: datetime | None = None
    listed_modified: datetime | None = None
    date_published: datetime | None = None
    content: tuple[int, int, int, int] | None = None
    etag: str | None = None
    last_modified: str | None = None
    wire_digest: bytes | None = None
    segment_id: UUID | None = None
    archive_offset: int | None = None
    archive_length: int | None = None
    last_read_at: datetime | None = None
    validators_unreliable: bool = False


@dataclass(frozen=True, slots=True)
class CandidateResult:
    """How a candidate ended. `extraction` is given where a visit is to be staged.

    published: of a page outside of the window asked for. archived: (segment, offset, length) of a page that was not
    fetched but taken from the archive.
    """

    candidate: Candidate
    outcome: str
    reason: str | None
    article_uid: UUID | None
    article_url: str | None
    capture: Capture | None = None
    extraction: Extraction | None = None
    quarantine_stage: str | None = None
    archive: bool = False
    listed: ParsedDate | None = None
    published: datetime | None = None
    archived: tuple[UUID, int, int] | None = None


def resolve_page(
    capture: Capture,
    read: PageExtraction,
    scope: CrawlScope,
    outlet: Outlet,
    known_by_uid: Callable[[UUID], FrontierEntry | None],
    tdm_basis: str | None,
) -> CandidateResult:
    """The outcome of a page that came with status 2xx and was read.

    known_by_uid: what the frontier (or this crawl) knows of an identity.
    tdm_basis: research or licensed where the installation declares one.
    """
    candidate, response = capture.candidate, capture.response
    article_url = identity_url(capture.requested_url, response.url, outlet)
    article_uid = url_uid(outlet.id, article_url, outlet.urls.parameters)
    extraction = read.extraction
    # A page that could not be read may forbid its archiving in a part that nobody has seen.
    unseen = extraction is None and read.outcome in ("extraction_timeout", "quarantined") and read.stage == "extract"
    rights = extraction.rights if extraction else read_rights(response.headers, {})
    may_archive = not ((rights.noarchive or unseen) and outlet.rights.noarchive == "obey")

    def end(outcome: str, reason: str | None, stage: str | None = None, archive: bool = may_archive) -> CandidateResult:
        return CandidateResult(candidate, outcome, reason, article_uid, article_url, capture, None, stage, archive)

    if read.outcome in REFUSALS:
        return end(read.outcome or "challenge_page", read.reason, read.stage)  # wherever it was redirected to
    if response.url != capture.requested_url and _leads_home(capture.requested_url, response.url, outlet):
        return end("redirect_home", f"now leads to {response.url}", archive=False)
    if not on_domains(response.url, outlet.domains):
        return end("out_of_scope", f"leads to {response.url}", archive=False)
    if rights.tdm_reservation and outlet.rights.tdm_reservation == "obey" and tdm_basis is None:
        return end("rights_reserved", "the page reserves text and data mining (tdm-reservation: 1)", archive=False)
    if read.outcome is not None or extraction is None:
        return end(read.outcome or "quarantined", read.reason, read.stage or "extract")
    # After the walls: error pages and lists ask not to be indexed too, and are better called what they are.
    if rights.noindex and outlet.rights.noindex == "obey":
        return end("noindex", "the page asks not to be indexed (robots: noindex)", archive=False)
    listed = _listed_date(candidate, article_url, response.observed_at)
    published = (extraction.published.value if extraction.published else None) or (listed.value if listed else None)
    if scope.mode == "window" and published is not None and not in_window(published, scope):
        # Kept with its date: the window that wants it takes it from the archive.
        return replace(end("out_of_window", f"published {published:%Y-%m-%d}"), published=published)
    return CandidateResult(
        candidate,
        _kept_outcome(candidate, article_uid, extraction, known_by_uid),
        None if article_uid == candidate.url_uid else f"the article is {article_url}",
        article_uid,
        article_url,
        capture,
        extraction,
        archive=may_archive,
        listed=listed,
    )


def resolve_without_page(
    candidate: Candidate, outcome: str, reason: str | None, article_uid: UUID | None = None
) -> CandidateResult:
    """The end of a candidate for which no page came. article_uid: of a page that its server called unchanged."""
    return CandidateResult(candidate, outcome, reason, article_uid, None)


def frontier_update(
    resolved: CandidateResult,
    known: FrontierEntry | None,
    outlet: Outlet,
    now: datetime,
    pointer: tuple[UUID, int, int] | None = None,
) -> FrontierUpdate:
    """The frontier's new state after a candidate was settled.

    pointer: (segment, offset, length) of the archived body, where there is one.
    """
    candidate, capture, extraction = resolved.candidate, resolved.capture, resolved.extraction
    response = capture.response if capture else None
    requested = resolved.outcome not in ("suppressed", "budget_exhausted", "interrupted", "robots_denied")
    failed_before = known.failures if known else 0
    if resolved.outcome in MISSING and known is not None and known.last_outcome not in MISSING:
        failed_before = 0
    failures = 0 if extraction or resolved.outcome in (NOT_MODIFIED, "out_of_window") else failed_before + 1
    first_captured = known.first_captured_at if known else None
    if extraction and response and first_captured is None:
        first_captured = response.observed_at
    published = extraction.published.value if extraction and extraction.published else resolved.published
    if published is None and resolved.listed is not None:
        published = resolved.listed.value
    due = next_due(outlet, resolved.outcome, failures, first_captured, now)
    if resolved.outcome == NOT_MODIFIED and known is not None and known.last_read_at is not None:
        # A 304 is believed until a body is due.
        due = min(filter(None, (due, max(known.last_read_at + FULL_REFETCH_INTERVAL, now))))
    return FrontierUpdate(
        url_uid=candidate.url_uid,
        url=candidate.url,
        outcome=resolved.outcome,
        fetched_at=now if requested else None,
        next_due_at=due,
        failures=failures,
        article_uid=resolved.article_uid if extraction or resolved.outcome == NOT_MODIFIED else None,
        captured_at=response.observed_at if extraction and response else None,
        listed_modified=candidate.entry.modified if candidate.entry else None,
        date_published=published,
        content=_content(extraction) if extraction else None,
        etag=response.header("ETag") if extraction and response else None,
        last_modified=response.header("Last-Modified") if extraction and response else None,
        wire_digest=response.wire_digest if pointer and response else None,
        segment_id=pointer[0] if pointer else None,
        archive_offset=pointer[1] if pointer else None,
        archive_length=pointer[2] if pointer else None,
        last_read_at=response.observed_at if extraction and response else None,
        validators_unreliable=_validators_unreliable(known, response, extraction) if extraction and response else False,
    )


def _validators_unreliable(known: FrontierEntry | None, response: Response, extraction: Extraction) -> bool:
    """Whether the content has changed and the server's validators have not."""
    if known is None or known.content is None or known.content == _content(extraction):
        return False
    if known.wire_digest == response.wire_digest:
        return False  # the same bytes, read by another extractor
    etag, modified = response.header("ETag"), response.header("Last-Modified")
    # Where there is an ETag it decides (RFC 9110 13.1.3).
    return known.etag == etag if known.etag or etag else bool(modified) and known.last_modified == modified


def identity_url(requested: str, final: str, outlet: Outlet) -> str:
    """The address that makes the article's identity: the final one, where it is the outlet's own page."""
    if final == requested or is_homepage(final) or not on_domains(final, outlet.domains):
        return requested
    return final


def variants(capture: Capture, extraction: Extraction, outlet: Outlet) -> list[tuple[str, str]]:
    """(kind, URL) of every address that this page was met under, each once."""
    found = [("requested", capture.requested_url)]
    if capture.candidate.url != capture.requested_url:
        found.append(("requested", capture.candidate.url))
    if capture.response.url != capture.requested_url:
        found.append(("final", capture.response.url))
    if extraction.canonical_url:
        found.append(("canonical", extraction.canonical_url))
    found += extraction.variants
    return list(dict.fromkeys((kind, url) for kind, url in found if absolute(url)))


def _kept_outcome(
    candidate: Candidate,
    article_uid: UUID,
    extraction: Extraction,
    known_by_uid: Callable[[UUID], FrontierEntry | None],
) -> str:
    article = known_by_uid(article_uid)
    if article is None or article.first_captured_at is None:
        return "new"
    if article.content != _content(extraction):
        return "revised"
    return "unchanged" if article_uid == candidate.url_uid else "duplicate_url"


def _content(extraction: Extraction) -> tuple[int, int, int, int]:
    return (extraction.headline_hash, extraction.description_hash, extraction.authors_hash, extraction.body_hash)


def _leads_home(requested: str, final: str, outlet: Outlet) -> bool:
    """Whether a redirect ended at the homepage, or at a section above the article."""
    if is_homepage(final) or url_key(final) == url_key(outlet.home):
        return True
    wanted, got = url_key(requested).partition("?")[0], url_key(final).partition("?")[0]
    return wanted != got and wanted.startswith(got + "/")


def _listed_date(candidate: Candidate, url: str, now: datetime) -> ParsedDate | None:
    """The date that the listing gives, or the day in the address."""
    published = candidate.entry.published if candidate.entry else None
    return published if published and published.value else day_in_url(url, now)
