"""The input and output of extraction: configuration, fields and outcome. Plain data that is cheap to import.

The crawl process imports this module and not the extraction code, which runs in worker processes (see `pool`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cached_property
from importlib.metadata import version

from pressmark.dates import DateContext, ParsedDate
from pressmark.outcomes import Outcome
from pressmark.outlet import Outlet
from pressmark.rights import RightsSignals
from pressmark.text import fold_name

# Increase this with every change of the rules in this package that can change a field.
RULES_VERSION = 5
EXTRACTOR_NAME = "trafilatura"
SIG_VERSION = 1  # version of the MinHash constants in `fingerprints`

ContentHashes = tuple[int, int, int, int]
"""Hashes of headline, description, authors and body. Revisions are derived from them."""


def extractor_version() -> str:
    """Return the versions of Trafilatura and of the rules in this package."""
    return f"{version('trafilatura')}+pressmark.{RULES_VERSION}"


@dataclass(frozen=True)
class ExtractionConfig:
    """The extraction settings of an outlet. Outlets share an extractor only if all of these are equal."""

    outlet: str
    name: str
    home: str
    domains: tuple[str, ...]
    languages: tuple[str, ...]
    timezone: str
    country: str | None = None
    comments: str = "off"
    prune: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    headline: str | None = None
    repeated_lines: tuple[str, ...] = ()

    @classmethod
    def for_outlet(cls, outlet: Outlet, repeated_lines: tuple[str, ...] = ()) -> ExtractionConfig:
        """Return the extraction settings of an outlet.

        repeated_lines: keys of the lines that it repeats, see `pressmark.outlet_memory`.
        """
        hints = outlet.extraction
        return cls(
            outlet.id, outlet.name, outlet.home, outlet.domains, outlet.languages, outlet.timezone, outlet.country,
            outlet.comments, hints.prune, hints.keep, hints.headline, repeated_lines,
        )  # fmt: skip

    @cached_property
    def config_hash(self) -> bytes:
        """16 bytes that change if any setting changes."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).digest()[:16]

    def date_context(self, now: datetime) -> DateContext:
        """How to read the dates of a page captured at this time."""
        return DateContext(now, self.timezone, self.country, self.languages)

    @cached_property
    def site_names(self) -> frozenset[str]:
        """The outlet's name, its domains and their second-level labels, each in folded form."""
        labels = {domain.rsplit(".", 1)[0].rsplit(".", 1)[-1] for domain in self.domains}
        return frozenset(fold_name(name) for name in {self.name, *self.domains, *labels})


@dataclass(frozen=True, slots=True)
class Signatures:
    """MinHash signatures of the whole text and of its beginning, as little-endian uint32 values."""

    body: bytes
    lead: bytes


@dataclass(frozen=True, slots=True)
class ReaderComment:
    """One reader comment. posted, edited: dates as the page shows them."""

    author: str | None
    text: str
    posted: str | None = None
    edited: str | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """One image. url: absolute. source: og, json_ld or figure."""

    url: str
    caption: str | None = None
    credit: str | None = None
    alt: str | None = None
    source: str = "figure"


@dataclass(frozen=True, slots=True)
class LivePost:
    """One post of a live blog. line: position of its first line in the text, from 0. posted: as the page says it."""

    line: int
    posted: ParsedDate | None


@dataclass(frozen=True, slots=True)
class NonArticle:
    """A non-article page. pattern: name of the matching pattern in non_article.yaml."""

    outcome: Outcome
    pattern: str
    reason: str


@dataclass(frozen=True, slots=True)
class Extraction:
    """All fields extracted from one payload. Strings are cleaned by `clean_text`, hashes are made by `fingerprints`.

    line_kinds: one letter per line of article_body, see `line_kinds`. live_posts: of a live blog. confidence: 0 to 1,
    or None if the text comes from a script; confidence_basis: what it rests on, see `confidence`. repeated_lines: keys
    of lines that were removed because the outlet repeats them. sources: where a field was found, for
    `pressmark extract`. Dates, language and encoding have their own sources.
    """

    payload_hash: bytes
    headline: str | None
    description: str | None
    authors: list[str]
    author_organisations: list[str]
    published: ParsedDate | None
    modified: ParsedDate | None
    in_language: str | None
    in_language_source: str | None
    article_section: str | None
    keywords: list[str]
    main_image: str | None
    is_accessible_for_free: bool | None
    canonical_url: str | None
    variants: list[tuple[str, str]]
    links: list[str]
    encoding: str
    encoding_source: str
    article_body: str
    word_count: int
    char_count: int
    text_hash: bytes | None
    headline_hash: int
    description_hash: int
    authors_hash: int
    body_hash: int
    signatures: Signatures | None
    rights: RightsSignals
    non_article: NonArticle | None = None
    comments: list[ReaderComment] = field(default_factory=list)
    standfirst: str | None = None
    line_kinds: str = ""
    images: list[Image] = field(default_factory=list)
    is_live_blog: bool = False
    live_posts: list[LivePost] = field(default_factory=list)
    confidence: float | None = None
    confidence_basis: dict[str, float] = field(default_factory=dict)
    repeated_lines: list[str] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)

    @property
    def content_hashes(self) -> ContentHashes:
        """The hashes by which two captures of an article are compared."""
        return (self.headline_hash, self.description_hash, self.authors_hash, self.body_hash)


@dataclass(frozen=True, slots=True)
class PageExtraction:
    """The result of extracting one page.

    extraction: the fields. Some rejected pages have them too, so that `pressmark why` can show them.
    outcome: None for an article. A rejected page has an outcome, a stage (decode, extract or classify) and a reason.
    """

    extraction: Extraction | None
    outcome: Outcome | None = None
    stage: str | None = None
    reason: str | None = None
