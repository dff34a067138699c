"""Polling endpoints again and rechecking pages: conditional requests if validators are reliable, full ones if not."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pressmark.health.monitor import check_health, read_health
from pressmark.outlet import Outlet
from pressmark.registry import load_registry
from pressmark.settings import PROJECT_ROOT
from pressmark.warehouse.connection import transaction
from pressmark.warehouse.crawl_requests import add_request
from tests.conftest import Installation
from tests.site import Answer, WebSite, article, feed

HOST = "second.example"
FEED = f"http://{HOST}/feed"
WORDS = "The council met on Tuesday evening to talk about the bridge, the ferry and the money for both of them."


@pytest.fixture
def site() -> Iterator[WebSite]:
    site = WebSite()
    yield site
    site.close()


@pytest.fixture
def installation(installation: Installation, site: WebSite, tmp_path: Path) -> Installation:
    """An installation with one outlet that has one feed."""
    folder = tmp_path / "outlets"
    folder.mkdir()
    (folder / "second.yaml").write_text(
        f"id: second\nname: Second\nhome: http://{HOST}/\ndomains: [{HOST}]\nlanguages: [en]\ntimezone: UTC\n"
        "enabled: true\npoliteness: {delay: 0}\n"
        f"endpoints: [{{method: feed, url: '{FEED}', source: a test}}]\n"
    )
    installation.env |= {"PRESSMARK_OUTLETS": str(folder), "PRESSMARK_RESOLVE": site.resolve(HOST)}
    return installation


def story_page(number: int, more: str = "") -> Answer:
    return article(f"Story {number}", *(f"{WORDS} Part {part} of story {number}.{more}" for part in range(4)))


def with_etag(
    site: WebSite, tag: Callable[[], str], full: Callable[[], Answer], reliable: bool = True
) -> Callable[[], Answer]:
    """Return an answer that is a 304 if the request has the ETag.

    If not `reliable`, the ETag stays the same when the page changes.
    """

    def answer() -> Answer:
        response = full()
        etag = tag() if not reliable else f'"{hash(response.body)}"'
        if site.requests[-1]["headers"].get("If-None-Match") == etag:
            return Answer(b"", 304, {"ETag": etag})
        response.headers["ETag"] = etag
        return response

    return answer


def serve_pages(site: WebSite, pages: int, reliable: bool = True) -> dict[str, str]:
    """Serve a feed with N pages. Return a dict whose value "more" is appended to each paragraph of every page."""
    state = {"more": ""}
    links = [(f"http://{HOST}/news/story-{n}", f"Story {n}") for n in range(pages)]
    site.answers[HOST, "/feed"] = with_etag(site, lambda: '"f"', lambda: feed(*links))
    for n in range(pages):
        site.answers[HOST, f"/news/story-{n}"] = with_etag(
            site,
            lambda: '"same"',
            lambda n=n: story_page(n, state["more"]),
            reliable,  # type: ignore[misc]
        )
    return state


def make_due(installation: Installation, **changes: str) -> None:
    assignments = ", ".join(f"{name} = {value}" for name, value in {"next_due_at": "now()", **changes}.items())
    installation.query(f"UPDATE ops.frontier SET {assignments}")


def sent_headers(site: WebSite, since: int, name: str = "If-None-Match") -> dict[str, str | None]:
    """Return one request header by path, for the requests from number `since` on."""
    return {
        r["path"]: r["headers"].get(name) for r in site.requests[since:] if r["path"].startswith(("/news", "/feed"))
    }


def test_unchanged_page_is_confirmed_by_a_304(installation: Installation, site: WebSite) -> None:
    serve_pages(site, 3)
    assert installation.outcomes("second") == {"new": 3}
    make_due(installation)
    before = len(site.requests)
    assert installation.outcomes("second") == {"not_modified": 3}
    assert all(sent_headers(site, before).values()), "every request is conditional"
    assert installation.query(
        "SELECT count(*) FROM mart.article WHERE last_seen_at > first_seen_at", role="analyst"
    ) == [(3,)]
    assert installation.query("SELECT count(*) FROM core.capture") == [(3,)]
    assert installation.query("SELECT outcome, http_status, entries FROM ops.endpoint_poll ORDER BY polled_at") == [
        ("listed", 200, 3), ("not_modified", 304, 0),
    ]  # fmt: skip
    assert installation.query("SELECT count(*) FROM core.url_listing WHERE last_listed_at > first_listed_at") == [(3,)]
    output = installation.run("why", f"http://{HOST}/news/story-1").stdout
    assert "The server returned 304 Not Modified" in output


def test_unreliable_validator_is_detected_and_no_longer_used(installation: Installation, site: WebSite) -> None:
    state = serve_pages(site, 3, reliable=False)
    installation.crawl("second")
    state["more"] = " With a correction."
    make_due(installation)
    assert installation.outcomes("second") == {"not_modified": 3}, "the validator is trusted at first"
    make_due(installation, last_read_at="now() - interval '4 days'")
    before = len(site.requests)
    assert installation.outcomes("second") == {"revised": 3}, "a full fetch after the refetch interval"
    assert sent_headers(site, before)["/news/story-0"] is None
    state["more"] = ""
    make_due(installation)
    before = len(site.requests)
    assert installation.outcomes("second") == {"revised": 3}, "an unreliable validator is not used again"
    assert sent_headers(site, before)["/news/story-0"] is None


def test_three_unreliable_pages_disable_conditional_requests_for_the_outlet(
    installation: Installation, site: WebSite
) -> None:
    serve_pages(site, 4)
    installation.crawl("second")
    for unreliable, conditional in ((1, 3), (3, 0)):
        make_due(
            installation,
            validators_unreliable=f"url_uid IN (SELECT url_uid FROM ops.frontier ORDER BY url LIMIT {unreliable})",
        )
        before = len(site.requests)
        installation.crawl("second")
        assert sum(bool(tag) for path, tag in sent_headers(site, before).items() if path != "/feed") == conditional


def test_site_wide_404s_do_not_mark_articles_as_gone(installation: Installation, site: WebSite) -> None:
    serve_pages(site, 8)
    installation.crawl("second")
    intact = dict(site.answers)
    for n in range(8):
        site.answers[HOST, f"/news/story-{n}"] = Answer(b"<html>Not found</html>", 404)
    for _ in range(3):
        make_due(installation)
        installation.query("UPDATE core.outlet SET gone_after = '0 s'")
        assert installation.outcomes("second") == {"gone": 8}, "the ledger records the response"
    assert installation.query("SELECT count(*) FROM core.article_event WHERE kind = 'missing'") == [(0,)]
    assert installation.query("SELECT count(*) FROM core.article WHERE gone_at IS NOT NULL") == [(0,)]
    assert installation.query("SELECT count(*) FROM ops.frontier WHERE next_due_at IS NULL") == [(0,)], (
        "all pages stay due for a recheck"
    )
    site.answers.update(intact)
    make_due(installation)
    assert installation.outcomes("second") == {"not_modified": 8}


def test_scheduled_crawl_skips_a_failing_endpoint_during_backoff(installation: Installation, site: WebSite) -> None:
    site.answers[HOST, "/feed"] = Answer(b"down", 500)
    outlet = load_registry(installation.settings).get("second")
    assert scheduled(installation, outlet, "1").returncode == 1
    before = len(site.requests)
    done = scheduled(installation, outlet, "2")
    assert done.returncode == 0 and "waiting: nothing was requested" in done.stderr
    assert "answered 500 (failed once since " in done.stderr and "/feed" not in sent_headers(site, before)
    assert installation.query("SELECT finish_reason FROM mart.crawl ORDER BY started_at") == [
        ("no_listing",), ("waiting",),
    ]  # fmt: skip
    # The cause stays, and a crawl that asked for nothing is no further failure.
    verdict = check_health(installation.warehouse)["second"]
    assert verdict.state == "failing" and verdict.reason == f"http://{HOST}/feed: answered 500"
    (health,) = read_health(installation.warehouse)
    assert health.failed_crawls == 1 and health.first_failed_at == health.last_failed_at
    assert health.waiting_until is not None and health.waiting_until > datetime.now(UTC)
    serve_pages(site, 2)
    assert installation.outcomes("second") == {"new": 2}, "a manual crawl polls without waiting"
    assert installation.query("SELECT failures, failure, next_poll_at <= now() FROM ops.endpoint") == [(0, None, True)]


def test_scheduled_crawl_skips_an_endpoint_that_is_not_due(installation: Installation, site: WebSite) -> None:
    serve_pages(site, 2)
    installation.crawl("second")
    installation.query("UPDATE ops.endpoint SET next_poll_at = now() + interval '2 hours'")
    make_due(installation)
    outlet = load_registry(installation.settings).get("second")
    before = len(site.requests)
    assert scheduled(installation, outlet, "1").returncode == 0, "a resting endpoint is not an error"
    assert "/feed" not in sent_headers(site, before)
    assert len(sent_headers(site, before)) == 2, "due pages are still rechecked"


def scheduled(installation: Installation, outlet: Outlet, run: str) -> subprocess.CompletedProcess[str]:
    """Run a crawl as a scheduled DAG run does."""

    def add(cursor: Any) -> Any:
        return add_request(
            cursor,
            outlet,
            requested_by="a test",
            dag_id="crawl_hourly",
            run_id=f"scheduled__{run}",
            end=datetime.now(UTC),
        )

    with (
        closing(installation.warehouse.connect("loader", "pressmark test")) as connection,
        transaction(connection) as cursor,
    ):
        request = add(cursor)
    return subprocess.run(
        [sys.executable, "-m", "spiders.job", str(request.request_id)],
        env=installation.environment(), cwd=PROJECT_ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_daily_page_budget_is_shared_by_all_crawls(installation: Installation, site: WebSite) -> None:
    file = Path(installation.env["PRESSMARK_OUTLETS"]) / "second.yaml"
    file.write_text(file.read_text() + "budgets: {pages_per_day: 3}\n")
    serve_pages(site, 5)
    assert installation.outcomes("second") == {"new": 3, "budget_exhausted": 2}
    ((reason,),) = installation.query("SELECT DISTINCT reason FROM ops.candidate WHERE outcome = 'budget_exhausted'")
    assert "page budget is used up" in reason
    before = len(site.requests)
    assert installation.outcomes("second") == {} and not sent_headers(site, before).keys() - {"/feed"}, (
        "the other pages wait for the next day"
    )
    installation.query("UPDATE ops.fetch SET fetched_at = fetched_at - interval '25 hours'")
    assert installation.outcomes("second") == {"new": 2}


def test_retry_after_delays_the_next_request(installation: Installation, site: WebSite) -> None:
    serve_pages(site, 4)
    site.answers[HOST, "/news/story-1"] = Answer(b"slow down", 429, {"Retry-After": "2"})
    assert installation.outcomes("second") == {"new": 3, "rate_limited": 1}
    times = [(path, begin, end) for _, path, begin, end in site.log if path.startswith("/news")]
    at = next(n for n, (path, _, _) in enumerate(times) if path == "/news/story-1")
    assert 0 < at < 3, "the limited request is neither the first nor the last"
    assert times[at + 1][1] - times[at][2] > 1.9


def test_sitemaps_come_from_robots_txt_or_common_paths(installation: Installation, site: WebSite) -> None:
    file = Path(installation.env["PRESSMARK_OUTLETS"]) / "second.yaml"
    robots = f"endpoints: [{{method: robots, url: 'http://{HOST}/robots.txt', source: a test}}]"
    file.write_text(file.read_text().replace(f"endpoints: [{{method: feed, url: '{FEED}', source: a test}}]", robots))
    serve_pages(site, 3)

    def sitemap(*numbers: int) -> Answer:
        urls = "".join(
            f"<url><loc>http://{HOST}/news/story-{n}</loc><news:news><news:publication_date>2026-11-0{n + 1}T10:00:00Z"
            f"</news:publication_date></news:news><image:image><image:loc>http://{HOST}/a{n}.jpg</image:loc>"
            "</image:image></url>"
            for n in numbers
        )
        space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
        news = 'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'
        image = 'xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'
        return Answer(f"<urlset {space} {news} {image}>{urls}</urlset>".encode(), content_type="application/xml")

    # robots.txt lists no sitemap, so common paths are tried until one works.
    site.answers[HOST, "/sitemap_index.xml"] = sitemap(0)
    assert installation.outcomes("second") == {"new": 1}
    assert [r["path"] for r in site.requests if "sitemap" in r["path"]] == ["/sitemap.xml", "/sitemap_index.xml"]
    listed = f"User-agent: *\nDisallow:\nSitemap: http://{HOST}/a.xml.gz\nsitemap: /b.txt\n"
    site.answers[HOST, "/robots.txt"] = Answer(listed.encode(), content_type="text/plain")
    document = sitemap(1)
    site.answers[HOST, "/a.xml.gz"] = Answer(gzip.compress(document.body), content_type="application/gzip")
    site.answers[HOST, "/b.txt"] = Answer(f"http://{HOST}/news/story-2\n".encode(), content_type="text/plain")
    before = len(site.requests)
    assert installation.outcomes("second") == {"new": 2}
    assert not any("sitemap" in r["path"] for r in site.requests[before:])
    done = installation.run("crawl", "second", "--since", "2026-11-01", "--until", "2026-11-02", "--dry-run", "--json")
    assert '"candidates": 2' in done.stdout, "robots.txt sitemaps list past articles"
    assert not any(r["path"].endswith(".jpg") for r in site.requests), "images are not fetched"


def test_feed_without_overlap_is_recorded_as_a_suspected_gap(installation: Installation, site: WebSite) -> None:
    serve_pages(site, 6)
    pages = [(f"http://{HOST}/news/story-{n}", f"Story {n}") for n in range(6)]
    for shown in (pages[:3], pages[2:4], pages[4:]):
        site.answers[HOST, "/feed"] = feed(*shown)
        installation.crawl("second")
    polls = installation.query("SELECT overlap, gap_suspected FROM ops.endpoint_poll ORDER BY polled_at")
    assert polls == [(None, False), (1, False), (0, True)]


def test_amp_and_mobile_urls_lead_to_their_article(installation: Installation, site: WebSite) -> None:
    head = (
        '<link rel="amphtml" href="/accelerated/1"><link rel="amphtml" href="http://other.example/1">'
        '<link rel="alternate" media="only screen and (max-width: 640px)" href="/handy/1">'
    )
    site.answers[HOST, "/news/story-1"] = article("Story 1", *(f"{WORDS} {n}" for n in range(4)), head=head)
    site.answers[HOST, "/feed"] = feed((f"http://{HOST}/news/story-1", "Story 1"))
    assert installation.outcomes("second") == {"new": 1}
    site.answers[HOST, "/feed"] = feed(
        (f"http://{HOST}/accelerated/1", "Story 1"), (f"http://{HOST}/handy/1", "Story 1")
    )
    before = len(site.requests)
    assert installation.outcomes("second") == {"known_not_due": 2}
    assert sent_headers(site, before) == {"/feed": None}, "no variant is requested"
    kinds = installation.query(
        "SELECT kind, url FROM mart.article_url WHERE kind <> 'requested' ORDER BY kind", role="analyst"
    )
    assert kinds == [("amp", f"http://{HOST}/accelerated/1"), ("mobile", f"http://{HOST}/handy/1")]


def test_two_urls_of_one_unchanged_article(installation: Installation, site: WebSite) -> None:
    serve_pages(site, 1)
    site.answers[HOST, "/short/1"] = Answer(status=301, headers={"Location": f"http://{HOST}/news/story-0"})
    site.answers[HOST, "/feed"] = feed((f"http://{HOST}/news/story-0", "a"), (f"http://{HOST}/short/1", "b"))
    assert installation.outcomes("second") == {"new": 1, "duplicate_url": 1}
    make_due(installation)
    before = len(site.requests)
    assert sum(installation.outcomes("second").values()) == 2
    assert installation.query("SELECT count(*) FROM ops.crawl WHERE finish_reason <> 'finished'") == [(0,)]
    validators = {r["path"]: r["headers"].get("If-None-Match") for r in site.requests[before:]}
    assert validators["/news/story-0"] is None or validators["/short/1"], "a redirect target is requested in full"


def test_redirect_to_the_home_page_does_not_confirm_an_article(installation: Installation, site: WebSite) -> None:
    serve_pages(site, 1)
    installation.crawl("second")
    site.answers[HOST, "/news/story-0"] = Answer(status=302, headers={"Location": f"http://{HOST}/"})
    site.answers[HOST, "/"] = lambda: (
        Answer(b"", 304)
        if site.requests[-1]["headers"].get("If-None-Match")
        else Answer(b"<html><p>The front page.</p></html>")
    )
    make_due(installation)
    assert installation.outcomes("second") == {"redirect_home": 1}


def test_page_listed_as_changed_stays_due_until_it_is_fetched(installation: Installation, site: WebSite) -> None:
    serve_pages(site, 1)

    def listed(day: str) -> Answer:
        url = f"<url><loc>http://{HOST}/news/story-0</loc><lastmod>2026-11-{day}T10:00:00Z</lastmod></url>"
        space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
        return Answer(f"<urlset {space}>{url}</urlset>".encode(), content_type="application/xml")

    file = Path(installation.env["PRESSMARK_OUTLETS"]) / "second.yaml"
    file.write_text(file.read_text().replace("method: feed", "method: sitemap").replace("/feed", "/map.xml"))
    site.answers[HOST, "/map.xml"] = listed("20")
    assert installation.outcomes("second") == {"new": 1}
    site.answers[HOST, "/map.xml"] = listed("21")
    site.answers[HOST, "/news/story-0"] = Answer(b"down", 500)
    before = len(site.requests)
    assert installation.outcomes("second") == {"http_error": 1}
    assert sent_headers(site, before)["/news/story-0"] is None, "the listing reports a change"
    assert installation.query("SELECT next_due_at > now() FROM ops.frontier") == [(True,)], (
        "the retry waits for its backoff"
    )
