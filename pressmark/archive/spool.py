"""The open segment on the local disk, and its sealing into a file of the archive.

A response is written here once, as one gzip member; extraction workers read it at its pointer, and
sealing copies the member's bytes. What is left here by a process that died is of no use and removed.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pressmark import failpoints
from pressmark.archive.records import (
    RecordWriter,
    Response,
    events_record,
    metadata_record,
    read_response,
    request_record,
    response_record,
    warcinfo_record,
)
from pressmark.archive.store import disk_error


@dataclass(frozen=True, slots=True)
class SpoolPointer:
    """Where a response lies in a spool file."""

    path: str
    offset: int
    length: int


class Spool:
    """The spool file of one open segment."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: BinaryIO = path.open("wb", buffering=0)
            self._writer = RecordWriter(self._file)
        except OSError as error:
            raise disk_error(error, path) from error

    def append(self, response: Response) -> SpoolPointer:
        """Write a response. Raises NoSpace or ArchiveError; the spool is then of no more use."""
        record = response_record(response)
        try:
            if failpoints.armed("within_warc_member"):
                _write_half(self._file, record)
            packed = response.header("Content-Encoding") is not None
            offset, length = self._writer.write(record, packed_already=packed)
        except OSError as error:
            raise disk_error(error, self.path) from error
        self.size = offset + length
        return SpoolPointer(str(self.path), offset, length)

    def close(self) -> None:
        """Close the file; it stays on disk until `discard`."""
        self._file.close()

    def discard(self) -> None:
        """Close and remove the file."""
        self.close()
        self.path.unlink(missing_ok=True)


def read_spooled(pointer: SpoolPointer) -> Response:
    """The response at a pointer."""
    with open(pointer.path, "rb") as file:
        file.seek(pointer.offset)
        return read_response(file.read(pointer.length))


@dataclass(frozen=True, slots=True)
class ToArchive:
    """One response to be sealed: its headers, where its bytes lie, and what to note beside it.

    record: stands in for the spooled bytes where it is given (a revisit record).
    """

    response: Response
    pointer: SpoolPointer
    metadata: dict[str, Any]
    record: Any = None


def seal(
    target: Path,
    items: Iterable[ToArchive],
    warcinfo: dict[str, str],
    name: str,
    events: Sequence[dict[str, Any]] = (),
) -> list[tuple[int, int]]:
    """Write a WARC file with these responses; returns (offset, length) of each, in order.

    events: what the segment knows beside them.

    The file is on disk (fsync) when this returns. Raises NoSpace or ArchiveError.
    """
    pointers: list[tuple[int, int]] = []
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as files, target.open("wb") as file:
            spools: dict[str, BinaryIO] = {}
            writer = RecordWriter(file)
            writer.write(warcinfo_record(warcinfo, name))
            if events:
                writer.write(events_record({"events": list(events)}))
            for item in items:
                writer.write(request_record(item.response))
                if item.record is not None:
                    pointers.append(writer.write(item.record))
                else:
                    pointers.append((file.tell(), item.pointer.length))
                    path = item.pointer.path
                    if path not in spools:
                        spools[path] = files.enter_context(open(path, "rb"))
                    spools[path].seek(item.pointer.offset)
                    file.write(spools[path].read(item.pointer.length))
                writer.write(metadata_record(item.response, item.metadata))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise disk_error(error, target) from error
    return pointers


def _write_half(file: BinaryIO, record: Any) -> None:
    """Leave a torn record behind, then die: only a test gets here."""
    whole = io.BytesIO()
    RecordWriter(whole).write(record)
    file.write(whole.getvalue()[: whole.tell() // 2])
    failpoints.reach("within_warc_member")
