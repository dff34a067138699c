"""Every URL of a site ends in one named outcome, whatever the server returns."""

from __future__ import annotations

import gzip
import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Installation, write_outlet_file
from tests.site import PROSE, Answer, WebSite, article, feed

H = "http://test.example"
GOOD = article("A good story about the bridge", *PROSE)
# Path: response and expected outcome. None: not a candidate.
PAGES: dict[str, tuple[Answer, str | None]] = {
    "/good": (GOOD, "new"),
    "/good?utm_source=feed": (GOOD, None),  # normalised to /good
    "/zipped": (
        Answer(gzip.compress(article("A zipped story", *PROSE).body), headers={"Content-Encoding": "gzip"}),
        "new",
    ),
    "/moved": (Answer(status=301, headers={"Location": f"{H}/moved-here"}), "new"),
    "/404": (Answer(b"no", 404), "gone"),
    "/410": (Answer(b"no", 410), "gone"),
    "/500": (Answer(b"no", 500), "http_error"),
    "/429": (Answer(b"no", 429, {"Retry-After": "0"}), "rate_limited"),
    "/403": (Answer(b"no", 403), "http_error"),
    "/home": (Answer(status=302, headers={"Location": f"{H}/"}), "redirect_home"),
    "/off": (Answer(status=302, headers={"Location": "http://elsewhere.example/x"}), "out_of_scope"),
    "/loop": (Answer(status=302, headers={"Location": f"{H}/loop"}), "http_error"),
    "/local": (Answer(status=302, headers={"Location": "http://127.0.0.1:1/x"}), "out_of_scope"),
    "/pdf": (Answer(b"%PDF-1.7", content_type="application/pdf"), "not_html"),
    "/empty": (Answer(b""), "not_html"),
    "/thin": (Answer(b"<html><body><p>Soon.</p></body></html>"), "extraction_empty"),
    "/big": (Answer(b"<html>" + b"x" * 400_000), "too_large"),
    "/bomb": (
        Answer(gzip.compress(b"<html>" + b"\0" * 50_000_000), headers={"Content-Encoding": "gzip"}),
        "too_large",
    ),
    "/broken-gzip": (Answer(b"\x1f\x8bnonsense", headers={"Content-Encoding": "gzip"}), "quarantined"),
    "/brotli": (Answer(b"\x0b\x02\x80", headers={"Content-Encoding": "br"}), "quarantined"),
    "/slow": (Answer(b"<html>late</html>", seconds=8), "timeout"),
    "/reserved": (article("Reserved", *PROSE, head='<meta name="tdm-reservation" content="1">'), "rights_reserved"),
    "/noarchive": (article("Do not keep", *PROSE, head='<meta name="robots" content="noarchive">'), "new"),
    "/private/x": (GOOD, "robots_denied"),
    "/video/x": (GOOD, "out_of_scope"),
    "/a/a/a/a/a": (GOOD, "crawler_trap"),
}


def outcomes_by_url(installation: Installation) -> dict[str, tuple[str, str | None]]:
    return {
        url: (outcome, reason)
        for url, outcome, reason in installation.query("SELECT url, outcome, reason FROM ops.candidate")
    }


@dataclass(frozen=True, kw_only=True)
class CrawledSite:
    """Results of two crawls of the site in PAGES, read before another test empties the warehouse."""

    outcomes: dict[str, tuple[str, str | None]]  # by URL: (outcome, reason) in the first crawl
    is_archived: dict[str, bool]  # by URL of a capture
    archive: bytes  # content of all WARC files
    moved_article: list[tuple[Any, ...]]  # (url, variants)
    quarantine_stages: dict[str, str]  # by URL
    why_thin: str  # output of `pressmark why` for /thin
    second_outcomes: dict[str, int]
    second_requests: set[str]  # paths


@pytest.fixture(scope="module")
def crawled_site(session_installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CrawledSite]:
    installation = session_installation
    installation.empty()
    site = WebSite()
    folder = tmp_path_factory.mktemp("crawled_site") / "outlets"
    write_outlet_file(folder, "test", "test.example", "budgets: {page_size: 300000}", "urls: {exclude: ['/video/']}")
    installation.env = {
        "PRESSMARK_OUTLETS": str(folder),
        "PRESSMARK_RESOLVE": site.resolve("test.example", "www.test.example"),
    }
    site.answers = {("test.example", path): answer for path, (answer, _) in PAGES.items()}
    site.answers["test.example", "/moved-here"] = article("A story that moved", *PROSE)
    site.answers["test.example", "/"] = Answer(b"<html>front page</html>")
    site.answers["test.example", "/robots.txt"] = Answer(
        b"User-agent: *\nDisallow: /private/\n", content_type="text/plain"
    )
    site.answers["test.example", "/feed"] = feed(*[(H + path, "t") for path in PAGES], ("file:///etc/passwd", "t"))
    try:
        installation.crawl("test")
        outcomes = outcomes_by_url(installation)
        is_archived = dict(installation.query("SELECT requested_url, segment_id IS NOT NULL FROM core.capture"))
        warcs = (installation.home / "archive").rglob("*.warc.gz")
        archive = b"".join(gzip.decompress(warc.read_bytes()) for warc in warcs)
        moved_article = installation.query(
            "SELECT a.url, array_agg(u.url ORDER BY u.url) FROM mart.article a "
            "JOIN mart.article_url u USING (article_uid) WHERE a.headline = 'A story that moved' GROUP BY a.url"
        )
        quarantine_stages = dict(installation.query("SELECT url, stage FROM ops.quarantine"))
        why_thin = installation.run("why", f"{H}/thin").stdout
        requests_before = len(site.requests)
        second_outcomes = installation.outcomes("test")
        yield CrawledSite(
            outcomes=outcomes,
            is_archived=is_archived,
            archive=archive,
            moved_article=moved_article,
            quarantine_stages=quarantine_stages,
            why_thin=why_thin,
            second_outcomes=second_outcomes,
            second_requests={request["path"] for request in site.requests[requests_before:]},
        )
    finally:
        site.close()


@pytest.mark.parametrize(("path", "outcome"), [(path, outcome) for path, (_, outcome) in PAGES.items()])
def test_page_ends_in_its_outcome(crawled_site: CrawledSite, path: str, outcome: str | None) -> None:
    actual, reason = crawled_site.outcomes.get(H + path, (None, None))
    assert actual == outcome
    assert reason or outcome in ("new", None), "every other outcome has a reason"


def test_only_listed_http_urls_are_candidates(crawled_site: CrawledSite) -> None:
    assert set(crawled_site.outcomes) == {H + path for path, (_, outcome) in PAGES.items() if outcome}


def test_noarchive_and_reserved_pages_are_not_in_the_archive(crawled_site: CrawledSite) -> None:
    assert crawled_site.is_archived[f"{H}/noarchive"] is False and crawled_site.is_archived[f"{H}/good"] is True
    assert crawled_site.archive
    assert b"Do not keep" not in crawled_site.archive and b"Reserved" not in crawled_site.archive


def test_redirected_article_has_the_final_url(crawled_site: CrawledSite) -> None:
    assert crawled_site.moved_article == [(f"{H}/moved-here", [f"{H}/moved", f"{H}/moved-here"])]


def test_quarantine_names_the_stage(crawled_site: CrawledSite) -> None:
    stages = crawled_site.quarantine_stages
    assert stages[f"{H}/broken-gzip"] == "decode" and stages[f"{H}/thin"] == "classify"


def test_why_explains_a_rejected_page(crawled_site: CrawledSite) -> None:
    for expected in ("extraction_empty", "Extraction found no main text", ".warc.gz"):
        assert expected in crawled_site.why_thin


def test_second_crawl_requests_no_page_before_it_is_due(crawled_site: CrawledSite) -> None:
    assert crawled_site.second_outcomes == {"known_not_due": 24, "robots_denied": 1}
    assert crawled_site.second_requests == {"/feed"}, "robots.txt is valid for one day"


def test_redirects_to_private_addresses_are_not_followed(
    installation: Installation, serve: Callable[..., WebSite], site: WebSite
) -> None:
    site = serve("urls: {}", endpoints=(("feed", "/feed"),))
    hosts = [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "[::1]",
        "169.254.169.254",
        "10.0.0.1",
        "[::ffff:127.0.0.1]",
    ]
    names = ["localhost", "ip6-localhost"]
    file = Path(installation.env["PRESSMARK_OUTLETS"]) / "test.yaml"
    domains = ", ".join(["test.example", *(f"{name}.test.example" for name in names)])
    file.write_text(file.read_text().replace("domains: [test.example]", f"domains: [{domains}]"))
    redirects = {
        f"/r{i}": Answer(status=302, headers={"Location": f"http://{h}:{site.port}/secret"})
        for i, h in enumerate(hosts)
    }
    site.answers = {("test.example", path): answer for path, answer in redirects.items()}
    site.answers["test.example", "/feed"] = feed(*[(H + path, "t") for path in redirects])
    installation.crawl("test")
    assert {outcome for outcome, _ in outcomes_by_url(installation).values()} == {"out_of_scope"}
    assert not any(r["path"] == "/secret" for r in site.requests)


def test_feed_on_a_private_address_is_rejected(
    installation: Installation, serve: Callable[..., WebSite], site: WebSite
) -> None:
    serve()
    file = Path(installation.env["PRESSMARK_OUTLETS"]) / "test.yaml"
    for host in ("127.0.0.1", "localhost", "2130706433", "[::1]"):
        endpoint = f"  - {{method: feed, url: 'http://{host}:{site.port}/feed', source: a test}}"
        lines = [endpoint if "method: feed" in line else line for line in file.read_text().splitlines()]
        file.write_text("\n".join(lines) + "\n")
        done = installation.run("crawl", "test", check=False)
        assert done.returncode == 1 and "not a public IP address" in done.stderr, (host, done.stderr)
    assert site.requests == []


def test_robots_txt_with_a_server_error_disallows_everything(
    installation: Installation, serve: Callable[..., WebSite]
) -> None:
    site = serve()
    site.answers["test.example", "/feed"] = feed((f"{H}/a", "t"))
    site.answers["test.example", "/robots.txt"] = Answer(b"down", 503)
    done = installation.run("crawl", "test", check=False)
    assert done.returncode == 1 and "robots.txt answered 503" in done.stderr
    assert {r["path"] for r in site.requests} == {"/robots.txt"}


def test_one_request_at_a_time_per_host_with_a_delay(installation: Installation, serve: Callable[..., WebSite]) -> None:
    site = serve("politeness: {delay: 0.3, timeout: 5}")
    site.answers["test.example", "/feed"] = feed(*[(f"{H}/{n}", "t") for n in range(4)])
    for n in range(4):
        site.answers["test.example", f"/{n}"] = article(f"Story number {n} of the day", *PROSE)
    # A second process crawls the same host at the same time, in window mode.
    other = threading.Thread(
        target=lambda: installation.run("crawl", "test", "--since", "2020-01-01", "--dry-run", check=False)
    )
    other.start()
    installation.crawl("test")
    other.join()
    spans = sorted((begin, end) for host, _, begin, end in site.log if host == "test.example")
    assert len(spans) >= 6
    for (_, end), (begin, _) in itertools.pairwise(spans):
        assert begin - end > 0.25, "the delay runs from the end of the last request"


def test_crawl_delay_and_user_agent_are_applied(installation: Installation, serve: Callable[..., WebSite]) -> None:
    site = serve()
    site.answers["test.example", "/robots.txt"] = Answer(
        b"User-agent: *\nCrawl-delay: 0.6\n", content_type="text/plain"
    )
    site.answers["test.example", "/feed"] = feed((f"{H}/a", "t"), (f"{H}/b", "t"))
    installation.crawl("test", PRESSMARK_CONTACT="https://archive.example/bot")
    spans = [(begin, end) for _, path, begin, end in site.log if path != "/robots.txt"]
    assert all(begin - end > 0.5 for (_, end), (begin, _) in itertools.pairwise(spans))
    assert {r["headers"]["User-Agent"] for r in site.requests} == {
        "Pressmark/0.1.0 (news archive crawler; https://archive.example/bot)"
    }
    # The crawl fails if the Crawl-delay is above the limit of the outlet's file.
    site.answers["test.example", "/robots.txt"] = Answer(
        b"User-agent: *\nCrawl-delay: 3600\n", content_type="text/plain"
    )
    installation.query("UPDATE ops.site_policy_check SET expires_at = now()")
    done = installation.run("crawl", "test", check=False)
    assert done.returncode == 1 and "Crawl-delay of 3600 s" in done.stderr


def test_pages_over_budget_are_left_for_the_next_crawl(
    installation: Installation, serve: Callable[..., WebSite]
) -> None:
    site = serve("budgets: {pages: 2}")
    site.answers["test.example", "/feed"] = feed(*[(f"{H}/{n}", "t") for n in range(5)])
    for n in range(5):
        site.answers["test.example", f"/{n}"] = article(f"Story number {n} of the day", *PROSE)
    assert installation.outcomes("test") == {"new": 2, "budget_exhausted": 3}
    assert installation.outcomes("test") == {"new": 2, "budget_exhausted": 1, "known_not_due": 2}
    assert installation.outcomes("test") == {"new": 1, "known_not_due": 4}
