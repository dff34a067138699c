"""A week at the desk: an outlet falls silent, one changes its layout, one puts up a wall; each is named, each is mended."""

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


def dated(host: str, number: int, published: datetime, hidden: bool = False) -> Answer:
    """A sound article; or one whose text stands where the extractor takes it for comments."""
    sound = article(
        f"{host} story {number} of the week", *PROSE, f"This is number {number} of them, told at some length."
    )
    body = sound.body.replace(
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


def publish(site: WebSite, host: str, stories: dict[int, tuple[datetime, Answer]]) -> None:
    listed = "".join(
        f"<url><loc>http://{host}/story-{number}</loc><news:news><news:publication_date>{when.isoformat()}"
        f"</news:publication_date><news:title>t</news:title></news:news></url>"
        for number, (when, _) in stories.items()
    )
    namespace = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'
    site.answers[host, "/sitemap.xml"] = Answer(
        f"<urlset {namespace}>{listed}</urlset>".encode(), content_type="application/xml"
    )
    for number, (_, answer) in stories.items():
        site.answers[host, f"/story-{number}"] = answer


def states(installation: Installation) -> dict[str, tuple[str, str]]:
    told = json.loads(installation.run("doctor", "--refresh", "--json", check=False).stdout)
    return {row["outlet"]: (row["state"], row["reason"]) for row in told["health"]}


@pytest.mark.long
def test_a_week_at_the_desk(installation: Installation, site: WebSite, outlet_file: Callable[..., Path]) -> None:
    hosts = {"quiet": "quiet.example", "layout": "layout.example", "wall": "wall.example"}
    for outlet, host in hosts.items():
        folder = outlet_file(outlet, host, "tier: daily", endpoints=(("sitemap", "/sitemap.xml"),))
    installation.env = {"PRESSMARK_OUTLETS": str(folder), "PRESSMARK_RESOLVE": site.resolve(*hosts.values())}
    stories = {}
    for outlet, host in hosts.items():
        count, step = (60, timedelta(hours=6)) if outlet == "quiet" else (8, timedelta(days=1))
        times = [NOW - timedelta(days=3) - step * back for back in range(count)]
        stories[outlet] = {n: (when, dated(host, n, when)) for n, when in enumerate(times)}
        publish(site, host, stories[outlet])
    installation.crawl(*hosts)
    # As if they had been crawled all the while.
    installation.query(
        "UPDATE core.article a SET first_seen_at = x.date_published + interval '1 hour' FROM core.extraction x "
        "WHERE x.payload_hash = a.payload_hash AND x.extractor_id = a.extractor_id"
    )
    assert states(installation)["layout"][0] == "fresh"

    non_article = next(s.document for s in EDGE_CASES if s.path == "/news/challenge-403")
    assert non_article is not None
    lost = {n: NOW - timedelta(days=3) + timedelta(hours=6 * (n - 99)) for n in range(100, 108)}
    for n, when in lost.items():
        stories["layout"][n] = when, dated(hosts["layout"], n, when, hidden=True)
        stories["wall"][n] = when, Answer(non_article.body, 403)
    for outlet in ("layout", "wall"):
        publish(site, hosts[outlet], stories[outlet])
    assert installation.run("crawl", *hosts, check=False).returncode == 1, "the wall ended its crawl"
    found = states(installation)
    assert found["quiet"][0] == "silent" and "publishing pattern expects" in found["quiet"][1]
    assert found["layout"][0] == "extraction_broken" and "8 of 8 pages gave no text" in found["layout"][1]
    assert found["wall"][0] == "blocked" and "does not want to be crawled" in found["wall"][1]
    alerts = installation.query("SELECT outlet, cause, notified_at FROM mart.alert WHERE closed_at IS NULL ORDER BY 1")
    assert [row[:2] for row in alerts] == [("layout", "extraction_broken"), ("quiet", "silent"), ("wall", "blocked")]
    states(installation)
    assert (
        installation.query("SELECT outlet, cause, notified_at FROM mart.alert WHERE closed_at IS NULL ORDER BY 1")
        == alerts
    ), "told once"

    # The layout is mended by a hint, from the archive alone.
    file = folder / "layout.yaml"
    file.write_text(file.read_text() + HINT)
    asked = len(site.requests)
    read = json.loads(installation.run("reextract", "layout", "--json").stdout)
    assert read["state"] == "extracted" and read["rejected"]["layout"] == {"pages": 8, "articles": 8}
    assert installation.query("SELECT count(*) FROM mart.article WHERE outlet = 'layout'") == [(8,)], (
        "nothing counts yet"
    )
    before = installation.fingerprint()
    done = json.loads(installation.run("reextract", "--promote", read["reextraction_id"], "--json").stdout)
    assert done["state"] == "promoted"
    assert installation.query("SELECT count(*), min(word_count) > 20 FROM mart.article WHERE outlet = 'layout'") == [
        (16, True)
    ]
    assert installation.query("SELECT count(*) FROM mart.article_revision WHERE outlet = 'layout' AND ordinal > 1") == [
        (0,)
    ], "a change of ours is no revision"
    assert len(site.requests) == asked, "no request went to any outlet"
    kept = json.loads(installation.run("reextract", "--rollback", read["reextraction_id"], "--json").stdout)
    assert kept["state"] == "rolled_back" and before != installation.fingerprint()
    # Once more, and once more by another hint: what counted before makes room.
    installation.run("reextract", "--promote", read["reextraction_id"])
    file.write_text(file.read_text().replace("keep:", "prune: ['//aside'], keep:"))
    second = json.loads(installation.run("reextract", "layout", "--json").stdout)
    installation.run("reextract", "--promote", second["reextraction_id"])
    assert installation.query("SELECT count(*), min(word_count) > 20 FROM mart.article WHERE outlet = 'layout'") == [
        (16, True)
    ]

    # The wall is taken down, and the lost days are fetched.
    for n, when in lost.items():
        stories["wall"][n] = when, dated(hosts["wall"], n, when)
    publish(site, hosts["wall"], stories["wall"])
    days = ("--since", f"{min(lost.values()):%Y-%m-%d}", "--until", f"{NOW + timedelta(days=1):%Y-%m-%d}")
    plan = json.loads(installation.run("backfill", "wall", *days, "--dry-run", "--json").stdout)["plan"]["wall"]
    assert plan["missing"] == 8
    report = json.loads(installation.run("backfill", "wall", *days, "--json").stdout)
    assert report["state"] == "done" and report["outlets"]["wall"]["outcomes"]["new"] == 8
    coverage = installation.query(
        "SELECT sum(expected - loaded) FROM mart.outlet_coverage WHERE outlet = 'wall' AND expected_basis = 'listed'"
    )
    assert coverage == [(0,)], "as many as the listings name"

    # A silence and a pause, with who and why.
    installation.run("mute", "quiet", "--reference", "OPS-7")
    installation.run("outlet", "pause", "quiet", "--reason", "on holiday until Monday", "--days", "3")
    installation.run("crawl", "layout", "wall")
    end = states(installation)
    assert {outlet: state for outlet, (state, _) in end.items()} == {
        "layout": "fresh",
        "quiet": "paused",
        "wall": "fresh",
    }
    assert "on holiday" in end["quiet"][1]
    assert installation.query("SELECT count(*) FROM mart.alert WHERE closed_at IS NULL") == [(0,)]
    assert "on holiday" in installation.run("doctor").stdout
    assert "Removed 1 mute " in installation.run("mute", "quiet", "--clear").stdout
    assert installation.query("SELECT count(*) FROM ops.alert_mute") == [(0,)]
