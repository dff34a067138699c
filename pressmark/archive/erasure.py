"""Erases captures in WARC files by overwriting their bytes with a filler of the same length.

All other pointers into the file stay valid. The filler is a gzip member that contains an empty WARC record. Its comment
field (RFC 1952 2.3) pads it to the required length.
"""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Collection, Iterable, Iterator
from uuid import UUID

from fastwarc.warc import ArchiveIterator, WarcRecordType

from pressmark.archive.records import member_spans
from pressmark.archive.store import ArchiveStore
from pressmark.errors import ArchiveError

_RECORD = (
    b"WARC/1.1\r\nWARC-Type: metadata\r\nWARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-000000000000>\r\n"
    b"WARC-Date: 1970-01-01T00:00:00Z\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n\r\n\r\n"
)
_HEAD = b"\x1f\x8b\x08\x10\0\0\0\0\0\xff"  # flag 0x10: has a comment field


def filler(length: int) -> bytes:
    """Return a gzip member of exactly `length` bytes. Raises ArchiveError if `length` is too small."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packer.compress(_RECORD) + packer.flush()
    tail = struct.pack("<II", zlib.crc32(_RECORD), len(_RECORD))
    padding = length - len(_HEAD) - 1 - len(body) - len(tail)
    if padding < 0:
        raise ArchiveError(f"a record of {length} bytes is too short to be overwritten")
    return _HEAD + b"." * padding + b"\0" + body + tail


def erase_captures(store: ArchiveStore, file: str, segments: Iterable[tuple[int, int, Collection[UUID]]]) -> int:
    """Overwrite captures in a file in one step, and return their number. Can be repeated.

    segments: offset and length of each segment in the file, with the uids of the URLs whose captures are erased.
    Raises ArchiveError if the file cannot be read or written.
    """
    spans: list[tuple[int, int]] = []
    captures = 0
    for base, length, url_uids in segments:
        for members, fields in _captures(store.read(file, base, length)):
            if fields is not None and UUID(fields["url_uid"]) in url_uids:
                spans += [(base + offset, size) for offset, size in members]
                captures += 1
    if spans:
        store.overwrite(file, [(offset, filler(size)) for offset, size in spans])
    return captures


def _captures(document: bytes) -> Iterator[tuple[list[tuple[int, int]], dict[str, str] | None]]:
    """Yield each capture: (offset, length) of its request, response and metadata records, and the metadata fields."""
    members: list[tuple[int, int]] = []
    has_response = False
    for offset, length in member_spans(document):
        record = next(iter(ArchiveIterator(io.BytesIO(document[offset : offset + length]))), None)
        if record is None or record.record_type == WarcRecordType.warcinfo:
            continue
        if record.record_type == WarcRecordType.request:
            members, has_response = [], False
        members.append((offset, length))
        if record.record_type in (WarcRecordType.response, WarcRecordType.revisit):
            has_response = True
        elif record.record_type == WarcRecordType.metadata:
            if has_response:
                yield members, json.loads(record.reader.read())
            members, has_response = [], False
