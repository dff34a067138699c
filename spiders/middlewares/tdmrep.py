"""A host's /.well-known/tdmrep.json before the first article is asked of it.

What it says is recorded with each visit. What it reserves is not fetched, unless the outlet's file says
`record` or the installation has declared a basis (PRESSMARK_TDM_BASIS).
"""

from __future__ import annotations

from scrapy import Request
from scrapy.crawler import Crawler

from pressmark.rights import TdmFile
from pressmark.urls import host_of, path_of, site_of
from spiders.host_files import Once, look_at
from spiders.outcomes import RightsReserved
from spiders.requests import SITE_RIGHTS, kind_of


class TdmrepMiddleware:
    """Asks each host's TDM file once a day."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._files = Once(self._file)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> TdmrepMiddleware:
        """Scrapy's way to make it."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Raises RightsReserved for an article that the file reserves."""
        book = getattr(self._crawler.spider, "book", None)
        if book is None or kind_of(request) != "article":
            return
        file, state = await self._files.get(site_of(request.url))
        reserved, policy = file.reserves(path_of(request.url))
        if state:
            stated = {"tdmrep": state, "tdm_reservation": reserved, **({"tdm_policy": policy} if policy else {})}
            request.meta[SITE_RIGHTS] = {**request.meta.get(SITE_RIGHTS, {}), **stated}
        obeyed = book.outlet.rights.tdm_reservation == "obey" and book.services.settings.tdm_basis is None
        if reserved and obeyed:
            told = f"; its policy: {policy}" if policy else ""
            raise RightsReserved(f"tdmrep.json of {host_of(request.url)} reserves text and data mining here{told}")

    async def _file(self, site: str) -> tuple[TdmFile, str | None]:
        """The file; one that is not there, not allowed or not readable reserves nothing."""
        file = await look_at(self._crawler, site, "tdmrep")
        return (TdmFile.parse(file.body), file.name) if file.body else (TdmFile(), None)
