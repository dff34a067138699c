"""Archive pointers: the location of a record within a segment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ArchivePointer:
    """The location of a WARC record: its segment, and its offset and compressed length in bytes.

    `core.archive_segment` maps the segment to a file, so that files can be compacted and moved.
    """

    segment_id: UUID
    offset: int
    length: int

    def as_json(self) -> dict[str, Any]:
        """Return the pointer as it is written to WARC metadata records."""
        return {"segment_id": str(self.segment_id), "offset": self.offset, "length": self.length}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> ArchivePointer:
        """Create a pointer from the result of `as_json`."""
        return cls(UUID(value["segment_id"]), value["offset"], value["length"])
