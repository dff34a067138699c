"""Derives the settings of a new outlet from its homepage and listings. `spiders.probe` fetches them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median
from urllib.parse import urljoin, urlsplit
from zoneinfo import ZoneInfo

from babel.core import get_global

from pressmark.discovery.listing import Entry, Listing
from pressmark.extraction.language import normal_tag
from pressmark.extraction.page import parse_page
from pressmark.extraction.structured import read_structured
from pressmark.outlet import PAST_REACHING_METHODS
from pressmark.text import one_line
from pressmark.urls import MAX_URL_LENGTH, absolute, is_homepage, on_domains, url_host

COMMON_FEED_PATHS = ("/feed/", "/rss.xml", "/feed.xml", "/rss", "/atom.xml")
_FEED_TYPES = frozenset(("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml"))
_COMMENTS = re.compile(r"comment|kommentar|comentario|commentaire|commenti|комментари|التعليقات", re.IGNORECASE)
_TITLE_PARTS = re.compile(r"\s+[|\-\u2013\u2014\u00b7:»]\s+")
# Country codes that are used as generic domains.
_GENERIC_CODES = frozenset("io co tv me ai fm news info press eu ly cc ws to".split())
# Patterns that distinguish URLs of articles from those of sections, the most reliable first.
_ARTICLE_PATTERNS = (r"/\d{4}/\d{1,2}/", r"/\d{4}/", r"[-/_]\d{5,}", r"/(?:[^/-]+-){3,}[^/]*/?$", r"/\d{3,}")
_MIN_ARTICLE_LINKS = 5
_MAX_LINKS = 2000
_SAMPLE_SIZE = 5
_RECENT_DATES = 50  # number of newest dates that determine the publishing rate
_MIN_OWN_SHARE = 0.5  # share of entries that must be on the outlet's domains
_OLDEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class HomePage:
    """The details of a site that its homepage declares.

    feeds, sections: (URL, title). wordpress: URL of the posts in its REST API.
    """

    url: str
    name: str
    language: str | None
    encoding: str
    feeds: tuple[tuple[str, str], ...]
    wordpress: str | None
    links: tuple[str, ...]
    sections: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class EndpointProbe:
    """The result of probing an endpoint.

    per_day: entries per day, or None if the dates don't allow an estimate. flags: reasons not to use it.
    """

    method: str
    url: str
    source: str
    entries: int = 0
    newest: datetime | None = None
    oldest: datetime | None = None
    per_day: float | None = None
    dated: float = 0.0
    flags: list[str] = field(default_factory=list)
    sample: list[Entry] = field(default_factory=list)
    addresses: frozenset[str] = frozenset()

    @property
    def usable(self) -> bool:
        """Whether it has entries and no flags."""
        return bool(self.entries) and not self.flags

    @property
    def reaches_past(self) -> bool:
        """Whether it can be used for a backfill."""
        return self.method in PAST_REACHING_METHODS


def read_home(document: bytes, url: str, content_type: str | None, domains: Sequence[str]) -> HomePage:
    """Parse a homepage. Raises ExtractionError if it isn't HTML."""
    page = parse_page(document, content_type)
    feeds: dict[str, str] = {}
    wordpress = None
    for element in page.tree.iter("link"):
        rel = (element.get("rel") or "").lower().split()
        href = absolute(element.get("href") or "", url)
        if href is None:
            continue
        if "alternate" in rel and (element.get("type") or "").lower() in _FEED_TYPES:
            feeds.setdefault(href, one_line(element.get("title"), 200) or "")
        elif "https://api.w.org/" in rel:
            wordpress = urljoin(href.rstrip("/") + "/", "wp/v2/posts")
    links: dict[str, str] = {}
    for element in page.tree.iter("a"):
        href = absolute(element.get("href") or "", url)
        if href and len(href) <= MAX_URL_LENGTH and on_domains(href, domains) and not is_homepage(href):
            links.setdefault(href, one_line(element.text_content(), 60) or "")
            if len(links) >= _MAX_LINKS:
                break
    title = page.tree.find(".//title")
    title_parts = _TITLE_PARTS.split(one_line(title.text_content(), 200) or "") if title is not None else []
    publisher = next((node["publisher"] for node in read_structured(page.tree).outer if "publisher" in node), None)
    site_name = page.meta_first("og:site_name", "application-name") or (
        one_line(str(publisher.get("name")), 80) if isinstance(publisher, dict) and publisher.get("name") else None
    )
    language = page.tree.get("lang") or page.meta_first("content-language", "og:locale")
    return HomePage(
        url,
        site_name or min(filter(None, title_parts), key=len, default=url_host(url)),
        normal_tag(language),
        page.encoding,
        tuple(feeds.items()),
        wordpress,
        tuple(links),
        tuple((link, text) for link, text in links.items() if _is_section(link, text)),
    )


def evaluate_listing(
    method: str, url: str, source: str, title: str, listing: Listing, domains: Sequence[str], now: datetime
) -> EndpointProbe:
    """Evaluate the listing of an endpoint: its entries, dates and publishing rate, and reasons not to use it."""
    entries = listing.entries
    probed = EndpointProbe(method, url, source, len(entries))
    own = [entry for entry in entries if on_domains(entry.url, domains)]
    dates = sorted(d for e in own if (d := _date(e)) is not None and d <= now + timedelta(days=1))
    if dates:
        probed.oldest, probed.newest = dates[0], dates[-1]
        probed.dated = len(dates) / len(own)
        probed.per_day = _per_day(dates)
    probed.addresses = frozenset(entry.url for entry in own)
    probed.sample = sorted(own, key=lambda e: _date(e) or _OLDEST, reverse=True)[:_SAMPLE_SIZE]
    if listing.problem and not entries:
        probed.flags.append(listing.problem[:120])
    elif not entries:
        probed.flags.append("no entries")
    elif len(own) < len(entries) * _MIN_OWN_SHARE:
        off_domain = len(entries) - len(own)
        probed.flags.append(f"{off_domain} of {len(entries)} entries are outside the outlet's domains")
    if method == "feed" and (_COMMENTS.search(url) or _COMMENTS.search(title)):
        probed.flags.append("a comment feed")
    return probed


def choose(probed: Iterable[EndpointProbe]) -> list[EndpointProbe]:
    """Choose the endpoints worth polling: one per group that lists the same URLs, and one that reaches the past."""
    chosen: list[EndpointProbe] = []
    covered: set[str] = set()
    order = {"feed": 0, "wordpress": 1, "sitemap": 2, "section": 3}
    usable = (endpoint for endpoint in probed if endpoint.usable)
    for endpoint in sorted(usable, key=lambda endpoint: (order[endpoint.method], -endpoint.entries)):
        new = len(endpoint.addresses - covered)
        first_past_reaching = endpoint.reaches_past and not any(other.reaches_past for other in chosen)
        mostly_new = endpoint.method != "section" and new > len(endpoint.addresses) / 2
        if not chosen or first_past_reaching or mostly_new:
            chosen.append(endpoint)
            covered |= endpoint.addresses
    return chosen


def article_pattern(links: Sequence[str]) -> str | None:
    """Return a pattern that matches the articles on a homepage but not its sections. Returns None if there is none."""
    for pattern in _ARTICLE_PATTERNS:
        matches = sum(bool(re.search(pattern, urlsplit(link).path)) for link in links)
        if matches >= _MIN_ARTICLE_LINKS and (matches < len(links) or len(links) >= 2 * _MIN_ARTICLE_LINKS):
            return pattern
    return None


def country_for(url: str, language: str | None) -> str | None:
    """Return the ISO 3166 code of the outlet's country, from the top-level domain or the region of its language."""
    top_level_domain = url_host(url).rpartition(".")[2]
    if len(top_level_domain) == 2 and top_level_domain not in _GENERIC_CODES:
        return {"uk": "GB"}.get(top_level_domain, top_level_domain.upper())
    region = (language or "").rpartition("-")[2]
    return region if len(region) == 2 and region.isupper() else None


PLEASE_CHECK = "please check"
"""In the reason for a time zone that is only a guess."""


def timezone_for(country: str | None, offsets: Iterable[int], now: datetime) -> tuple[str, str]:
    """Return (IANA zone, reason for the choice). offsets: UTC offsets of the outlet's dates, in minutes."""
    counts = Counter(offset for offset in offsets)
    zones = sorted(zone for zone, territory in get_global("zone_territories").items() if territory == country)
    zones = [zone for zone in zones if "/" in zone and not zone.startswith("Etc/")]
    if len(zones) == 1:
        return zones[0], f"the only zone of {country}"
    offset = counts.most_common(1)[0][0] if counts else None
    if offset:  # an offset of 0 usually means that the site writes dates in UTC
        matching = [zone for zone in zones if _offset(zone, now) == offset]
        if matching:
            return matching[0], f"a zone of {country} that matches the offset of the dates"
    if zones:
        main = _MAIN_ZONES.get(country or "", zones[0])
        return main, f"one of {len(zones)} zones of {country}, {PLEASE_CHECK}"
    return "UTC", f"no zone detected, {PLEASE_CHECK}"


def tier_for(probed: Iterable[EndpointProbe]) -> str:
    """Return the tier that fits the publishing rate."""
    per_day = max((endpoint.per_day for endpoint in probed if endpoint.per_day is not None), default=None)
    if per_day is None:
        return "six_hourly"
    return "hourly" if per_day >= 12 else "six_hourly" if per_day >= 2 else "daily"


def make_slug(name: str, host: str) -> str:
    """Return an id for an outlet: its name in ASCII, or its host if the name is too short or too long."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-").removeprefix("the-")
    if len(slug) < 3 or len(slug) > 40:
        slug = re.sub(r"[^a-z0-9]+", "-", host.removeprefix("www.").rpartition(".")[0].lower()).strip("-")
    return slug[:63]


def _per_day(dates: Sequence[datetime]) -> float | None:
    """Return entries per day by the median gap, which is robust against very old entries and batches."""
    gaps = [(b - a).total_seconds() / 86400 for a, b in pairwise(dates[-_RECENT_DATES:])]
    median_gap = median(gaps) if len(gaps) > 1 else 0.0
    return round(1 / median_gap, 1) if median_gap > 0 else None


def _date(entry: Entry) -> datetime | None:
    return entry.published.value if entry.published and entry.published.value else entry.modified


def _is_section(url: str, text: str) -> bool:
    parts = [part for part in urlsplit(url).path.split("/") if part]
    return bool(text) and len(text.split()) <= 3 and 1 <= len(parts) <= 2 and not re.search(r"\d", parts[-1])


def _offset(zone: str, now: datetime) -> int:
    return int((now.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()).total_seconds() // 60)


_MAIN_ZONES = {
    "US": "America/New_York", "CA": "America/Toronto", "AU": "Australia/Sydney", "RU": "Europe/Moscow",
    "BR": "America/Sao_Paulo", "MX": "America/Mexico_City", "DE": "Europe/Berlin", "ES": "Europe/Madrid",
    "PT": "Europe/Lisbon", "CN": "Asia/Shanghai", "ID": "Asia/Jakarta", "UA": "Europe/Kyiv", "CL": "America/Santiago",
    "AR": "America/Argentina/Buenos_Aires", "NZ": "Pacific/Auckland", "KZ": "Asia/Almaty", "MN": "Asia/Ulaanbaatar",
}  # fmt: skip
