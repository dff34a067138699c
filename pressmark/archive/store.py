"""The archive of sealed WARC files, in a local folder or at any fsspec URL (`s3://bucket/prefix`).

A file is written completely or not at all. File names consist of ids:
`<outlet>/<year>/<month>/<crawl_id>_<segment_id>.warc.gz`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

from pressmark.archive.local import LocalFiles
from pressmark.archive.remote import RemoteFiles
from pressmark.errors import ArchiveError


class ArchiveStore:
    """The files of an archive. Methods raise ArchiveError, NoSpace or ArchiveUnavailable."""

    def __init__(self, root: str) -> None:
        """root: a folder, or the URL of a file system. Raises ArchiveError if it cannot be opened."""
        self.root = root
        self.is_local = "://" not in root or root.startswith("file://")
        self._files: LocalFiles | RemoteFiles = (
            LocalFiles(Path(root.removeprefix("file://"))) if self.is_local else RemoteFiles(root)
        )

    def check_writable(self) -> None:
        """Write and delete a small file, to find wrong settings before anything is fetched."""
        name = f"check-{uuid4()}.txt"
        self._files.write(name, b"Pressmark checks that it can write here, and deletes this file.\n")
        self._files.delete(name)

    def keeps_versions(self) -> bool:
        """Return whether overwritten files remain readable, so that an erasure is not complete."""
        return self._files.keeps_versions()

    def put(self, source: Path, name: str) -> None:
        """Move a finished local file into the archive under `name`. `source` is kept if this fails."""
        self._files.put(source, name)

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Return `length` bytes of a file from `offset`. Raises ArchiveError if they are missing."""
        data = self._files.read(name, offset, offset + length)
        if len(data) != length:
            raise ArchiveError(f"{self.root}/{name} ends before byte {offset + length}")
        return data

    def read_file(self, name: str) -> bytes:
        """Return the content of a file."""
        return self._files.read(name)

    def overwrite(self, name: str, pieces: list[tuple[int, bytes]]) -> None:
        """Overwrite bytes of a file. pieces: (offset, bytes).

        The file is replaced in one step, so that readers never see a partial change.
        """
        self._files.patch(name, pieces)

    def delete(self, name: str) -> None:
        """Remove a file. Does nothing if it doesn't exist."""
        self._files.delete(name)

    def size(self, name: str) -> int | None:
        """Return the size of a file in bytes, or None if it doesn't exist."""
        return self._files.size(name)

    def notes(self, folder: str) -> dict[str, str]:
        """Return the JSON files of a folder next to the WARC files, by name."""
        names = sorted(self._files.glob(f"{folder}/*.json"))
        return {name.rsplit("/", 1)[-1]: self._files.read(name).decode() for name in names}

    def put_note(self, folder: str, name: str, text: str) -> None:
        """Write a JSON file to a folder next to the WARC files. It is written completely or not at all."""
        self._files.write(f"{folder}/{name}", text.encode())

    def files(self, prefix: str = "") -> Iterator[str]:
        """Yield the names of the WARC files below a prefix, sorted."""
        for name in sorted(self._files.find(prefix)):
            if name.endswith(".warc.gz"):
                yield name

    def files_of_crawl(self, outlet: str, crawl_id: UUID) -> list[str]:
        """Return the names of the files of a crawl."""
        return sorted(self._files.glob(f"{outlet}/*/*/{crawl_id}_*.warc.gz"))


def segment_name(outlet: str, crawl_id: UUID, segment_id: UUID, opened: datetime) -> str:
    """Return the file name of a segment."""
    return f"{outlet}/{opened:%Y}/{opened:%m}/{crawl_id}_{segment_id}.warc.gz"


def segment_id_from_name(name: str) -> UUID:
    """Return the id of the segment in a file. Raises ArchiveError if the name isn't that of a segment."""
    try:
        return UUID(name.rpartition("_")[2].removesuffix(".warc.gz"))
    except ValueError as error:
        raise ArchiveError(f"{name} is not the file name of a Pressmark segment") from error
