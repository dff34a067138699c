"""Which outcome a fetched page gets. Pure.

A crawl resolves each page as it arrives. Recovery and re-extraction resolve archived pages by the same functions, from
the WARC's own metadata records.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pressmark.archive.pointer import ArchivePointer
from pressmark.capture import Capture
from pressmark.dates import DateContext, ParsedDate, day_in_url
from pressmark.extraction.fields import Extraction, PageExtraction
from pressmark.frontier import Candidate, CrawlScope, FrontierEntry, in_window
from pressmark.outcomes import REFUSALS, Outcome
from pressmark.outlet import Outlet
from pressmark.plausibility import Comparison, implausible_for_outlet
from pressmark.rights import read_rights
from pressmark.urls import absolute, is_homepage, on_domains, url_key, url_uid


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateResult:
    """The result of a candidate.

    capture: its page, if one arrived. extraction: its fields, if the page is kept and a capture is to be staged.
    archive: whether the page's bytes may be archived. listed: the date that the listing or the URL gives.
    published: date of a page outside the window of the request. comparison: with the outlet's other texts, if the text
    was rejected because of them. archived: where the bytes are, for a page that was
    taken from the archive instead of being fetched.
    """

    candidate: Candidate
    outcome: Outcome
    reason: str | None
    article_uid: UUID | None = None
    article_url: str | None = None
    capture: Capture | None = None
    extraction: Extraction | None = None
    quarantine_stage: str | None = None
    archive: bool = False
    listed: ParsedDate | None = None
    published: datetime | None = None
    archived: ArchivePointer | None = None
    comparison: Comparison | None = None


def resolve_page(
    capture: Capture,
    page: PageExtraction,
    scope: CrawlScope,
    outlet: Outlet,
    current_entry: Callable[[UUID], FrontierEntry | None],
    tdm_basis: str | None,
    compare: Callable[[UUID, Extraction], Comparison | None] = lambda article_uid, extraction: None,
) -> CandidateResult:
    """The result of a page that arrived with status 2xx and was extracted.

    current_entry: the frontier's entry of an identity, with what this crawl has changed.
    tdm_basis: `research` or `licensed` if the installation declares one. compare: compares the text of an article with
    the outlet's other texts.
    """
    candidate, response = capture.candidate, capture.response
    article_url = identity_url(capture.requested_url, response.url, outlet)
    article_uid = url_uid(outlet.id, article_url, outlet.urls.parameters)
    extraction = page.extraction
    rights = extraction.rights if extraction else read_rights(response.headers, {})
    # A page that could not be extracted may forbid archiving in a part that nobody has read.
    unread = extraction is None and page.stage == "extract"
    may_archive = not ((rights.noarchive or unread) and outlet.rights.noarchive == "obey")

    def rejected(
        outcome: Outcome,
        reason: str | None,
        *,
        stage: str | None = None,
        archive: bool = may_archive,
        published: datetime | None = None,
        comparison: Comparison | None = None,
    ) -> CandidateResult:
        return CandidateResult(
            candidate=candidate,
            outcome=outcome,
            reason=reason,
            article_uid=article_uid,
            article_url=article_url,
            capture=capture,
            quarantine_stage=stage,
            archive=archive,
            published=published,
            comparison=comparison,
        )

    if page.outcome == Outcome.NETWORK_ERROR:  # the body is not complete, so there is no page
        return resolve_without_page(candidate, page.outcome, page.reason)
    if page.outcome in REFUSALS:  # before the redirect rules: a refusal counts wherever it was redirected to
        return rejected(page.outcome, page.reason, stage=page.stage)
    if response.url != capture.requested_url and _leads_home(capture.requested_url, response.url, outlet):
        return rejected(Outcome.REDIRECT_HOME, f"redirects to {response.url}", archive=False)
    if not on_domains(response.url, outlet.domains):
        return rejected(Outcome.OUT_OF_SCOPE, f"redirects to {response.url}", archive=False)
    if rights.tdm_reservation and outlet.rights.tdm_reservation == "obey" and tdm_basis is None:
        reason = "the page reserves text and data mining (tdm-reservation: 1)"
        return rejected(Outcome.RIGHTS_RESERVED, reason, archive=False)
    if page.outcome is not None or extraction is None:
        return rejected(page.outcome or Outcome.QUARANTINED, page.reason, stage=page.stage or "extract")
    # After the non-article pages: error pages and lists ask not to be indexed too, and their own outcome says more.
    if rights.noindex and outlet.rights.noindex == "obey":
        return rejected(Outcome.NOINDEX, "the page asks not to be indexed (robots: noindex)", archive=False)
    comparison = compare(article_uid, extraction)
    implausible = implausible_for_outlet(extraction, comparison) if comparison else None
    if implausible:
        return rejected(Outcome.IMPLAUSIBLE_TEXT, implausible, stage="classify", comparison=comparison)
    listed = _listed_date(candidate, article_url, outlet.date_context(response.observed_at))
    date = extraction.published if extraction.published and extraction.published.value else listed
    published = date.value if date else None
    if (
        date
        and published
        and scope.mode == "window"
        and not in_window(published, date.precision, scope, outlet.timezone)
    ):
        # Archived with its date, so that the window that wants it takes it from the archive.
        return rejected(Outcome.OUT_OF_WINDOW, f"published {published:%Y-%m-%d}", published=published)
    return CandidateResult(
        candidate=candidate,
        outcome=_kept_outcome(candidate, article_uid, extraction, current_entry(article_uid)),
        reason=None if article_uid == candidate.url_uid else f"the article is {article_url}",
        article_uid=article_uid,
        article_url=article_url,
        capture=capture,
        extraction=extraction,
        archive=may_archive,
        listed=listed,
    )


def resolve_without_page(
    candidate: Candidate, outcome: Outcome, reason: str | None, article_uid: UUID | None = None
) -> CandidateResult:
    """The result of a candidate without a page. article_uid: the article of a page that is not modified (304)."""
    return CandidateResult(candidate=candidate, outcome=outcome, reason=reason, article_uid=article_uid)


def identity_url(requested: str, final: str, outlet: Outlet) -> str:
    """The URL that identifies the article: the final one if it is a page of the outlet, else the requested one."""
    if final == requested or is_homepage(final) or not on_domains(final, outlet.domains):
        return requested
    return final


def variants(capture: Capture, extraction: Extraction) -> list[tuple[str, str]]:
    """(kind, URL) of every URL of the page, each pair once."""
    pairs = [("requested", capture.requested_url)]
    if capture.candidate.url != capture.requested_url:
        pairs.append(("requested", capture.candidate.url))
    if capture.response.url != capture.requested_url:
        pairs.append(("final", capture.response.url))
    if extraction.canonical_url:
        pairs.append(("canonical", extraction.canonical_url))
    pairs += extraction.variants
    return list(dict.fromkeys((kind, url) for kind, url in pairs if absolute(url)))


def _kept_outcome(
    candidate: Candidate, article_uid: UUID, extraction: Extraction, article: FrontierEntry | None
) -> Outcome:
    """The outcome as far as the frontier knows. A load decides it from all captures: see `resolve_captures`."""
    if article is None or article.first_captured_at is None:
        return Outcome.NEW
    if article.content != extraction.content_hashes:
        return Outcome.REVISED
    return Outcome.UNCHANGED if article_uid == candidate.url_uid else Outcome.DUPLICATE_URL


def _leads_home(requested: str, final: str, outlet: Outlet) -> bool:
    """Whether a redirect ended at the homepage, or at a section above the article."""
    if is_homepage(final) or url_key(final) == url_key(outlet.home):
        return True
    wanted, got = url_key(requested).partition("?")[0], url_key(final).partition("?")[0]
    return wanted != got and wanted.startswith(got + "/")


def _listed_date(candidate: Candidate, url: str, context: DateContext) -> ParsedDate | None:
    """The date that the listing gives, or the day in the URL."""
    published = candidate.entry.published if candidate.entry else None
    return published if published and published.value else day_in_url(url, context)
