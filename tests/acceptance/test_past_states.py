"""Named states, their check and datasheet; revisions as hunks; the feed of changes."""

from __future__ import annotations

import json
import time

import pytest

from pressmark.newsstand.server import Newsstand
from pressmark.warehouse.fingerprint import fingerprint
from tests.conftest import Line

FOUR = ("harbour-dispatch", "la-plaza", "tagesblick", "odd-lot")


def test_a_named_state_is_reproduced_after_more_came(line: Line, newsstand: Newsstand) -> None:
    line.crawl(*FOUR)
    before = line.query(
        "SELECT article_uid, headline, article_body, revision_count, copy_cluster FROM mart.article ORDER BY 1"
    )
    made = json.loads(line.run("snapshot", "first", "--json").stdout)
    assert made["articles"] == len(before) and made["content_hash"] == line.fingerprint()
    newsstand.advance()
    time.sleep(1.1)
    line.query("UPDATE ops.frontier SET next_due_at = now() - interval '1 second' WHERE outlet <> 'odd-lot'")
    line.crawl("harbour-dispatch", "la-plaza", "tagesblick", "meridian-wire")
    assert line.fingerprint() != made["content_hash"]
    ((now_seq,),) = line.query("SELECT max(change_seq) FROM mart.article_changes(0)")
    assert fingerprint(line.warehouse, now_seq) == line.fingerprint(), "the present is a state like any other"
    then = line.query(
        "SELECT article_uid, headline, article_body, revision_count, copy_cluster FROM mart.article_as_of(%s) ORDER BY 1",
        (made["load_seq"],), role="analyst",
    )  # fmt: skip
    assert then == before
    checked = json.loads(line.run("snapshot", "first", "--check", "--json").stdout)
    assert checked["equal"] and checked["removals"] == [] and checked["comments_gone"] == 0
    sheet = line.run("snapshot", "first", "--datasheet").stdout
    for words in ("# Datasheet: first", made["content_hash"], "## Gaps", "harbour-dispatch", "## How to cite"):
        assert words in sheet
    assert "first" in line.run("snapshot").stdout
    again = line.run("snapshot", "first", check=False)
    assert again.returncode == 2 and "already" in again.stderr
    unknown = line.run("snapshot", "second", "--check", check=False)
    assert unknown.returncode == 2 and "There are: first" in unknown.stderr
    # A removal since is told, and explains the difference.
    ((url,),) = line.query("SELECT url FROM mart.article WHERE outlet = 'tagesblick' ORDER BY url LIMIT 1")
    line.run("remove", "--url", url, "--hide", "--reason", "a request", "--yes")
    done = line.run("snapshot", "first", "--check", check=False)
    assert done.returncode == 1 and "removed since: hide of url" in done.stdout
    assert line.query("SELECT removals_since FROM mart.snapshot", role="analyst") == [(1,)]
    # So is what retention took out.
    gone = made["comments"]
    assert gone > 0
    line.query("DELETE FROM core.comment")
    told = json.loads(line.run("snapshot", "first", "--check", "--json", check=False).stdout)
    assert not told["equal"] and told["comments_gone"] == gone


def test_revisions_as_hunks_and_a_feed_of_changes(line: Line, newsstand: Newsstand) -> None:
    line.crawl("harbour-dispatch")
    changes = line.query("SELECT change_seq, change FROM mart.article_changes(0)", role="analyst")
    assert [change for _, change in changes] == ["new"] * 10
    cursor = max(seq for seq, _ in changes)
    part = line.query("SELECT change FROM mart.article_changes(0, 3)", role="analyst")
    assert len(part) == 10, "all of a load, or the next call would miss the rest"
    assert line.query("SELECT * FROM mart.article_changes(%s)", (cursor,), role="analyst") == []
    newsstand.advance()
    time.sleep(1.1)
    line.crawl("harbour-dispatch")
    feed = line.query("SELECT change, url FROM mart.article_changes(%s)", (cursor,), role="analyst")
    assert [change for change, _ in feed] == ["changed"]
    ((uid,),) = line.query("SELECT article_uid FROM mart.article WHERE url = %s", (feed[0][1],))
    hunks = line.query("SELECT ordinal, part, hunk, removed, added FROM mart.revision_diff(%s)", (uid,), role="analyst")
    assert hunks and {h[1] for h in hunks} == {"body"} and all(h[3] or h[4] for h in hunks)
    texts = line.query("SELECT article_body FROM mart.article_revision WHERE article_uid = %s ORDER BY ordinal", (uid,))
    old, new = (set(text.splitlines()) for (text,) in texts)
    assert {row for h in hunks for row in (h[3] or "").splitlines()} == old - new
    assert {row for h in hunks for row in (h[4] or "").splitlines()} == new - old
    assert line.query("SELECT revisions, headline_changes, body_changes FROM mart.most_revised") == [(1, 0, 1)]
    assert line.query("SELECT * FROM mart.headline_change") == []


@pytest.mark.parametrize(
    ("before", "after", "hunks"),
    [
        ("a\nb\nc", "a\nb\nc", []),
        ("a\nb\nc\nd", "a\nB\nc\nd\ne", [(2, "b", "B"), (5, None, "e")]),
        ("", "a", [(1, None, "a")]),
        ("a\nb\nc", "c", [(1, "a\nb", None)]),
        ("a\na\nb", "a\nb\na", [(2, None, "b"), (4, "b", None)]),
        (None, None, []),
        ("x", "y", [(1, "x", "y")]),
    ],
)
def test_line_diff(session_pipeline: Line, before: str, after: str, hunks: list[tuple[object, ...]]) -> None:
    rows = session_pipeline.query("SELECT line_number, removed, added FROM mart.line_diff(%s, %s)", (before, after))
    assert len(rows) == len(hunks)
    removed = [r[1] for r in rows if r[1]], [h[1] for h in hunks if h[1]]
    added = [r[2] for r in rows if r[2]], [h[2] for h in hunks if h[2]]
    assert removed[0] == removed[1] and added[0] == added[1]


def test_a_huge_difference_is_one_hunk(session_pipeline: Line) -> None:
    one, other = ("\n".join(f"{mark}{n}" for n in range(900)) for mark in "ab")
    assert session_pipeline.query("SELECT count(*) FROM mart.line_diff(%s, %s)", (one, other)) == [(1,)]
