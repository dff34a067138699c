"""Snapshots with their check and datasheet, revision diffs and the change feed."""

from __future__ import annotations

import json
import time

import pytest

from pressmark.newsstand.server import Newsstand
from pressmark.warehouse.fingerprint import fingerprint
from tests.conftest import Installation

OUTLETS = ("harbour-dispatch", "la-plaza", "tagesblick", "odd-lot")


def test_snapshot_is_reproduced_after_later_crawls(installation: Installation, newsstand: Newsstand) -> None:
    installation.crawl(*OUTLETS)
    before = installation.query(
        "SELECT article_uid, headline, article_body, revision_count, copy_cluster FROM mart.article ORDER BY 1"
    )
    snapshot = json.loads(installation.run("snapshot", "first", "--json").stdout)
    assert snapshot["articles"] == len(before) and snapshot["content_hash"] == installation.fingerprint()
    newsstand.advance()
    time.sleep(1.1)
    installation.query("UPDATE ops.frontier SET next_due_at = now() - interval '1 second' WHERE outlet <> 'odd-lot'")
    installation.crawl("harbour-dispatch", "la-plaza", "tagesblick", "meridian-wire")
    assert installation.fingerprint() != snapshot["content_hash"]
    ((now_seq,),) = installation.query("SELECT max(change_seq) FROM mart.article_changes(0)")
    assert fingerprint(installation.warehouse, now_seq) == installation.fingerprint(), (
        "the current state can be addressed by its change_seq"
    )
    then = installation.query(
        "SELECT article_uid, headline, article_body, revision_count, copy_cluster "
        "FROM mart.article_as_of(%s) ORDER BY 1",
        (snapshot["load_seq"],), role="analyst",
    )  # fmt: skip
    assert then == before
    checked = json.loads(installation.run("snapshot", "first", "--check", "--json").stdout)
    assert checked["equal"] and checked["removals"] == [] and checked["comments_gone"] == 0
    datasheet = installation.run("snapshot", "first", "--datasheet").stdout
    for words in ("# Datasheet: first", snapshot["content_hash"], "## Gaps", "harbour-dispatch", "## How to cite"):
        assert words in datasheet
    assert "first" in installation.run("snapshot").stdout
    again = installation.run("snapshot", "first", check=False)
    assert again.returncode == 2 and "already" in again.stderr
    unknown = installation.run("snapshot", "second", "--check", check=False)
    assert unknown.returncode == 2 and "Known snapshots: first" in unknown.stderr
    # The check reports removals since the snapshot, which explain the difference.
    ((url,),) = installation.query("SELECT url FROM mart.article WHERE outlet = 'tagesblick' ORDER BY url LIMIT 1")
    installation.run("remove", "--url", url, "--hide", "--reason", "a request", "--yes")
    done = installation.run("snapshot", "first", "--check", check=False)
    assert done.returncode == 1 and "removed since: hide of url" in done.stdout
    assert installation.query("SELECT removals_since FROM mart.snapshot", role="analyst") == [(1,)]
    # It also reports comments that retention has deleted.
    comments = snapshot["comments"]
    assert comments > 0
    installation.query("DELETE FROM core.comment")
    check = json.loads(installation.run("snapshot", "first", "--check", "--json", check=False).stdout)
    assert not check["equal"] and check["comments_gone"] == comments


def test_revision_diff_and_change_feed(installation: Installation, newsstand: Newsstand) -> None:
    installation.crawl("harbour-dispatch")
    changes = installation.query("SELECT change_seq, change FROM mart.article_changes(0)", role="analyst")
    assert [change for _, change in changes] == ["new"] * 10
    cursor = max(seq for seq, _ in changes)
    limited = installation.query("SELECT change FROM mart.article_changes(0, 3)", role="analyst")
    assert len(limited) == 10, "a load is returned completely, or the next call would skip the rest"
    assert installation.query("SELECT * FROM mart.article_changes(%s)", (cursor,), role="analyst") == []
    newsstand.advance()
    time.sleep(1.1)
    installation.crawl("harbour-dispatch")
    feed = installation.query("SELECT change, url FROM mart.article_changes(%s)", (cursor,), role="analyst")
    assert [change for change, _ in feed] == ["changed"]
    ((uid,),) = installation.query("SELECT article_uid FROM mart.article WHERE url = %s", (feed[0][1],))
    hunks = installation.query(
        "SELECT ordinal, part, hunk, removed, added FROM mart.revision_diff(%s)", (uid,), role="analyst"
    )
    assert hunks and {h[1] for h in hunks} == {"body"} and all(h[3] or h[4] for h in hunks)
    texts = installation.query(
        "SELECT article_body FROM mart.article_revision WHERE article_uid = %s ORDER BY ordinal", (uid,)
    )
    old, new = (set(text.splitlines()) for (text,) in texts)
    assert {row for h in hunks for row in (h[3] or "").splitlines()} == old - new
    assert {row for h in hunks for row in (h[4] or "").splitlines()} == new - old
    assert installation.query("SELECT revisions, headline_changes, body_changes FROM mart.most_revised") == [(1, 0, 1)]
    assert installation.query("SELECT * FROM mart.headline_change") == []


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
def test_line_diff(
    session_installation: Installation, before: str, after: str, hunks: list[tuple[object, ...]]
) -> None:
    rows = session_installation.query("SELECT line_number, removed, added FROM mart.line_diff(%s, %s)", (before, after))
    assert len(rows) == len(hunks)
    removed = [r[1] for r in rows if r[1]], [h[1] for h in hunks if h[1]]
    added = [r[2] for r in rows if r[2]], [h[2] for h in hunks if h[2]]
    assert removed[0] == removed[1] and added[0] == added[1]


def test_large_difference_is_one_hunk(session_installation: Installation) -> None:
    one, other = ("\n".join(f"{mark}{n}" for n in range(900)) for mark in "ab")
    assert session_installation.query("SELECT count(*) FROM mart.line_diff(%s, %s)", (one, other)) == [(1,)]
