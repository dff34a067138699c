"""What an endpoint lists: the common result of all parsers of this package."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from pressmark.dates import ParsedDate


@dataclass(frozen=True, slots=True)
class Entry:
    """One listed URL with what the listing says of it.

    modified: date of change that the listing gives (a feed's updated, a sitemap's lastmod): a bound,
    never a date of publication.
    """

    url: str
    headline: str | None = None
    published: ParsedDate | None = None
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChildListing:
    """A listing that a listing names (a sitemap of a sitemap index, the next page)."""

    url: str
    modified: datetime | None = None


@dataclass(slots=True)
class Listing:
    """Entries and further listings of one endpoint, in the order of the document.

    problem: why the document could not be read (wholly or in part), in words; None where it could.
    """

    entries: list[Entry] = field(default_factory=list)
    children: list[ChildListing] = field(default_factory=list)
    problem: str | None = None
    truncated: bool = False
