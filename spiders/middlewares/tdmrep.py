"""A host's /.well-known/tdmrep.json before the first article is asked of it: what it reserves is not fetched.

Only where a reservation is obeyed: neither where the outlet's file says `record` nor where the
installation has declared a basis (PRESSMARK_TDM_BASIS).
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler

from pressmark.outlet import Outlet
from pressmark.rights import TdmFile
from spiders.outcomes import RightsReserved, Stopping
from spiders.requests import RIGHTS_BYTES, kind_of, make_request


class TdmrepMiddleware:
    """Asks each host's TDM file once a crawl."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._files: dict[str, asyncio.Future[TdmFile]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> TdmrepMiddleware:
        """Scrapy's way to make it."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Raises RightsReserved for an article that the file reserves."""
        book = getattr(self._crawler.spider, "book", None)
        if book is None or kind_of(request) != "article":
            return
        if book.outlet.rights.tdm_reservation != "obey" or book.services.settings.tdm_basis is not None:
            return
        parts = urlsplit(request.url)
        file = await self._file(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", book.outlet)
        reserved, policy = file.reserves(parts.path + (f"?{parts.query}" if parts.query else ""))
        if reserved:
            told = f"; its policy: {policy}" if policy else ""
            raise RightsReserved(f"tdmrep.json of {parts.hostname} reserves text and data mining here{told}")

    async def _file(self, site: str, outlet: Outlet) -> TdmFile:
        future = self._files.get(site)
        if future is None:
            future = self._files[site] = asyncio.get_running_loop().create_future()
            try:
                future.set_result(await self._fetch(f"{site}/.well-known/tdmrep.json", outlet))
            except BaseException as error:
                del self._files[site]
                future.set_exception(error)
                future.exception()  # looked at, so that asyncio does not report it where nobody else waits
                raise
        return await asyncio.shield(future)

    async def _fetch(self, url: str, outlet: Outlet) -> TdmFile:
        """The file; one that is not there, not allowed or not readable reserves nothing."""
        request = make_request(url, "rights", outlet, RIGHTS_BYTES)
        try:
            response = await self._crawler.engine.download_async(request)
        except Stopping:
            raise
        except Exception:
            return TdmFile()
        return TdmFile.parse(response.body) if response.status == 200 else TdmFile()
