"""Probe the site of a new outlet: `python -m spiders.probe JSON`. Started by `pressmark outlet add`.

All requests pass the guards of a crawl (robots.txt, leases, SSRF, sizes). Only the leases are stored.
The result is printed as one JSON object. Progress goes to the file descriptor given by --progress.
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
from pressmark.crawl_types import FetchRecord
from pressmark.discovery import feeds, sections, sitemaps, wordpress
from pressmark.discovery.listing import Listing
from pressmark.errors import ConfigError, PressmarkError
from pressmark.extraction.fields import ExtractionConfig
from pressmark.frontier import Candidate
from pressmark.logs import configure_logging, quiet_scrapy
from pressmark.outlet import Outlet
from pressmark.probe import analysis
from pressmark.probe.analysis import EndpointProbe
from pressmark.rights import TdmFile
from pressmark.robots import RobotsPolicy
from pressmark.settings import ROBOTS_TOKEN, Settings
from pressmark.urls import absolute, on_domains, url_host, url_path, url_site, url_uid
from pressmark.warehouse.connection import Warehouse
from pressmark.warehouse.migrations import ensure_ready
from pressmark.warehouse.site_policies import Kind, SitePolicy
from spiders.discovery.robots import WELL_KNOWN
from spiders.outcomes import SUCCESS, outcome_for_error, outcome_for_status
from spiders.requests import make_request
from spiders.runner import scrapy_settings
from spiders.site_policies import fetch_site_policy

_MAX_DELAY = 10.0  # longest Crawl-delay, in seconds, since a person waits for the result
_MAX_FEEDS = 8
_MAX_SITEMAPS = 6
_MAX_SECTIONS = 3
_MAX_ARTICLES = 4
_MAX_BYTES = 10 * 2**20
_SITEMAP_ENTRIES = 5000
_GUESSED_FEED = "a common feed URL"
_GUESSED_SITEMAP = "a common sitemap URL"

logger = logging.getLogger(__name__)


class ProbeLedger:
    """Replaces the crawl ledger for a probe. It gives the guards the outlet and stores nothing."""

    def __init__(self, services: Services, outlet: Outlet) -> None:
        self.services = services
        self.outlet = outlet
        self.requests = 0
        self.page: records.Response | None = None

    @property
    def pages(self) -> ProbeLedger:
        """Return itself, since it also takes the page that the capture middleware spools."""
        return self

    def spool(
        self, candidate: Candidate, response: records.Response, requested_url: str, site_rights: Any = None
    ) -> records.Response:
        """Keep the page."""
        self.page = response
        return response

    def record_fetch(self, record: FetchRecord) -> None:
        """Count the request."""
        self.requests += 1

    async def read_site_policy(self, site: str, kind: Kind) -> SitePolicy | None:
        """Return None, so that the files of a new outlet are always fetched."""
        return None

    async def write_site_policy(self, file: SitePolicy) -> None:
        """Store nothing."""


class PageSpider(Spider):
    """Fetches one page, as a crawl does. The response is in `captured`, with its body as received."""

    name: ClassVar[str] = "page"  # type: ignore[misc]

    def __init__(self, ledger: ProbeLedger, url: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ledger = ledger
        self.stopping = False
        self.captured: records.Response | None = None
        self.outcome: tuple[str, str] = ("interrupted", "the request was not made")
        self._url = url

    async def start(self) -> AsyncIterator[Request]:
        """Make the request. Nothing is yielded."""
        outlet = self.ledger.outlet
        candidate = Candidate(self._url, url_uid(outlet.id, self._url, outlet.urls.parameters), "feed")
        request = make_request(self._url, "article", outlet, outlet.budgets.page_size, candidate)
        try:
            response = await self.crawler.engine.download_async(request)
        except Exception as error:
            self.outcome = outcome_for_error(error, self._url)
            return
        self.captured = self.ledger.page
        if response.status not in SUCCESS:
            outcome = outcome_for_status(response.status, "Retry-After" in response.headers)
            self.outcome = outcome, f"answered {response.status}"
        return
        yield  # makes this an async generator, as Scrapy requires


class ProbeSpider(Spider):
    """Probes one site. The result is in `result`."""

    name: ClassVar[str] = "probe"  # type: ignore[misc]

    def __init__(
        self, ledger: ProbeLedger, folder: Path, endpoints: Sequence[tuple[str, str]] = (), **kwargs: Any
    ) -> None:
        """endpoints: (method, URL) of endpoints that the outlet file already lists. They are polled first."""
        super().__init__(**kwargs)
        self.ledger = ledger
        self.stopping = False
        self.error: str | None = None
        self.result: dict[str, Any] = {}
        self._folder = folder
        self._endpoints = endpoints
        self._probed: list[EndpointProbe] = []
        self._tdm = TdmFile()

    async def start(self) -> AsyncIterator[Request]:
        """Run the probe. It makes its own requests, so nothing is yielded."""
        try:
            await self._probe()
        except PressmarkError as error:
            self.error = str(error)
        except Exception as error:
            logger.exception("the probe of %s failed", self.ledger.outlet.home)
            self.error = f"{type(error).__name__}: {error}"
        return
        yield  # makes this an async generator, as Scrapy requires

    async def _probe(self) -> None:
        outlet = self.ledger.outlet
        self._report("homepage")
        response, problem = await self._get(outlet.home)
        if response is None:
            raise PressmarkError(f"{outlet.home} cannot be fetched: {problem}")
        host = url_host(response.url).removeprefix("www.")
        if host != url_host(outlet.home).removeprefix("www."):
            # The site has moved: use its new domain.
            self.ledger.outlet = outlet = outlet.model_copy(update={"domains": (host,), "home": response.url})
        kind = (response.headers.get("Content-Type") or b"").decode("latin-1")
        home = await asyncio.to_thread(analysis.read_home, response.body, response.url, kind, outlet.domains)
        rights, listed_sitemaps = await self._rights(response.url)
        for method, url in self._endpoints:
            await self._probe_endpoint(method, url, "outlet file")
        await self._probe_feeds(home)
        if home.wordpress:
            await self._probe_endpoint("wordpress", home.wordpress, "link rel=https://api.w.org/ on the homepage")
        await self._probe_sitemaps(response.url, listed_sitemaps)
        pattern = analysis.article_pattern(home.links)
        if pattern and not any(probed.usable for probed in self._probed):
            await self._probe_sections(home, pattern)
        chosen = analysis.choose(self._probed)
        articles = await self._sample_articles(chosen)
        self.result = {
            "home": response.url,
            "domain": host,
            "name": home.name,
            "language": home.language,
            "encoding": home.encoding,
            "pattern": pattern,
            "requests": self.ledger.requests,
            "rights": rights,
            "endpoints": [
                {**_row(probed), "chosen": probed in chosen} for probed in self._probed
            ],
            "articles": articles,
            "tier": analysis.tier_for(chosen),
        }  # fmt: skip

    async def _rights(self, url: str) -> tuple[dict[str, Any], list[str]]:
        site = url_site(url)
        file = await fetch_site_policy(self.crawler, site, "robots")
        if file.status is None:
            policy = RobotsPolicy.from_failure(file.error or "no response")
        else:
            policy = RobotsPolicy.from_response(file.status, file.body or b"")
        verdict = policy.verdict(url, ROBOTS_TOKEN)
        self._report("tdmrep.json")
        tdm = await fetch_site_policy(self.crawler, site, "tdmrep")
        self._tdm = TdmFile.parse(tdm.body or b"")
        reserved, tdm_policy = self._tdm.reserves(url_path(url))
        stated = policy.preferences.about(url_path(url))
        return {
            "robots": verdict.outcome, "reason": verdict.reason, "crawl_delay": policy.crawl_delay(ROBOTS_TOKEN),
            "tdm_reservation": reserved if tdm.body else None, "tdm_policy": tdm_policy, **stated,
        }, policy.sitemaps()  # fmt: skip

    async def _probe_feeds(self, home: analysis.HomePage) -> None:
        for url, title in home.feeds[:_MAX_FEEDS]:
            await self._probe_endpoint("feed", url, "a link on the homepage", title)
        if not any(probed.method == "feed" and probed.usable for probed in self._probed):
            for path in analysis.COMMON_FEED_PATHS:
                guess = await self._probe_endpoint("feed", urljoin(home.url, path), _GUESSED_FEED)
                if guess is not None and guess.usable:
                    return

    async def _probe_sitemaps(self, home: str, listed: list[str]) -> None:
        # News sitemaps first: they state publication dates.
        locations = sorted(dict.fromkeys(listed), key=lambda url: "news" not in url.lower())[:_MAX_SITEMAPS]
        for location in locations:
            url = absolute(location, home)
            if url:
                await self._probe_sitemap(url, "robots.txt")
        if not listed:
            for path in WELL_KNOWN:
                if await self._probe_sitemap(urljoin(home, path), _GUESSED_SITEMAP):
                    return

    async def _probe_sitemap(self, url: str, source: str) -> bool:
        probed = await self._probe_endpoint("sitemap", url, source)
        return probed is not None and probed.usable

    async def _probe_sections(self, home: analysis.HomePage, pattern: str) -> None:
        await self._probe_endpoint("section", home.url, "the homepage", pattern=pattern)
        for url, _ in home.sections[:_MAX_SECTIONS]:
            if not re.search(pattern, url):
                await self._probe_endpoint("section", url, "a link on the homepage", pattern=pattern)

    async def _probe_endpoint(
        self, method: str, url: str, source: str, title: str = "", pattern: str | None = None
    ) -> EndpointProbe | None:
        """Poll and evaluate an endpoint. Returns None if it was probed before."""
        if any(known.url == url for known in self._probed):
            return None
        self._report(url)
        outlet, now = self.ledger.outlet, datetime.now(UTC)
        request_url = wordpress.posts_url(url, 1) if method == "wordpress" else url
        response, problem = await self._get(request_url)
        probed = EndpointProbe(method, url, source, flags=[problem or "no response"])
        if response is not None:
            kind = (response.headers.get("Content-Type") or b"").decode("latin-1") or None
            listing = await asyncio.to_thread(_parse, method, response, kind, outlet, now, pattern)
            if method == "sitemap" and listing.children and not listing.entries:
                listing = await self._newest_child(listing, now)
            probed = analysis.evaluate_listing(method, url, source, title, listing, outlet.domains, now)
        if not (response is None and source in (_GUESSED_FEED, _GUESSED_SITEMAP)):
            self._probed.append(probed)
        return probed

    async def _newest_child(self, index: Listing, now: datetime) -> Listing:
        """Return the listing of the most recently changed child that has entries, else the index."""
        oldest = datetime.min.replace(tzinfo=UTC)
        for child in sorted(index.children, key=lambda c: c.modified or oldest, reverse=True)[:2]:
            response, _ = await self._get(child.url)
            if response is not None:
                listing = await asyncio.to_thread(_parse, "sitemap", response, None, self.ledger.outlet, now, None)
                if listing.entries:
                    return listing
        return index

    async def _sample_articles(self, chosen: Sequence[EndpointProbe]) -> list[dict[str, Any]]:
        """Fetch a few articles and extract their fields as a crawl would."""
        outlet = self.ledger.outlet
        entries = {entry.url: entry for probed in chosen for entry in probed.sample}
        config = ExtractionConfig.for_outlet(outlet)
        spool = Spool(self._folder / "probe.spool")
        rows = []
        for url, entry in list(entries.items())[:_MAX_ARTICLES]:
            self._report(url)
            response: Response | None = None
            problem: str | None = "rights_reserved: tdmrep.json reserves text and data mining for this URL"
            if self.ledger.services.settings.tdm_basis is not None or not self._tdm.reserves(url_path(url))[0]:
                response, problem = await self._get(url)
            if response is not None and not on_domains(response.url, outlet.domains):
                problem = f"out_of_scope: redirects to {response.url[:200]}"
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
            page = await self.ledger.services.extraction.extract(pointer, config, _MAX_BYTES)
            rows.append(_article_row(url, page, entry.published.value if entry.published else None))
        spool.discard()
        return rows

    async def _get(self, url: str) -> tuple[Response | None, str | None]:
        request = make_request(url, "endpoint", self.ledger.outlet, _MAX_BYTES)
        try:
            response = await self.crawler.engine.download_async(request)
        except Exception as error:
            return None, ": ".join(outcome_for_error(error, url))
        if response.status != 200:
            return None, f"{outcome_for_status(response.status)}: answered {response.status}"
        return response, None

    def _report(self, subject: str) -> None:
        self.ledger.services.emit({"event": "looking", "at": subject})


def _parse(
    method: str, response: Response, kind: str | None, outlet: Outlet, now: datetime, pattern: str | None
) -> Listing:
    dates = outlet.date_context(now)
    if method == "feed":
        return feeds.parse_feed(response.body, response.url, dates, content_type=kind)
    if method == "wordpress":
        return wordpress.parse_posts(response.body, response.url, dates)
    if method == "sitemap":
        return sitemaps.parse_sitemap(response.body, response.url, dates, limit=_SITEMAP_ENTRIES)
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


def _row(probed: EndpointProbe) -> dict[str, Any]:
    row = asdict(probed)
    for name in ("sample", "addresses"):
        del row[name]
    return row


def _article_row(url: str, page: Any, listed: datetime | None) -> dict[str, Any]:
    x = page.extraction
    if x is None:
        return {"url": url, "outcome": page.outcome, "reason": page.reason}
    published = x.published
    return {
        "url": url,
        "outcome": page.outcome or "article",
        "reason": page.reason,
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
    """Run the probe, print the result and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m spiders.probe", description=__doc__)
    parser.add_argument("outlet", metavar="JSON", help="known fields of the outlet file")
    parser.add_argument("--progress", type=int, metavar="FD")
    parser.add_argument("--page", metavar="URL", help="fetch this page instead of probing the site")
    parser.add_argument("--body", type=Path, metavar="FILE", help="write the body of the page to this file")
    options = parser.parse_args(arguments)
    if options.progress is not None:
        os.set_inheritable(options.progress, False)
    configure_logging()
    try:
        if options.page:
            return run_page(json.loads(options.outlet), options.page, options.body, options.progress)
        return run(json.loads(options.outlet), options.progress)
    except PressmarkError as error:
        print(f"pressmark: {error}", file=sys.stderr)
        return error.exit_code


def run(known: dict[str, Any], progress: int | None) -> int:
    """Probe one site and print the result. Raises PressmarkError if the probe fails."""
    settings = Settings.from_env()
    ensure_ready(Warehouse(settings))
    named = [(e["method"], e["url"]) for e in known.get("endpoints", ()) if e["method"] not in ("archive", "custom")]
    try:
        outlet = provisional(known)
    except ValidationError as error:
        raise ConfigError(f"{known['home']} cannot be probed: {error.errors()[0]['msg']}") from error
    services = Services.open(settings, emit_to(progress))
    try:
        process = AsyncCrawlerProcess(scrapy_settings())
        quiet_scrapy()
        with tempfile.TemporaryDirectory(prefix="pressmark-probe-") as folder:
            crawler = process.create_crawler(ProbeSpider)
            process.crawl(crawler, ledger=ProbeLedger(services, outlet), folder=Path(folder), endpoints=named)
            process.start()
        spider = crawler.spider
        if not isinstance(spider, ProbeSpider) or spider.error or not spider.result:
            raise PressmarkError(getattr(spider, "error", None) or f"{outlet.home}: the probe did not start")
        print(json.dumps(spider.result, default=str))
        return 0
    finally:
        services.close()


def run_page(known: dict[str, Any], url: str, body: Path, progress: int | None) -> int:
    """Fetch one page, write its body to a file and print the rest of the response."""
    settings = Settings.from_env()
    ensure_ready(Warehouse(settings))
    services = Services.open(settings, emit_to(progress))
    try:
        process = AsyncCrawlerProcess(scrapy_settings())
        quiet_scrapy()
        crawler = process.create_crawler(PageSpider)
        process.crawl(crawler, ledger=ProbeLedger(services, provisional(known)), url=url)
        process.start()
        spider = crawler.spider
        if not isinstance(spider, PageSpider):
            raise PressmarkError(f"{url}: the request did not start")
        result: dict[str, Any] = {}
        if spider.captured is not None:
            page = spider.captured
            body.write_bytes(page.body)
            result = {
                "url": page.url, "status": page.status, "headers": page.headers,
                "observed_at": page.observed_at.isoformat(),
            }  # fmt: skip
        if spider.captured is None or spider.captured.status not in SUCCESS:
            result |= {"outcome": spider.outcome[0], "reason": spider.outcome[1]}
        print(json.dumps(result))
        return 0
    finally:
        services.close()


def provisional(known: dict[str, Any]) -> Outlet:
    """Build a provisional outlet for the probe from its known fields."""
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
