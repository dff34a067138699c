"""The model of an outlet file. `registry` reads the files.

`pressmark outlet schema` prints its JSON Schema, which editors use for completion and validation.
The repository keeps a copy in docs/outlet.schema.json.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any, Literal

from lxml import etree
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from pressmark.dates import DateContext
from pressmark.time_zones import is_iana_zone
from pressmark.urls import on_domains, url_host

_DURATION = re.compile(r"^(\d+(?:\.\d+)?)\s*(s|m|h|d)$")
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _read_duration(value: Any) -> Any:
    if isinstance(value, str) and (match := _DURATION.match(value.strip())):
        return timedelta(seconds=float(match[1]) * _UNIT_SECONDS[match[2]])
    if isinstance(value, timedelta):
        return value
    raise ValueError("write a number with a unit: 90s, 30m, 24h or 7d")


def _write_duration(value: timedelta) -> str:
    seconds = value.total_seconds()
    for unit in ("d", "h", "m"):
        if seconds and seconds % _UNIT_SECONDS[unit] == 0:
            return f"{int(seconds // _UNIT_SECONDS[unit])}{unit}"
    return f"{seconds:g}s"


def _check_xpath(value: str) -> str:
    try:
        etree.XPath(value)
    except etree.XPathSyntaxError as error:
        raise ValueError(f"not a valid XPath: {error}") from error
    return value


def _check_regex(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"not a valid regular expression: {error}") from error
    return value


def _check_timezone(value: str) -> str:
    if not is_iana_zone(value):
        raise ValueError("not an IANA time zone such as Europe/Berlin")
    return value


Duration = Annotated[
    timedelta,
    BeforeValidator(_read_duration, json_schema_input_type=str),
    PlainSerializer(_write_duration, return_type=str),
]
XPath = Annotated[str, AfterValidator(_check_xpath)]
Regex = Annotated[str, AfterValidator(_check_regex)]
Domain = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$")]
HttpUrl = Annotated[str, Field(pattern=r"^https?://[^\s/]+(/\S*)?$", max_length=2048)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


PAST_REACHING_METHODS = frozenset({"archive", "robots", "sitemap", "wordpress"})
"""Methods that also list older articles. Only these take part in a window."""


class EndpointConfig(_Section):
    """A URL that lists articles."""

    method: Literal["feed", "sitemap", "robots", "section", "archive", "wordpress", "custom"] = Field(
        description="Discovery method. robots: the sitemaps that a robots.txt lists. section: a page of links; "
        "requires urls.include. archive: one page of links per day, with {yyyy}, {mm} and {dd} in the URL; requires "
        "urls.include. wordpress: the WordPress REST API, .../wp-json/wp/v2/posts. custom: the outlet's own spider."
    )
    url: HttpUrl = Field(description="Endpoint URL.")
    source: str = Field(min_length=3, description="How the endpoint was found: robots.txt, homepage link, by hand.")
    verified: date | None = Field(None, description="Last day the endpoint was known to work.")


_RESPONSE_SECONDS = 1.0  # of a typical response, for estimates


class Politeness(_Section):
    """Request delays and refusal limits."""

    delay: float = Field(5.0, ge=0, le=600, description="Seconds between the end of one request and the next.")
    timeout: float = Field(45.0, gt=0, le=300, description="Seconds allowed for a complete response.")
    max_crawl_delay: float = Field(
        60.0, ge=0, description="Longest Crawl-delay to accept, in seconds. If robots.txt asks for more, skip the host."
    )
    max_consecutive_refusals: int = Field(
        5, ge=1, description="End the crawl after this many consecutive bot challenges, consent walls or 429 responses."
    )

    @property
    def seconds_per_page(self) -> float:
        """Expected seconds per page, for estimates: the delay plus the time of a typical response."""
        return float(self.delay + _RESPONSE_SECONDS)


class Revisits(_Section):
    """When to recheck known articles."""

    after: tuple[Duration, ...] = Field(
        (timedelta(hours=24), timedelta(days=7)), description="Delays between the first capture and each recheck."
    )
    early: tuple[Duration, ...] = Field(
        (timedelta(hours=1), timedelta(hours=6)),
        description="Extra early rechecks, made only if the page budget allows. Most changes happen within a day.",
    )
    gone_after: Duration = Field(
        timedelta(hours=24), description="Mark an article as gone if its page is still missing after this time."
    )


TIER_INTERVALS: Mapping[str, timedelta] = MappingProxyType(
    {"hourly": timedelta(hours=1), "six_hourly": timedelta(hours=6), "daily": timedelta(days=1)}
)
"""Time between the scheduled crawls of an outlet, by tier."""


class Budgets(_Section):
    """Limits per crawl."""

    pages: int = Field(500, ge=1, description="Article pages fetched per crawl.")
    pages_per_day: int = Field(
        5000, ge=1, description="Article pages fetched per day, over all crawls. Stops endless calendars."
    )
    duration: Duration = Field(
        timedelta(minutes=50), le=timedelta(minutes=90), description="Maximum duration of a crawl."
    )
    sitemaps: int = Field(50, ge=1, description="Sitemaps fetched per crawl.")
    archive_days: int = Field(62, ge=1, description="Days of one archive fetched per crawl.")
    section_pages: int = Field(
        3,
        ge=1,
        description="Pages of one section fetched per crawl. Fetching stops after a page without new articles.",
    )
    entries: int = Field(5000, ge=1, description="Entries used from one feed, sitemap or page of links.")
    page_size: int = Field(10 * 2**20, ge=10_000, description="Maximum size of a page, in bytes.")


class UrlRules(_Section):
    """Which URLs are articles, and which parameters identify them."""

    include: tuple[Regex, ...] = Field((), description="Only URLs that match one of these patterns are candidates.")
    exclude: tuple[Regex, ...] = Field((), description="URLs that match one of these patterns are not candidates.")
    parameters: tuple[str, ...] | None = Field(
        None,
        description="Query parameters that identify an article; all others are dropped. Unset: drop known trackers.",
    )


class ExtractionHints(_Section):
    """Corrections for pages that the extractor gets wrong."""

    prune: tuple[XPath, ...] = Field((), description="Elements to remove before extraction.")
    keep: tuple[XPath, ...] = Field((), description="Elements that hold the main text. Everything else is ignored.")
    headline: XPath | None = Field(None, description="Element or attribute that holds the headline.")


class Rights(_Section):
    """Which rights signals to obey and which to record only. robots.txt is always obeyed."""

    noarchive: Literal["obey", "record"] = Field("obey", description="noarchive in a header or in the page.")
    noindex: Literal["obey", "record"] = Field("obey", description="noindex in a header or in the page.")
    tdm_reservation: Literal["obey", "record"] = Field("obey", description="Machine-readable TDM reservation.")
    note: str | None = Field(None, description="Licence or agreement with the publisher.")


class Attribute(_Section):
    """An attribute value of another period."""

    attribute: Literal["country", "owner", "type", "parent", "domain", "collection"] = Field(
        description="Attribute name."
    )
    value: str = Field(min_length=1, description="Value during this period.")
    since: date | None = Field(None, description="First day (inclusive). Unset if unknown.")
    until: date | None = Field(None, description="End day (exclusive). Unset if the value still applies.")


class Retention(_Section):
    """How long to keep fetched data. Unset values keep it permanently."""

    archive: Duration | None = Field(None, description="Archived pages. Extracted fields are kept.")
    refused: Duration | None = Field(timedelta(days=90), description="Archived copies of rejected pages.")
    comments: Duration | None = Field(timedelta(days=365), description="Reader comments.")


class Outlet(_Section):
    """A news outlet: its site, its endpoints, and how often and how politely to crawl it."""

    id: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="Permanent slug. It is part of every article_uid."
    )
    name: str = Field(min_length=1, description="Display name.")
    home: HttpUrl = Field(description="Homepage URL.")
    domains: tuple[Domain, ...] = Field(min_length=1, description="The outlet's own domains, including subdomains.")
    country: str | None = Field(None, pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2 code.")
    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")], ...] = Field(
        min_length=1, description="BCP 47 language tags, main language first."
    )
    timezone: Annotated[str, AfterValidator(_check_timezone)] = Field(description="IANA time zone of the newsroom.")
    tier: Literal["hourly", "six_hourly", "daily"] = Field("hourly", description="Crawl schedule.")
    enabled: bool = Field(False, description="Crawl this outlet on schedule.")
    disabled_reason: str | None = Field(None, description="Why the outlet is not crawled on schedule.")
    endpoints: tuple[EndpointConfig, ...] = Field(min_length=1, description="URLs that list the outlet's articles.")
    politeness: Politeness = Politeness()
    revisits: Revisits = Revisits()
    budgets: Budgets = Budgets()
    urls: UrlRules = UrlRules()
    max_age: Duration | None = Field(
        None, description="Skip articles published longer ago than this, except in a window that covers them."
    )
    extraction: ExtractionHints = ExtractionHints()
    comments: Literal["off", "text", "full"] = Field(
        "off", description="Reader comments. off: not extracted. text: without names. full: with names."
    )
    rights: Rights = Rights()
    retention: Retention = Retention()
    type: str | None = Field(None, description="Your own category, such as newspaper, broadcaster or agency.")
    owner: str | None = Field(None, description="Owner of the outlet.")
    parent: str | None = Field(None, description="Outlet or group it belongs to.")
    collections: tuple[str, ...] = Field((), description="Your own collections that include this outlet.")
    history: tuple[Attribute, ...] = Field((), description="Attribute values of other periods.")
    spider: str = Field(
        "spiders.outlet_spider.OutletSpider",
        pattern=r"^[A-Za-z_][\w.]*\.[A-Za-z_]\w*$",
        description="Spider class. Change it only if the outlet needs its own.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Outlet:
        if not on_domains(self.home, self.domains):
            raise ValueError(f"home: host {url_host(self.home)!r} is not listed in domains; add it there")
        seen = set()
        for endpoint in self.endpoints:
            if (endpoint.method, endpoint.url) in seen:
                raise ValueError(f"endpoints: {endpoint.url} is listed twice; remove one")
            seen.add((endpoint.method, endpoint.url))
        for endpoint in self.endpoints:
            if endpoint.method == "archive" and not all(part in endpoint.url for part in ("{yyyy}", "{m", "{d")):
                raise ValueError(f"endpoints: the archive URL {endpoint.url} needs {{yyyy}}, {{mm}} and {{dd}}")
        if not self.urls.include and any(endpoint.method in ("section", "archive") for endpoint in self.endpoints):
            raise ValueError(
                "urls.include: a section or archive needs a pattern that matches article URLs only, such as '/\\d{4}/'"
            )
        if not self.enabled and not self.disabled_reason:
            raise ValueError("disabled_reason: state why the outlet is disabled, or set enabled: true")
        return self

    @property
    def reaches_past(self) -> bool:
        """Whether the outlet can be crawled for a window."""
        return any(endpoint.method in PAST_REACHING_METHODS for endpoint in self.endpoints)

    def date_context(self, now: datetime) -> DateContext:
        """How to read the outlet's dates at this time."""
        return DateContext(now, self.timezone, self.country, self.languages)

    @cached_property
    def config_hash(self) -> bytes:
        """A 16-byte hash of all settings in the file."""
        return _hash(self.model_dump(mode="json"))


def _hash(value: Any) -> bytes:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).digest()[:16]
