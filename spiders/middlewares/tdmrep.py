"""Check /.well-known/tdmrep.json of a host before fetching its articles.

Its content is recorded with each capture. Reserved URLs are not fetched, unless the outlet file sets
`tdm_reservation: record` or the installation declares a basis (PRESSMARK_TDM_BASIS).
"""

from __future__ import annotations

from scrapy import Request
from scrapy.crawler import Crawler

from pressmark.rights import TdmFile
from pressmark.urls import url_host, url_path, url_site
from spiders.outcomes import RightsReserved
from spiders.requests import SITE_RIGHTS, request_kind
from spiders.site_policies import AsyncCache, fetch_site_policy


class TdmrepMiddleware:
    """Fetches each host's TDM file once a day."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._files = AsyncCache(self._file)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> TdmrepMiddleware:
        """Create the middleware (called by Scrapy)."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Raise RightsReserved if the file reserves an article."""
        ledger = getattr(self._crawler.spider, "ledger", None)
        if ledger is None or request_kind(request) != "article":
            return
        file, state = await self._files.get(url_site(request.url))
        reserved, policy = file.reserves(url_path(request.url))
        if state:
            stated = {"tdmrep": state, "tdm_reservation": reserved, **({"tdm_policy": policy} if policy else {})}
            request.meta[SITE_RIGHTS] = {**request.meta.get(SITE_RIGHTS, {}), **stated}
        obeyed = ledger.outlet.rights.tdm_reservation == "obey" and ledger.services.settings.tdm_basis is None
        if reserved and obeyed:
            policy_note = f"; policy: {policy}" if policy else ""
            raise RightsReserved(
                f"tdmrep.json of {url_host(request.url)} reserves text and data mining for this URL{policy_note}"
            )

    async def _file(self, site: str) -> tuple[TdmFile, str | None]:
        """Return the file and the name of its state. A missing, disallowed or unreadable file reserves nothing."""
        file = await fetch_site_policy(self._crawler, site, "tdmrep")
        return (TdmFile.parse(file.body), file.name) if file.body else (TdmFile(), None)
