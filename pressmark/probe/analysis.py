"""What a homepage and its listings tell of an outlet that has no file yet. Pure; `spiders.probe` does the fetching."""

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
from pressmark.extraction.structured import article_node
from pressmark.outlet import PAST_REACHING_METHODS
from pressmark.text import one_line
from pressmark.urls import MAX_URL_LENGTH, absolute, is_homepage, on_domains, url_host

COMMON_FEED_PATHS = ("/feed/", "/rss.xml", "/feed.xml", "/rss", "/atom.xml")
_FEED_TYPES = frozenset(("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml"))
_COMMENTS = re.compile(r"comment|kommentar|comentario|commentaire|commenti|комментари|التعليقات", re.IGNORECASE)
_TITLE_PARTS = re.compile(r"\s+[|\-\u2013\u2014\u00b7:»]\s+")
# Country codes that are sold as words.
_GENERIC_CODES = frozenset("io co tv me ai fm news info press eu ly cc ws to".split())
# How addresses of articles differ from those of sections, the surest first.
_ARTICLE_PATTERNS = (r"/\d{4}/\d{1,2}/", r"/\d{4}/", r"[-/_]\d{5,}", r"/(?:[^/-]+-){3,}[^/]*/?$", r"/\d{3,}")
_ENOUGH_LINKS = 5
_MAX_LINKS = 2000
_SAMPLE = 5
_RECENT = 50
_OFF_DOMAIN = 0.5
_OLDEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class HomePage:
    """What a homepage says of its site. feeds, sections: (address, title). wordpress: address of its posts API."""

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
    """An endpoint that was looked at.

    per_day: entries a day; None where dates do not tell. flags: why not to use it.
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
        """Whether nothing speaks against it."""
        return bool(self.entries) and not self.flags

    @property
    def reaches_past(self) -> bool:
        """Whether a window can be asked of it."""
        return self.method in PAST_REACHING_METHODS


def read_home(document: bytes, url: str, content_type: str | None, domains: Sequence[str]) -> HomePage:
    """Read a homepage. Raises ExtractionError where it is no HTML."""
    page = parse_page(document, content_type)
    feeds: dict[str, str] = {}
    wordpress = None
    for element in page.tree.iter("link"):
        rel = (element.get("rel") or "").lower().split()
        address = absolute(element.get("href") or "", url)
        if address is None:
            continue
        if "alternate" in rel and (element.get("type") or "").lower() in _FEED_TYPES:
            feeds.setdefault(address, one_line(element.get("title"), 200) or "")
        elif "https://api.w.org/" in rel:
            wordpress = urljoin(address.rstrip("/") + "/", "wp/v2/posts")
    links: dict[str, str] = {}
    for element in page.tree.iter("a"):
        address = absolute(element.get("href") or "", url)
        if address and len(address) <= MAX_URL_LENGTH and on_domains(address, domains) and not is_homepage(address):
            links.setdefault(address, one_line(element.text_content(), 60) or "")
            if len(links) >= _MAX_LINKS:
                break
    title = page.tree.find(".//title")
    titled = _TITLE_PARTS.split(one_line(title.text_content(), 200) or "") if title is not None else []
    publisher = article_node(page.tree).get("publisher")
    named = page.meta_first("og:site_name", "application-name") or (
        one_line(str(publisher.get("name")), 80) if isinstance(publisher, dict) and publisher.get("name") else None
    )
    language = page.tree.get("lang") or page.meta_first("content-language", "og:locale")
    return HomePage(
        url,
        named or min(filter(None, titled), key=len, default=url_host(url)),
        normal_tag(language),
        page.encoding,
        tuple(feeds.items()),
        wordpress,
        tuple(links),
        tuple((a, text) for a, text in links.items() if _is_section(a, text)),
    )


def evaluate_listing(
    method: str, url: str, source: str, title: str, listing: Listing, domains: Sequence[str], now: datetime
) -> EndpointProbe:
    """What an endpoint is worth."""
    entries = listing.entries
    probed = EndpointProbe(method, url, source, len(entries))
    own = [entry for entry in entries if on_domains(entry.url, domains)]
    dates = sorted(d for e in own if (d := _date(e)) is not None and d <= now + timedelta(days=1))
    if dates:
        probed.oldest, probed.newest = dates[0], dates[-1]
        probed.dated = len(dates) / len(own)
        probed.per_day = _per_day(dates)
    probed.addresses = frozenset(entry.url for entry in own)
    probed.sample = sorted(own, key=lambda e: _date(e) or _OLDEST, reverse=True)[:_SAMPLE]
    if listing.problem and not entries:
        probed.flags.append(listing.problem[:120])
    elif not entries:
        probed.flags.append("lists nothing")
    elif len(own) < len(entries) * _OFF_DOMAIN:
        probed.flags.append(f"{len(entries) - len(own)} of {len(entries)} entries lead off its domains")
    if method == "feed" and (_COMMENTS.search(url) or _COMMENTS.search(title)):
        probed.flags.append("a feed of comments")
    return probed


def choose(probed: Iterable[EndpointProbe]) -> list[EndpointProbe]:
    """The endpoints worth polling: one of those that list the same, and one that reaches the past, where there is."""
    chosen: list[EndpointProbe] = []
    covered: set[str] = set()
    order = {"feed": 0, "wordpress": 1, "sitemap": 2, "section": 3}
    for one in sorted((o for o in probed if o.usable), key=lambda o: (order[o.method], -o.entries)):
        new = len(one.addresses - covered)
        past = one.reaches_past and not any(other.reaches_past for other in chosen)
        if not chosen or past or (one.method != "section" and new > len(one.addresses) / 2):
            chosen.append(one)
            covered |= one.addresses
    return chosen


def article_pattern(links: Sequence[str]) -> str | None:
    """A pattern that tells a homepage's articles from its sections; None where none does."""
    for pattern in _ARTICLE_PATTERNS:
        found = sum(bool(re.search(pattern, urlsplit(link).path)) for link in links)
        if found >= _ENOUGH_LINKS and (found < len(links) or len(links) >= 2 * _ENOUGH_LINKS):
            return pattern
    return None


def country_for(url: str, language: str | None) -> str | None:
    """ISO 3166 code by the host's ending, else by the region of its language."""
    ending = url_host(url).rpartition(".")[2]
    if len(ending) == 2 and ending not in _GENERIC_CODES:
        return {"uk": "GB"}.get(ending, ending.upper())
    region = (language or "").rpartition("-")[2]
    return region if len(region) == 2 and region.isupper() else None


def timezone_for(country: str | None, offsets: Iterable[int], now: datetime) -> tuple[str, str]:
    """(IANA zone, how it is known). offsets: of dates that the outlet wrote, in minutes."""
    told = Counter(offset for offset in offsets)
    zones = sorted(zone for zone, territory in get_global("zone_territories").items() if territory == country)
    zones = [zone for zone in zones if "/" in zone and not zone.startswith("Etc/")]
    if len(zones) == 1:
        return zones[0], f"the one zone of {country}"
    offset = told.most_common(1)[0][0] if told else None
    if offset:  # 0 is UTC more often than it is Greenwich
        matching = [zone for zone in zones if _offset(zone, now) == offset]
        if matching:
            return matching[0], f"a zone of {country} with the offset of its dates"
    if zones:
        main = _CAPITALS.get(country or "", zones[0])
        return main, f"one of {len(zones)} zones of {country}: check it"
    return "UTC", "nothing tells its zone: check it"


def tier_for(probed: Iterable[EndpointProbe]) -> str:
    """How often to crawl, by how much it publishes."""
    most = max((one.per_day for one in probed if one.per_day is not None), default=None)
    if most is None:
        return "six_hourly"
    return "hourly" if most >= 12 else "six_hourly" if most >= 2 else "daily"


def make_slug(name: str, host: str) -> str:
    """An id for an outlet: its name in ASCII, else its host."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-").removeprefix("the-")
    if len(slug) < 3 or len(slug) > 40:
        slug = re.sub(r"[^a-z0-9]+", "-", host.removeprefix("www.").rpartition(".")[0].lower()).strip("-")
    return slug[:63]


def _per_day(dates: Sequence[datetime]) -> float | None:
    """Entries a day by the median gap: one that is years old, or a batch of one minute, does not change it much."""
    gaps = [(b - a).total_seconds() / 86400 for a, b in pairwise(dates[-_RECENT:])]
    middle = median(gaps) if len(gaps) > 1 else 0.0
    return round(1 / middle, 1) if middle > 0 else None


def _date(entry: Entry) -> datetime | None:
    return entry.published.value if entry.published and entry.published.value else entry.modified


def _is_section(url: str, text: str) -> bool:
    parts = [part for part in urlsplit(url).path.split("/") if part]
    return bool(text) and len(text.split()) <= 3 and 1 <= len(parts) <= 2 and not re.search(r"\d", parts[-1])


def _offset(zone: str, now: datetime) -> int:
    return int((now.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()).total_seconds() // 60)


_CAPITALS = {
    "US": "America/New_York", "CA": "America/Toronto", "AU": "Australia/Sydney", "RU": "Europe/Moscow",
    "BR": "America/Sao_Paulo", "MX": "America/Mexico_City", "DE": "Europe/Berlin", "ES": "Europe/Madrid",
    "PT": "Europe/Lisbon", "CN": "Asia/Shanghai", "ID": "Asia/Jakarta", "UA": "Europe/Kyiv", "CL": "America/Santiago",
    "AR": "America/Argentina/Buenos_Aires", "NZ": "Pacific/Auckland", "KZ": "Asia/Almaty", "MN": "Asia/Ulaanbaatar",
}  # fmt: skip
