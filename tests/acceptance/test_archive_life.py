"""A warehouse from its archive, backups, retention, joined files: the content stays the same."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pressmark.archive.records import read_response
from pressmark.archive.store import ArchiveStore
from pressmark.crawl.maintenance import maintain
from pressmark.newsstand.server import Newsstand
from pressmark.registry import load_registry
from tests.conftest import Line

# Without the outlet that has pages marked noarchive: what leaves no bytes cannot come back.
OUTLETS = ("harbour-dispatch", "la-plaza", "tagesblick", "meridian-wire", "shiomi-shimpo")


@pytest.fixture
def two_editions(line: Line, newsstand: Newsstand) -> Line:
    """Two crawls of five outlets; something changed, something went, and its second look confirmed it."""
    line.crawl(*OUTLETS)
    newsstand.advance()
    time.sleep(1.1)
    line.query("UPDATE ops.frontier SET next_due_at = now() - interval '1 second' WHERE outlet = 'la-plaza'")
    line.crawl(*OUTLETS)
    line.query("UPDATE ops.frontier SET next_due_at = now() - interval '1 second' WHERE last_outcome = 'gone'")
    line.crawl("la-plaza")
    return line


def pointers_read_back(line: Line) -> int:
    store = ArchiveStore(line.settings.archive)
    rows = line.query(
        "SELECT url, archive_file, archive_offset, archive_length FROM mart.article WHERE archive_file IS NOT NULL"
    )
    for url, file, offset, length in rows:
        assert read_response(store.read(file, offset, length)).url == url
    return len(rows)


def test_a_warehouse_from_its_archive(two_editions: Line) -> None:
    line = two_editions
    before = line.fingerprint()
    events = line.query("SELECT article_uid, kind FROM core.article_event ORDER BY 1, 2, observed_at")
    assert ("missing",) in {(kind,) for _, kind in events}
    line.empty_database()
    told = json.loads(line.run("db", "rebuild", "--from-archive", "--json").stdout)
    assert told["fingerprint"] == before and told["left_out"] == 0
    assert line.query("SELECT article_uid, kind FROM core.article_event ORDER BY 1, 2, observed_at") == events
    assert line.query("SELECT count(*) FROM mart.crawl WHERE NOT ledger_ok") == [(0,)]
    again = json.loads(line.run("db", "rebuild", "--from-archive", "--json").stdout)
    assert again["segments"] == 0 and again["fingerprint"] == before
    # Crawls go on from there.
    line.query("UPDATE ops.frontier SET next_due_at = now() - interval '1 second' WHERE outlet = 'tagesblick'")
    assert set(line.outcomes("tagesblick")) <= {"unchanged", "known_not_due", "not_modified", "revised"}


def test_backup_and_restore(two_editions: Line, tmp_path: Path) -> None:
    line = two_editions
    before = line.fingerprint()
    line.run("db", "backup", str(tmp_path / "a.dump"))
    line.crawl("meridian-wire")
    refused = line.run("db", "restore", str(tmp_path / "a.dump"), check=False)
    assert refused.returncode == 2 and "already" in refused.stderr
    line.drop_database()
    assert before in line.run("db", "restore", str(tmp_path / "a.dump")).stdout
    assert line.fingerprint() == before
    assert line.query("SELECT count(*) > 0 FROM mart.search('harbour')", role="analyst") == [(True,)]
    assert pointers_read_back(line) == line.query("SELECT count(*) FROM mart.article")[0][0]


def test_small_files_are_joined_and_a_cut_off_join_leaves_nothing_wrong(two_editions: Line) -> None:
    line = two_editions
    before = line.fingerprint()
    store = ArchiveStore(line.settings.archive)
    names = list(store.files())
    kept = line.home / "kept"
    line.run("db", "backup", str(line.home / "before-joining.dump"))
    shutil.copytree(line.home / "archive", kept)
    outlets = load_registry(line.settings.outlets).outlets.values()
    tomorrow = datetime.now(UTC) + timedelta(days=2)
    done = maintain(line.warehouse, store, outlets, tomorrow)
    several = [o for o in OUTLETS if sum(name.startswith(f"{o}/") for name in names) > 1]
    parts = [name for name in names if name.partition("/")[0] in several]
    assert len(several) >= 3 and done.counts["files joined"] == len(parts)
    joined = list(store.files())
    assert len(joined) == len(OUTLETS) and sum("joined_" in name for name in joined) == len(several)
    assert line.fingerprint() == before and pointers_read_back(line) > 40
    # A join that was cut off before it deleted what it had joined.
    for name in parts:
        target = line.home / "archive" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(kept / name, target)
    told = json.loads(line.run("maintain", "--json").stdout)
    assert told["spare archive files deleted"] == len(parts) and told["orphaned segments staged again"] == 0
    assert sorted(store.files()) == sorted(joined)
    assert line.fingerprint() == before and pointers_read_back(line) > 40
    # A backup from before the join, beside the archive of today: rows are led to where their bytes are now.
    line.drop_database()
    line.run("db", "restore", str(line.home / "before-joining.dump"))
    told = json.loads(line.run("maintain", "--json").stdout)
    assert told["spare archive files deleted"] == told["orphaned segments staged again"] == 0
    assert line.fingerprint() == before and pointers_read_back(line) > 40
    # The joined files fill an empty warehouse like the others.
    line.empty_database()
    assert json.loads(line.run("db", "rebuild", "--from-archive", "--json").stdout)["fingerprint"] == before
    assert pointers_read_back(line) > 40


def test_files_without_rows_are_staged_again(two_editions: Line, tmp_path: Path) -> None:
    """A database restored from before the last crawls, beside the archive of today."""
    line = two_editions
    line.run("db", "backup", str(tmp_path / "before.dump"))
    line.crawl("severny-mayak")
    after = line.fingerprint()
    line.drop_database()
    line.run("db", "restore", str(tmp_path / "before.dump"))
    assert line.fingerprint() != after
    told = json.loads(line.run("maintain", "--json").stdout)
    assert told["orphaned segments staged again"] >= 1
    line.run("load")
    assert line.fingerprint() == after


def test_retention(line: Line, newsstand: Newsstand, tmp_path: Path) -> None:
    folder = tmp_path / "outlets"
    shutil.copytree(Path(line.env["PRESSMARK_OUTLETS"]), folder)
    for outlet in ("harbour-dispatch", "odd-lot"):
        file = folder / f"{outlet}.yaml"
        kept = "{archive: 30d, refused: 10d, comments: 20d}" if outlet == "harbour-dispatch" else "{refused: 10d}"
        file.write_text(file.read_text() + f"retention: {kept}\n")
    line.env["PRESSMARK_OUTLETS"] = str(folder)
    line.crawl("harbour-dispatch", "odd-lot")
    before = line.query("SELECT count(*), sum(word_count) FROM mart.article")
    store, outlets = ArchiveStore(line.settings.archive), load_registry(folder).outlets.values()
    early = maintain(line.warehouse, store, outlets, datetime.now(UTC) + timedelta(days=5))
    assert not early.counts["comments expired"] and not early.counts["captures overwritten"]
    refused = line.query("SELECT count(*) FROM ops.quarantine WHERE segment_id IS NOT NULL")[0][0]
    middle = maintain(line.warehouse, store, outlets, datetime.now(UTC) + timedelta(days=25))
    assert middle.counts["comments expired"] > 0 and middle.counts["captures overwritten"] == refused > 5
    assert line.query("SELECT count(*) FROM mart.comment", role="comments") == [(0,)]
    late = maintain(line.warehouse, store, outlets, datetime.now(UTC) + timedelta(days=35))
    assert late.counts["archive files expired"] == 1
    assert line.query("SELECT count(*), sum(word_count) FROM mart.article") == before, "what was read of them stays"
    ((pages,),) = line.query("SELECT count(archive_file) FROM mart.article WHERE outlet = 'harbour-dispatch'")
    assert pages == 0 and pointers_read_back(line) > 10
    with contextlib.suppress(FileNotFoundError):
        assert not list((line.home / "archive" / "harbour-dispatch").rglob("*.warc.gz"))


def test_partitions_and_purge(line: Line, newsstand: Newsstand) -> None:
    line.crawl("tagesblick")
    line.query(
        "INSERT INTO staging.event VALUES (gen_random_uuid(), gen_random_uuid(), 'x', 'missing', now(), gen_random_uuid(), NULL)"
    )
    store, outlets = ArchiveStore(line.settings.archive), load_registry(line.settings.outlets).outlets.values()
    done = maintain(line.warehouse, store, outlets, datetime.now(UTC) + timedelta(days=500))
    assert done.counts["staged rows purged"] == 1 and done.counts["partitions of fetches dropped"] >= 1
    assert line.query("SELECT to_regclass('ops.fetch_default') IS NOT NULL") == [(True,)]
    line.query("SELECT ops.ensure_partitions(3)")
