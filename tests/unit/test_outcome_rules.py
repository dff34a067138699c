"""The outcome of a fetched page, and whether it may be archived."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from pressmark.archive.records import Response, body_digest
from pressmark.capture import Capture, capture_from_record
from pressmark.discovery.listing import Entry
from pressmark.extraction.extract import extract
from pressmark.extraction.fields import ExtractionConfig, PageExtraction
from pressmark.extraction.worker import classify
from pressmark.frontier import Candidate, CrawlScope
from pressmark.outcome_rules import CandidateResult, resolve_page
from pressmark.outcomes import Outcome
from pressmark.urls import url_uid
from tests.site import PROSE, article
from tests.unit.test_frontier import NOW, OUTLET

URL = "http://one.example/2026/11/20/story"
SCOPE = CrawlScope("incremental", None, NOW)


def capture(final: str = URL, headers: tuple[tuple[str, str], ...] = ()) -> Capture:
    body = b"x"
    response = Response(uuid4(), final, datetime(2026, 11, 23, tzinfo=UTC), 200, headers, b"", body_digest(body))
    candidate = Candidate(URL, url_uid("one", URL), "feed", uuid4(), Entry(URL, "t"))
    return Capture(candidate, response, URL)


def resolve(extraction: PageExtraction, tdm_basis: str | None = None, **more: Any) -> CandidateResult:
    return resolve_page(capture(**more), extraction, SCOPE, OUTLET, lambda uid: None, tdm_basis)


def page(head: str = "") -> PageExtraction:
    return classify(
        extract(
            article("A story of the day", *PROSE, head=head).body, URL, (), NOW, ExtractionConfig.for_outlet(OUTLET)
        )
    )


def test_new_article_is_archived_and_dated_by_its_url() -> None:
    resolved = resolve(page())
    assert (resolved.outcome, resolved.archive, resolved.reason) == ("new", True, None)
    assert resolved.listed is not None and resolved.listed.source == "url", "the URL has a date, the page has none"


@pytest.mark.parametrize(
    ("extraction", "headers", "archived"),
    [
        (
            PageExtraction(None, Outcome.NOT_HTML, "decode", "the content type is application/pdf"),
            (("X-Robots-Tag", "noarchive"),),
            False,
        ),
        (PageExtraction(None, Outcome.NOT_HTML, "decode", "the content type is application/pdf"), (), True),
        (PageExtraction(None, Outcome.EXTRACTION_TIMEOUT, "extract", "slow"), (), False),
        (PageExtraction(None, Outcome.QUARANTINED, "extract", "crashed"), (), False),
        (page('<meta name="robots" content="noarchive">'), (), False),
    ],
)
def test_only_pages_that_may_be_archived_are(
    extraction: PageExtraction, headers: tuple[tuple[str, str], ...], archived: bool
) -> None:
    assert resolve(extraction, headers=headers).archive is archived


def test_tdm_reservation_is_honoured_unless_a_legal_basis_is_declared() -> None:
    reserved = page('<meta name="tdm-reservation" content="1">')
    assert (resolve(reserved).outcome, resolve(reserved).archive) == ("rights_reserved", False)
    assert resolve(reserved, "research").outcome == "new"
    not_html = PageExtraction(None, Outcome.NOT_HTML, "decode", "a PDF")
    assert resolve(not_html, headers=(("TDM-Reservation", "1"),)).outcome == "rights_reserved"


@pytest.mark.parametrize(
    ("final", "outcome"),
    [
        ("http://one.example/", "redirect_home"),
        ("http://one.example/2026/11/", "redirect_home"),
        ("http://elsewhere.example/x", "out_of_scope"),
        ("http://one.example/other-story", "new"),
    ],
)
def test_redirect_target_decides_the_outcome(final: str, outcome: str) -> None:
    assert resolve(page(), final=final).outcome == outcome


def test_capture_can_be_restored_from_its_record_metadata() -> None:
    first = capture()
    restored = capture_from_record(first.response, first.metadata(uuid4(), "one", uuid4()))
    assert restored.candidate == first.candidate and restored.requested_url == first.requested_url


def test_non_article_page_after_a_redirect_home_keeps_its_own_outcome() -> None:
    non_article = PageExtraction(None, Outcome.CHALLENGE_PAGE, "classify", "human-check")
    assert resolve(non_article, final="http://one.example/").outcome == "challenge_page"
