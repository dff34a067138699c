"""Second looks at endpoints and pages: cheap where a server is honest, complete where it is not."""

from __future__ import annotations

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
from pressmark.warehouse.requests import add_request
from tests.conftest import Line
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
def looked_at(line: Line, site: WebSite, tmp_path: Path) -> Line:
    folder = tmp_path / "outlets"
    folder.mkdir()
    (folder / "second.yaml").write_text(
        f"id: second\nname: Second\nhome: http://{HOST}/\ndomains: [{HOST}]\nlanguages: [en]\ntimezone: UTC\n"
        "enabled: true\npoliteness: {delay: 0}\n"
        f"endpoints: [{{method: feed, url: '{FEED}', source: a test}}]\n"
    )
    line.env |= {"PRESSMARK_OUTLETS": str(folder), "PRESSMARK_RESOLVE": site.resolve(HOST)}
    return line


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


def make_due(line: Line, **changes: str) -> None:
    assignments = ", ".join(f"{name} = {value}" for name, value in {"next_due_at": "now()", **changes}.items())
    line.query(f"UPDATE ops.frontier SET {assignments}")


def sent(site: WebSite, since: int, name: str = "If-None-Match") -> dict[str, str | None]:
    return {
        r["path"]: r["headers"].get(name) for r in site.requests[since:] if r["path"].startswith(("/news", "/feed"))
    }


def test_an_unchanged_page_is_confirmed_without_its_body(looked_at: Line, site: WebSite) -> None:
    line = looked_at
    put(site, 3)
    assert line.outcomes("second") == {"new": 3}
    make_due(line)
    before = len(site.requests)
    assert line.outcomes("second") == {"not_modified": 3}
    assert all(sent(site, before).values()), "every request named what it had"
    assert line.query("SELECT count(*) FROM mart.article WHERE last_seen_at > first_seen_at", role="analyst") == [(3,)]
    assert line.query("SELECT count(*) FROM core.visit") == [(3,)]
    assert line.query("SELECT outcome, http_status, entries FROM ops.endpoint_poll ORDER BY polled_at") == [
        ("listed", 200, 3), ("not_modified", 304, 0),
    ]  # fmt: skip
    assert line.query("SELECT count(*) FROM core.sighting WHERE last_listed_at > first_listed_at") == [(3,)]
    told = line.run("why", f"http://{HOST}/news/story-1").stdout
    assert "The server answered 304" in told


def test_a_lying_validator_is_found_out(looked_at: Line, site: WebSite) -> None:
    line = looked_at
    state = put(site, 3, honest=False)
    line.crawl("second")
    state["more"] = " With a correction."
    make_due(line)
    assert line.outcomes("second") == {"not_modified": 3}, "believed at first"
    make_due(line, last_read_at="now() - interval '4 days'")
    before = len(site.requests)
    assert line.outcomes("second") == {"revised": 3}, "a whole page now and then"
    assert sent(site, before)["/news/story-0"] is None
    state["more"] = ""
    make_due(line)
    before = len(site.requests)
    assert line.outcomes("second") == {"revised": 3}, "once caught, never believed again"
    assert sent(site, before)["/news/story-0"] is None


def test_one_liar_does_not_spoil_the_others_three_do(looked_at: Line, site: WebSite) -> None:
    line = looked_at
    put(site, 4)
    line.crawl("second")
    for liars, conditional in ((1, 3), (3, 0)):
        make_due(line, validators_lie=f"url_uid IN (SELECT url_uid FROM ops.frontier ORDER BY url LIMIT {liars})")
        before = len(site.requests)
        line.crawl("second")
        assert sum(bool(tag) for path, tag in sent(site, before).items() if path != "/feed") == conditional


def test_a_site_that_is_broken_takes_no_article_with_it(looked_at: Line, site: WebSite) -> None:
    line = looked_at
    put(site, 8)
    line.crawl("second")
    whole = dict(site.answers)
    for n in range(8):
        site.answers[HOST, f"/news/story-{n}"] = Answer(b"<html>Not found</html>", 404)
    for _ in range(3):
        make_due(line)
        line.query("UPDATE core.outlet SET gone_after = '0 s'")
        assert line.outcomes("second") == {"gone": 8}, "the ledger tells what was seen"
    assert line.query("SELECT count(*) FROM core.article_event WHERE kind = 'missing'") == [(0,)]
    assert line.query("SELECT count(*) FROM core.article WHERE gone_at IS NOT NULL") == [(0,)]
    assert line.query("SELECT count(*) FROM ops.frontier WHERE next_due_at IS NULL") == [(0,)], (
        "all are looked at again"
    )
    site.answers.update(whole)
    make_due(line)
    assert line.outcomes("second") == {"not_modified": 8}


def test_a_scheduled_crawl_lets_a_failing_endpoint_rest(looked_at: Line, site: WebSite) -> None:
    line = looked_at
    site.answers[HOST, "/feed"] = Answer(b"down", 500)
    outlet = load_registry(Path(line.env["PRESSMARK_OUTLETS"])).get("second")
    assert scheduled(line, outlet, "1").returncode == 1
    before = len(site.requests)
    done = scheduled(line, outlet, "2")
    assert done.returncode == 1 and "it failed 1 times in a row" in done.stderr
    assert "/feed" not in sent(site, before)
    put(site, 2)
    assert line.outcomes("second") == {"new": 2}, "who asks by hand is not made to wait"
    assert line.query("SELECT failures, next_poll_at <= now() FROM ops.endpoint") == [(0, True)]


def test_a_scheduled_crawl_lets_a_silent_endpoint_rest(looked_at: Line, site: WebSite) -> None:
    line = looked_at
    put(site, 2)
    line.crawl("second")
    line.query("UPDATE ops.endpoint SET next_poll_at = now() + interval '2 hours'")
    make_due(line)
    outlet = load_registry(Path(line.env["PRESSMARK_OUTLETS"])).get("second")
    before = len(site.requests)
    assert scheduled(line, outlet, "1").returncode == 0, "nothing is wrong with it"
    assert "/feed" not in sent(site, before) and len(sent(site, before)) == 2, "what is due is looked at all the same"


def scheduled(line: Line, outlet: Outlet, run: str) -> subprocess.CompletedProcess[str]:
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

    with closing(line.warehouse.connect("loader", "pressmark test")) as connection, transaction(connection) as cursor:
        request = add(cursor)
    return subprocess.run(
        [sys.executable, "-m", "spiders.job", str(request.request_id)],
        env=line.environment(), cwd=PROJECT_ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
