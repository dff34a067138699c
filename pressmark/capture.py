"""A capture: the response of an article's page and the candidate that it answers. Plain data, no decisions.

A capture is written into the WARC as a response record with a metadata record, and read back from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pressmark.archive.records import Response
from pressmark.dates import ParsedDate
from pressmark.discovery.listing import Entry
from pressmark.frontier import Candidate
from pressmark.rights import RightsSignals


@dataclass(frozen=True, slots=True)
class Capture:
    """One response for one candidate.

    response: without its body. requested_url: before redirects; response.url is the final one. site_rights: what
    robots.txt and tdmrep.json of its host declare about the URL.
    """

    candidate: Candidate
    response: Response
    requested_url: str
    site_rights: dict[str, Any] | None = None

    def metadata(
        self, crawl_id: UUID, outlet: str, segment_id: UUID, comparison: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """The fields of the WARC metadata record, from which the capture can be staged again.

        comparison: with the outlet's other texts, if the page was rejected because of them.
        """
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
            "listed_published": _date_fields(published) if published else None,
            "site_rights": self.site_rights,
            **({"comparison": comparison} if comparison else {}),
        }

    def rights(self, page: RightsSignals) -> dict[str, Any] | None:
        """All rights signals of the page, its headers and its host, for the capture's row."""
        signals = {**(page.as_json() or {}), **({"site": self.site_rights} if self.site_rights else {})}
        return signals or None


def capture_from_record(response: Response, fields: dict[str, Any]) -> Capture:
    """The capture that a WARC's response record and its metadata record describe."""
    listed = fields.get("listed_published")
    modified = fields.get("listed_modified")
    entry = Entry(
        fields["candidate_url"],
        fields.get("listed_headline"),
        _read_date_fields(listed) if listed else None,
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


def _date_fields(date: ParsedDate) -> dict[str, Any]:
    return {
        "raw": date.raw,
        "source": date.source,
        "value": date.value.isoformat() if date.value else None,
        "precision": date.precision,
        "offset": date.offset,
    }


def _read_date_fields(fields: dict[str, Any]) -> ParsedDate:
    value = datetime.fromisoformat(fields["value"]) if fields["value"] else None
    return ParsedDate(fields["raw"], fields["source"], value, fields["precision"], fields["offset"])
