"""The model of an outlet's file. Not for reading files: see `registry`.

`pressmark outlet schema` prints its JSON Schema, which editors use; it is kept in
docs/outlet.schema.json.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import date, timedelta
from functools import cached_property
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from lxml import etree
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

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
    try:
        ZoneInfo(value)
    except (KeyError, ValueError) as error:
        raise ValueError("not an IANA time zone such as Europe/Berlin") from error
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


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


PAST_REACHING_METHODS = frozenset({"archive", "robots", "sitemap", "wordpress"})
"""Methods that list more than what is new: only these take part in a window."""


class EndpointConfig(_Part):
    """Where to find articles."""

    method: Literal["feed", "sitemap", "robots", "section", "archive", "wordpress", "custom"] = Field(
        description="How to read it. robots: a robots.txt, whose sitemaps are read. section: a page of links, needs "
        "urls.include. archive: the same for each day, {yyyy}, {mm}, {dd} in the address. wordpress: the site's REST "
        "API, .../wp-json/wp/v2/posts. custom: by the outlet's own spider."
    )
    url: HttpUrl = Field(description="Its address.")
    source: str = Field(min_length=3, description="How we know of it: robots.txt, a link on the homepage, a manual.")
    verified: date | None = Field(None, description="Day on which it was last seen to work.")


class Politeness(_Part):
    """How the outlet's hosts are treated."""

    delay: float = Field(5.0, ge=0, le=600, description="Seconds between the end of a request and the next one.")
    timeout: float = Field(45.0, gt=0, le=300, description="Seconds for one whole answer.")
    max_crawl_delay: float = Field(60.0, ge=0, description="A robots.txt that asks for more makes us skip the outlet.")
    max_consecutive_refusals: int = Field(
        5, ge=1, description="So many bot challenges, consent walls or 429 one after the other end the crawl."
    )


class Revisits(_Part):
    """When known articles are looked at again."""

    after: tuple[Duration, ...] = Field(
        (timedelta(hours=24), timedelta(days=7)), description="Times after the first visit."
    )
    early: tuple[Duration, ...] = Field(
        (timedelta(hours=1), timedelta(hours=6)),
        description="Earlier times, kept where a crawl has room for them: most changes come within a day.",
    )
    gone_after: Duration = Field(
        timedelta(hours=24), description="A missing page counts as gone when it is still missing this much later."
    )


class Budgets(_Part):
    """Most that one crawl may use."""

    pages: int = Field(500, ge=1, description="Articles fetched in one crawl.")
    pages_per_day: int = Field(
        5000, ge=1, description="Articles fetched in a day by all crawls together: a calendar without end stops there."
    )
    duration: Duration = Field(timedelta(minutes=50), le=timedelta(minutes=90), description="Time of one crawl.")
    sitemaps: int = Field(50, ge=1, description="Sitemaps read in one crawl.")
    archive_days: int = Field(62, ge=1, description="Days read of one archive in one crawl.")
    section_pages: int = Field(
        3, ge=1, description="Pages read of one section; the next one only where this brought news."
    )
    entries: int = Field(5000, ge=1, description="Entries taken from one feed or sitemap.")
    page_size: int = Field(10 * 2**20, ge=10_000, description="Bytes of one page.")


class UrlRules(_Part):
    """Which addresses are articles, and what makes their identity."""

    include: tuple[Regex, ...] = Field((), description="Only addresses that match one of these are candidates.")
    exclude: tuple[Regex, ...] = Field((), description="Addresses that match one of these are not.")
    parameters: tuple[str, ...] | None = Field(
        None, description="Query parameters that carry identity; all others are dropped. Unset: only trackers are."
    )


class ExtractionHints(_Part):
    """Help for pages on which the extractor errs."""

    prune: tuple[XPath, ...] = Field((), description="Elements to take out before extraction.")
    keep: tuple[XPath, ...] = Field((), description="Elements that hold the main text: the rest is ignored.")
    headline: XPath | None = Field(None, description="Element or attribute that holds the headline.")


class Rights(_Part):
    """What is obeyed and what is only recorded. robots.txt is always obeyed."""

    noarchive: Literal["obey", "record"] = Field("obey", description="noarchive in a header or in the page.")
    noindex: Literal["obey", "record"] = Field("obey", description="noindex in a header or in the page.")
    tdm_reservation: Literal["obey", "record"] = Field("obey", description="A machine-readable TDM reservation.")
    note: str | None = Field(None, description="Licence or agreement with the publisher.")


class Attribute(_Part):
    """What the outlet was in another time."""

    attribute: Literal["country", "owner", "type", "parent", "domain", "collection"] = Field(description="Which.")
    value: str = Field(min_length=1, description="Its value then.")
    since: date | None = Field(None, description="First day; unset where it is not known.")
    until: date | None = Field(None, description="First day on which it no longer held; unset while it holds.")


class Retention(_Part):
    """How long what was fetched is kept. Unset: for ever."""

    archive: Duration | None = Field(None, description="Archived pages; what was read of them stays.")
    refused: Duration | None = Field(timedelta(days=90), description="Archived pages that became no article.")
    comments: Duration | None = Field(timedelta(days=365), description="Readers' comments.")


class Outlet(_Part):
    """A news outlet: where it lives, how to find its articles, how often, how politely."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="Immutable slug; part of every article's id.")
    name: str = Field(min_length=1, description="Name for people.")
    home: HttpUrl = Field(description="Address of the homepage.")
    domains: tuple[Domain, ...] = Field(min_length=1, description="The outlet's own domains, subdomains included.")
    country: str | None = Field(None, pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2.")
    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")], ...] = Field(
        min_length=1, description="BCP 47, main one first."
    )
    timezone: Annotated[str, AfterValidator(_check_timezone)] = Field(description="IANA zone of the newsroom.")
    tier: Literal["hourly", "six_hourly", "daily"] = Field("hourly", description="Cadence of its crawls.")
    enabled: bool = Field(False, description="Crawl it on schedule.")
    disabled_reason: str | None = Field(None, description="Why it is not crawled on schedule.")
    endpoints: tuple[EndpointConfig, ...] = Field(min_length=1, description="Where to find its articles.")
    politeness: Politeness = Politeness()
    revisits: Revisits = Revisits()
    budgets: Budgets = Budgets()
    urls: UrlRules = UrlRules()
    max_age: Duration | None = Field(
        None, description="Articles published longer ago are left out, except where a window asks for them."
    )
    extraction: ExtractionHints = ExtractionHints()
    comments: Literal["off", "text", "full"] = Field(
        "off", description="Readers' comments: not read; text without names; text with names."
    )
    rights: Rights = Rights()
    retention: Retention = Retention()
    type: str | None = Field(None, description="newspaper, broadcaster, agency, magazine ...: as you sort them.")
    owner: str | None = Field(None, description="Who owns it.")
    parent: str | None = Field(None, description="Outlet or group that it belongs to.")
    collections: tuple[str, ...] = Field((), description="Collections of yours that it is part of.")
    history: tuple[Attribute, ...] = Field((), description="What it was in other times.")
    spider: str = Field(
        "spiders.outlet_spider.OutletSpider",
        pattern=r"^[A-Za-z_][\w.]*\.[A-Za-z_]\w*$",
        description="Spider class, for an outlet that needs its own.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Outlet:
        if not on_domains(self.home, self.domains):
            raise ValueError(f"home: its host {url_host(self.home)!r} is not under domains; add it there")
        seen = set()
        for endpoint in self.endpoints:
            if (endpoint.method, endpoint.url) in seen:
                raise ValueError(f"endpoints: {endpoint.url} stands twice; remove one")
            seen.add((endpoint.method, endpoint.url))
        for endpoint in self.endpoints:
            if endpoint.method == "archive" and not all(part in endpoint.url for part in ("{yyyy}", "{m", "{d")):
                raise ValueError(
                    f"endpoints: the archive {endpoint.url} needs {{yyyy}}, {{mm}} and {{dd}} in its address"
                )
        if not self.urls.include and any(endpoint.method in ("section", "archive") for endpoint in self.endpoints):
            raise ValueError(
                "urls.include: a section or archive needs a pattern that tells articles from navigation, as '/\\d{4}/'"
            )
        if not self.enabled and not self.disabled_reason:
            raise ValueError("disabled_reason: say why the outlet is not enabled, or set enabled: true")
        return self

    @property
    def reaches_past(self) -> bool:
        """Whether a window can be asked of it."""
        return any(endpoint.method in PAST_REACHING_METHODS for endpoint in self.endpoints)

    @cached_property
    def config_hash(self) -> bytes:
        """16 bytes that change when anything in the file changes."""
        return _hash(self.model_dump(mode="json"))


def _hash(value: Any) -> bytes:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).digest()[:16]
