"""The requests of a crawl and what is noted in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from scrapy import Request

from pressmark.frontier import Candidate
from pressmark.outlet import Outlet

Kind = Literal["robots", "rights", "endpoint", "article", "other"]
KIND = "pressmark_kind"
CANDIDATE = "pressmark_candidate"
PAGE = "pressmark_page"  # the spooled page, on the way from the capture to the callback
SITE_RIGHTS = "pressmark_site_rights"  # what robots.txt and tdmrep.json state about the page
CONDITIONAL = "pressmark_conditional"  # it was sent with validators, so that 304 is an answer
DELAY = "pressmark_delay"  # seconds that robots.txt asks for
ROBOTS_BYTES = 5 * 2**20
RIGHTS_BYTES = 2**20


def make_request(
    url: str,
    kind: Kind,
    outlet: Outlet | None,
    max_bytes: int,
    candidate: Candidate | None = None,
    headers: Mapping[str, str] | None = None,
) -> Request:
    """A GET of one kind, bounded in time and size. Statuses are not errors: they are outcomes.

    headers: validators of what came at the last visit.
    """
    return Request(
        url,
        headers=headers or None,
        dont_filter=True,
        meta={
            KIND: kind,
            CANDIDATE: candidate,
            "download_maxsize": max_bytes,
            "download_timeout": outlet.politeness.timeout if outlet else 45.0,
        },
    )


def request_kind(request: Request) -> Kind:
    """What a request is for; `other` for one that is not of our making."""
    kind: Kind = request.meta.get(KIND, "other")
    return kind
