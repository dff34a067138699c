"""Second looks at endpoints and pages: cheap where a server is honest, complete where it is not."""

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
def checked_at(installation: Installation, site: WebSite, tmp_path: Path) -> Installation:
    folder = tmp_path / "outlets"
    folder.mkdir()
    (folder / "second.yaml").write_text(
        f"id: second\nname: Second\nhome: http://{HOST}/\ndomains: [{HOST}]\nlanguages: [en]\ntimezone: UTC\n"
        "enabled: true\npoliteness: {delay: 0}\n"
        f"endpoints: [{{method: feed, url: '{FEED}', source: a test}}]\n"
    )
    installation.env |= {"PRESSMARK_OUTLETS": str(folder), "PRESSMARK_RESOLVE": site.resolve(HOST)}
    return installation


def page(number: int, more: str = "") -> Answer:
    return article(f"Story {number}", *(f"{WORDS} Part {part} of story {number}.{more}" for part in range(4)))


def with_etag(
    site: WebSite, tag: Callable[[], str], full: Callable[[], Answer], honest: bool = True
) -> Callable[[], Answer]:
    """Answers 304 where the request names the tag; one that is not honest keeps its tag when the page changes."""

    def answer() -> Answer:
        whole = full()
        etag = tag() if not honest else f'"{hash(whole.body)}"'
        if site.requests[-1]["headers"].get("If-None-Match") == etag:
            return Answer(b"", 304, {"ETag": etag})
        whole.headers["ETag"] = etag
        return whole

    return answer


def put(site: WebSite, pages: int, honest: bool = True) -> dict[str, str]:
    """A feed of so many pages; returns what is put into the text of each, to be changed."""
    state = {"more": ""}
    links = [(f"http://{HOST}/news/story-{n}", f"Story {n}") for n in range(pages)]
    site.answers[HOST, "/feed"] = with_etag(site, lambda: '"f"', lambda: feed(*links))
    for n in range(pages):
        site.answers[HOST, f"/news/story-{n}"] = with_etag(
            site,
            lambda: '"same"',
            lambda n=n: page(n, state["more"]),
            honest,  # type: ignore[misc]
        )
    return state


def make_due(installation: Installation, **changes: str) -> None:
    assignments = ", ".join(f"{name} = {value}" for name, value in {"next_due_at": "now()", **changes}.items())
    installation.query(f"UPDATE ops.frontier SET {assignments}")


def sent(site: WebSite, since: int, name: str = "If-None-Match") -> dict[str, str | None]:
    return {
        r["path"]: r["headers"].get(name) for r in site.requests[since:] if r["path"].startswith(("/news", "/feed"))
    }


def test_an_unchanged_page_is_confirmed_without_its_body(checked_at: Installation, site: WebSite) -> None:
    installation = checked_at
    put(site, 3)
    assert installation.outcomes("second") == {"new": 3}
    make_due(installation)
    before = len(site.requests)
    assert installation.outcomes("second") == {"not_modified": 3}
    assert all(sent(site, before).values()), "every request named what it had"
    assert installation.query(
        "SELECT count(*) FROM mart.article WHERE last_seen_at > first_seen_at", role="analyst"
    ) == [(3,)]
    assert installation.query("SELECT count(*) FROM core.capture") == [(3,)]
    assert installation.query("SELECT outcome, http_status, entries FROM ops.endpoint_poll ORDER BY polled_at") == [
        ("listed", 200, 3), ("not_modified", 304, 0),
    ]  # fmt: skip
    assert installation.query("SELECT count(*) FROM core.url_listing WHERE last_listed_at > first_listed_at") == [(3,)]
    told = installation.run("why", f"http://{HOST}/news/story-1").stdout
    assert "The server answered 304" in told


def test_a_lying_validator_is_found_out(checked_at: Installation, site: WebSite) -> None:
    installation = checked_at
    state = put(site, 3, honest=False)
    installation.crawl("second")
    state["more"] = " With a correction."
    make_due(installation)
    assert installation.outcomes("second") == {"not_modified": 3}, "believed at first"
    make_due(installation, last_read_at="now() - interval '4 days'")
    before = len(site.requests)
    assert installation.outcomes("second") == {"revised": 3}, "a whole page now and then"
    assert sent(site, before)["/news/story-0"] is None
    state["more"] = ""
    make_due(installation)
    before = len(site.requests)
    assert installation.outcomes("second") == {"revised": 3}, "once caught, never believed again"
    assert sent(site, before)["/news/story-0"] is None


def test_one_liar_does_not_spoil_the_others_three_do(checked_at: Installation, site: WebSite) -> None:
    installation = checked_at
    put(site, 4)
    installation.crawl("second")
    for unreliable, conditional in ((1, 3), (3, 0)):
        make_due(
            installation,
            validators_unreliable=f"url_uid IN (SELECT url_uid FROM ops.frontier ORDER BY url LIMIT {unreliable})",
        )
        before = len(site.requests)
        installation.crawl("second")
        assert sum(bool(tag) for path, tag in sent(site, before).items() if path != "/feed") == conditional


def test_a_site_that_is_broken_takes_no_article_with_it(checked_at: Installation, site: WebSite) -> None:
    installation = checked_at
    put(site, 8)
    installation.crawl("second")
    whole = dict(site.answers)
    for n in range(8):
        site.answers[HOST, f"/news/story-{n}"] = Answer(b"<html>Not found</html>", 404)
    for _ in range(3):
        make_due(installation)
        installation.query("UPDATE core.outlet SET gone_after = '0 s'")
        assert installation.outcomes("second") == {"gone": 8}, "the ledger tells what was seen"
    assert installation.query("SELECT count(*) FROM core.article_event WHERE kind = 'missing'") == [(0,)]
    assert installation.query("SELECT count(*) FROM core.article WHERE gone_at IS NOT NULL") == [(0,)]
    assert installation.query("SELECT count(*) FROM ops.frontier WHERE next_due_at IS NULL") == [(0,)], (
        "all are looked at again"
    )
    site.answers.update(whole)
    make_due(installation)
    assert installation.outcomes("second") == {"not_modified": 8}


def test_a_scheduled_crawl_lets_a_failing_endpoint_rest(checked_at: Installation, site: WebSite) -> None:
    installation = checked_at
    site.answers[HOST, "/feed"] = Answer(b"down", 500)
    outlet = load_registry(Path(installation.env["PRESSMARK_OUTLETS"])).get("second")
    assert scheduled(installation, outlet, "1").returncode == 1
    before = len(site.requests)
    done = scheduled(installation, outlet, "2")
    assert done.returncode == 1 and "1 consecutive failure" in done.stderr
    assert "/feed" not in sent(site, before)
    put(site, 2)
    assert installation.outcomes("second") == {"new": 2}, "who asks by hand is not made to wait"
    assert installation.query("SELECT failures, next_poll_at <= now() FROM ops.endpoint") == [(0, True)]


def test_a_scheduled_crawl_lets_a_silent_endpoint_rest(checked_at: Installation, site: WebSite) -> None:
    installation = checked_at
    put(site, 2)
    installation.crawl("second")
    installation.query("UPDATE ops.endpoint SET next_poll_at = now() + interval '2 hours'")
    make_due(installation)
    outlet = load_registry(Path(installation.env["PRESSMARK_OUTLETS"])).get("second")
    before = len(site.requests)
    assert scheduled(installation, outlet, "1").returncode == 0, "nothing is wrong with it"
    assert "/feed" not in sent(site, before) and len(sent(site, before)) == 2, "what is due is looked at all the same"


def scheduled(installation: Installation, outlet: Outlet, run: str) -> subprocess.CompletedProcess[str]:
    """A crawl as a run of the schedule makes it."""

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


def test_a_day_has_a_budget_that_all_crawls_share(checked_at: Installation, site: WebSite) -> None:
    installation = checked_at
    file = Path(installation.env["PRESSMARK_OUTLETS"]) / "second.yaml"
    file.write_text(file.read_text() + "budgets: {pages_per_day: 3}\n")
    put(site, 5)
    assert installation.outcomes("second") == {"new": 3, "budget_exhausted": 2}
    ((reason,),) = installation.query("SELECT DISTINCT reason FROM ops.candidate WHERE outcome = 'budget_exhausted'")
    assert "was used up" in reason
    before = len(site.requests)
    assert installation.outcomes("second") == {} and not sent(site, before).keys() - {"/feed"}, (
        "they wait for the next day"
    )
    installation.query("UPDATE ops.fetch SET fetched_at = fetched_at - interval '25 hours'")
    assert installation.outcomes("second") == {"new": 2}


def test_retry_after_is_kept(checked_at: Installation, site: WebSite) -> None:
    installation = checked_at
    put(site, 4)
    site.answers[HOST, "/news/story-1"] = Answer(b"slow down", 429, {"Retry-After": "2"})
    assert installation.outcomes("second") == {"new": 3, "rate_limited": 1}
    times = [(path, begin, end) for _, path, begin, end in site.log if path.startswith("/news")]
    at = next(n for n, (path, _, _) in enumerate(times) if path == "/news/story-1")
    assert 0 < at < 3, "it is in the middle"
    assert times[at + 1][1] - times[at][2] > 1.9


def test_the_sitemaps_of_robots_txt_and_the_usual_ones(checked_at: Installation, site: WebSite) -> None:
    installation = checked_at
    file = Path(installation.env["PRESSMARK_OUTLETS"]) / "second.yaml"
    robots = f"endpoints: [{{method: robots, url: 'http://{HOST}/robots.txt', source: a test}}]"
    file.write_text(file.read_text().replace(f"endpoints: [{{method: feed, url: '{FEED}', source: a test}}]", robots))
    put(site, 3)

    def sitemap(*numbers: int) -> Answer:
        urls = "".join(
            f"<url><loc>http://{HOST}/news/story-{n}</loc><news:news><news:publication_date>2026-11-0{n + 1}T10:00:00Z"
            f"</news:publication_date></news:news><image:image><image:loc>http://{HOST}/a{n}.jpg</image:loc>"
            "</image:image></url>"
            for n in numbers
        )
        space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'
        image = 'xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'
        return Answer(f"<urlset {space} {image}>{urls}</urlset>".encode(), content_type="application/xml")

    # Nothing is listed: the usual addresses are tried, and the first that works is enough.
    site.answers[HOST, "/sitemap_index.xml"] = sitemap(0)
    assert installation.outcomes("second") == {"new": 1}
    assert [r["path"] for r in site.requests if "sitemap" in r["path"]] == ["/sitemap.xml", "/sitemap_index.xml"]
    listed = f"User-agent: *\nDisallow:\nSitemap: http://{HOST}/a.xml.gz\nsitemap: /b.txt\n"
    site.answers[HOST, "/robots.txt"] = Answer(listed.encode(), content_type="text/plain")
    whole = sitemap(1)
    site.answers[HOST, "/a.xml.gz"] = Answer(gzip.compress(whole.body), content_type="application/gzip")
    site.answers[HOST, "/b.txt"] = Answer(f"http://{HOST}/news/story-2\n".encode(), content_type="text/plain")
    before = len(site.requests)
    assert installation.outcomes("second") == {"new": 2}
    assert not any("sitemap" in r["path"] for r in site.requests[before:])
    done = installation.run("crawl", "second", "--since", "2026-11-01", "--until", "2026-11-02", "--dry-run", "--json")
    assert '"candidates": 2' in done.stdout, "it reaches the past"
    assert not any(r["path"].endswith(".jpg") for r in site.requests), "pictures are no articles"


def test_entries_that_scrolled_off_unseen_are_suspected(checked_at: Installation, site: WebSite) -> None:
    installation = checked_at
    put(site, 6)
    pages = [(f"http://{HOST}/news/story-{n}", f"Story {n}") for n in range(6)]
    for shown in (pages[:3], pages[2:4], pages[4:]):
        site.answers[HOST, "/feed"] = feed(*shown)
        installation.crawl("second")
    polls = installation.query("SELECT overlap, gap_suspected FROM ops.endpoint_poll ORDER BY polled_at")
    assert polls == [(None, False), (1, False), (0, True)]


def test_amp_and_mobile_addresses_lead_to_their_article(checked_at: Installation, site: WebSite) -> None:
    installation = checked_at
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
    assert sent(site, before) == {"/feed": None}, "none of them was asked for"
    kinds = installation.query(
        "SELECT kind, url FROM mart.article_url WHERE kind <> 'requested' ORDER BY kind", role="analyst"
    )
    assert kinds == [("amp", f"http://{HOST}/accelerated/1"), ("mobile", f"http://{HOST}/handy/1")]


def test_two_addresses_of_one_article_that_are_unchanged(checked_at: Installation, site: WebSite) -> None:
    installation = checked_at
    put(site, 1)
    site.answers[HOST, "/short/1"] = Answer(status=301, headers={"Location": f"http://{HOST}/news/story-0"})
    site.answers[HOST, "/feed"] = feed((f"http://{HOST}/news/story-0", "a"), (f"http://{HOST}/short/1", "b"))
    assert installation.outcomes("second") == {"new": 1, "duplicate_url": 1}
    make_due(installation)
    before = len(site.requests)
    assert sum(installation.outcomes("second").values()) == 2
    assert installation.query("SELECT count(*) FROM ops.crawl WHERE finish_reason <> 'finished'") == [(0,)]
    asked = {r["path"]: r["headers"].get("If-None-Match") for r in site.requests[before:]}
    assert asked["/news/story-0"] is None or asked["/short/1"], "where a redirect leads is asked for in full"


def test_a_redirect_to_a_notice_does_not_confirm_an_article(checked_at: Installation, site: WebSite) -> None:
    installation = checked_at
    put(site, 1)
    installation.crawl("second")
    site.answers[HOST, "/news/story-0"] = Answer(status=302, headers={"Location": f"http://{HOST}/"})
    site.answers[HOST, "/"] = lambda: (
        Answer(b"", 304)
        if site.requests[-1]["headers"].get("If-None-Match")
        else Answer(b"<html><p>The front page.</p></html>")
    )
    make_due(installation)
    assert installation.outcomes("second") == {"redirect_home": 1}


def test_what_a_listing_calls_changed_stays_due_until_it_is_read(checked_at: Installation, site: WebSite) -> None:
    installation = checked_at
    put(site, 1)

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
    assert sent(site, before)["/news/story-0"] is None, "it is not asked whether it has changed: it has"
    assert installation.query("SELECT next_due_at > now() FROM ops.frontier") == [(True,)], "and waits for its turn"
