"""Upgrade a warehouse to this version: database, roles, migrations, views. Idempotent, safe to run concurrently.

Migrations are plain SQL files applied by yoyo. yoyo identifies a migration by its name only, so its sha256
is stored too and an edited file is rejected. One advisory lock covers the whole upgrade.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from pressmark import __version__
from pressmark.errors import ConfigError, ServerError
from pressmark.removal.erasure import record_erasure_key
from pressmark.settings import SQL_ROOT
from pressmark.warehouse.connection import DATABASE, Connection, Warehouse, first_line, transaction
from pressmark.warehouse.mart import mart_digest, rebuild_mart
from pressmark.warehouse.queries import queries
from pressmark.warehouse.roles import ensure_roles, with_prefix

logger = logging.getLogger(__name__)
_LOCK = 0x7072657373  # "press"; allows one migration at a time per database


@dataclass(frozen=True, slots=True)
class MigrationState:
    """Migrations of this version, as applied to a database."""

    applied: list[str]
    pending: list[str]
    edited: list[str]
    foreign: list[str]
    mart_current: bool
    mart_built_by: str | None  # the version that built the views, if it was recorded

    @property
    def up_to_date(self) -> bool:
        """Whether all migrations and views are applied and unedited."""
        return not self.pending and not self.edited and not self.foreign and self.mart_current


def migrate(warehouse: Warehouse, folder: Path | None = None) -> MigrationState:
    """Create missing objects and apply pending migrations. Returns the state before.

    Raises ServerError if an applied migration was edited since, or is not part of this version, or if a newer version
    built the views.
    """
    folder = folder or SQL_ROOT / "migrations"
    if warehouse.embedded:
        create_embedded_database(warehouse)
    with _locked(warehouse) as admin:
        _check_database(admin, warehouse)
        ensure_roles(admin, warehouse)
        _set_compression(admin)
        before = _state(admin, folder)
        if before.foreign:
            raise ServerError(
                f"This database was created by another version of Pressmark: {', '.join(before.foreign)} "
                f"is not in {folder}. Use that version, or create a new database and fill it from the archive: "
                "`pressmark db rebuild --from-archive`."
            )
        if before.edited:
            raise ServerError(
                f"Migration {', '.join(before.edited)} was edited after it was applied to this database. "
                f"Restore the file in {folder} and add the change as a new migration."
            )
        if not before.mart_current and before.mart_built_by and _parts(before.mart_built_by) > _parts(__version__):
            raise ServerError(
                f"The views of this database were created by Pressmark {before.mart_built_by}, and this is version "
                f"{__version__}. Use that version or a newer one."
            )
        if before.pending or not before.mart_current:
            _upgrade(warehouse, admin, before, folder)
        _record_erasure_key(warehouse)
        return before


def _upgrade(warehouse: Warehouse, admin: Connection, before: MigrationState, folder: Path) -> None:
    with contextlib.closing(warehouse.connect("owner", "pressmark migrate")) as owner:
        if before.pending:
            with transaction(owner) as cursor:  # the migration library's own tables
                cursor.execute("CREATE SCHEMA IF NOT EXISTS migration")
            if warehouse.embedded and before.applied:
                _back_up(warehouse, admin, before.pending[0])
            _apply(warehouse, folder)
        prefix = warehouse.settings.role_prefix
        with transaction(owner) as cursor:
            _record(cursor, folder, before.pending)
            cursor.execute(with_prefix(queries("roles")["schema_grants"], prefix))
            rebuild_mart(cursor, prefix=prefix)
            cursor.execute("SELECT ops.ensure_partitions(3)")


def _record_erasure_key(warehouse: Warehouse) -> None:
    """Note which key erasures use, for machines that have another one. An upgrade runs where the key is."""
    with contextlib.closing(warehouse.connect("eraser", "pressmark migrate")) as eraser:
        try:
            with transaction(eraser) as cursor:
                record_erasure_key(cursor, warehouse.settings)
        except ConfigError as error:
            logger.warning("%s", error)


def state(warehouse: Warehouse, folder: Path | None = None) -> MigrationState:
    """Return which migrations of this version are applied to the database."""
    with contextlib.closing(warehouse.connect_admin()) as admin:
        return _state(admin, folder or SQL_ROOT / "migrations")


def ensure_ready(warehouse: Warehouse) -> None:
    """Ensure that the database matches this version.

    An embedded database is upgraded automatically. An external one is not changed: if it is outdated,
    ServerError asks to run `pressmark db migrate`.
    """
    if warehouse.embedded:
        warehouse.embedded.ensure_running()
        with contextlib.suppress(ServerError):
            if state(warehouse).up_to_date:
                return
        migrate(warehouse)
    elif not state(warehouse).up_to_date:
        raise ServerError("The warehouse does not match this version. Run `pressmark db migrate` first.")


def create_embedded_database(warehouse: Warehouse) -> None:
    """Create the warehouse database on the embedded server, if missing."""
    with contextlib.closing(warehouse.connect_admin("postgres")) as admin:
        admin.autocommit = True
        with admin.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
            if cursor.fetchone():
                return
            with contextlib.suppress(psycopg2.errors.DuplicateDatabase, psycopg2.errors.UniqueViolation):
                cursor.execute(
                    sql.SQL(
                        "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C' "
                        "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
                    ).format(sql.Identifier(DATABASE))
                )


@contextlib.contextmanager
def _locked(warehouse: Warehouse) -> Iterator[Connection]:
    with contextlib.closing(warehouse.connect_admin()) as admin:
        with admin.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,))
            if cursor.fetchone() != (True,):
                logger.warning("Another process is upgrading the database. Waiting until it has finished.")
                cursor.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        admin.commit()
        yield admin  # the session's end releases the lock


def _check_database(admin: Connection, warehouse: Warehouse) -> None:
    """Raise ServerError if the database has the wrong encoding, or belongs to roles with another prefix."""
    name = admin.info.dbname
    with transaction(admin) as cursor:
        cursor.execute("SHOW server_encoding")
        (encoding,) = cursor.fetchone() or ("UTF8",)
        cursor.execute(queries("roles")["schema_owner"])
        (owner,) = cursor.fetchone() or (None,)
    if encoding != "UTF8":
        raise ServerError(
            f"The database {name} has the encoding {encoding}, and Pressmark needs UTF8. Create another one: CREATE "
            f"DATABASE {name}_utf8 TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C' LOCALE_PROVIDER builtin "
            "BUILTIN_LOCALE 'C.UTF-8';"
        )
    if owner not in (None, warehouse.role_name("owner")):
        raise ServerError(
            f"The tables of the database {name} belong to the role {owner}, not to {warehouse.role_name('owner')}. If "
            f"this is your installation, set PRESSMARK_ROLE_PREFIX={owner.removesuffix('_owner')}."
        )


def _set_compression(admin: Connection) -> None:
    """Compress texts with lz4 if the server supports it. Loading is twice as fast as with pglz."""
    with contextlib.suppress(psycopg2.errors.InsufficientPrivilege), transaction(admin) as cursor:
        cursor.execute("SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression'")
        row = cursor.fetchone()
        if row and row[0]:
            cursor.execute(
                sql.SQL("ALTER DATABASE {} SET default_toast_compression = 'lz4'").format(
                    sql.Identifier(admin.info.dbname)
                )
            )
    admin.rollback()  # only the owner of the database may set it; without it, loading is slower


def _state(admin: Connection, folder: Path) -> MigrationState:
    files = {path.stem: _sha256(path) for path in sorted(folder.glob("*.sql"))}
    known: dict[str, bytes] = {}
    mart = built_by = None
    try:
        with transaction(admin) as cursor:
            # Not to_regclass, which fails for a user without the right to use the schema.
            cursor.execute(queries("roles")["has_migrations"])
            if (cursor.fetchone() or (False,))[0]:
                cursor.execute("SELECT migration_id, sha256 FROM ops.migration_checksum")
                known = {name: bytes(digest) for name, digest in cursor.fetchall()}
                # The column code_version is younger than the table.
                cursor.execute("SELECT sha256, to_jsonb(version) ->> 'code_version' FROM ops.mart_version version")
                if row := cursor.fetchone():
                    mart, built_by = bytes(row[0]), row[1]
    except psycopg2.errors.InsufficientPrivilege as error:
        user = admin.info.user
        raise ServerError(
            f"The user {user} of PRESSMARK_DATABASE_URL may not use the warehouse ({first_line(error)}). Ask the user "
            f"that ran `pressmark db migrate` to run `pressmark db grant-runner {user}`."
        ) from error
    return MigrationState(
        applied=[name for name in files if name in known],
        pending=[name for name in files if name not in known],
        foreign=[name for name in known if name not in files],
        edited=[name for name, digest in files.items() if name in known and known[name] != digest],
        mart_current=mart == mart_digest(),
        mart_built_by=built_by,
    )


def _parts(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))


def _back_up(warehouse: Warehouse, admin: Connection, migration: str) -> None:
    """Write a backup before the first of the pending migrations, if there are articles. An earlier one is kept."""
    from pressmark.warehouse.backup import write_backup

    with transaction(admin) as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM core.article)")
        has_articles = (cursor.fetchone() or (False,))[0]
    file = warehouse.settings.home / "backups" / f"before-{migration}.dump"
    if has_articles and not file.exists():
        logger.warning("The database is upgraded. A backup is written to %s first.", file)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_backup(warehouse, file)


def _apply(warehouse: Warehouse, folder: Path) -> None:
    from yoyo import default_migration_table, read_migrations
    from yoyo.backends.core.postgresql import PostgresqlBackend
    from yoyo.connections import parse_uri

    class Backend(PostgresqlBackend):  # type: ignore[misc]
        """Connects as Pressmark does, so that every form of PRESSMARK_DATABASE_URL works."""

        def connect(self, dburi: Any) -> Connection:
            self.schema = "migration"
            connection = warehouse.connect("owner", "pressmark migrate")
            connection.autocommit = True
            return connection

    prefix = warehouse.settings.role_prefix
    with contextlib.ExitStack() as stack:
        files = folder
        if prefix != "pressmark":
            files = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pressmark-")))
            for file in folder.glob("*.sql"):
                (files / file.name).write_text(with_prefix(file.read_text(encoding="utf-8"), prefix), encoding="utf-8")
        backend = Backend(parse_uri("postgresql:///"), default_migration_table)
        stack.enter_context(contextlib.closing(backend.connection))
        backend.init_database()
        pending = backend.to_apply(read_migrations(str(files)))
        applied: list[str] = []
        for migration in pending:
            try:
                backend.apply_migrations(type(pending)([migration]))
            except psycopg2.Error as error:
                before = f"{', '.join(applied)} was applied before it and stays. " if applied else ""
                raise ServerError(
                    f"Migration {migration.id} in {folder} failed and was rolled back. {before}Nothing after it was "
                    f"applied. `pressmark db migrate` continues with it. Error: {error}"
                ) from error
            applied.append(migration.id)
            with backend.connection.cursor() as cursor:
                cursor.execute(queries("roles")["has_migrations"])
                if (cursor.fetchone() or (False,))[0]:  # the first migrations create the table
                    _record(cursor, folder, applied)


def _record(cursor: Cursor, folder: Path, names: list[str]) -> None:
    for name in names:
        cursor.execute(
            "INSERT INTO ops.migration_checksum (migration_id, sha256) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            (name, _sha256(folder / f"{name}.sql")),
        )


def _sha256(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()
