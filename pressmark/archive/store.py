"""The archive of sealed WARC files, in a local folder or at any fsspec URL (`s3://bucket/prefix`).

A file is written completely or not at all. File names consist of ids:
`<outlet>/<year>/<month>/<crawl_id>_<segment_id>.warc.gz`.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

from pressmark.errors import ArchiveError, NoSpace


class ArchiveStore:
    """The files of an archive."""

    def __init__(self, root: str) -> None:
        """root: a folder, or the URL of a file system. Raises ArchiveError if it cannot be opened."""
        self.root = root
        self.is_local = "://" not in root or root.startswith("file://")
        if not self.is_local:
            _ = self._opened  # reports an invalid URL immediately

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        """(file system, base path). Created on first use, because fsspec takes a tenth of a second to import."""
        import fsspec

        try:
            file_system, base = fsspec.core.url_to_fs(self.root)
        except (ImportError, ValueError) as error:
            raise ArchiveError(f"PRESSMARK_ARCHIVE={self.root!r} cannot be opened: {error}") from error
        return file_system, base.rstrip("/")

    @property
    def _fs(self) -> Any:
        return self._opened[0]

    @property
    def _base(self) -> str:
        return self._opened[1]

    def put(self, source: Path, name: str) -> None:
        """Move a finished local file into the archive under `name`.

        Raises NoSpace or ArchiveError. In this case `source` is kept.
        """
        target = f"{self._base}/{name}"
        try:
            if not self.is_local:
                self._fs.put_file(str(source), target)
                source.unlink()
                return
            folder = Path(target).parent
            folder.mkdir(parents=True, exist_ok=True)
            try:
                source.rename(target)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                part = Path(f"{target}.part")
                shutil.copyfile(source, part)
                _sync(part)
                part.rename(target)
                source.unlink()
            _sync(folder)
        except OSError as error:
            raise disk_error(error, target) from error

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Return `length` bytes of a file from `offset`. Raises ArchiveError if they are missing."""
        try:
            data: bytes = self._fs.cat_file(f"{self._base}/{name}", start=offset, end=offset + length)
        except OSError as error:
            raise ArchiveError(f"{self.root}/{name} cannot be read: {error}") from error
        if len(data) != length:
            raise ArchiveError(f"{self.root}/{name} ends before byte {offset + length}")
        return data

    def read_file(self, name: str) -> bytes:
        """Return the content of a file. Raises ArchiveError if it cannot be read."""
        try:
            data: bytes = self._fs.cat_file(f"{self._base}/{name}")
        except OSError as error:
            raise ArchiveError(f"{self.root}/{name} cannot be read: {error}") from error
        return data

    def overwrite(self, name: str, pieces: list[tuple[int, bytes]]) -> None:
        """Overwrite bytes of a file. pieces: (offset, bytes).

        The file is replaced in one step, so that readers never see a partial change.
        """
        target = f"{self._base}/{name}"
        try:
            if not self.is_local:
                content = bytearray(self.read_file(name))
                for offset, piece in pieces:
                    content[offset : offset + len(piece)] = piece
                self._fs.pipe_file(target, bytes(content))
                return
            part = Path(f"{target}.part")
            shutil.copyfile(target, part)
            with part.open("r+b") as file:
                for offset, piece in pieces:
                    file.seek(offset)
                    file.write(piece)
            _sync(part)
            part.rename(target)
            _sync(part.parent)
        except OSError as error:
            raise disk_error(error, target) from error

    def delete(self, name: str) -> None:
        """Remove a file. Does nothing if it doesn't exist."""
        try:
            self._fs.rm_file(f"{self._base}/{name}")
        except FileNotFoundError:
            pass
        except OSError as error:
            raise disk_error(error, f"{self._base}/{name}") from error

    def size(self, name: str) -> int | None:
        """Return the size of a file in bytes, or None if it doesn't exist."""
        try:
            return int(self._fs.size(f"{self._base}/{name}"))
        except FileNotFoundError:
            return None

    def notes(self, folder: str) -> dict[str, str]:
        """Return the JSON files of a folder next to the WARC files, by name."""
        if self.is_local and not Path(self.root.removeprefix("file://"), folder).exists():
            return {}  # avoids importing fsspec in the common case
        try:
            paths = self._fs.glob(f"{self._base}/{folder}/*.json")
            return {path.rsplit("/", 1)[-1]: self._fs.cat_file(path).decode() for path in sorted(paths)}
        except OSError as error:
            raise ArchiveError(f"{self.root}/{folder} cannot be read: {error}") from error

    def put_note(self, folder: str, name: str, text: str) -> None:
        """Write a JSON file to a folder next to the WARC files. It is written completely or not at all."""
        target = f"{self._base}/{folder}/{name}"
        try:
            if not self.is_local:
                self._fs.pipe_file(target, text.encode())
                return
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            part = Path(f"{target}.part")
            part.write_text(text, encoding="utf-8")
            _sync(part)
            part.rename(target)
            _sync(part.parent)
        except OSError as error:
            raise disk_error(error, target) from error

    def files(self, prefix: str = "") -> Iterator[str]:
        """Yield the names of the WARC files below a prefix."""
        for path in sorted(self._fs.find(f"{self._base}/{prefix}")):
            if path.endswith(".warc.gz"):
                yield path[len(self._base) + 1 :]

    def files_of_crawl(self, outlet: str, crawl_id: UUID) -> list[str]:
        """Return the names of the files of a crawl."""
        paths = self._fs.glob(f"{self._base}/{outlet}/*/*/{crawl_id}_*.warc.gz")
        return sorted(path[len(self._base) + 1 :] for path in paths)


def segment_name(outlet: str, crawl_id: UUID, segment_id: UUID, opened: datetime) -> str:
    """Return the file name of a segment."""
    return f"{outlet}/{opened:%Y}/{opened:%m}/{crawl_id}_{segment_id}.warc.gz"


def segment_id_from_name(name: str) -> UUID:
    """Return the id of the segment in a file. Raises ArchiveError if the name isn't that of a segment."""
    try:
        return UUID(name.rpartition("_")[2].removesuffix(".warc.gz"))
    except ValueError as error:
        raise ArchiveError(f"{name} is not the file name of a Pressmark segment") from error


def disk_error(error: OSError, path: str | Path) -> ArchiveError:
    """Return the error to raise for a failed write: NoSpace if the disk is full, else ArchiveError."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpace(f"No space left on the disk of {path}. Free some space, then run the same command again.")
    return ArchiveError(f"{path} cannot be written: {error.strerror or error}")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
