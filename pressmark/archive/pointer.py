"""Where archived bytes are: a segment, and the place of the record in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ArchivePointer:
    """A WARC record: offset and compressed length in bytes, within its segment.

    `core.archive_segment` maps the segment to a file, so that files can be joined and moved.
    """

    segment_id: UUID
    offset: int
    length: int

    def as_json(self) -> dict[str, Any]:
        """The form in which WARC metadata records name it."""
        return {"segment_id": str(self.segment_id), "offset": self.offset, "length": self.length}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> ArchivePointer:
        """The reverse of `as_json`."""
        return cls(UUID(value["segment_id"]), value["offset"], value["length"])
