"""Record removals and apply them to tables, archive and logs.

A removal is a row of ops.removal and a note stored next to the archive. The note lets a database that was restored
from an older backup apply the removal again. Notes of erasures hold keyed hashes instead of URLs and names.

Applying a removal can be killed and repeated. Its rows are deleted in one transaction, which also queues the captures
to overwrite in staging.erase_queue.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json, execute_values

from pressmark.archive.erasure import erase_captures
from pressmark.archive.store import ArchiveStore
from pressmark.errors import ArchiveError, ConfigError
from pressmark.removal.rules import Action, Removal, Target, check_value, erasure_secret, fold_person, keyed, masked_uid
from pressmark.settings import Settings
from pressmark.text import plural
from pressmark.urls import URL_RULE, absolute, url_host, url_uid
from pressmark.warehouse.connection import Connection, Warehouse, transaction
from pressmark.warehouse.locks import session_lock, take_turn
from pressmark.warehouse.queries import queries

NOTES = "removals"
ARCHIVE_LOCK = "pressmark archive"  # held while rewriting, joining or deleting archive files
_SQL = queries("removal")
_ARTICLE_STATEMENTS = (
    "erase_search", "erase_merges", "erase_comments", "erase_revisions", "erase_variants", "erase_captures",
    "erase_events", "erase_articles",
)  # fmt: skip
_URL_STATEMENTS = ("erase_url_listings", "erase_frontier", "erase_quarantine", "erase_staged")

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Found:
    """Rows of this warehouse that a removal covers."""

    articles: list[UUID] = field(default_factory=list)
    uids: list[UUID] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    comments: list[UUID] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RemovalResult:
    """Counts of hidden or erased articles, removed comments, overwritten captures and blanked log lines."""

    articles: int = 0
    comments: int = 0
    captures: int = 0
    log_lines: int = 0


def read_removals(cursor: Cursor, settings: Settings, outlet: str | None = None) -> list[Removal]:
    """Return the removals that may concern an outlet (None: all)."""
    cursor.execute(_SQL["all"], {"outlet": outlet})
    rows = cursor.fetchall()
    if not rows:
        return []
    secret = _checked_secret(cursor, settings) if any(row[5] is not None for row in rows) else b""
    cursor.execute(_SQL["identity_parameters"], {"outlet": outlet})
    parameters = dict(cursor.fetchall())
    removals = []
    for removal_id, target, action, value, of_outlet, key, length, _, url_rule in rows:
        uid = None
        owner = of_outlet or outlet
        if target == "url" and value and owner and absolute(value):
            uid = url_uid(owner, value, parameters.get(owner))
        value_key = bytes(key) if key is not None else None
        kept = parameters.get(of_outlet) if of_outlet else None
        identifying = tuple(kept) if kept is not None else None
        removals.append(
            Removal(removal_id, target, action, value, of_outlet, uid, value_key, length, url_rule, identifying, secret)
        )
    return removals


def check_erasure_key(cursor: Cursor, settings: Settings) -> None:
    """Raise ConfigError if anything was erased and this machine does not have the key of the erasures."""
    cursor.execute(_SQL["hashed"])
    if (cursor.fetchone() or (False,))[0]:
        _checked_secret(cursor, settings)


def record_erasure_key(cursor: Cursor, settings: Settings) -> None:
    """Store the check value of this machine's key if anything was erased before check values were kept.

    Only for upgrades, which run where the key is. Raises ConfigError if there is none.
    """
    cursor.execute(_SQL["hashed"])
    if (cursor.fetchone() or (False,))[0]:
        cursor.execute(_SQL["keep_check_value"], {"check_value": check_value(erasure_secret(settings))})


def _checked_secret(cursor: Cursor, settings: Settings, make: bool = False) -> bytes:
    secret = erasure_secret(settings, make)
    cursor.execute(_SQL["check_value"])
    row = cursor.fetchone()
    if row is None and not make:
        raise ConfigError(
            "This database does not know yet which key earlier erasures used. Run `pressmark db migrate` on the "
            "machine that has run them."
        )
    if row is not None and bytes(row[0]) != check_value(secret):
        key = "PRESSMARK_ERASURE_KEY" if settings.erasure_key else str(settings.home / "erasure.key")
        raise ConfigError(
            f"{key} is not the key that earlier erasures used, so erased articles would come back. Use the same key on "
            "all machines."
        )
    return secret


def record_removal(
    warehouse: Warehouse,
    store: ArchiveStore,
    target: Target,
    value: str,
    action: Action,
    reason: str,
    outlet: str | None = None,
) -> Removal:
    """Record a removal in the database and next to the archive. `apply_removal` applies it.

    outlet: limits the removal to one outlet. For a URL the default is the outlet of its host.
    Raises ConfigError if the value is invalid or the outlet of a URL is ambiguous.
    """
    removal = _describe(warehouse, target, value, action, outlet)
    note = {
        "removal_id": str(removal.removal_id),
        "target": target,
        "action": action,
        "outlet": removal.outlet,
        "reason": reason,
        "requested_by": getpass.getuser(),
        "created_at": datetime.now(UTC).isoformat(),
        "value": value if action == "hide" or target == "outlet" else None,
        "value_key": _key_for(removal).hex() if action == "erase" and target != "outlet" else None,
        "key_check": check_value(removal.secret).hex() if action == "erase" else None,
        "url_rule": URL_RULE,
        "value_length": len(value) if action == "erase" and target == "prefix" else None,
    }
    # Note first: an applied removal must be known after a restore. A note without a row is applied later.
    _put_note(store, note)
    with _eraser(warehouse) as connection, transaction(connection) as cursor:
        _add(cursor, note)
        if note["value_key"]:
            _hash_earlier_hides(cursor, store, removal, note)
    return removal


def _put_note(store: ArchiveStore, note: dict[str, Any]) -> None:
    store.put_note(NOTES, f"{note['removal_id']}.json", json.dumps(note, ensure_ascii=False, sort_keys=True))


def _hash_earlier_hides(cursor: Cursor, store: ArchiveStore, removal: Removal, note: dict[str, Any]) -> None:
    """Replace the value in earlier hide removals by its hash, since the value is now erased."""
    cursor.execute(_SQL["hidden_before"], {"target": removal.target, "value": removal.value})
    notes = store.notes(NOTES)
    hashed = {name: note[name] for name in ("action", "value", "value_key", "value_length")}
    for (removal_id,) in cursor.fetchall():
        if (known := notes.get(f"{removal_id}.json")) is not None:
            _put_note(store, json.loads(known) | hashed)
        cursor.execute(_SQL["unname"], {**hashed, "value_key": _key_for(removal), "removal_id": removal_id})


def preview(warehouse: Warehouse, target: Target, value: str, action: Action, outlet: str | None = None) -> Found:
    """Return what a removal would cover, without changing anything."""
    removal = _describe(warehouse, target, value, action, outlet)
    with _eraser(warehouse) as connection, transaction(connection) as cursor:
        return _find(cursor, removal)


def apply_removal(warehouse: Warehouse, store: ArchiveStore, known: Sequence[Removal] = ()) -> RemovalResult:
    """Apply all recorded removals that are not done, then overwrite the queued captures in the archive.

    known: removals whose plain value is available, so that they needn't be matched by hash.
    """
    settings = warehouse.settings
    with_value = {removal.removal_id: removal for removal in known}
    articles = comments = log_lines = 0
    with _eraser(warehouse) as connection:
        with transaction(connection) as cursor:
            removals = read_removals(cursor, settings)
            cursor.execute(_SQL["all"], {"outlet": None})
            pending = {row[0] for row in cursor.fetchall() if not row[7]}
        for removal in removals:
            if removal.removal_id not in pending:
                continue
            found = _apply(connection, with_value.get(removal.removal_id, removal), settings)
            articles += len(found.articles) if removal.target != "commenter" else 0
            comments += len(found.comments)
            if removal.action == "erase":
                log_lines += scrub_logs(settings, found.urls)
        captures = _overwrite(connection, store)
    return RemovalResult(articles, comments, captures, log_lines)


def apply_pending_removals(warehouse: Warehouse, store: ArchiveStore) -> RemovalResult:
    """Record removals that only the notes in the archive hold, then apply all removals that are not done.

    The database lacks such removals if it was restored from an older backup or rebuilt from the archive.
    """
    notes = store.notes(NOTES)
    with _eraser(warehouse) as connection, transaction(connection) as cursor:
        cursor.execute(_SQL["known_ids"])
        known = {str(row[0]) for row in cursor.fetchall()}
        missing = [json.loads(text) for name, text in notes.items() if name.removesuffix(".json") not in known]
        for note in missing:
            _add(cursor, note)
        cursor.execute(_SQL["all"], {"outlet": None})
        pending = sum(not row[7] for row in cursor.fetchall())
        cursor.execute(_SQL["nothing_to_erase"])
        cursor.execute(_SQL["segments_to_erase"])
        waiting = cursor.fetchall()
    if missing:
        logger.warning("applying %s found in the archive but not in this database", plural(len(missing), "removal"))
    return apply_removal(warehouse, store) if pending or waiting else RemovalResult()


def drop_staged(cursor: Cursor, segment_id: UUID, outlet: str, settings: Settings) -> list[tuple[UUID, UUID]]:
    """Drop staged captures of a segment that removals cover. Runs in the load's transaction.

    Returns (crawl_id, url_uid) of each dropped capture. Captures to erase are queued and their removals are marked as
    not done, so that `apply_removal` removes the rest after the load.
    """
    removals = read_removals(cursor, settings, outlet)
    if not removals:
        return []
    cursor.execute(_SQL["staged"], {"segment_id": segment_id})
    dropped: list[tuple[UUID, UUID]] = []
    captures: list[UUID] = []
    to_repeat: set[UUID] = set()
    for capture_id, crawl_id, uid, article_uid, requested, url, urls, authors, comments in cursor.fetchall():
        identities = [(requested, uid), (url, article_uid), *((u["url"], UUID(u["url_uid"])) for u in urls)]
        covered = [r for r in removals if any(r.covers(*a) for a in identities)]
        covered += [r for r in removals if r.target == "author" and any(r.names(name) for name in authors)]
        if covered:
            captures.append(capture_id)
            dropped.append((crawl_id, uid))
            to_repeat |= {r.removal_id for r in covered if r.action == "erase"}
            if any(r.action == "erase" for r in covered):
                cursor.execute(_SQL["queue_erasure"], {"segment_id": segment_id, "url_uid": uid})
            continue
        comment_removals = [
            r for r in removals if r.target == "commenter" and any(r.names(c["author"]) for c in comments)
        ]
        if comment_removals:
            kept = [c for c in comments if not any(r.names(c["author"]) for r in comment_removals)]
            erase = any(r.action == "erase" for r in comment_removals)
            values = {"segment_id": segment_id, "capture_id": capture_id, "comments": Json(kept), "erase": erase}
            cursor.execute(_SQL["replace_comments"], values)
            if erase:
                cursor.execute(_SQL["queue_erasure"], {"segment_id": segment_id, "url_uid": uid})
                to_repeat |= {r.removal_id for r in comment_removals if r.action == "erase"}
    if captures:
        cursor.execute(_SQL["drop_staged"], {"segment_id": segment_id, "captures": captures})
    if to_repeat:
        cursor.execute(_SQL["do_again"], {"removals": sorted(to_repeat)})
    return dropped


def scrub_logs(settings: Settings, urls: Iterable[str]) -> int:
    """Overwrite every log line that contains one of these URLs, keeping file sizes. Returns the number of lines."""
    needles = [url.encode() for url in urls if len(url) > 10]
    if not needles:
        return 0
    count = 0
    folders = [settings.logs, settings.home / "airflow" / "logs", settings.home / "postgres"]
    if "AIRFLOW_HOME" in os.environ:
        folders.append(Path(os.environ["AIRFLOW_HOME"]) / "logs")
    for path in (p for folder in folders if folder.is_dir() for p in folder.rglob("*log*") if p.is_file()):
        with contextlib.suppress(OSError):
            count += _blank_lines(path, needles)
    return count


def _blank_lines(path: Path, needles: Sequence[bytes]) -> int:
    content = path.read_bytes()
    if not any(needle in content for needle in needles):
        return 0
    count = offset = 0
    with path.open("r+b") as file:  # in place, because another process may be appending to it
        for line in content.splitlines(keepends=True):
            if any(needle in line for needle in needles):
                file.seek(offset)
                file.write(b"#" * len(line.rstrip(b"\r\n")))
                count += 1
            offset += len(line)
    return count


def _describe(warehouse: Warehouse, target: Target, value: str, action: Action, outlet: str | None) -> Removal:
    settings = warehouse.settings
    value = value.strip()
    if not value:
        raise ConfigError(f"--{target} is empty.")
    uid = None
    with _eraser(warehouse) as connection, transaction(connection) as cursor:
        cursor.execute(_SQL["hashed"])
        (has_hashes,) = cursor.fetchone() or (False,)
        if target == "url":
            url = absolute(value)
            if url is None:
                raise ConfigError(f"{value!r} is not an http(s) URL.")
            value = url
            outlet, parameters = _owner(cursor, url, outlet)
            uid = url_uid(outlet, url, parameters)
        elif target == "prefix" and not value.startswith(("http://", "https://")):
            raise ConfigError(f"--prefix {value!r} must begin with http:// or https://.")
        elif target == "outlet":
            outlet = None
        secret = b""
        if action == "erase":
            secret = _checked_secret(cursor, settings, make=not has_hashes)
            cursor.execute(_SQL["keep_check_value"], {"check_value": check_value(secret)})
    return Removal(uuid4(), target, action, value, outlet, uid, None, len(value), secret=secret)


def _owner(cursor: Cursor, url: str, outlet: str | None) -> tuple[str, Any]:
    cursor.execute(queries("url_history")["outlets_of_host"], {"host": url_host(url)})
    owners = dict(cursor.fetchall())
    if outlet is None and len(owners) == 1:
        outlet = next(iter(owners))
    if outlet is None or outlet not in owners:
        known = ", ".join(sorted(owners)) or "none"
        raise ConfigError(f"Cannot tell which outlet {url} belongs to (outlets of its host: {known}). Add --outlet ID.")
    return outlet, owners[outlet]


def _key_for(removal: Removal) -> bytes:
    assert removal.value is not None
    if removal.target == "url":
        assert removal.url_uid is not None
        return keyed(removal.secret, "url", removal.url_uid.hex)
    text = fold_person(removal.value) if removal.target in ("author", "commenter") else removal.value
    return keyed(removal.secret, removal.target, text)


def _add(cursor: Cursor, note: dict[str, Any]) -> None:
    key = bytes.fromhex(note["value_key"]) if note["value_key"] else None
    cursor.execute(_SQL["add"], {"url_rule": 1, **note, "value_key": key})
    if note.get("key_check"):
        cursor.execute(_SQL["keep_check_value"], {"check_value": bytes.fromhex(note["key_check"])})


def _apply(connection: Connection, removal: Removal, settings: Settings) -> Found:
    """Apply one removal to the tables, in one transaction."""
    with transaction(connection) as cursor:
        take_turn(cursor, "load")
        take_turn(cursor, "cluster")
        cursor.execute(queries("load")["next_load_seq"])
        (load_seq,) = cursor.fetchone() or (0,)
        found = _find(cursor, removal)
        values: dict[str, Any] = {
            "articles": found.articles, "uids": found.uids, "urls": found.urls, "load_seq": load_seq,
            "comments": found.comments,
        }  # fmt: skip
        if removal.target == "commenter":
            _remove_comments(cursor, removal, values)
        elif removal.action == "hide":
            for statement in ("hide", "hide_from_search", "rest"):
                cursor.execute(_SQL[statement], values)
        else:
            _erase(cursor, values, found, erasure_secret(settings))
        count = len(found.comments if removal.target == "commenter" else found.articles)
        cursor.execute(_SQL["done"], {"removal_id": removal.removal_id, "load_seq": load_seq, "count": count})
    return found


def _find(cursor: Cursor, removal: Removal) -> Found:
    values = {"outlet": removal.value if removal.target == "outlet" else removal.outlet}
    uids: set[UUID] = set()
    found = Found()
    if removal.target == "commenter":
        cursor.execute(_SQL["commenters"], values)
        rows = [row for row in cursor.fetchall() if removal.names(row[1])]
        found.comments = [row[2] for row in rows]
        uids = {row[3] for row in rows}
    elif removal.target == "author":
        cursor.execute(_SQL["authors"], values)
        uids = {row[2] for row in cursor.fetchall() if removal.names(row[1])}
    elif removal.url_uid is not None:
        uids = {removal.url_uid}
    else:
        cursor.execute(_SQL["addresses"], values)
        uids = {uid for _, url, uid in cursor if removal.covers(url, uid)}
    if not uids:
        return found
    cursor.execute(_SQL["closure"], {"uids": sorted(uids)})
    found.articles, found.uids = cursor.fetchone() or ([], [])
    cursor.execute(_SQL["written_addresses"], {"uids": found.uids, "articles": found.articles})
    found.urls = [row[0] for row in cursor.fetchall()]
    return found


def _remove_comments(cursor: Cursor, removal: Removal, values: dict[str, Any]) -> None:
    """Delete the rows of comments, for both actions. An erasure also removes the archived pages."""
    cursor.execute(_SQL["erase_commented"], values)
    if removal.action == "erase":
        for statement in ("enqueue_erase", "forget_bytes", "forget_bytes_of_frontier"):
            cursor.execute(_SQL[statement], values)


def _erase(cursor: Cursor, values: dict[str, Any], found: Found, secret: bytes) -> None:
    cursor.execute(_SQL["enqueue_erase"], values)
    cursor.execute(_SQL["payloads"], values)
    values["payloads"], values["compared"] = cursor.fetchone() or ([], [])
    cursor.execute(_SQL["forget_samples"], values)
    for statement in (
        "rejoin",
        "erase_copies",
        "erase_bands",
        "erase_dedup_text",
        "erase_members",
        "erase_lines",
        "erase_memory",
    ):
        cursor.execute(_SQL[statement], values)
    cursor.execute(_SQL["unmerge"], values)
    for statement in _ARTICLE_STATEMENTS:
        cursor.execute(_SQL[statement], values)
    cursor.execute(_SQL["erase_extraction_overrides"], values)
    cursor.execute(_SQL["erase_extractions"], values)
    values["texts"] = [row[0] for row in cursor.fetchall()]
    cursor.execute(_SQL["erase_fingerprints"], values)
    cursor.execute(_SQL["erase_texts"], values)
    cursor.execute(_SQL["tombstones"], values)
    for statement in _URL_STATEMENTS:
        cursor.execute(_SQL[statement], values)
    masks = [(str(uid), str(masked_uid(secret, uid))) for uid in found.uids]
    if masks:
        execute_values(cursor, _SQL["mask_candidates"], masks, page_size=500)
    cursor.execute(_SQL["mask_fetches"], values)
    cursor.execute(_SQL["mask_errors"], values)


def _overwrite(connection: Connection, store: ArchiveStore) -> int:
    """Overwrite the captures queued in staging.erase_queue, file by file, so that it can be interrupted.

    A file that cannot be read or written is logged and retried at the next run. Returns the number of captures.
    """
    total = 0
    with session_lock(connection, ARCHIVE_LOCK):
        with transaction(connection) as cursor:
            cursor.execute(_SQL["nothing_to_erase"])
            cursor.execute(_SQL["segments_to_erase"])
            segments = cursor.fetchall()
        for file, rows in groupby(segments, key=lambda row: row[1]):
            group = list(rows)
            try:
                total += erase_captures(store, file, [(base, length, set(uids)) for _, _, base, length, uids in group])
            except ArchiveError as error:
                logger.error("erased captures could not be overwritten in the archive; will retry: %s", error)
                continue
            with transaction(connection) as cursor:
                for segment_id, *_, uids in group:
                    cursor.execute(_SQL["erased"], {"segment_id": segment_id, "uids": uids})
    return total


@contextlib.contextmanager
def _eraser(warehouse: Warehouse) -> Any:
    with contextlib.closing(warehouse.connect("eraser", "pressmark remove")) as connection:
        yield connection
