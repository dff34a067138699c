"""The contents of an endpoint, as returned by all parsers of this package."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from pressmark.dates import ParsedDate


@dataclass(frozen=True, slots=True)
class Entry:
    """One listed URL with its details in the listing.

    modified: date of the last change in the listing (`updated` of a feed, `lastmod` of a sitemap). It is an upper bound
    and never a date of publication. modified_precision: day, minute or second.
    """

    url: str
    headline: str | None = None
    published: ParsedDate | None = None
    modified: datetime | None = None
    modified_precision: str | None = None


@dataclass(frozen=True, slots=True)
class ChildListing:
    """A listing that another listing links to: a sitemap in a sitemap index, or the next page of a section.

    modified: date of the last change. changed_until: the end of the day, if only the day is known. Nothing in the
    listing was published later.
    """

    url: str
    modified: datetime | None = None
    changed_until: datetime | None = None


@dataclass(slots=True)
class Listing:
    """Entries and child listings of one endpoint, in document order.

    problem: why the document or a part of it could not be parsed, or None. truncated: whether a limit was reached.
    """

    entries: list[Entry] = field(default_factory=list)
    children: list[ChildListing] = field(default_factory=list)
    problem: str | None = None
    truncated: bool = False
