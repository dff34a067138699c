"""Every edge case page of the newsstand gets its expected outcome, and `why` shows it."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from pressmark.cli.articles import why
from pressmark.extraction.non_article import patterns
from pressmark.newsstand.edge_case_pages import EDGE_CASES, HOST
from pressmark.newsstand.server import Newsstand
from tests.conftest import Installation
from tests.site import Answer, WebSite, feed


def test_every_edge_case_page_gets_its_expected_outcome(
    installation: Installation,
    newsstand: Newsstand,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = installation.crawl("odd-lot")["crawls"][0]
    assert report["finish_reason"] == "finished", "there are too few consecutive refusals to stop the crawl"
    outcomes = dict(installation.query("SELECT url, outcome FROM ops.candidate"))
    expected = {s.url: s.outcome for s in EDGE_CASES if s.outcome}
    assert outcomes == expected
    for edge_case in EDGE_CASES:
        for column, value in edge_case.expected.items():
            rows = installation.query(
                f"SELECT {column}::text FROM mart.article WHERE url = %s", (edge_case.url,), role="analyst"
            )
            assert rows == [(None if value is None else str(value),)], f"{edge_case.url}: {edge_case.what}: {column}"
    for name, value in installation.environment().items():
        if name.startswith("PRESSMARK_"):
            monkeypatch.setitem(os.environ, name, value)
    for edge_case in EDGE_CASES:
        if not (edge_case.outcome or edge_case.same_as):
            continue
        capsys.readouterr()
        why(edge_case.url)
        output = capsys.readouterr().out
        outcome = edge_case.outcome or next(s.outcome for s in EDGE_CASES if s.path == edge_case.same_as)
        assert outcome and outcome in output and "sitemap" in output, f"{edge_case.url}: {edge_case.what}\n{output}"
    # Each pattern of non_article.yaml that has its own text is matched by one of the pages.
    matched = {
        reason.partition(":")[0]
        for (reason,) in installation.query("SELECT reason FROM ops.candidate WHERE reason LIKE '%% main text'")
    }
    assert {pattern.outcome for pattern in patterns()} <= set(outcomes.values())
    assert matched >= {
        "cloudflare",
        "cloudflare-header",
        "bot-manager",
        "human-check",
        "consent",
        "not-found",
        "list",
        "gallery",
        "shell",
    }


def test_near_duplicates_form_one_copy_cluster_across_outlets(installation: Installation, newsstand: Newsstand) -> None:
    installation.crawl("odd-lot", "meridian-wire", "harbour-dispatch")
    rows = installation.query(
        "SELECT articles, outlet_list, first_outlet FROM mart.copy_cluster ORDER BY outlets DESC", role="analyst"
    )
    assert rows == [(3, ["harbour-dispatch", "meridian-wire", "odd-lot"], "meridian-wire")]
    ((articles, unique),) = installation.query(
        "SELECT (SELECT count(*) FROM mart.article), (SELECT count(*) FROM mart.article_deduplicated)", role="analyst"
    )
    assert articles - unique == 2
    edges = installation.query(
        "SELECT later_outlet, similarity > 0.5, equal_text FROM mart.syndication_edge ORDER BY 1, 2", role="analyst"
    )
    assert len(edges) == 3 and all(similar for _, similar, _ in edges)
    # The print view has a canonical link to the article and the same text, so its URL belongs to the article.
    # Of URLs with the same key, such as the AMP page, only the first listed one is fetched.
    ((uid,),) = installation.query("SELECT article_uid FROM mart.article WHERE url LIKE '%/news/plain'", role="analyst")
    urls = {
        row[0]
        for row in installation.query("SELECT url FROM mart.article_url WHERE article_uid = %s", (uid,), "analyst")
    }
    assert {f"http://{HOST}{path}" for path in ("/news/plain", "/print/plain")} <= urls


def test_consecutive_challenge_pages_stop_the_crawl(installation: Installation, serve: Callable[..., WebSite]) -> None:
    site = serve("politeness: {delay: 0.2, max_consecutive_refusals: 3}")
    paths = [f"/{n}" for n in range(60)]
    site.answers["test.example", "/feed"] = feed(*[(f"http://test.example{path}", "t") for path in paths])
    non_article = next(s.document for s in EDGE_CASES if s.path == "/news/challenge-403")
    assert non_article is not None
    for path in paths:
        site.answers["test.example", path] = Answer(non_article.body, 403, content_type="text/html")
    done = installation.run("crawl", "test", "--json", check=False)
    assert done.returncode == 1 and "3 consecutive pages were refused" in done.stderr and "test.example" in done.stderr
    outcomes = dict(installation.query("SELECT outcome, count(*) FROM ops.candidate GROUP BY 1"))
    assert set(outcomes) == {"challenge_page", "interrupted"} and sum(outcomes.values()) == 60
    # A few more than three, because fetching continues while the first pages are extracted.
    assert 3 <= outcomes["challenge_page"] < 40
    requested = [r for r in site.requests if r["path"] in paths]
    assert len(requested) == outcomes["challenge_page"], "no refused page was retried"
    assert installation.query("SELECT ledger_ok FROM mart.crawl") == [(True,)]
