"""Rebuilding from the archive, backup and restore, file compaction and retention: the content stays the same."""

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
from pressmark.registry import Registry, load_registry
from tests.conftest import Installation, SavedStates

# odd-lot is left out: it has noarchive pages, which leave no bytes in the archive and cannot be rebuilt.
OUTLETS = ("harbour-dispatch", "la-plaza", "tagesblick", "meridian-wire", "shiomi-shimpo")


@pytest.fixture
def two_editions(installation: Installation, newsstand: Newsstand, saved_states: SavedStates) -> None:
    """Crawl five outlets twice. One article is revised and one goes missing, which a recheck confirms."""

    def crawl() -> None:
        installation.crawl(*OUTLETS)
        newsstand.advance()
        time.sleep(1.1)
        make_due(installation, "outlet = 'la-plaza'")
        installation.crawl(*OUTLETS)
        make_due(installation, "last_outcome = 'gone'")
        installation.crawl("la-plaza")

    saved_states.provide(installation, "two_editions", crawl)
    if newsstand.edition == 1:
        newsstand.advance()


def make_due(installation: Installation, condition: str) -> None:
    installation.query(f"UPDATE ops.frontier SET next_due_at = now() - interval '1 second' WHERE {condition}")


def check_archive_pointers(installation: Installation) -> int:
    """Check that each archive pointer leads to the page of its article. Return the number of pointers."""
    store = ArchiveStore(installation.settings.archive)
    rows = installation.query(
        "SELECT url, archive_file, archive_offset, archive_length FROM mart.article WHERE archive_file IS NOT NULL"
    )
    for url, file, offset, length in rows:
        assert read_response(store.read(file, offset, length)).url == url
    return len(rows)


@pytest.mark.usefixtures("two_editions")
def test_rebuild_from_archive_gives_the_same_content(installation: Installation) -> None:
    before = installation.fingerprint()
    events = installation.query("SELECT article_uid, kind FROM core.article_event ORDER BY 1, 2, observed_at")
    assert ("missing",) in {(kind,) for _, kind in events}
    installation.empty_database()
    report = json.loads(installation.run("db", "rebuild", "--from-archive", "--json").stdout)
    assert report["fingerprint"] == before and report["left_out"] == 0
    assert installation.query("SELECT article_uid, kind FROM core.article_event ORDER BY 1, 2, observed_at") == events
    assert installation.query("SELECT count(*) FROM mart.crawl WHERE NOT ledger_ok") == [(0,)]
    again = json.loads(installation.run("db", "rebuild", "--from-archive", "--json").stdout)
    assert again["segments"] == 0 and again["fingerprint"] == before
    # Crawls resume from the rebuilt state.
    installation.query("UPDATE ops.frontier SET next_due_at = now() - interval '1 second' WHERE outlet = 'tagesblick'")
    assert set(installation.outcomes("tagesblick")) <= {"unchanged", "known_not_due", "not_modified", "revised"}


@pytest.mark.usefixtures("two_editions")
def test_restored_backup_has_the_same_content(installation: Installation, tmp_path: Path) -> None:
    before = installation.fingerprint()
    installation.run("db", "backup", str(tmp_path / "a.dump"))
    installation.crawl("meridian-wire")
    refused = installation.run("db", "restore", str(tmp_path / "a.dump"), check=False)
    assert refused.returncode == 2 and "already" in refused.stderr
    installation.drop_database()
    assert before in installation.run("db", "restore", str(tmp_path / "a.dump")).stdout
    assert installation.fingerprint() == before
    assert installation.query("SELECT count(*) > 0 FROM mart.search('harbour')", role="analyst") == [(True,)]
    assert check_archive_pointers(installation) == installation.query("SELECT count(*) FROM mart.article")[0][0]


@pytest.mark.usefixtures("two_editions")
def test_compaction_joins_small_files_and_recovers_from_an_interrupted_join(installation: Installation) -> None:
    before = installation.fingerprint()
    store = ArchiveStore(installation.settings.archive)
    names = list(store.files())
    kept = installation.home / "kept"
    installation.run("db", "backup", str(installation.home / "before-joining.dump"))
    shutil.copytree(installation.home / "archive", kept)
    outlets = load_registry(installation.settings).outlets.values()
    next_month = datetime.now(UTC) + timedelta(days=33)
    result = maintain(installation.warehouse, store, outlets, next_month)
    outlets_with_several_files = [o for o in OUTLETS if sum(name.startswith(f"{o}/") for name in names) > 1]
    parts = [name for name in names if name.partition("/")[0] in outlets_with_several_files]
    assert len(outlets_with_several_files) >= 3 and result.counts["files joined"] == len(parts)
    joined = list(store.files())
    assert len(joined) == len(OUTLETS) and sum("joined_" in name for name in joined) == len(outlets_with_several_files)
    assert installation.fingerprint() == before and check_archive_pointers(installation) > 40
    # A join that was killed after it wrote the joined file and before it deleted the originals.
    for name in parts:
        target = installation.home / "archive" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(kept / name, target)
    report = json.loads(installation.run("maintain", "--json").stdout)
    assert report["spare archive files deleted"] == len(parts) and report["orphaned segments staged again"] == 0
    assert sorted(store.files()) == sorted(joined)
    assert installation.fingerprint() == before and check_archive_pointers(installation) > 40
    # A backup from before the join with the current archive: rows must point to the joined files.
    installation.drop_database()
    installation.run("db", "restore", str(installation.home / "before-joining.dump"))
    report = json.loads(installation.run("maintain", "--json").stdout)
    assert report["spare archive files deleted"] == report["orphaned segments staged again"] == 0
    assert installation.fingerprint() == before and check_archive_pointers(installation) > 40
    # An empty warehouse can be rebuilt from joined files.
    installation.empty_database()
    assert json.loads(installation.run("db", "rebuild", "--from-archive", "--json").stdout)["fingerprint"] == before
    assert check_archive_pointers(installation) > 40


@pytest.mark.usefixtures("two_editions")
def test_archive_files_without_rows_are_staged_again(installation: Installation, tmp_path: Path) -> None:
    """Restore a database from before the last crawl and keep the current archive."""
    installation.run("db", "backup", str(tmp_path / "before.dump"))
    installation.crawl("severny-mayak")
    after = installation.fingerprint()
    installation.drop_database()
    installation.run("db", "restore", str(tmp_path / "before.dump"))
    assert installation.fingerprint() != after
    report = json.loads(installation.run("maintain", "--json").stdout)
    assert report["orphaned segments staged again"] >= 1
    installation.run("load")
    assert installation.fingerprint() == after


def test_retention_removes_pages_and_comments_but_keeps_texts(
    installation: Installation, newsstand: Newsstand, tmp_path: Path
) -> None:
    folder = tmp_path / "outlets"
    shutil.copytree(Path(installation.env["PRESSMARK_OUTLETS"]), folder)
    for outlet in ("harbour-dispatch", "odd-lot"):
        file = folder / f"{outlet}.yaml"
        kept = "{archive: 30d, refused: 10d, comments: 20d}" if outlet == "harbour-dispatch" else "{refused: 10d}"
        file.write_text(file.read_text() + f"retention: {kept}\n")
    installation.env["PRESSMARK_OUTLETS"] = str(folder)
    installation.crawl("harbour-dispatch", "odd-lot")
    before = installation.query("SELECT count(*), sum(word_count) FROM mart.article")
    store, outlets = ArchiveStore(installation.settings.archive), Registry(folder).outlets.values()
    early = maintain(installation.warehouse, store, outlets, datetime.now(UTC) + timedelta(days=5))
    assert not early.counts["comments expired"] and not early.counts["captures overwritten"]
    refused = installation.query("SELECT count(*) FROM ops.quarantine WHERE segment_id IS NOT NULL")[0][0]
    middle = maintain(installation.warehouse, store, outlets, datetime.now(UTC) + timedelta(days=25))
    assert middle.counts["comments expired"] > 0 and middle.counts["captures overwritten"] == refused > 5
    assert installation.query("SELECT count(*) FROM mart.comment", role="comments") == [(0,)]
    late = maintain(installation.warehouse, store, outlets, datetime.now(UTC) + timedelta(days=35))
    assert late.counts["archive files expired"] == 1
    assert installation.query("SELECT count(*), sum(word_count) FROM mart.article") == before, (
        "extracted texts are kept"
    )
    ((pages,),) = installation.query("SELECT count(archive_file) FROM mart.article WHERE outlet = 'harbour-dispatch'")
    assert pages == 0 and check_archive_pointers(installation) > 10
    with contextlib.suppress(FileNotFoundError):
        assert not list((installation.home / "archive" / "harbour-dispatch").rglob("*.warc.gz"))


def test_old_partitions_and_staged_rows_are_removed(installation: Installation, newsstand: Newsstand) -> None:
    installation.crawl("tagesblick")
    installation.query(
        "INSERT INTO staging.event "
        "VALUES (gen_random_uuid(), gen_random_uuid(), 'x', 'missing', now(), gen_random_uuid(), NULL)"
    )
    store, outlets = (
        ArchiveStore(installation.settings.archive),
        load_registry(installation.settings).outlets.values(),
    )
    result = maintain(installation.warehouse, store, outlets, datetime.now(UTC) + timedelta(days=500))
    assert result.counts["staged rows purged"] == 1 and result.counts["fetch partitions dropped"] >= 1
    assert installation.query("SELECT to_regclass('ops.fetch_default') IS NOT NULL") == [(True,)]
    installation.query("SELECT ops.ensure_partitions(3)")
