"""Outcomes of candidates: the one enum, its classes, and every group of outcomes that a decision depends on.

`core.outcome` holds the same names with their meaning; a test compares the two.
"""

from __future__ import annotations

from enum import StrEnum


class OutcomeClass(StrEnum):
    """What an outcome says about the request: none made, no usable response, page rejected, article kept."""

    NOT_REQUESTED = "not_requested"
    NO_RESPONSE = "no_response"
    REFUSED = "refused"
    KEPT = "kept"


class Outcome(StrEnum):
    """The result of a candidate in a crawl. Every candidate gets exactly one."""

    NEW = "new"
    REVISED = "revised"
    UNCHANGED = "unchanged"
    NOT_MODIFIED = "not_modified"
    DUPLICATE_URL = "duplicate_url"
    KNOWN_NOT_DUE = "known_not_due"
    OUT_OF_WINDOW = "out_of_window"
    OUT_OF_SCOPE = "out_of_scope"
    TOO_OLD = "too_old"
    ROBOTS_DENIED = "robots_denied"
    ROBOTS_UNREACHABLE = "robots_unreachable"
    RIGHTS_RESERVED = "rights_reserved"
    SUPPRESSED = "suppressed"
    BUDGET_EXHAUSTED = "budget_exhausted"
    INTERRUPTED = "interrupted"
    CRAWLER_TRAP = "crawler_trap"
    REFUSED_ADDRESS = "refused_address"
    NETWORK_ERROR = "network_error"
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"
    HTTP_ERROR = "http_error"
    GONE = "gone"
    REDIRECT_HOME = "redirect_home"
    TOO_LARGE = "too_large"
    LEGAL_BLOCK = "legal_block"
    NOT_HTML = "not_html"
    CHALLENGE_PAGE = "challenge_page"
    CONSENT_WALL = "consent_wall"
    PAYWALL_STUB = "paywall_stub"
    SOFT_404 = "soft_404"
    INDEX_PAGE = "index_page"
    GALLERY = "gallery"
    JAVASCRIPT_REQUIRED = "javascript_required"
    NOINDEX = "noindex"
    GEO_BLOCKED = "geo_blocked"
    EXTRACTION_EMPTY = "extraction_empty"
    IMPLAUSIBLE_TEXT = "implausible_text"
    EXTRACTION_TIMEOUT = "extraction_timeout"
    QUARANTINED = "quarantined"
    LOAD_FAILED = "load_failed"

    @property
    def outcome_class(self) -> OutcomeClass:
        """The class of this outcome."""
        return _CLASS[self]


def _members(names: str) -> frozenset[Outcome]:
    return frozenset(Outcome(name) for name in names.split())


_BY_CLASS = {
    OutcomeClass.KEPT: _members("new revised unchanged not_modified duplicate_url"),
    OutcomeClass.NOT_REQUESTED: _members(
        "known_not_due out_of_window out_of_scope too_old robots_denied robots_unreachable rights_reserved suppressed "
        "budget_exhausted interrupted crawler_trap"
    ),
    OutcomeClass.NO_RESPONSE: _members(
        "refused_address network_error timeout rate_limited http_error gone redirect_home too_large legal_block"
    ),
    OutcomeClass.REFUSED: _members(
        "not_html challenge_page consent_wall paywall_stub soft_404 index_page gallery javascript_required noindex "
        "geo_blocked extraction_empty implausible_text extraction_timeout quarantined load_failed"
    ),
}
_CLASS = {outcome: name for name, members in _BY_CLASS.items() for outcome in members}

KEPT = _BY_CLASS[OutcomeClass.KEPT]
KEPT_PAGES = KEPT - {Outcome.NOT_MODIFIED}
"""Kept, with a page that was fetched; a 304 brings none."""

NON_ARTICLES = _members(
    "challenge_page consent_wall paywall_stub soft_404 index_page gallery javascript_required geo_blocked"
)
"""What `extraction.non_article` recognises."""

MISSING = _members("gone redirect_home")
"""The page does not exist any more."""

REFUSALS = _members("challenge_page consent_wall rate_limited geo_blocked")
"""The host does not serve us as we are. Many consecutive ones stop the crawl."""

ACCESS_DENIED = REFUSALS | _members("legal_block paywall_stub")
"""The outlet keeps its pages from us: what makes an outlet `blocked`."""

PAGE_ERRORS = _members("http_error network_error timeout too_large")
"""The page was requested, and none arrived. Single ones are normal."""

POLICY_DENIED = _members("robots_denied robots_unreachable rights_reserved")
"""robots.txt or a reservation forbids the request."""

POLICY = POLICY_DENIED | _members("noindex suppressed")
"""Not kept because somebody asked us not to."""

EXTRACTION_FAILURES = _members("extraction_empty implausible_text extraction_timeout javascript_required quarantined")
"""The page arrived and gave no text."""

NO_ANSWER = _members("network_error timeout robots_unreachable")
"""No response at all: the network's fault, the host's or ours."""

RETRIED = ACCESS_DENIED - {Outcome.PAYWALL_STUB} | _members("refused_address network_error timeout http_error")
"""Retried with an exponential back-off, whatever the listings say."""

RECHECKED_WHEN_LISTED = _members(
    "out_of_window too_old robots_denied robots_unreachable suppressed budget_exhausted interrupted"
)
"""Not fetched for a reason that may pass: decided again each time the URL is listed."""

NOT_FETCHED = _members("suppressed budget_exhausted interrupted robots_denied")
"""No request was made, so the time of the last fetch stays."""
