"""Whatever a site answers, each of its addresses ends in one named outcome."""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Callable

from tests.conftest import Installation
from tests.site import PROSE, Answer, WebSite, article, feed

H = "http://test.example"


def outcomes_by_url(installation: Installation) -> dict[str, tuple[str, str | None]]:
    return {
        url: (outcome, reason)
        for url, outcome, reason in installation.query("SELECT url, outcome, reason FROM ops.candidate")
    }


def test_a_site_full_of_trouble(installation: Installation, serve: Callable[..., WebSite]) -> None:
    site = serve("budgets: {page_size: 300000}", "urls: {exclude: ['/video/']}")
    good = article("A good story about the bridge", *PROSE)
    pages = {
        "/good": (good, "new"),
        "/good?utm_source=feed": (good, None),  # the same address in other clothes: no candidate of its own
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
        "/private/x": (good, "robots_denied"),
        "/video/x": (good, "out_of_scope"),
        "/a/a/a/a/a": (good, "crawler_trap"),
    }
    site.answers = {("test.example", path): answer for path, (answer, _) in pages.items()}
    site.answers["test.example", "/moved-here"] = article("A story that moved", *PROSE)
    site.answers["test.example", "/"] = Answer(b"<html>front page</html>")
    site.answers["test.example", "/robots.txt"] = Answer(
        b"User-agent: *\nDisallow: /private/\n", content_type="text/plain"
    )
    site.answers["test.example", "/feed"] = feed(*[(H + path, "t") for path in pages], ("file:///etc/passwd", "t"))
    installation.crawl("test")
    got = outcomes_by_url(installation)
    expected = {H + path: outcome for path, (_, outcome) in pages.items() if outcome}
    assert {url: outcome for url, (outcome, _) in got.items()} == expected
    assert all(reason for outcome, reason in got.values() if outcome not in ("new",))

    archived = dict(installation.query("SELECT requested_url, segment_id IS NOT NULL FROM core.capture"))
    assert archived[f"{H}/noarchive"] is False and archived[f"{H}/good"] is True
    for warc in (installation.home / "archive").rglob("*.warc.gz"):
        content = gzip.decompress(warc.read_bytes())
        assert b"Do not keep" not in content and b"Reserved" not in content
    ((url, variants),) = installation.query(
        "SELECT a.url, array_agg(u.url ORDER BY u.url) FROM mart.article a JOIN mart.article_url u USING (article_uid) "
        "WHERE a.headline = 'A story that moved' GROUP BY a.url"
    )
    assert url == f"{H}/moved-here" and variants == [f"{H}/moved", f"{H}/moved-here"]
    kept = dict(installation.query("SELECT url, stage FROM ops.quarantine"))
    assert kept[f"{H}/broken-gzip"] == "decode" and kept[f"{H}/thin"] == "classify"
    why = installation.run("why", f"{H}/thin").stdout
    assert "extraction_empty" in why and "No main text was found" in why and ".warc.gz" in why

    # Nothing of it is asked again before its time; failures wait, kept pages rest.
    before = len(site.requests)
    again = installation.outcomes("test")
    assert again == {"known_not_due": 24, "robots_denied": 1}, again
    assert {r["path"] for r in site.requests[before:]} == {"/feed"}, "its robots.txt holds for a day"


def test_private_addresses_are_never_contacted(
    installation: Installation, serve: Callable[..., WebSite], site: WebSite
) -> None:
    site = serve("urls: {}", endpoints=(("feed", "/feed"),))
    folder = installation.env["PRESSMARK_OUTLETS"]
    with open(f"{folder}/test.yaml", encoding="utf-8") as file:
        text = file.read()
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
    with open(f"{folder}/test.yaml", "w", encoding="utf-8") as file:
        file.write(
            text.replace(
                "domains: [test.example]", f"domains: [test.example, {', '.join(n + '.test.example' for n in names)}]"
            )
        )
    redirects = {
        f"/r{i}": Answer(status=302, headers={"Location": f"http://{h}:{site.port}/secret"})
        for i, h in enumerate(hosts)
    }
    site.answers = {("test.example", path): answer for path, answer in redirects.items()}
    site.answers["test.example", "/feed"] = feed(*[(H + path, "t") for path in redirects])
    installation.crawl("test")
    assert {outcome for outcome, _ in outcomes_by_url(installation).values()} == {"out_of_scope"}
    assert not any(r["path"] == "/secret" for r in site.requests)


def test_a_feed_on_a_private_address_is_refused(
    installation: Installation, serve: Callable[..., WebSite], site: WebSite
) -> None:
    serve()
    for host in ("127.0.0.1", "localhost", "2130706433", "[::1]"):
        folder = installation.env["PRESSMARK_OUTLETS"]
        path = f"{folder}/test.yaml"
        with open(path, encoding="utf-8") as file:
            text = file.read()
        lines = [
            f"  - {{method: feed, url: 'http://{host}:{site.port}/feed', source: a test}}"
            if "method: feed" in text_line
            else text_line
            for text_line in text.splitlines()
        ]
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        done = installation.run("crawl", "test", check=False)
        assert done.returncode == 1 and "not a public IP address" in done.stderr, (host, done.stderr)
    assert site.requests == []


def test_robots_that_cannot_be_read_forbids_everything(
    installation: Installation, serve: Callable[..., WebSite]
) -> None:
    site = serve()
    site.answers["test.example", "/feed"] = feed((f"{H}/a", "t"))
    site.answers["test.example", "/robots.txt"] = Answer(b"down", 503)
    done = installation.run("crawl", "test", check=False)
    assert done.returncode == 1 and "robots.txt answered 503" in done.stderr
    assert {r["path"] for r in site.requests} == {"/robots.txt"}


def test_one_request_at_a_time_per_host_with_a_delay(installation: Installation, serve: Callable[..., WebSite]) -> None:
    import threading

    site = serve("politeness: {delay: 0.3, timeout: 5}")
    site.answers["test.example", "/feed"] = feed(*[(f"{H}/{n}", "t") for n in range(4)])
    for n in range(4):
        site.answers["test.example", f"/{n}"] = article(f"Story number {n} of the day", *PROSE)
    # A second process with another mode of crawling is at the same host at the same time.
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


def test_crawl_delay_and_user_agent(installation: Installation, serve: Callable[..., WebSite]) -> None:
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
    # One that asks for more than the outlet's file allows makes us stay away.
    site.answers["test.example", "/robots.txt"] = Answer(
        b"User-agent: *\nCrawl-delay: 3600\n", content_type="text/plain"
    )
    installation.query("UPDATE ops.site_policy_check SET expires_at = now()")
    done = installation.run("crawl", "test", check=False)
    assert done.returncode == 1 and "Crawl-delay of 3600 s" in done.stderr


def test_budgets_leave_the_rest_for_the_next_crawl(installation: Installation, serve: Callable[..., WebSite]) -> None:
    site = serve("budgets: {pages: 2}")
    site.answers["test.example", "/feed"] = feed(*[(f"{H}/{n}", "t") for n in range(5)])
    for n in range(5):
        site.answers["test.example", f"/{n}"] = article(f"Story number {n} of the day", *PROSE)
    assert installation.outcomes("test") == {"new": 2, "budget_exhausted": 3}
    assert installation.outcomes("test") == {"new": 2, "budget_exhausted": 1, "known_not_due": 2}
    assert installation.outcomes("test") == {"new": 1, "known_not_due": 4}
