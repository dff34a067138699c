"""A spider whose crawls need several batches of requests, for tests/acceptance/test_batches.py."""

from __future__ import annotations

from typing import ClassVar

from spiders.outlet_spider import OutletSpider


class SmallBatchSpider(OutletSpider):
    """Holds four requests at a time."""

    batch: ClassVar[int] = 4
