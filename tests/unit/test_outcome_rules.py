"""What becomes of a page, and what may be kept of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from pressmark.archive.records import Response, body_digest
from pressmark.discovery.listing import Entry
from pressmark.extraction.extract import ExtractionConfig, extract
from pressmark.extraction.worker import PageExtraction, classify
from pressmark.frontier import Candidate, CrawlScope
from pressmark.outcome_rules import CandidateResult, Capture, capture_from_record, resolve_page
from pressmark.urls import url_uid
from tests.site import PROSE, article
from tests.unit.test_frontier import NOW, OUTLET

URL = "http://one.example/2026/11/20/story"
ASKED = CrawlScope("incremental", None, NOW)


def capture(final: str = URL, headers: tuple[tuple[str, str], ...] = ()) -> Capture:
    body = b"x"
    response = Response(uuid4(), final, datetime(2026, 11, 23, tzinfo=UTC), 200, headers, b"", body_digest(body))
    candidate = Candidate(URL, url_uid("one", URL), "feed", uuid4(), Entry(URL, "t"))
    return Capture(candidate, response, URL)


def resolve(read: PageExtraction, tdm_basis: str | None = None, **more: Any) -> CandidateResult:
    return resolve_page(capture(**more), read, ASKED, OUTLET, lambda uid: None, tdm_basis)


def page(head: str = "") -> PageExtraction:
    return classify(
        extract(
            article("A story of the day", *PROSE, head=head).body, URL, (), NOW, ExtractionConfig.for_outlet(OUTLET)
        )
    )


def test_a_new_article() -> None:
    resolved = resolve(page())
    assert (resolved.outcome, resolved.archive, resolved.reason) == ("new", True, None)
    assert resolved.listed is not None and resolved.listed.source == "url", (
        "the day in the address, where the page has none"
    )


@pytest.mark.parametrize(
    ("read", "headers", "archived"),
    [
        (
            PageExtraction(None, "not_html", "decode", "its type is application/pdf"),
            (("X-Robots-Tag", "noarchive"),),
            False,
        ),
        (PageExtraction(None, "not_html", "decode", "its type is application/pdf"), (), True),
        (PageExtraction(None, "extraction_timeout", "extract", "slow"), (), False),
        (PageExtraction(None, "quarantined", "extract", "crashed"), (), False),
        (page('<meta name="robots" content="noarchive">'), (), False),
    ],
)
def test_what_must_not_be_archived_is_not(
    read: PageExtraction, headers: tuple[tuple[str, str], ...], archived: bool
) -> None:
    assert resolve(read, headers=headers).archive is archived


def test_a_reservation_is_honoured_unless_another_basis_is_declared() -> None:
    reserved = page('<meta name="tdm-reservation" content="1">')
    assert (resolve(reserved).outcome, resolve(reserved).archive) == ("rights_reserved", False)
    assert resolve(reserved, "research").outcome == "new"
    unread = PageExtraction(None, "not_html", "decode", "a PDF")
    assert resolve(unread, headers=(("TDM-Reservation", "1"),)).outcome == "rights_reserved"


@pytest.mark.parametrize(
    ("final", "outcome"),
    [
        ("http://one.example/", "redirect_home"),
        ("http://one.example/2026/11/", "redirect_home"),
        ("http://elsewhere.example/x", "out_of_scope"),
        ("http://one.example/other-story", "new"),
    ],
)
def test_redirects(final: str, outcome: str) -> None:
    assert resolve(page(), final=final).outcome == outcome


def test_a_capture_can_be_told_from_its_own_metadata() -> None:
    first = capture()
    again = capture_from_record(first.response, first.metadata(uuid4(), "one", uuid4()))
    assert again.candidate == first.candidate and again.requested_url == first.requested_url


def test_a_wall_behind_a_redirect_home_says_nothing_of_the_article() -> None:
    non_article = PageExtraction(None, "challenge_page", "classify", "human-check")
    assert resolve(non_article, final="http://one.example/").outcome == "challenge_page"
