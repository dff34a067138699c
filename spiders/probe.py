"""Looks at a homepage as a new outlet: `python -m spiders.probe URL`. Started by `pressmark outlet add`.

Everything is asked for through the guards of a crawl (robots.txt, leases, SSRF, sizes); nothing is stored
but the leases. What was found is printed as one JSON object; progress goes to the descriptor of --progress.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urljoin
from uuid import uuid4

from pydantic import ValidationError
from scrapy import Request, Spider
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http import Response

from pressmark.archive import records
from pressmark.archive.spool import Spool
from pressmark.crawl.services import Services, emit_to
from pressmark.discovery import feeds, sections, sitemaps, wordpress
from pressmark.discovery.listing import Listing
from pressmark.errors import ConfigError, PressmarkError
from pressmark.extraction.extract import ExtractionConfig
from pressmark.logs import configure_logging, quiet_scrapy
from pressmark.outlet import Outlet
from pressmark.probe import analysis
from pressmark.probe.analysis import EndpointProbe
from pressmark.rights import TdmFile
from pressmark.robots import RobotsPolicy
from pressmark.settings import ROBOTS_TOKEN, Settings
from pressmark.urls import absolute, on_domains, url_host, url_path, url_site
from pressmark.warehouse.connection import Warehouse
from pressmark.warehouse.crawls import FetchRecord
from pressmark.warehouse.migrations import ensure_ready
from pressmark.warehouse.site_policies import Kind, SitePolicy
from spiders.discovery.robots import WELL_KNOWN
from spiders.outcomes import outcome_of_error, outcome_of_status
from spiders.requests import make_request
from spiders.runner import scrapy_settings
from spiders.site_policies import fetch_site_policy

_MAX_DELAY = 10.0  # seconds between requests that a person still waits for, where robots.txt asks for them
_MAX_FEEDS = 8
_MAX_SITEMAPS = 6
_MAX_SECTIONS = 3
_MAX_ARTICLES = 4
_MAX_BYTES = 10 * 2**20
_SITEMAP_ENTRIES = 5000

logger = logging.getLogger(__name__)


class ProbeLedger:
    """Stands where a crawl's book stands; the guards ask it for the outlet, and nothing is written down."""

    def __init__(self, services: Services, outlet: Outlet) -> None:
        self.services = services
        self.outlet = outlet
        self.requests = 0

    def record_fetch(self, record: FetchRecord) -> None:
        """Count a request."""
        self.requests += 1

    async def read_site_policy(self, site: str, kind: Kind) -> SitePolicy | None:
        """A new outlet's files are read anew."""
        return None

    async def write_site_policy(self, file: SitePolicy) -> None:
        """Nothing is kept."""


class ProbeSpider(Spider):
    """Looks at one site; `found` is the result."""

    name: ClassVar[str] = "probe"  # type: ignore[misc]

    def __init__(
        self, ledger: ProbeLedger, folder: Path, endpoints: Sequence[tuple[str, str]] = (), **kwargs: Any
    ) -> None:
        """endpoints: (method, URL) of those that a file names already; they are looked at first."""
        super().__init__(**kwargs)
        self.ledger = ledger
        self.stopping = False
        self.error: str | None = None
        self.found: dict[str, Any] = {}
        self._folder = folder
        self._endpoints = endpoints
        self._probed: list[EndpointProbe] = []
        self._tdm = TdmFile()

    async def start(self) -> AsyncIterator[Request]:
        """The whole look; it makes its own requests."""
        try:
            await self._look()
        except PressmarkError as error:
            self.error = str(error)
        except Exception as error:
            logger.exception("the look at %s failed", self.ledger.outlet.home)
            self.error = f"{type(error).__name__}: {error}"
        return
        yield  # an asynchronous generator, as Scrapy wants it

    async def _look(self) -> None:
        outlet = self.ledger.outlet
        self._tell("homepage")
        response, problem = await self._get(outlet.home)
        if response is None:
            raise PressmarkError(f"{outlet.home} cannot be read: {problem}")
        host = url_host(response.url).removeprefix("www.")
        if host != url_host(outlet.home).removeprefix("www."):
            # The site has moved: its own domain is where it lives now.
            self.ledger.outlet = outlet = outlet.model_copy(update={"domains": (host,), "home": response.url})
        kind = (response.headers.get("Content-Type") or b"").decode("latin-1")
        home = await asyncio.to_thread(analysis.read_home, response.body, response.url, kind, outlet.domains)
        rights, listed_sitemaps = await self._rights(response.url)
        for method, url in self._endpoints:
            await self._listing(method, url, "its file")
        await self._feeds(home)
        if home.wordpress:
            await self._listing("wordpress", home.wordpress, "link rel=https://api.w.org/ on the homepage")
        await self._sitemaps(response.url, listed_sitemaps)
        pattern = analysis.article_pattern(home.links)
        if pattern and not any(one.usable for one in self._probed):
            await self._sections(home, pattern)
        chosen = analysis.choose(self._probed)
        articles = await self._articles(chosen)
        self.found = {
            "home": response.url,
            "domain": host,
            "name": home.name,
            "language": home.language,
            "encoding": home.encoding,
            "pattern": pattern,
            "requests": self.ledger.requests,
            "rights": rights,
            "endpoints": [
                {**_row(one), "chosen": one in chosen} for one in self._probed
            ],
            "articles": articles,
            "tier": analysis.tier_for(chosen),
        }  # fmt: skip

    async def _rights(self, url: str) -> tuple[dict[str, Any], list[str]]:
        site = url_site(url)
        file = await fetch_site_policy(self.crawler, site, "robots")
        if file.status is None:
            policy = RobotsPolicy.from_failure(file.error or "no answer")
        else:
            policy = RobotsPolicy.from_response(file.status, file.body or b"")
        verdict = policy.verdict(url, ROBOTS_TOKEN)
        self._tell("tdmrep.json")
        tdm = await fetch_site_policy(self.crawler, site, "tdmrep")
        self._tdm = TdmFile.parse(tdm.body or b"")
        reserved, tdm_policy = self._tdm.reserves(url_path(url))
        stated = policy.preferences.about(url_path(url))
        return {
            "robots": verdict.outcome, "reason": verdict.reason, "crawl_delay": policy.crawl_delay(ROBOTS_TOKEN),
            "tdm_reservation": reserved if tdm.body else None, "tdm_policy": tdm_policy, **stated,
        }, policy.sitemaps()  # fmt: skip

    async def _feeds(self, home: analysis.HomePage) -> None:
        for url, title in home.feeds[:_MAX_FEEDS]:
            await self._listing("feed", url, "a link on the homepage", title)
        if not any(one.method == "feed" and one.usable for one in self._probed):
            for path in analysis.COMMON_FEED_PATHS:
                probed = await self._listing("feed", urljoin(home.url, path), "a usual address of feeds")
                if probed is not None and probed.usable:
                    return

    async def _sitemaps(self, home: str, listed: list[str]) -> None:
        # News sitemaps first: they say when an article was published.
        addresses = sorted(dict.fromkeys(listed), key=lambda url: "news" not in url.lower())[:_MAX_SITEMAPS]
        for url in addresses:
            address = absolute(url, home)
            if address:
                await self._sitemap(address, "robots.txt")
        if not listed:
            for path in WELL_KNOWN:
                if await self._sitemap(urljoin(home, path), "a usual address of sitemaps"):
                    return

    async def _sitemap(self, url: str, source: str) -> bool:
        probed = await self._listing("sitemap", url, source)
        return probed is not None and probed.usable

    async def _sections(self, home: analysis.HomePage, pattern: str) -> None:
        await self._listing("section", home.url, "the homepage", pattern=pattern)
        for url, _ in home.sections[:_MAX_SECTIONS]:
            if not re.search(pattern, url):
                await self._listing("section", url, "a link on the homepage", pattern=pattern)

    async def _listing(
        self, method: str, url: str, source: str, title: str = "", pattern: str | None = None
    ) -> EndpointProbe | None:
        """Look at an endpoint, once; None where it was looked at before."""
        if any(one.url == url for one in self._probed):
            return None
        self._tell(url)
        outlet, now = self.ledger.outlet, datetime.now(UTC)
        scope = wordpress.posts_url(url, 1) if method == "wordpress" else url
        response, problem = await self._get(scope)
        probed = EndpointProbe(method, url, source, flags=[problem or "no answer"])
        if response is not None:
            kind = (response.headers.get("Content-Type") or b"").decode("latin-1") or None
            listing = await asyncio.to_thread(_parse, method, response, kind, outlet, now, pattern)
            if method == "sitemap" and listing.children and not listing.entries:
                listing = await self._newest_child(listing, now)
            probed = analysis.evaluate_listing(method, url, source, title, listing, outlet.domains, now)
        if not (response is None and source.startswith("a usual address")):
            self._probed.append(probed)
        return probed

    async def _newest_child(self, index: Listing, now: datetime) -> Listing:
        """What the child that changed last lists, for its index."""
        oldest = datetime.min.replace(tzinfo=UTC)
        for child in sorted(index.children, key=lambda c: c.modified or oldest, reverse=True)[:2]:
            response, _ = await self._get(child.url)
            if response is not None:
                listing = await asyncio.to_thread(_parse, "sitemap", response, None, self.ledger.outlet, now, None)
                if listing.entries:
                    return listing
        return index

    async def _articles(self, chosen: Sequence[EndpointProbe]) -> list[dict[str, Any]]:
        """Fields of some articles, by the extraction that a crawl would use."""
        outlet = self.ledger.outlet
        entries = {entry.url: entry for one in chosen for entry in one.sample}
        config = ExtractionConfig.for_outlet(outlet)
        spool = Spool(self._folder / "probe.spool")
        rows = []
        for url, entry in list(entries.items())[:_MAX_ARTICLES]:
            self._tell(url)
            response: Response | None = None
            problem: str | None = "rights_reserved: tdmrep.json reserves text and data mining here"
            if self.ledger.services.settings.tdm_basis is not None or not self._tdm.reserves(url_path(url))[0]:
                response, problem = await self._get(url)
            if response is not None and not on_domains(response.url, outlet.domains):
                problem = f"out_of_scope: leads to {response.url[:200]}"
                response = None
            if response is None:
                rows.append({"url": url, "outcome": problem})
                continue
            headers = tuple(
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, values in response.headers.items()
                for value in values
                if name.lower() != b"content-encoding"
            )
            pointer = spool.append(
                records.Response(
                    uuid4(), response.url, datetime.now(UTC), response.status, headers, response.body,
                    records.body_digest(response.body),
                )
            )  # fmt: skip
            read = await self.ledger.services.extraction.read(pointer, config, _MAX_BYTES)
            rows.append(_article_row(url, read, entry.published.value if entry.published else None))
        spool.discard()
        return rows

    async def _get(self, url: str) -> tuple[Response | None, str | None]:
        request = make_request(url, "endpoint", self.ledger.outlet, _MAX_BYTES)
        try:
            response = await self.crawler.engine.download_async(request)
        except Exception as error:
            return None, ": ".join(outcome_of_error(error, url))
        if response.status != 200:
            return None, f"{outcome_of_status(response.status)}: answered {response.status}"
        return response, None

    def _tell(self, what: str) -> None:
        self.ledger.services.emit({"event": "looking", "at": what})


def _parse(
    method: str, response: Response, kind: str | None, outlet: Outlet, now: datetime, pattern: str | None
) -> Listing:
    if method == "feed":
        return feeds.parse_feed(response.body, response.url, now, content_type=kind, zone=outlet.timezone)
    if method == "wordpress":
        return wordpress.parse_posts(response.body, response.url, now, outlet.timezone)
    if method == "sitemap":
        return sitemaps.parse_sitemap(response.body, response.url, now, limit=_SITEMAP_ENTRIES, zone=outlet.timezone)
    if method == "robots":
        listed = RobotsPolicy.from_response(response.status, response.body).sitemaps()
        return Listing(problem=None if listed else "lists no sitemap")
    return sections.parse_section(
        response.body,
        response.url,
        domains=outlet.domains,
        include=(pattern,) if pattern else outlet.urls.include,
        content_type=kind,
    )


def _row(one: EndpointProbe) -> dict[str, Any]:
    row = asdict(one)
    for name in ("sample", "addresses"):
        del row[name]
    return row


def _article_row(url: str, read: Any, listed: datetime | None) -> dict[str, Any]:
    x = read.extraction
    if x is None:
        return {"url": url, "outcome": read.outcome, "reason": read.reason}
    published = x.published
    return {
        "url": url,
        "outcome": read.outcome or "article",
        "reason": read.reason,
        "headline": x.headline,
        "words": x.word_count,
        "authors": x.authors,
        "date_published": published.value if published and published.value else listed,
        "offset": published.offset if published else None,
        "language": x.in_language,
        "encoding": x.encoding,
        "description": bool(x.description),
        "main_image": bool(x.main_image),
        "article_section": bool(x.article_section),
        "rights": x.rights.as_json(),
    }


def main(arguments: list[str] | None = None) -> int:
    """Look, print, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m spiders.probe", description=__doc__)
    parser.add_argument("outlet", metavar="JSON", help="the outlet as far as it is known")
    parser.add_argument("--progress", type=int, metavar="FD")
    options = parser.parse_args(arguments)
    if options.progress is not None:
        os.set_inheritable(options.progress, False)
    configure_logging()
    try:
        return run(json.loads(options.outlet), options.progress)
    except PressmarkError as error:
        print(f"pressmark: {error}", file=sys.stderr)
        return error.exit_code


def run(known: dict[str, Any], progress: int | None) -> int:
    """Look at one site. Raises PressmarkError before it begins."""
    settings = Settings.from_env()
    ensure_ready(Warehouse(settings))
    named = [(e["method"], e["url"]) for e in known.get("endpoints", ()) if e["method"] not in ("archive", "custom")]
    try:
        outlet = provisional(known)
    except ValidationError as error:
        raise ConfigError(f"{known['home']} cannot be looked at: {error.errors()[0]['msg']}") from error
    services = Services.open(settings, emit_to(progress))
    try:
        process = AsyncCrawlerProcess(scrapy_settings())
        quiet_scrapy()
        with tempfile.TemporaryDirectory(prefix="pressmark-probe-") as folder:
            crawler = process.create_crawler(ProbeSpider)
            process.crawl(crawler, ledger=ProbeLedger(services, outlet), folder=Path(folder), endpoints=named)
            process.start()
        spider = crawler.spider
        if not isinstance(spider, ProbeSpider) or spider.error or not spider.found:
            raise PressmarkError(getattr(spider, "error", None) or f"{outlet.home}: the look did not start")
        print(json.dumps(spider.found, default=str))
        return 0
    finally:
        services.close()


def provisional(known: dict[str, Any]) -> Outlet:
    """An outlet good enough to be looked at, by what is known of it."""
    host = url_host(known["home"]).removeprefix("www.")
    fields = {
        "id": "probe", "name": host, "domains": [host], "languages": ["en"], "timezone": "UTC", "enabled": True,
        "endpoints": [{"method": "feed", "url": known["home"], "source": "to be found"}],
        **known,
    }  # fmt: skip
    polite = {"delay": 1.0, **(known.get("politeness") or {}), "max_crawl_delay": _MAX_DELAY}
    return Outlet.model_validate({**fields, "politeness": polite})


if __name__ == "__main__":
    sys.exit(main())
