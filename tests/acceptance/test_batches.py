"""A crawl of more pages than Scrapy holds requests for at a time."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.conftest import Installation
from tests.site import PROSE, Answer, WebSite, article, feed

H = "http://test.example"


def test_all_batches_of_all_endpoints_are_fetched(installation: Installation, serve: Callable[..., WebSite]) -> None:
    site = serve("spider: tests.small_batch_spider.SmallBatchSpider", endpoints=(("feed", "/feed"), ("feed", "/other")))
    pages = [f"/story-{number}" for number in range(16)]
    for number, page in enumerate(pages):
        site.answers["test.example", page] = article(f"Bridge {number} opens", *PROSE, f"It is bridge number {number}.")
    site.answers["test.example", "/feed"] = feed(*((H + page, "t") for page in pages[:13]))
    site.answers["test.example", "/other"] = feed(*((H + page, "t") for page in pages[13:]))
    assert installation.outcomes("test") == {"new": 16}
    asked = [request["path"] for request in site.requests if request["path"] in (*pages, "/other")]
    assert sorted(asked) == sorted([*pages, "/other"]), "each is requested once"
    # The second endpoint is polled once the last batch of the first one is on its way.
    assert asked.index("/other") >= 8


@pytest.mark.long
def test_crawl_can_end_while_a_batch_waits(installation: Installation, serve: Callable[..., WebSite]) -> None:
    site = serve("spider: tests.small_batch_spider.SmallBatchSpider", "politeness: {delay: 0.2, timeout: 5}")
    pages = [f"/story-{number}" for number in range(30)]
    for number, page in enumerate(pages):
        story = article(f"Bridge {number} opens", *PROSE, f"It is bridge number {number}.")
        site.answers["test.example", page] = story if number < 3 else Answer(b"<html>no</html>", 429)
    site.answers["test.example", "/feed"] = feed(*((H + page, "t") for page in pages))
    (crawl,) = json.loads(installation.run("crawl", "test", "--json", check=False).stdout)["crawls"]
    assert crawl["finish_reason"] == "refused" and crawl["candidates"] == 30 and crawl["ledger_ok"]
    assert sum(crawl["outcomes"].values()) == 30 and crawl["outcomes"]["interrupted"] >= 10
