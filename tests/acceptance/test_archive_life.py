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
from tests.conftest import Installation, SavedStates

# Without the outlet that has pages marked noarchive: what leaves no bytes cannot come back.
OUTLETS = ("harbour-dispatch", "la-plaza", "tagesblick", "meridian-wire", "shiomi-shimpo")


@pytest.fixture
def two_editions(installation: Installation, newsstand: Newsstand, saved_states: SavedStates) -> Installation:
    """Two crawls of five outlets: something changed, and something went missing, which a recheck confirmed."""

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
    return installation


def make_due(installation: Installation, condition: str) -> None:
    installation.query(f"UPDATE ops.frontier SET next_due_at = now() - interval '1 second' WHERE {condition}")


def pointers_read_back(installation: Installation) -> int:
    store = ArchiveStore(installation.settings.archive)
    rows = installation.query(
        "SELECT url, archive_file, archive_offset, archive_length FROM mart.article WHERE archive_file IS NOT NULL"
    )
    for url, file, offset, length in rows:
        assert read_response(store.read(file, offset, length)).url == url
    return len(rows)


def test_a_warehouse_from_its_archive(two_editions: Installation) -> None:
    installation = two_editions
    before = installation.fingerprint()
    events = installation.query("SELECT article_uid, kind FROM core.article_event ORDER BY 1, 2, observed_at")
    assert ("missing",) in {(kind,) for _, kind in events}
    installation.empty_database()
    told = json.loads(installation.run("db", "rebuild", "--from-archive", "--json").stdout)
    assert told["fingerprint"] == before and told["left_out"] == 0
    assert installation.query("SELECT article_uid, kind FROM core.article_event ORDER BY 1, 2, observed_at") == events
    assert installation.query("SELECT count(*) FROM mart.crawl WHERE NOT ledger_ok") == [(0,)]
    again = json.loads(installation.run("db", "rebuild", "--from-archive", "--json").stdout)
    assert again["segments"] == 0 and again["fingerprint"] == before
    # Crawls go on from there.
    installation.query("UPDATE ops.frontier SET next_due_at = now() - interval '1 second' WHERE outlet = 'tagesblick'")
    assert set(installation.outcomes("tagesblick")) <= {"unchanged", "known_not_due", "not_modified", "revised"}


def test_backup_and_restore(two_editions: Installation, tmp_path: Path) -> None:
    installation = two_editions
    before = installation.fingerprint()
    installation.run("db", "backup", str(tmp_path / "a.dump"))
    installation.crawl("meridian-wire")
    refused = installation.run("db", "restore", str(tmp_path / "a.dump"), check=False)
    assert refused.returncode == 2 and "already" in refused.stderr
    installation.drop_database()
    assert before in installation.run("db", "restore", str(tmp_path / "a.dump")).stdout
    assert installation.fingerprint() == before
    assert installation.query("SELECT count(*) > 0 FROM mart.search('harbour')", role="analyst") == [(True,)]
    assert pointers_read_back(installation) == installation.query("SELECT count(*) FROM mart.article")[0][0]


def test_small_files_are_joined_and_a_cut_off_join_leaves_nothing_wrong(two_editions: Installation) -> None:
    installation = two_editions
    before = installation.fingerprint()
    store = ArchiveStore(installation.settings.archive)
    names = list(store.files())
    kept = installation.home / "kept"
    installation.run("db", "backup", str(installation.home / "before-joining.dump"))
    shutil.copytree(installation.home / "archive", kept)
    outlets = load_registry(installation.settings.outlets).outlets.values()
    tomorrow = datetime.now(UTC) + timedelta(days=2)
    done = maintain(installation.warehouse, store, outlets, tomorrow)
    several = [o for o in OUTLETS if sum(name.startswith(f"{o}/") for name in names) > 1]
    parts = [name for name in names if name.partition("/")[0] in several]
    assert len(several) >= 3 and done.counts["files joined"] == len(parts)
    joined = list(store.files())
    assert len(joined) == len(OUTLETS) and sum("joined_" in name for name in joined) == len(several)
    assert installation.fingerprint() == before and pointers_read_back(installation) > 40
    # A join that was cut off before it deleted what it had joined.
    for name in parts:
        target = installation.home / "archive" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(kept / name, target)
    told = json.loads(installation.run("maintain", "--json").stdout)
    assert told["spare archive files deleted"] == len(parts) and told["orphaned segments staged again"] == 0
    assert sorted(store.files()) == sorted(joined)
    assert installation.fingerprint() == before and pointers_read_back(installation) > 40
    # A backup from before the join, beside the archive of today: rows are led to where their bytes are now.
    installation.drop_database()
    installation.run("db", "restore", str(installation.home / "before-joining.dump"))
    told = json.loads(installation.run("maintain", "--json").stdout)
    assert told["spare archive files deleted"] == told["orphaned segments staged again"] == 0
    assert installation.fingerprint() == before and pointers_read_back(installation) > 40
    # The joined files fill an empty warehouse like the others.
    installation.empty_database()
    assert json.loads(installation.run("db", "rebuild", "--from-archive", "--json").stdout)["fingerprint"] == before
    assert pointers_read_back(installation) > 40


def test_files_without_rows_are_staged_again(two_editions: Installation, tmp_path: Path) -> None:
    """A database restored from before the last crawls, beside the archive of today."""
    installation = two_editions
    installation.run("db", "backup", str(tmp_path / "before.dump"))
    installation.crawl("severny-mayak")
    after = installation.fingerprint()
    installation.drop_database()
    installation.run("db", "restore", str(tmp_path / "before.dump"))
    assert installation.fingerprint() != after
    told = json.loads(installation.run("maintain", "--json").stdout)
    assert told["orphaned segments staged again"] >= 1
    installation.run("load")
    assert installation.fingerprint() == after


def test_retention(installation: Installation, newsstand: Newsstand, tmp_path: Path) -> None:
    folder = tmp_path / "outlets"
    shutil.copytree(Path(installation.env["PRESSMARK_OUTLETS"]), folder)
    for outlet in ("harbour-dispatch", "odd-lot"):
        file = folder / f"{outlet}.yaml"
        kept = "{archive: 30d, refused: 10d, comments: 20d}" if outlet == "harbour-dispatch" else "{refused: 10d}"
        file.write_text(file.read_text() + f"retention: {kept}\n")
    installation.env["PRESSMARK_OUTLETS"] = str(folder)
    installation.crawl("harbour-dispatch", "odd-lot")
    before = installation.query("SELECT count(*), sum(word_count) FROM mart.article")
    store, outlets = ArchiveStore(installation.settings.archive), load_registry(folder).outlets.values()
    early = maintain(installation.warehouse, store, outlets, datetime.now(UTC) + timedelta(days=5))
    assert not early.counts["comments expired"] and not early.counts["captures overwritten"]
    refused = installation.query("SELECT count(*) FROM ops.quarantine WHERE segment_id IS NOT NULL")[0][0]
    middle = maintain(installation.warehouse, store, outlets, datetime.now(UTC) + timedelta(days=25))
    assert middle.counts["comments expired"] > 0 and middle.counts["captures overwritten"] == refused > 5
    assert installation.query("SELECT count(*) FROM mart.comment", role="comments") == [(0,)]
    late = maintain(installation.warehouse, store, outlets, datetime.now(UTC) + timedelta(days=35))
    assert late.counts["archive files expired"] == 1
    assert installation.query("SELECT count(*), sum(word_count) FROM mart.article") == before, (
        "what was read of them stays"
    )
    ((pages,),) = installation.query("SELECT count(archive_file) FROM mart.article WHERE outlet = 'harbour-dispatch'")
    assert pages == 0 and pointers_read_back(installation) > 10
    with contextlib.suppress(FileNotFoundError):
        assert not list((installation.home / "archive" / "harbour-dispatch").rglob("*.warc.gz"))


def test_partitions_and_purge(installation: Installation, newsstand: Newsstand) -> None:
    installation.crawl("tagesblick")
    installation.query(
        "INSERT INTO staging.event VALUES (gen_random_uuid(), gen_random_uuid(), 'x', 'missing', now(), gen_random_uuid(), NULL)"
    )
    store, outlets = (
        ArchiveStore(installation.settings.archive),
        load_registry(installation.settings.outlets).outlets.values(),
    )
    done = maintain(installation.warehouse, store, outlets, datetime.now(UTC) + timedelta(days=500))
    assert done.counts["staged rows purged"] == 1 and done.counts["partitions of fetches dropped"] >= 1
    assert installation.query("SELECT to_regclass('ops.fetch_default') IS NOT NULL") == [(True,)]
    installation.query("SELECT ops.ensure_partitions(3)")
