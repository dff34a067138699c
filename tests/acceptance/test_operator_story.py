"""An operator's week: one outlet stops publishing, one changes its layout, one blocks us. Each problem is resolved."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pressmark.newsstand.edge_case_pages import EDGE_CASES
from tests.conftest import Installation
from tests.site import PROSE, Answer, WebSite, article

NOW = datetime.now(UTC)
HINT = "extraction: {keep: [\"//div[@id='story']\"]}\n"


def dated_article(host: str, number: int, published: datetime, hidden: bool = False) -> Answer:
    """Return an article page. If `hidden`, its text is in an element that the extractor removes as comments."""
    plain = article(
        f"{host} story {number} of the week", *PROSE, f"This is number {number} of them, described at some length."
    )
    body = plain.body.replace(
        b"</head>", f'<meta property="article:published_time" content="{published.isoformat()}"></head>'.encode()
    )
    if hidden:
        text = "".join(f"<p>{paragraph} {number}</p>" for paragraph in PROSE)
        head = body[: body.index(b"<body")].decode()
        body = (
            f"{head}<body><h1>{host} story {number} of the week</h1><div style='display:none' class='comments-area' "
            f"id='comments'><div id='story'>{text}</div></div></body></html>"
        ).encode()
    return Answer(body)


def publish(site: WebSite, host: str, articles: dict[int, tuple[datetime, Answer]]) -> None:
    """Serve the articles and a news sitemap that lists them."""
    listed = "".join(
        f"<url><loc>http://{host}/story-{number}</loc><news:news><news:publication_date>{when.isoformat()}"
        f"</news:publication_date><news:title>t</news:title></news:news></url>"
        for number, (when, _) in articles.items()
    )
    namespace = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    news = 'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'
    site.answers[host, "/sitemap.xml"] = Answer(
        f"<urlset {namespace} {news}>{listed}</urlset>".encode(), content_type="application/xml"
    )
    for number, (_, answer) in articles.items():
        site.answers[host, f"/story-{number}"] = answer


def check_health(installation: Installation) -> dict[str, tuple[str, str]]:
    """Evaluate the health of all outlets. Return the state and the reason of each."""
    report = json.loads(installation.run("doctor", "--json", check=False).stdout)
    return {row["outlet"]: (row["state"], row["reason"]) for row in report["health"]}


@pytest.mark.long
def test_operator_week_from_failure_to_recovery(
    installation: Installation, site: WebSite, outlet_file: Callable[..., Path]
) -> None:
    hosts = {"quiet": "quiet.example", "layout": "layout.example", "refusing": "refusing.example"}
    for outlet, host in hosts.items():
        folder = outlet_file(outlet, host, "tier: daily", endpoints=(("sitemap", "/sitemap.xml"),))
    installation.env = {"PRESSMARK_OUTLETS": str(folder), "PRESSMARK_RESOLVE": site.resolve(*hosts.values())}
    articles = {}
    for outlet, host in hosts.items():
        count, step = (60, timedelta(hours=6)) if outlet == "quiet" else (8, timedelta(days=1))
        times = [NOW - timedelta(days=3) - step * back for back in range(count)]
        articles[outlet] = {n: (when, dated_article(host, n, when)) for n, when in enumerate(times)}
        publish(site, host, articles[outlet])
    installation.crawl(*hosts)
    # Make the articles look as if they had been crawled when they were published.
    installation.query(
        "UPDATE core.article a SET first_seen_at = x.date_published + interval '1 hour' FROM core.extraction x "
        "WHERE x.payload_hash = a.payload_hash AND x.extractor_id = a.extractor_id"
    )
    assert check_health(installation)["layout"][0] == "fresh"

    non_article = next(s.document for s in EDGE_CASES if s.path == "/news/challenge-403")
    assert non_article is not None
    missed = {n: NOW - timedelta(days=3) + timedelta(hours=6 * (n - 99)) for n in range(100, 108)}
    for n, when in missed.items():
        articles["layout"][n] = when, dated_article(hosts["layout"], n, when, hidden=True)
        articles["refusing"][n] = when, Answer(non_article.body, 403)
    for outlet in ("layout", "refusing"):
        publish(site, hosts[outlet], articles[outlet])
    assert installation.run("crawl", *hosts, check=False).returncode == 1, "the refusals stopped the crawl"
    health = check_health(installation)
    assert health["quiet"][0] == "silent" and "publishing pattern expects" in health["quiet"][1]
    assert health["layout"][0] == "extraction_broken" and "text: all 8 pages" in health["layout"][1]
    assert health["refusing"][0] == "blocked" and "does not want to be crawled" in health["refusing"][1]
    alerts = installation.query("SELECT outlet, cause, notified_at FROM mart.alert WHERE closed_at IS NULL ORDER BY 1")
    assert [row[:2] for row in alerts] == [
        ("layout", "extraction_broken"),
        ("quiet", "silent"),
        ("refusing", "blocked"),
    ]
    check_health(installation)
    assert (
        installation.query("SELECT outlet, cause, notified_at FROM mart.alert WHERE closed_at IS NULL ORDER BY 1")
        == alerts
    ), "each alert is sent only once"

    # An extraction hint fixes the layout problem. Re-extraction needs only the archive.
    file = folder / "layout.yaml"
    file.write_text(file.read_text() + HINT)
    requests_before = len(site.requests)
    reextraction = json.loads(installation.run("reextract", "layout", "--json").stdout)
    assert reextraction["state"] == "extracted" and reextraction["rejected"]["layout"] == {"pages": 8, "articles": 8}
    assert installation.query("SELECT count(*) FROM mart.article WHERE outlet = 'layout'") == [(8,)], (
        "the new extractions are not promoted yet"
    )
    before = installation.fingerprint()
    done = json.loads(installation.run("reextract", "--promote", reextraction["reextraction_id"], "--json").stdout)
    assert done["state"] == "promoted"
    assert installation.query("SELECT count(*), min(word_count) > 20 FROM mart.article WHERE outlet = 'layout'") == [
        (16, True)
    ]
    assert installation.query("SELECT count(*) FROM mart.article_revision WHERE outlet = 'layout' AND ordinal > 1") == [
        (0,)
    ], "a changed extractor does not create revisions"
    assert len(site.requests) == requests_before, "re-extraction sends no request"
    rolled_back = json.loads(
        installation.run("reextract", "--rollback", reextraction["reextraction_id"], "--json").stdout
    )
    assert rolled_back["state"] == "rolled_back" and before != installation.fingerprint()
    # Promote it again, then promote a re-extraction with another hint, which replaces it.
    installation.run("reextract", "--promote", reextraction["reextraction_id"])
    file.write_text(file.read_text().replace("keep:", "prune: ['//aside'], keep:"))
    second = json.loads(installation.run("reextract", "layout", "--json").stdout)
    installation.run("reextract", "--promote", second["reextraction_id"])
    assert installation.query("SELECT count(*), min(word_count) > 20 FROM mart.article WHERE outlet = 'layout'") == [
        (16, True)
    ]

    # The outlet stops blocking us, and a backfill fetches the missed days.
    for n, when in missed.items():
        articles["refusing"][n] = when, dated_article(hosts["refusing"], n, when)
    publish(site, hosts["refusing"], articles["refusing"])
    days = ("--since", f"{min(missed.values()):%Y-%m-%d}", "--until", f"{NOW + timedelta(days=1):%Y-%m-%d}")
    plan = json.loads(installation.run("backfill", "refusing", *days, "--dry-run", "--json").stdout)["plan"]["refusing"]
    assert plan["missing"] == 8
    report = json.loads(installation.run("backfill", "refusing", *days, "--json").stdout)
    assert report["state"] == "done" and report["outlets"]["refusing"]["outcomes"]["new"] == 8
    coverage = installation.query(
        "SELECT sum(expected - loaded) FROM mart.outlet_coverage "
        "WHERE outlet = 'refusing' AND expected_basis = 'listed'"
    )
    assert coverage == [(0,)], "every listed article is loaded"

    # Mute the alerts of one outlet and pause it.
    installation.run("mute", "quiet", "--reference", "OPS-7")
    installation.run("outlet", "pause", "quiet", "--reason", "on holiday until Monday", "--days", "3")
    installation.run("crawl", "layout", "refusing")
    end = check_health(installation)
    assert {outlet: state for outlet, (state, _) in end.items()} == {
        "layout": "fresh",
        "quiet": "paused",
        "refusing": "fresh",
    }
    assert "on holiday" in end["quiet"][1]
    assert installation.query("SELECT count(*) FROM mart.alert WHERE closed_at IS NULL") == [(0,)]
    assert "on holiday" in installation.run("doctor").stdout
    assert "Removed 1 mute " in installation.run("mute", "quiet", "--clear").stdout
    assert installation.query("SELECT count(*) FROM ops.alert_mute") == [(0,)]
