"""The spool of the open segment on local disk, and sealing a segment into a WARC file.

A response is written to the spool once, as one gzip member. Extraction workers read it at its pointer, and sealing
copies the bytes of the member. Spool files of a process that died are removed.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pressmark import failpoints
from pressmark.archive.local import disk_error
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


@dataclass(frozen=True, slots=True)
class SpoolPointer:
    """The location of a response in a spool file."""

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
            fcntl.flock(self._file, fcntl.LOCK_EX)  # until the file is closed, or the process has ended
            self._writer = RecordWriter(self._file)
        except OSError as error:
            raise disk_error(error, path) from error

    def append(self, response: Response) -> SpoolPointer:
        """Write a response. Raises NoSpace or ArchiveError, after which the spool can no longer be used."""
        record = response_record(response)
        try:
            if failpoints.armed("within_warc_member"):
                _write_half(self._file, record)
            is_compressed = response.header("Content-Encoding") is not None
            offset, length = self._writer.write(record, packed_already=is_compressed)
        except OSError as error:
            raise disk_error(error, self.path) from error
        self.size = offset + length
        return SpoolPointer(str(self.path), offset, length)

    def close(self) -> None:
        """Close the file. It stays on disk until `discard`."""
        self._file.close()

    def discard(self) -> None:
        """Close and remove the file."""
        self.close()
        self.path.unlink(missing_ok=True)


def is_in_use(folder: Path) -> bool:
    """Return whether a process of this machine has a spool file of this folder open."""
    for path in folder.glob("*.spool"):
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
    return False


def read_spooled(pointer: SpoolPointer) -> Response:
    """Return the response at a pointer. Raises ArchiveError if there is none."""
    with open(pointer.path, "rb") as file:
        file.seek(pointer.offset)
        return read_response(file.read(pointer.length))


@dataclass(frozen=True, slots=True)
class ToArchive:
    """A response to seal, with its spool pointer and the fields of its metadata record.

    record: a revisit record that is written instead of the spooled bytes.
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
    """Write a WARC file with these responses. Return (offset, length) of each, in order.

    events: the events of the segment, such as missing or unchanged pages.
    The file is flushed to disk (fsync) on return. A file with this name is complete: it is written under another one.
    Raises NoSpace or ArchiveError.
    """
    part = target.with_name(target.name + ".part")
    pointers: list[tuple[int, int]] = []
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as files, part.open("wb") as file:
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
        part.rename(target)
    except OSError as error:
        raise disk_error(error, target) from error
    return pointers


def _write_half(file: BinaryIO, record: Any) -> None:
    """Write half a record, then end the process. Only tests use this."""
    whole = io.BytesIO()
    RecordWriter(whole).write(record)
    file.write(whole.getvalue()[: whole.tell() // 2])
    failpoints.reach("within_warc_member")
