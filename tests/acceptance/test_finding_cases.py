"""The cases of tests/cases/finding that only a crawl, a server or a role shows."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg2
import pytest

from tests.conftest import Installation, write_outlet_file
from tests.site import PROSE, Answer, WebSite, article, feed

CASES = Path(__file__).parents[1] / "cases"
H = "http://test.example"


def case(name: str) -> bytes:
    return next((CASES / "finding").glob(name)).read_bytes()


def outcomes(installation: Installation) -> dict[str, tuple[str, str | None]]:
    rows = installation.query("SELECT url, outcome, reason FROM ops.candidate ORDER BY decided_at")
    return {url: (outcome, reason) for url, outcome, reason in rows}


def crawl_pages(
    installation: Installation, site: WebSite, pages: dict[str, Answer]
) -> dict[str, tuple[str, str | None]]:
    """Crawl a feed that lists these pages and load them."""
    site.answers["test.example", "/feed"] = feed(*[(f"{H}{path}", "t") for path in pages])
    for path, answer in pages.items():
        site.answers["test.example", path] = answer
    assert installation.crawl("test")["crawls"][0]["finish_reason"] == "finished"
    return {url.removeprefix(H): row for url, row in outcomes(installation).items()}


def zipped(page: Answer, cut: int = 0, label: str = "gzip") -> Answer:
    body = gzip.compress(page.body)
    return Answer(body[: len(body) - cut], headers={"Content-Encoding": label})


def test_damaged_responses_end_in_named_outcomes_and_never_in_a_version(
    installation: Installation, serve: Callable[..., WebSite]
) -> None:
    page = article("A story about the bridge", *PROSE * 3)
    site = serve()
    found = crawl_pages(
        installation,
        site,
        {
            "/cut": zipped(page, cut=200),
            "/part": Answer(page.body[:400], 206, {"Content-Range": f"bytes 0-399/{len(page.body)}"}),
            "/unframed": Answer(page.body, framed=False),
            "/unframed-cut": Answer(page.body[:-300], framed=False),
            "/accepted": Answer(b"<html><p>Working on it.</p></html>", 202),
            "/undeclared": Answer(gzip.compress(page.body)),
            "/odd-label": Answer(page.body, headers={"Content-Encoding": "UTF-8"}),
            "/none": Answer(page.body, headers={"Content-Encoding": "none"}),
            "/twice": Answer(gzip.compress(gzip.compress(page.body)), headers={"Content-Encoding": "gzip"}),
        },
    )
    assert {path: row[0] for path, row in found.items()} == {
        "/unframed": "new", "/unframed-cut": "network_error", "/cut": "network_error", "/part": "http_error", "/accepted": "http_error", "/undeclared": "new",
        "/odd-label": "new", "/none": "new", "/twice": "new",
    }  # fmt: skip
    assert "cut short" in (found["/cut"][1] or "") and "206" in (found["/part"][1] or "")
    site.answers["test.example", "/cut"] = zipped(page)
    installation.query("UPDATE ops.frontier SET next_due_at = now() - interval '1 hour'", role="loader")
    installation.crawl("test")
    causes = installation.query(
        "SELECT url, cause FROM mart.article_revision WHERE url = %s", (f"{H}/cut",), role="analyst"
    )
    assert causes == [(f"{H}/cut", "first")], "the whole page is the first version, not a revision by the publisher"


def test_bad_date_does_not_fail_a_crawl(installation: Installation, serve: Callable[..., WebSite]) -> None:
    site = serve()
    bad = "0001-01-01T00:00:00+01:00"
    items = f"<item><title>a</title><link>{H}/a</link><pubDate>{bad}</pubDate></item>"
    items += f"<item><title>b</title><link>{H}/b</link><pubDate>9999-12-31T23:59:59-05:00</pubDate></item>"
    site.answers["test.example", "/feed"] = Answer(f"<rss><channel>{items}</channel></rss>".encode())
    site.answers["test.example", "/a"] = article(
        "A story", *PROSE, head=f'<meta property="article:published_time" content="{bad}">'
    )
    site.answers["test.example", "/b"] = article(
        "Another story", *PROSE, head='<meta property="article:published_time" content="04/03/2026">'
    )
    assert installation.crawl("test")["crawls"][0]["finish_reason"] == "finished"
    rows = installation.query(
        "SELECT url, date_published, date_published_raw, date_published_flag FROM mart.article ORDER BY url",
        role="analyst",
    )
    assert rows == [(f"{H}/a", None, bad, "too_early"), (f"{H}/b", None, "04/03/2026", "ambiguous")]
    (quality,) = installation.query(
        "SELECT articles, without_date, ambiguous, implausible FROM mart.date_quality", role="analyst"
    )
    assert quality == (2, 2, 1, 1)


def test_day_in_a_sitemap_covers_the_whole_day_of_the_outlet(
    installation: Installation, serve: Callable[..., WebSite]
) -> None:
    site = serve(endpoints=(("sitemap", "/index.xml"),))
    file = Path(installation.env["PRESSMARK_OUTLETS"]) / "test.yaml"
    file.write_text(file.read_text().replace("timezone: UTC", "timezone: America/New_York"))
    site.answers["test.example", "/index.xml"] = Answer(
        f"<sitemapindex><sitemap><loc>{H}/d.xml</loc><lastmod>2026-11-20</lastmod></sitemap></sitemapindex>".encode()
    )
    site.answers["test.example", "/d.xml"] = Answer(
        f"<urlset><url><loc>{H}/a</loc><n:news xmlns:n='http://www.google.com/schemas/sitemap-news/0.9'>"
        "<n:publication_date>2026-11-20</n:publication_date></n:news></url></urlset>".encode()
    )
    head = '<meta property="article:published_time" content="2026-11-21T02:00:00Z">'
    site.answers["test.example", "/a"] = article("A late story", *PROSE, head=head)
    installation.crawl("test", "--since", "2026-11-20T12:00Z", "--until", "2026-11-21T05:00Z")
    assert outcomes(installation)[f"{H}/a"][0] == "new"


def test_articles_that_differ_by_a_parameter_stay_apart_and_variants_merge_on_evidence(
    installation: Installation, serve: Callable[..., WebSite]
) -> None:
    site = serve()
    text = [f"{paragraph} The third quay is closed." for paragraph in PROSE]
    pages = {
        "/article.php?ref=1001": article("The first story", *PROSE),
        "/article.php?ref=1002": article("The second story", *text),
        "/plain": article("A plain story", *PROSE, "It has a print view."),
        "/plain/print": article("A plain story", *PROSE, "It has a print view."),
    }
    crawl_pages(installation, site, pages)
    articles = {row[0].removeprefix(H) for row in installation.query("SELECT url FROM mart.article", role="analyst")}
    assert articles == {"/article.php?ref=1001", "/article.php?ref=1002", "/plain"}
    redirects = installation.query(
        "SELECT r.reason, a.url FROM mart.article_redirect r JOIN mart.article a USING (article_uid) ORDER BY 1, 2",
        role="analyst",
    )
    assert ("merged", f"{H}/plain") in redirects
    assert [row for row in redirects if row[0] == "url_rule"], "the id of rule 1 leads to one of the two articles"


def test_url_erased_under_an_earlier_rule_stays_erased(
    installation: Installation, serve: Callable[..., WebSite]
) -> None:
    site = serve()
    pages = {"/story?ref=1": article("An erased story", *PROSE)}
    crawl_pages(installation, site, pages)
    options = ("--url", f"{H}/story", "--outlet", "test", "--erase", "--reason", "a test", "--yes")
    assert installation.run("remove", *options).returncode == 0
    installation.query("UPDATE ops.removal SET url_rule = 1", role="eraser")
    installation.query("UPDATE ops.frontier SET next_due_at = now() - interval '1 hour'", role="loader")
    site.answers["test.example", "/feed"] = feed((f"{H}/story?ref=2", "t"))
    site.answers["test.example", "/story?ref=2"] = article("An erased story", *PROSE)
    installation.crawl("test")
    assert installation.query("SELECT outcome FROM ops.candidate WHERE url LIKE 'erased:%%' AND outcome = 'suppressed'")
    assert not [path for path in (r["path"] for r in site.requests) if path == "/story?ref=2"]


def test_retry_after_of_any_bytes_gives_the_lease_back(
    installation: Installation, serve: Callable[..., WebSite]
) -> None:
    site = serve()
    pages = {f"/{n}": Answer(b"no", 429, {"Retry-After": value}) for n, value in enumerate(("\u00b2", "soon", "-5"))}
    found = crawl_pages(installation, site, pages)
    assert {row[0] for row in found.values()} == {"rate_limited"}
    assert installation.query("SELECT count(*) FROM ops.host_lease WHERE holder IS NOT NULL") == [(0,)]


def test_robots_txt_that_redirects_to_a_private_address_says_so(
    installation: Installation, serve: Callable[..., WebSite]
) -> None:
    site = serve()
    site.answers["test.example", "/robots.txt"] = Answer(status=301, headers={"Location": "http://10.0.0.5/robots.txt"})
    site.answers["test.example", "/feed"] = feed((f"{H}/a", "t"))
    report = json.loads(installation.run("crawl", "test", "--json", check=False).stdout)
    assert "redirects to http://10.0.0.5: 10.0.0.5 is not a public IP address" in report["crawls"][0]["error"]


def test_health_says_when_a_listing_was_longer_than_the_budget(
    installation: Installation, serve: Callable[..., WebSite]
) -> None:
    site = serve("budgets: {entries: 10}", endpoints=(("sitemap", "/sitemap.xml"),))
    rows = "".join(f"<url><loc>{H}/{n:02}</loc><lastmod>2026-11-{n + 1:02}</lastmod></url>" for n in range(26))
    site.answers["test.example", "/sitemap.xml"] = Answer(f"<urlset>{rows}</urlset>".encode())
    for n in range(26):
        site.answers["test.example", f"/{n:02}"] = article(f"Story {n}", *PROSE, f"It is number {n}.")
    installation.crawl("test")
    assert {url for url in outcomes(installation)} == {f"{H}/{n}" for n in range(16, 26)}, "the latest ten"
    doctor = installation.run("doctor", "--json", check=False).stdout
    assert "1 listing is longer than budgets.entries, and a part was not used" in doctor


def test_frozen_feed_does_not_hold_up_other_outlets(installation: Installation, serve: Callable[..., WebSite]) -> None:
    site = serve(hosts=("other.example",))
    write_outlet_file(Path(installation.env["PRESSMARK_OUTLETS"]), "other", "other.example")
    site.answers["test.example", "/feed"] = Answer(
        case("02-*/feed.xml.gz"), headers={"Content-Encoding": "gzip"}, content_type="application/rss+xml"
    )
    site.answers["other.example", "/feed"] = feed(("http://other.example/a", "t"))
    site.answers["other.example", "/a"] = article("A story", *PROSE)
    started = time.monotonic()
    installation.run("crawl", "test", "other")
    assert time.monotonic() - started < 60
    assert outcomes(installation)["http://other.example/a"][0] == "new"


def test_wrong_zone_is_one_line_and_other_outlets_work(
    installation: Installation, serve: Callable[..., WebSite]
) -> None:
    site = serve()
    (Path(installation.env["PRESSMARK_OUTLETS"]) / "tz1.yaml").write_bytes(case("22-*/tz1.yaml"))
    done = installation.run("outlet", "show", "tz1", check=False)
    assert done.returncode == 2 and "not an IANA time zone" in done.stderr and "Traceback" not in done.stderr
    found = crawl_pages(installation, site, {"/a": article("A story", *PROSE)})
    assert found["/a"][0] == "new"


def test_reader_cannot_stop_a_load_or_fill_the_disk(installation: Installation, serve: Callable[..., WebSite]) -> None:
    site = serve()
    reader = installation.warehouse.connect("analyst")
    try:
        with reader.cursor() as cursor:
            # A reader can switch these off for the session. They guard against mistakes only.
            cursor.execute("SET statement_timeout = 0")
            cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE")
            reader.commit()
            for name in ("pressmark load", "pressmark cluster", "crawl:test:incremental"):
                cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (name,))
            for statement in (
                "SELECT * FROM ops.lock FOR UPDATE", "LOCK TABLE ops.lock", "CREATE TEMP TABLE full_disk (a text)",
                "SET temp_file_limit = -1",
            ):  # fmt: skip
                cursor.execute("SAVEPOINT s")
                with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                    cursor.execute(statement)
                cursor.execute("ROLLBACK TO SAVEPOINT s")
                found = crawl_pages(installation, site, {"/a": article("A story", *PROSE)})
        assert found["/a"][0] == "new"
        assert installation.query("SELECT count(*) FROM mart.article", role="analyst") == [(1,)]
    finally:
        reader.close()


def test_lease_of_a_suspended_process_is_lost_and_it_cannot_commit(installation: Installation) -> None:
    from pressmark.errors import ServerError
    from pressmark.warehouse.connection import transaction
    from pressmark.warehouse.locks import LeaseHolder
    from pressmark.warehouse.migrations import ensure_ready

    ensure_ready(installation.warehouse)
    first, second = LeaseHolder(installation.warehouse), LeaseHolder(installation.warehouse)
    try:
        assert first.try_take("crawl:test:incremental") and first.try_take("crawl:test:incremental")
        assert not second.try_take("crawl:test:incremental")
        # As if the first process had been suspended for longer than the lease lasts.
        installation.query("UPDATE ops.lock SET expires_at = now() - interval '1 second'", role="loader")
        assert second.try_take("crawl:test:incremental")
        with installation.warehouse.connect("loader") as connection, transaction(connection) as cursor:
            second.confirm(cursor, "crawl:test:incremental")
            with pytest.raises(ServerError, match="has taken the locks"):
                first.confirm(cursor, "crawl:test:incremental")
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                first.check("crawl:test:incremental")
            except ServerError:
                break
            time.sleep(0.2)
        else:
            pytest.fail("the first process did not notice that it lost its lease")
        second.close()
        assert first.try_take("crawl:test:incremental")
    finally:
        first.close()
        second.close()


def test_extract_reads_a_file_the_archive_and_the_live_page(
    installation: Installation, serve: Callable[..., WebSite], tmp_path: Path
) -> None:
    site = serve()
    head = '<meta name="author" content="Petra Lindqvist"><meta name="date" content="2026-03-10T18:40:00Z">'
    page = article("A story about the bridge", *PROSE, head=head)
    crawl_pages(installation, site, {"/a": page, "/thin": Answer(b"<html><body><p>Soon.</p></body></html>")})

    saved = tmp_path / "page.html"
    saved.write_bytes(page.body)
    for arguments in ((str(saved), "--url", f"{H}/a"), (f"{H}/a",), (f"{H}/a", "--live")):
        done = installation.run("extract", *arguments, "--json")
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        assert (result["outcome"], result["outlet"]) == ("article", "test")
        assert (result["headline"], result["authors"]) == ("A story about the bridge", ["Petra Lindqvist"])
        assert result["date_published"]["value"] == "2026-03-10T18:40:00+00:00"
        assert result["sources"]["authors"] == "meta" and "h1" in result["sources"]["headline"]
    thin = installation.run("extract", f"{H}/thin")
    assert "outcome: extraction_empty (1 word of main text" in thin.stdout and "archive, captured" in thin.stdout

    site.answers["test.example", "/robots.txt"] = Answer(b"User-agent: *\nDisallow: /", content_type="text/plain")
    installation.query("DELETE FROM ops.site_policy_check", role="maintainer")
    denied = json.loads(installation.run("extract", f"{H}/a", "--live", "--json").stdout)
    assert denied["outcome"] == "robots_denied" and "headline" not in denied
    unknown = installation.run("extract", f"{H}/nowhere", check=False)
    assert unknown.returncode == 1 and "was never captured" in unknown.stderr and "--live" in unknown.stderr
    assert installation.run("extract", "no-such-file", check=False).returncode == 2


def test_future_and_recent_dates_are_plausible_by_the_time_of_the_capture() -> None:
    from pressmark.dates import DateContext, read_date

    now = datetime(2026, 11, 26, 12, tzinfo=UTC)
    soon = read_date((now + timedelta(hours=20)).isoformat(), "meta", DateContext(now))
    late = read_date((now + timedelta(hours=30)).isoformat(), "meta", DateContext(now))
    assert soon and soon.value and late and late.flag == "future"


def test_conflict_of_page_and_listing_is_shown_and_the_better_source_wins(
    installation: Installation, serve: Callable[..., WebSite]
) -> None:
    site = serve()
    listed = "Thu, 19 Nov 2026 08:00:00 GMT"
    pages = {
        "/structured": article(
            "A story", *PROSE, head='<meta property="article:published_time" content="2026-11-10T08:00:00Z">'
        ),
        "/visible": article("Another story", "10 November 2026", *PROSE, "It is another one."),
        "/agreeing": article(
            "A third story", *PROSE, "It is the third.", head='<meta name="date" content="2026-11-19T10:00:00Z">'
        ),
    }
    site.answers["test.example", "/feed"] = feed(*[(f"{H}{path}", "t", listed) for path in pages])
    for path, answer in pages.items():
        site.answers["test.example", path] = answer
    installation.crawl("test")
    rows = installation.query(
        "SELECT url, date_published_day::text, date_published_source, date_published_conflict FROM mart.article "
        "ORDER BY url",
        role="analyst",
    )
    assert rows == [
        (f"{H}/agreeing", "2026-11-19", "meta", False),
        (f"{H}/structured", "2026-11-10", "meta", True),
        (f"{H}/visible", "2026-11-19", "feed", True),
    ]
    assert installation.query("SELECT conflicting FROM mart.date_quality", role="analyst") == [(2,)]


def test_merges_never_form_a_chain(installation: Installation, serve: Callable[..., WebSite]) -> None:
    site = serve()
    text = (*PROSE, "All three pages have this text.")
    canonical = f'<link rel="canonical" href="{H}/story/print">'
    pages = {
        "/story/print": article("A story", *text),
        "/story": article("A story", *text),
        "/elsewhere": article("A story", *text, head=canonical),
    }
    for path in pages:  # one after the other, so that each load changes what the earlier ones decided
        crawl_pages(installation, site, {path: pages[path]})
    chains = installation.query(
        "SELECT count(*) FROM core.article a JOIN core.article b ON b.article_uid = a.merged_into "
        "WHERE b.merged_into IS NOT NULL"
    )
    assert chains == [(0,)]
    merged = installation.query(
        "SELECT a.url, b.url FROM core.article a JOIN core.article b ON b.article_uid = a.merged_into"
    )
    assert merged == [(f"{H}/elsewhere", f"{H}/story/print")]
