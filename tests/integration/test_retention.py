"""What maintenance deletes from the tables that only grow."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime

from pressmark.health.monitor import check_health
from pressmark.warehouse.retention import MaintenanceReport, purge
from tests.conftest import Installation
from tests.site import PROSE, Answer, WebSite, article, feed

H = "http://test.example"


def test_urls_that_nothing_lists_are_forgotten(installation: Installation, serve: Callable[..., WebSite]) -> None:
    site = serve()
    site.answers["test.example", "/feed"] = feed(*((f"{H}/{name}", "t") for name in ("story", "old-pdf", "new-pdf")))
    long = (f"The harbour office counted {number} boats on that day, as it does every year." for number in range(20))
    site.answers["test.example", "/story"] = article("Herons return", *PROSE, *long)
    for name in ("old-pdf", "new-pdf"):
        site.answers["test.example", f"/{name}"] = Answer(b"%PDF-1.7", content_type="application/pdf")
    assert installation.outcomes("test") == {"new": 1, "not_html": 2}
    check_health(installation.warehouse)  # counts the days
    assert installation.query("SELECT count(*) FROM core.dedup_text WHERE long_enough") == [(1,)]
    assert installation.query("SELECT count(*) FROM core.fingerprint") == [(0,)], "not needed after the comparison"
    installation.query(
        "UPDATE ops.frontier SET next_due_at = NULL, first_listed_at = now() - interval '500 days', "
        "last_fetch_at = now() - interval '500 days'"
    )
    installation.query(
        "UPDATE core.url_listing SET last_listed_at = now() - interval '500 days' WHERE url NOT LIKE '%%new-pdf'"
    )
    installation.query(
        "INSERT INTO ops.outlet_day SELECT outlet, day - 500, new_articles, new_by_hour, with_date, with_authors, "
        "median_words, mean_confidence, crawls, failed_crawls, requested, kept, outcomes, counted_at "
        "FROM ops.outlet_day"
    )
    report = MaintenanceReport()
    with contextlib.closing(installation.warehouse.connect("maintainer")) as connection:
        purge(connection, datetime.now(UTC), report)
    assert report.counts["forgotten URLs that are no article"] == 1
    assert report.counts["counters of old days purged"] == 35
    urls = installation.query("SELECT url FROM ops.frontier ORDER BY url")
    assert urls == [(f"{H}/new-pdf",), (f"{H}/story",)], "an article's URL and a listed one stay"
    # A URL that is listed again is fetched again.
    site.answers["test.example", "/feed"] = feed((f"{H}/old-pdf", "t"))
    assert installation.outcomes("test") == {"not_html": 1}
