"""Build the requests of a crawl, and name their meta keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from scrapy import Request

from pressmark.frontier import Candidate
from pressmark.outlet import Outlet

Kind = Literal["robots", "rights", "endpoint", "article", "other"]
KIND = "pressmark_kind"
CANDIDATE = "pressmark_candidate"
PAGE = "pressmark_page"  # the spooled page, passed from the capture middleware to the callback
SITE_RIGHTS = "pressmark_site_rights"  # rights that robots.txt and tdmrep.json state for the page
CONDITIONAL = "pressmark_conditional"  # set if the request carries validators, so 304 is expected
DELAY = "pressmark_delay"  # Crawl-delay of robots.txt, in seconds
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
    """Build a GET request with a timeout and a size limit.

    headers: validators of the last response.
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
    """Return the kind of a request; `other` if `make_request` did not build it."""
    kind: Kind = request.meta.get(KIND, "other")
    return kind
