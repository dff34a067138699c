"""Rights signals are fetched once a day, recorded with every capture and obeyed as the outlet file configures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Installation
from tests.site import Answer, WebSite, article, feed

HOST = "rights.example"
WORDS = "The council met on Tuesday evening to talk about the bridge, the ferry and the money for both of them."
ROBOTS = (
    b"License: http://rights.example/licence.xml\nUser-agent: *\nContent-Signal: search=yes, ai-train=no\n"
    b"Content-Usage: /news/ train-ai=n\nDisallow: /closed/\n"
)


@pytest.fixture
def site() -> Iterator[WebSite]:
    site = WebSite()
    site.answers[HOST, "/robots.txt"] = Answer(ROBOTS, content_type="text/plain")
    site.answers[HOST, "/.well-known/tdmrep.json"] = Answer(
        json.dumps(
            [{"location": "/held/*", "tdm-reservation": 1}, {"location": "/news/*", "tdm-reservation": 0}]
        ).encode(),
        content_type="application/json",
    )
    paths = {"open": "/news/open", "held": "/held/story", "closed": "/closed/story", "hidden": "/news/hidden"}
    site.answers[HOST, "/feed"] = feed(*((f"http://{HOST}{path}", name) for name, path in paths.items()))
    for name, path in paths.items():
        head = '<meta name="robots" content="noindex">' if name == "hidden" else '<link rel="license" href="/terms">'
        site.answers[HOST, path] = article(name, *(f"{WORDS} Part {n} of {name}." for n in range(4)), head=head)
        answer = site.answers[HOST, path]
        assert isinstance(answer, Answer)
        answer.headers["X-Robots-Tag"] = "noai"
    yield site
    site.close()


@pytest.fixture
def installation(installation: Installation, site: WebSite, tmp_path: Path) -> Installation:
    """An installation with one outlet that states rights signals."""
    (tmp_path / "outlets").mkdir()
    installation.env |= {"PRESSMARK_OUTLETS": str(tmp_path / "outlets"), "PRESSMARK_RESOLVE": site.resolve(HOST)}
    write_outlet(installation)
    return installation


def write_outlet(installation: Installation, rights: str = "{}") -> None:
    (Path(installation.env["PRESSMARK_OUTLETS"]) / "stating.yaml").write_text(
        f"id: stating\nname: Stating\nhome: http://{HOST}/\ndomains: [{HOST}]\nlanguages: [en]\ntimezone: UTC\n"
        f"enabled: true\npoliteness: {{delay: 0}}\nrights: {rights}\n"
        f"endpoints: [{{method: feed, url: 'http://{HOST}/feed', source: a test}}]\n"
    )


def test_rights_signals_are_obeyed_recorded_and_shown(installation: Installation, site: WebSite) -> None:
    assert installation.outcomes("stating") == {"new": 1, "rights_reserved": 1, "robots_denied": 1, "noindex": 1}
    ((rights,),) = installation.query("SELECT rights FROM mart.article", role="analyst")
    host = rights.pop("site")
    assert rights == {"robots": ["noai"], "license": ["/terms"]}
    assert host["content_signal"] == {"ai-train": "no", "search": "yes"} and host["content_usage"] == {"train-ai": "n"}
    assert host["license"] == ["http://rights.example/licence.xml"] and host["tdm_reservation"] is False
    ((body,),) = installation.query(
        "SELECT body FROM core.site_policy WHERE encode(body_hash, 'hex') = %s", (host["robots_txt"],)
    )
    assert bytes(body) == ROBOTS, "the capture refers to the robots.txt that was valid"
    ((robots, signal, noai, licensed, denied, reserved, noindex),) = installation.query(
        "SELECT robots_txt, content_signal->>'ai-train', noai, licensed, robots_denied, rights_reserved, noindex "
        "FROM mart.outlet_rights",
        role="analyst",
    )
    assert robots == ROBOTS.decode() and (signal, noai, licensed, denied, reserved, noindex) == ("no", 1, 1, 1, 1, 1)
    assert not any(r["path"] in ("/held/story", "/closed/story") for r in site.requests)
    output = installation.run("why", f"http://{HOST}/closed/story").stdout
    assert "robots.txt: robots_denied (robots.txt disallows it for Pressmark)" in output
    output = installation.run("why", f"http://{HOST}/held/story").stdout
    assert "robots.txt: allowed" in output and "tdm_reservation True" in output and "rights_reserved" in output
    output = installation.run("why", f"http://{HOST}/news/open").stdout
    assert (
        "content_signal {'ai-train': 'no', 'search': 'yes'}" in output and "rights signals: robots ['noai']" in output
    )
    assert "next fetch:" in output and "archived in" in output


def test_site_policies_are_fetched_once_a_day_and_stored_once_per_change(
    installation: Installation, site: WebSite
) -> None:
    installation.crawl("stating")
    before = len(site.requests)
    installation.crawl("stating")
    assert not [r["path"] for r in site.requests[before:] if "robots" in r["path"] or "tdmrep" in r["path"]]
    installation.query("UPDATE ops.site_policy_check SET expires_at = now()")
    installation.crawl("stating")
    assert installation.query("SELECT count(*) FROM core.site_policy") == [(2,)], "an unchanged policy is stored once"
    site.answers[HOST, "/robots.txt"] = Answer(b"User-agent: *\nDisallow: /\n", content_type="text/plain")
    installation.query("UPDATE ops.site_policy_check SET expires_at = now()")
    assert installation.run("crawl", "stating", check=False).returncode == 1, "the only feed is disallowed now"
    assert installation.query("SELECT count(*) FROM core.site_policy WHERE kind = 'robots'") == [(2,)]
    ((rights,),) = installation.query("SELECT rights FROM mart.article", role="analyst")
    assert rights["site"]["content_signal"] == {"ai-train": "no", "search": "yes"}, "recorded rights do not change"


def test_robots_txt_error_is_cached_for_minutes_only(installation: Installation, site: WebSite) -> None:
    site.answers[HOST, "/robots.txt"] = Answer(b"down", 503)
    assert installation.run("crawl", "stating", check=False).returncode == 1
    assert installation.query(
        "SELECT http_status, expires_at - checked_at <= interval '5 minutes' FROM ops.site_policy_check "
        "WHERE kind = 'robots'"
    ) == [(503, True)]


def test_outlet_file_or_tdm_basis_can_switch_to_recording_only(installation: Installation, site: WebSite) -> None:
    write_outlet(installation, "{noindex: record}")
    outcomes = installation.outcomes("stating", PRESSMARK_TDM_BASIS="research")
    assert outcomes == {"new": 3, "robots_denied": 1}, "robots.txt is always obeyed"
    rows = dict(installation.query("SELECT headline, rights FROM mart.article", role="analyst"))
    assert rows["held"]["site"]["tdm_reservation"] is True and rows["hidden"]["robots"] == ["noai", "noindex"]
    assert installation.query("SELECT tdm_reserved FROM mart.outlet_rights", role="analyst") == [(1,)]
