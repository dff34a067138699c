"""Archive files in a local folder. Every file appears complete or not at all."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pressmark.errors import ArchiveError, NoSpace


class LocalFiles:
    """The files of a folder, by their path relative to it. `RemoteFiles` has the same methods."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, source: Path, name: str) -> None:
        """Move a finished file here. `source` is kept if this fails."""
        target = self.folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                source.rename(target)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                self._replace(target, lambda part: shutil.copyfile(source, part))
                source.unlink()
            _sync(target.parent)
        except OSError as error:
            raise disk_error(error, target) from error

    def read(self, name: str, start: int | None = None, end: int | None = None) -> bytes:
        """Return the bytes of a file, from `start` to `end` if they are given."""
        path = self.folder / name
        try:
            if start is None or end is None:
                return path.read_bytes()
            with path.open("rb") as file:
                file.seek(start)
                return file.read(end - start)
        except OSError as error:
            raise ArchiveError(f"{path} cannot be read: {error.strerror or error}") from error

    def write(self, name: str, content: bytes) -> None:
        """Create or replace a file."""
        target = self.folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._replace(target, lambda part: part.write_bytes(content))
        except OSError as error:
            raise disk_error(error, target) from error

    def patch(self, name: str, pieces: Sequence[tuple[int, bytes]]) -> None:
        """Overwrite bytes of a file, in one step. pieces: (offset, bytes)."""
        target = self.folder / name

        def write(part: Path) -> None:
            shutil.copyfile(target, part)
            write_pieces(part, pieces)

        try:
            self._replace(target, write)
        except OSError as error:
            raise disk_error(error, target) from error

    def delete(self, name: str) -> None:
        """Delete a file if it exists."""
        try:
            (self.folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise disk_error(error, self.folder / name) from error

    def size(self, name: str) -> int | None:
        """Return the size of a file in bytes, or None if it doesn't exist."""
        try:
            return (self.folder / name).stat().st_size
        except FileNotFoundError:
            return None

    def find(self, prefix: str = "") -> Iterator[str]:
        """Yield the names of all files below a folder."""
        for folder, _, names in os.walk(self.folder / prefix):
            for name in names:
                yield str(Path(folder, name).relative_to(self.folder))

    def glob(self, pattern: str) -> Iterator[str]:
        """Yield the names of the files that match a pattern."""
        for path in self.folder.glob(pattern):
            yield str(path.relative_to(self.folder))

    def keeps_versions(self) -> bool:
        """Return whether deleted and overwritten files remain readable."""
        return False

    def _replace(self, target: Path, write: Callable[[Path], object]) -> None:
        # Always the same name, so that repeating a write that was killed leaves no copy behind.
        part = Path(f"{target}.part")
        write(part)
        _sync(part)
        part.rename(target)
        _sync(target.parent)


def write_pieces(path: Path, pieces: Sequence[tuple[int, bytes]]) -> None:
    """Overwrite bytes of a file in place. pieces: (offset, bytes)."""
    with path.open("r+b") as file:
        for offset, piece in pieces:
            file.seek(offset)
            file.write(piece)


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
