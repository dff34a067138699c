"""An operator's story: an outlet breaks in six ways and recovers. The Overview and Outlet pages say what is wrong.

The crawls, loads and evaluations are those of the DAG's tasks, and the pages are rendered as Airflow's API server does.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import pytest
from fastapi import HTTPException

from pressmark.airflow.crawl_tasks import audit_run, crawl_job, evaluate_job, load_job, plan_tier
from pressmark.airflow.pages import article as article_page
from pressmark.airflow.pages import outlet as outlet_page
from pressmark.airflow.pages import outlets as outlets_page
from pressmark.airflow.pages import overview as overview_page
from pressmark.airflow.pages import reextractions as reextractions_page
from pressmark.errors import PressmarkError
from tests.airflow.test_plan import HOURS, context
from tests.conftest import Installation
from tests.site import PROSE, Answer, WebSite, article, feed

FINE = [f"fine{n}" for n in range(1, 6)]
HOST = "story.example"
LOGIN = (
    "<html><head><title>Log in</title></head><body><h1>Log in to continue reading</h1><p>This article is for "
    "subscribers. Log in or subscribe.</p><form><input type='email'><input type='password'><button>Log in</button></form>"
    "</body></html>"
)


class Story:
    """Five healthy outlets and the one that the story is about."""

    def __init__(self, installation: Installation, site: WebSite, monkeypatch: pytest.MonkeyPatch) -> None:
        self.installation = installation
        self.site = site
        self._patch = monkeypatch
        self._runs = 0
        self._articles = 0
        self.is_up = True

    def publish(self, count: int, answer: Answer | None = None, at: str = HOST) -> None:
        """List more articles in the feed. answer: what their pages return instead of an article."""
        for _ in range(count):
            self._articles += 1
            number = self._articles
            self.site.answers[at, f"/{number}"] = answer or article(
                f"Report {number} of {at}", *PROSE, *PROSE[:1] * number
            )
        first = self._articles - count + 1
        self.site.answers[at, "/feed"] = feed(
            *((f"http://{at}/{number}", f"Report {number}") for number in range(first, self._articles + 1))
        )

    def run(self, kind: str = "scheduled") -> None:
        """Run the hourly tier as its DAG does."""
        self._runs += 1
        down = "" if self.is_up else f",{HOST}=127.0.0.1:9"
        hosts = [f"{name}.example" for name in FINE] + ([HOST] if self.is_up else [])
        for name, value in self.installation.environment(PRESSMARK_RESOLVE=self.site.resolve(*hosts) + down).items():
            if name.startswith("PRESSMARK_"):
                self._patch.setenv(name, value)
        run_id = f"{kind}__{self._runs}"
        jobs = plan_tier("hourly", context(kind, HOURS if kind == "scheduled" else None, run_id))
        # One process for all is faster than one for each.
        outlets = [outlet for job in jobs for outlet in job["outlets"]]
        together = {"name": "all", "outlets": outlets, "requests": [r for job in jobs for r in job["requests"]]}
        with suppress(PressmarkError):
            crawl_job(together)
        load_job(together)
        evaluate_job(together, "crawl_hourly", run_id)
        audit_run("crawl_hourly", run_id)

    def robots(self, text: str) -> None:
        """Serve this robots.txt. The stored one expires."""
        self.site.answers[HOST, "/robots.txt"] = Answer(text.encode(), content_type="text/plain")
        self.installation.query("UPDATE ops.site_policy_check SET expires_at = now()")


def visible_text(page: str) -> str:
    """Return the text of a page without tags, on one line."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


@pytest.fixture
def story(
    installation: Installation, site: WebSite, outlet_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> Story:
    for name in [*FINE, "story"]:
        folder = outlet_file(name, f"{name}.example")
    installation.env = {"PRESSMARK_OUTLETS": str(folder)}
    outlets = Story(installation, site, monkeypatch)
    for name in FINE:
        outlets.publish(1, at=f"{name}.example")
    return outlets


def overview() -> tuple[str, str, str]:
    """Return the first line, the text and the source of the Overview page."""
    page = overview_page.overview()
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", page)
    assert heading is not None
    return html.unescape(heading[1]), visible_text(page), page


def expect(state: str, cause: str, note: str = "") -> None:
    """Check the Overview's line, its alert with its buttons, and the cause on the Outlet and Outlets pages."""
    line, text, source = overview()
    assert line == "6 outlets: 5 healthy, 1 needs attention"
    assert cause in text, text
    assert f'class="state {state}"' in source
    for button in ("Log", "Try now", "Pause …", "Mute …"):
        assert f">{button}<" in source, button
    assert 'data-run="crawl_hourly"' in source and '{"outlets": ["story"]}' in html.unescape(source)
    for page in (outlet_page.outlet("story"), outlets_page.outlets(q="story")):
        assert cause in visible_text(page) and f'class="state {state}"' in page
        assert note in visible_text(page), visible_text(page)
    for page in (source, outlet_page.outlet("story")):
        assert "Traceback" not in page and "Failure" not in page and "None" not in visible_text(page)


@pytest.mark.long
def test_pages_name_each_trouble_of_an_outlet_within_two_runs(story: Story) -> None:
    story.publish(4)
    story.run()
    assert overview()[0] == "6 outlets: 6 healthy" and "No open alerts." in overview()[1]
    assert ">Crawl now<" in outlet_page.outlet("story")

    # Its site is down. The cause stays while nothing is requested, and one attempt is one failure.
    story.is_up = False
    story.run()
    expect("failing", "story.example refused the connection", "1 failed crawl")
    story.run()
    expect("failing", "story.example refused the connection", "waiting until ")
    page = visible_text(outlet_page.outlet("story"))
    assert "1 failed crawl" in page and "2 failed crawls" not in page and "nothing was requested" in page
    story.run("manual")
    expect("failing", "story.example refused the connection", "2 failed crawls")
    story.is_up = True
    story.installation.query("UPDATE ops.endpoint SET next_poll_at = now()")
    story.run()
    assert overview()[0] == "6 outlets: 6 healthy"

    # robots.txt forbids everything.
    story.robots("User-agent: *\nDisallow: /\n")
    story.run()
    expect("blocked", "robots.txt")
    story.robots("User-agent: *\nAllow: /\n")
    story.installation.query("UPDATE ops.endpoint SET next_poll_at = now()")
    story.publish(3)
    story.run()
    assert overview()[0] == "6 outlets: 6 healthy"

    # The text is gone from its pages.
    story.publish(4, Answer(b"<html><head><title>A report</title></head><body><div id='app'></div></body></html>"))
    story.run()
    expect("extraction_broken", "gave no article")
    story.publish(4)
    story.run()
    assert overview()[0] == "6 outlets: 6 healthy"

    # A login wall.
    story.publish(4, Answer(LOGIN.encode(), 401))
    story.run()
    expect("blocked", "all 4 pages of the last crawl were refused: paywall or login wall")
    story.publish(4)
    story.run()
    assert overview()[0] == "6 outlets: 6 healthy"

    # The feed stays the same for four days.
    story.installation.query(
        "UPDATE core.article SET first_seen_at = first_seen_at - interval '4 days' WHERE outlet = 'story'"
    )
    story.run()
    expect("silent", "no new article for more than 3 days", "4 days ago")
    assert "unchanged)" in visible_text(outlet_page.outlet("story")) or "known not due" in visible_text(
        outlet_page.outlet("story")
    )

    # Back up again.
    story.publish(2)
    story.run()
    assert overview()[0] == "6 outlets: 6 healthy" and "No open alerts." in overview()[1]


def test_archived_page_is_shown_without_scripts_and_requests(
    installation: Installation, serve: Callable[..., WebSite], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = serve()
    page = article("A page with a script", *PROSE, head="<script>alert(1)</script><meta http-equiv=refresh content=0>")
    site.answers["test.example", "/feed"] = feed(
        ("http://test.example/story", "t"), ("http://test.example/empty", "t"), ("http://test.example/gone", "t")
    )
    site.answers["test.example", "/story"] = page
    site.answers["test.example", "/empty"] = Answer(b"<html><body><p>Soon.</p></body></html>")
    installation.crawl("test")
    for name, value in installation.environment().items():
        if name.startswith("PRESSMARK_"):
            monkeypatch.setenv(name, value)
    ((uid,),) = installation.query("SELECT article_uid FROM mart.article")
    for response, words in (
        (article_page.archived(article=uid), "A page with a script"),
        (article_page.archived(outlet="test", url="http://test.example/empty"), "Soon."),
    ):
        policy = response.headers["content-security-policy"]
        assert policy.startswith("sandbox; default-src 'none'") and "script-src" not in policy
        assert words in bytes(response.body).decode()
    for wanted in ({"article": UUID(int=0)}, {"outlet": "test", "url": "http://test.example/gone"}, {}):
        with pytest.raises(HTTPException) as refused:
            article_page.archived(**wanted)
        assert refused.value.status_code == 404


def test_reextraction_page_compares_samples(
    installation: Installation, serve: Callable[..., WebSite], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = serve()
    site.answers["test.example", "/feed"] = feed(("http://test.example/story", "t"))
    page = article("Herons return", *PROSE, *(f"The harbour office counted {n} boats that day." for n in range(9)))
    site.answers["test.example", "/story"] = page
    installation.crawl("test")
    nothing = installation.run("reextract", "test")
    assert "There was no page to extract" in nothing.stdout and "--promote" not in nothing.stdout
    file = installation.settings.outlets / "test.yaml"
    file.write_text(file.read_text() + "extraction: {prune: ['//p[1]']}\n")
    found = json.loads(installation.run("reextract", "test", "--json").stdout)
    for name, value in installation.environment().items():
        if name.startswith("PRESSMARK_"):
            monkeypatch.setenv(name, value)
    listed = visible_text(reextractions_page.reextractions())
    assert "no page to extract" in listed and "article body (1)" in listed
    shown = visible_text(reextractions_page.reextraction(UUID(found["reextraction_id"])))
    assert "1 page, 0 failed" in shown and f"--promote {found['reextraction_id']}" in shown
    assert "Herons return" in shown and "words before" in shown and shown.count(PROSE[1]) == 2
    assert shown.count(PROSE[0]) == 1, "the first paragraph is only in the text before"
