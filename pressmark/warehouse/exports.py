"""Export a view, a query or a snapshot to Parquet, CSV or JSONL, with a manifest next to the data.

Rows are streamed through a server-side cursor in the analyst role, so memory use is constant. Full texts are left out
by default. Each export is a row of ops.export. A file appears only when it is complete. An interrupted export by day
resumes with the missing days.
"""

from __future__ import annotations

import contextlib
import csv
import getpass
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal, Protocol
from uuid import UUID, uuid4

import psycopg2
from psycopg2 import sql

from pressmark import __version__
from pressmark.errors import ConfigError
from pressmark.warehouse.connection import Connection, Role, Warehouse, dict_rows, transaction
from pressmark.warehouse.queries import queries

Format = Literal["parquet", "csv", "jsonl"]
TEXT_COLUMNS = ("article_body", "comment_body")
MANIFEST = "manifest.json"
_NO_DAY = "__HIVE_DEFAULT_PARTITION__"
_BATCH_SIZE = 2000  # rows
_FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r")
_SQL = queries("export")

OnRows = Callable[[int, str], None]
"""Called with the number of rows written so far and the file name."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the result and its Postgres type."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class ExportResult:
    """Result of an export. skipped: days already exported. left_out: omitted text columns."""

    export_id: UUID
    rows: int
    files: int
    skipped: int
    left_out: list[str]


class _Writer(Protocol):
    def write(self, rows: Sequence[Sequence[Any]]) -> None: ...
    def close(self) -> None: ...


def export(
    warehouse: Warehouse,
    source: str,
    target: Path,
    file_format: Format,
    *,
    with_text: bool = False,
    by_day: str | None = None,
    snapshot: str | None = None,
    load_seq: int | None = None,
    comments: bool = False,
    on_rows: OnRows = lambda rows, file: None,
) -> ExportResult:
    """Write a view (`mart.article`) or a SELECT to `target`, a file.

    by_day: a date column. `target` is then a folder with one file per day. snapshot, load_seq: the snapshot that
    `source` queries, for the manifest. comments: use the role that may read reader comments.
    Raises ConfigError with the reason if the query cannot be run.
    """
    query = _query(source)
    role: Role = "comments" if comments else "analyst"
    export_id = uuid4()
    with contextlib.closing(warehouse.connect(role, "pressmark export")) as connection:
        with transaction(connection) as cursor:
            cursor.execute(queries("session")["without_idle_limit"])
        columns = _columns(connection, query)
        left_out = [c.name for c in columns if c.name in TEXT_COLUMNS and not with_text]
        columns = [c for c in columns if c.name not in left_out]
        if by_day is not None and by_day not in [c.name for c in columns]:
            names = ", ".join(c.name for c in columns)
            raise ConfigError(f"--by-day {by_day}: the export has no such column. Its columns: {names}.")
        if by_day is not None and next(c.type for c in columns if c.name == by_day) != "date":
            raise ConfigError(f"--by-day {by_day} needs a column of type date. Cast it in a SELECT.")
        folder = target if by_day else target.parent
        folder.mkdir(parents=True, exist_ok=True)
        _begin(warehouse, export_id, query, file_format, target, with_text)
        manifest = _manifest(connection, export_id, query, columns, file_format, with_text, snapshot, load_seq)
        if by_day:
            rows, files, skipped = _by_day(connection, query, columns, target, file_format, by_day, snapshot, on_rows)
        else:
            rows = _write(connection, query, columns, target, file_format, lambda n: on_rows(n, target.name))
            files, skipped = [_file_entry(target, folder, rows)], 0
    manifest |= {"rows": sum(f["rows"] for f in files), "files": files, "finished_at": datetime.now(UTC).isoformat()}
    manifest_path = folder / MANIFEST if by_day else target.with_name(target.name + ".manifest.json")
    _write_text(manifest_path, json.dumps(manifest, ensure_ascii=False, indent=1, default=str))
    _end(warehouse, export_id, rows)
    return ExportResult(export_id, rows, len(files) - skipped, skipped, left_out)


def _query(source: str) -> str:
    text = source.strip().rstrip(";").strip()
    first = text.split(None, 1)[0].lower() if text else ""
    if first in ("select", "with", "table", "values"):
        return text
    parts = text.split(".")
    if len(parts) > 2 or not all(part.replace("_", "").isalnum() for part in parts):
        raise ConfigError(f"{source!r} is neither a view such as mart.article nor a SELECT.")
    return f"TABLE {text}"


def _columns(connection: Connection, query: str) -> list[Column]:
    try:
        with transaction(connection) as cursor:
            cursor.execute(sql.SQL("SELECT * FROM ({}) q LIMIT 0").format(sql.SQL(query)))
            assert cursor.description is not None
            described = [(c.name, c.type_code) for c in cursor.description]
            cursor.execute(_SQL["types"], {"oids": [oid for _, oid in described]})
            types = dict(cursor.fetchall())
    except psycopg2.Error as error:
        raise ConfigError(f"The query failed: {str(error).strip().splitlines()[0]}") from error
    return [Column(name, types[oid]) for name, oid in described]


def _by_day(
    connection: Connection,
    query: str,
    columns: list[Column],
    folder: Path,
    file_format: Format,
    day: str,
    snapshot: str | None,
    on_rows: OnRows,
) -> tuple[int, list[dict[str, Any]], int]:
    """Write one file per day under `day=YYYY-MM-DD/`, except for days already exported by the same query.

    One statement returns all rows sorted by day, so that all files show the same state of the warehouse.
    Returns the number of rows written, the entries of all files, and the number of skipped days.
    """
    query_hash = hashlib.sha256(json.dumps([query, [c.name for c in columns], snapshot]).encode())
    name = f"part-{query_hash.hexdigest()[:12]}.{file_format}"
    exported = {}
    for row_count in folder.glob(f"{day}=*/{name}.rows"):
        if row_count.with_suffix("").exists():
            exported[row_count.parent.name.partition("=")[2]] = int(row_count.read_text())
    files = [_file_entry(folder / f"{day}={value}" / name, folder, rows) for value, rows in exported.items()]
    key = sql.SQL("COALESCE({}::text, {})").format(sql.Identifier(day), sql.Literal(_NO_DAY))
    rest = sql.SQL(" WHERE {} <> ALL ({}::text[]) ORDER BY {}").format(
        key, sql.Literal(list(exported)), sql.Identifier(day)
    )
    day_index = [c.name for c in columns].index(day)
    total = 0
    with transaction(connection), connection.cursor(name="export") as rows:
        rows.itersize = _BATCH_SIZE
        rows.execute(_select(query, columns) + rest)
        for value, group in groupby(rows, key=itemgetter(day_index)):
            path = folder / f"{day}={value if value is not None else _NO_DAY}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            report = partial(_report_rows, on_rows, total, str(path.relative_to(folder)))
            written = _write_file(group, path, file_format, columns, report)
            _write_text(path.with_name(path.name + ".rows"), str(written))
            total += written
            files.append(_file_entry(path, folder, written))
    return total, sorted(files, key=itemgetter("name")), len(exported)


def _report_rows(on_rows: OnRows, before: int, file: str, rows: int) -> None:
    on_rows(before + rows, file)


def _select(query: str, columns: list[Column]) -> sql.Composed:
    names = sql.SQL(", ").join(sql.Identifier(c.name) for c in columns)
    return sql.SQL("SELECT {} FROM ({}) q").format(names, sql.SQL(query))


def _write(
    connection: Connection,
    query: str,
    columns: list[Column],
    target: Path,
    file_format: Format,
    on_rows: Callable[[int], None],
) -> int:
    with transaction(connection), connection.cursor(name="export") as rows:
        rows.itersize = _BATCH_SIZE
        rows.execute(_select(query, columns))
        return _write_file(rows, target, file_format, columns, on_rows)


def _write_file(
    rows: Iterable[tuple[Any, ...]],
    target: Path,
    file_format: Format,
    columns: list[Column],
    on_rows: Callable[[int], None],
) -> int:
    part = target.with_name(target.name + ".part")
    count = 0
    writer = _writer(part, file_format, columns)
    remaining = iter(rows)
    try:
        while chunk := list(islice(remaining, _BATCH_SIZE)):
            writer.write(chunk)
            count += len(chunk)
            on_rows(count)
    finally:
        writer.close()
    part.rename(target)
    return count


# -- formats ------------------------------------------------------------------------------------


def _writer(path: Path, file_format: Format, columns: list[Column]) -> _Writer:
    if file_format == "csv":
        return _Csv(path, columns)
    return _Jsonl(path, columns) if file_format == "jsonl" else _Parquet(path, columns)


class _Csv:
    """UTF-8 with a header row. Texts that a spreadsheet would run as a formula are prefixed with an apostrophe."""

    def __init__(self, path: Path, columns: list[Column]) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow([c.name for c in columns])

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        self._writer.writerows([_csv_cell(value) for value in row] for row in rows)

    def close(self) -> None:
        self._file.close()


def _csv_cell(value: Any) -> Any:
    if isinstance(value, (list, dict)):
        value = json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(_FORMULA_PREFIXES):
        return "'" + value
    return value


class _Jsonl:
    """One JSON object per line."""

    def __init__(self, path: Path, columns: list[Column]) -> None:
        self._file = path.open("w", encoding="utf-8")
        self._names = [c.name for c in columns]

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        for row in rows:
            values = dict(zip(self._names, map(_json_value, row), strict=True))
            self._file.write(json.dumps(values, ensure_ascii=False, default=str) + "\n")

    def close(self) -> None:
        self._file.close()


def _json_value(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (date, datetime)) else value


class _Parquet:
    """Parquet with zstd compression, and types as close to Postgres's as possible."""

    def __init__(self, path: Path, columns: list[Column]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._types = {c.name: _arrow_type(c.type) for c in columns}
        self._schema = pa.schema([pa.field(name, kind) for name, kind in self._types.items()])
        self._writer = pq.ParquetWriter(str(path), self._schema, compression="zstd")

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        import pyarrow as pa

        arrays = [
            pa.array([_arrow_value(row[index]) for row in rows], type=kind)
            for index, kind in enumerate(self._types.values())
        ]
        self._writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


def _arrow_type(name: str) -> Any:
    import pyarrow as pa

    if name.endswith("[]"):
        return pa.list_(_arrow_type(name.removesuffix("[]")))
    known = {
        "boolean": pa.bool_(), "smallint": pa.int16(), "integer": pa.int32(), "bigint": pa.int64(),
        "real": pa.float32(), "double precision": pa.float64(), "numeric": pa.float64(), "date": pa.date32(),
        "timestamp with time zone": pa.timestamp("us", tz="UTC"), "interval": pa.duration("us"), "bytea": pa.binary(),
    }  # fmt: skip
    return known.get(name, pa.string())


def _arrow_value(value: Any) -> Any:
    if isinstance(value, (UUID, dict)):
        return str(value) if isinstance(value, UUID) else json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, list):
        return [_arrow_value(item) for item in value]
    return float(value) if value.__class__.__name__ == "Decimal" else value


# -- manifest and ops.export -----------------------------------------------------------------------


def _manifest(
    connection: Connection,
    export_id: UUID,
    query: str,
    columns: list[Column],
    file_format: Format,
    with_text: bool,
    snapshot: str | None,
    load_seq: int | None,
) -> dict[str, Any]:
    with transaction(connection) as cursor:
        tables = {}
        for name in ("coverage", "rights"):
            cursor.execute(_SQL[name])
            tables[name] = dict_rows(cursor)
        cursor.execute(_SQL["snapshot"], {"name": snapshot})
        row = cursor.fetchone()
    return {
        "export_id": export_id,
        "made_by": f"Pressmark {__version__}",
        "exported_by": getpass.getuser(),
        "started_at": datetime.now(UTC).isoformat(),
        "query": query,
        "format": file_format,
        "with_text": with_text,
        "columns": [{"name": c.name, "type": c.type} for c in columns],
        "state": {"snapshot": snapshot, "load_seq": load_seq, "content_hash": row[0] if row else None},
        **tables,
    }


def _file_entry(path: Path, folder: Path, rows: int) -> dict[str, Any]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return {
        "name": str(path.relative_to(folder)), "rows": rows, "bytes": path.stat().st_size, "sha256": digest.hexdigest(),
    }  # fmt: skip


def _write_text(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.rename(path)


def _begin(
    warehouse: Warehouse, export_id: UUID, query: str, file_format: Format, target: Path, with_text: bool
) -> None:
    with contextlib.closing(warehouse.connect("loader", "pressmark export")) as connection:
        with transaction(connection) as cursor:
            cursor.execute(
                _SQL["begin"],
                {
                    "export_id": export_id,
                    "exported_by": getpass.getuser(),
                    "query": query,
                    "format": file_format,
                    "target": str(target),
                    "with_text": with_text,
                },
            )


def _end(warehouse: Warehouse, export_id: UUID, rows: int) -> None:
    with contextlib.closing(warehouse.connect("loader", "pressmark export")) as connection:
        with transaction(connection) as cursor:
            cursor.execute(_SQL["end"], {"export_id": export_id, "rows": rows})
