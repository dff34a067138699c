"""Creates, writes and reads WARC records.

The body of a response keeps its Content-Encoding as received. Its transfer coding is removed. Status and headers are
those that Scrapy reports (title-cased, reordered), as stated in warcinfo. Each record is a separate gzip member, so
that offset and length are enough to read it.

Format: WARC/1.1, https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, BinaryIO, Literal
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from fastwarc.stream_io import GzipWriter
from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType

from pressmark import __version__
from pressmark.errors import ArchiveError

_IDENTICAL = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
_REASONS = {200: "OK", 203: "Non-Authoritative Information", 206: "Partial Content"}
# Most bodies arrive compressed. They are stored without compression, others are compressed at the fastest level.
_STORED, _COMPRESSED = 0, 1
_NEVER = datetime.max.replace(tzinfo=UTC)

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Response:
    """A response as received. The body keeps its content encoding, its transfer coding is removed.

    headers: as Scrapy reports them, decoded as latin-1. observed_at: in UTC. wire_digest: `body_digest(body)`, which is
    kept when the body is dropped.
    """

    capture_id: UUID
    url: str
    observed_at: datetime
    status: int
    headers: Headers
    body: bytes
    wire_digest: bytes
    ip: str | None = None
    request_headers: Headers = ()

    def header(self, name: str) -> str | None:
        """Return the first value of a header, or None if it is missing."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def without_body(self) -> Response:
        """Return a copy without the body, to keep in memory while the body is in the spool."""
        return replace(self, body=b"")


def body_digest(body: bytes) -> bytes:
    """Return the sha256 of a body as received."""
    return hashlib.sha256(body).digest()


class RecordWriter:
    """Writes records to an open binary file, each as a separate gzip member."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._writers = {level: GzipWriter(file, compression_level=level) for level in (_STORED, _COMPRESSED)}

    def write(self, record: WarcRecord, packed_already: bool = False) -> tuple[int, int]:
        """Write a record and return its (offset, length) in the file.

        packed_already: whether the body is compressed already, so that compressing it again isn't worth the time.
        """
        offset = self._file.tell()
        writer = self._writers[_STORED if packed_already else _COMPRESSED]
        record.write(writer)
        writer.finish()  # otherwise the whole file becomes one member, which other tools reject
        self._file.flush()
        return offset, self._file.tell() - offset


def response_record(response: Response) -> WarcRecord:
    """Create the response record."""
    reason = _REASONS.get(response.status, "")
    head = f"HTTP/1.1 {response.status} {reason}\r\n".encode() + _header_block(response.headers)
    record = _record(WarcRecordType.response, response.observed_at, response.capture_id, response.url)
    record.is_http = True
    record.headers.set("Content-Type", "application/http; msgtype=response")
    record.headers.set("WARC-Payload-Digest", f"sha256:{response.wire_digest.hex()}")
    if response.ip:
        record.headers.set("WARC-IP-Address", response.ip)
    record.set_bytes_content(head + response.body)
    return record


def revisit_record(
    response: Response,
    first_url: str | None = None,
    first_seen: datetime | None = None,
    first_captured: UUID | None = None,
) -> WarcRecord:
    """Create a revisit record: only the headers of a response whose body is identical to that of an earlier capture.

    first_url, first_seen, first_captured: URL, time and id of the earlier capture, if known.
    """
    reason = _REASONS.get(response.status, "")
    head = f"HTTP/1.1 {response.status} {reason}\r\n".encode() + _header_block(response.headers)
    record = _record(WarcRecordType.revisit, response.observed_at, response.capture_id, response.url)
    record.is_http = True
    record.headers.set("Content-Type", "application/http; msgtype=response")
    record.headers.set("WARC-Profile", _IDENTICAL)
    record.headers.set("WARC-Payload-Digest", f"sha256:{response.wire_digest.hex()}")
    if first_url and first_seen:
        record.headers.set("WARC-Refers-To-Target-URI", first_url)
        record.headers.set("WARC-Refers-To-Date", _date(first_seen))
    if first_captured:
        record.headers.set("WARC-Refers-To", f"<{first_captured.urn}>")
    if response.ip:
        record.headers.set("WARC-IP-Address", response.ip)
    record.set_bytes_content(head)
    return record


def request_record(response: Response) -> WarcRecord:
    """Create the record of the request for a response."""
    parts = urlsplit(response.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = (("Host", parts.netloc.rpartition("@")[2]), *response.request_headers)
    record = _record(WarcRecordType.request, response.observed_at, uuid4(), response.url)
    record.is_http = True
    record.headers.set("Content-Type", "application/http; msgtype=request")
    record.headers.set("WARC-Concurrent-To", f"<{response.capture_id.urn}>")
    record.set_bytes_content(f"GET {target} HTTP/1.1\r\n".encode("latin-1", "replace") + _header_block(headers))
    return record


def metadata_record(response: Response, fields: dict[str, Any]) -> WarcRecord:
    """Create the metadata record of a capture as JSON. With it, the capture can be staged again from the file alone."""
    record = _record(WarcRecordType.metadata, response.observed_at, uuid4(), response.url)
    record.headers.set("Content-Type", "application/json")
    record.headers.set("WARC-Concurrent-To", f"<{response.capture_id.urn}>")
    record.set_bytes_content(json.dumps(fields, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace"))
    return record


def events_record(fields: dict[str, Any]) -> WarcRecord:
    """Create the record of a segment's events (missing and unchanged pages), as JSON under `events`."""
    record = _record(WarcRecordType.metadata, datetime.now(UTC), uuid4(), None)
    record.headers.set("Content-Type", "application/json")
    record.set_bytes_content(json.dumps(fields, ensure_ascii=False, sort_keys=True, default=str).encode())
    return record


def warcinfo_record(fields: dict[str, str], filename: str) -> WarcRecord:
    """Create the first record of a file: the software, the format, and how bodies are stored."""
    lines = {
        "software": f"Pressmark/{__version__}",
        "format": "WARC File Format 1.1",
        "conformsTo": "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
        "description": "Bodies with their Content-Encoding as received, transfer coding removed; "
        "status and headers as Scrapy reports them (title-cased, reordered). Pages marked noarchive are left out.",
        **fields,
    }
    record = _record(WarcRecordType.warcinfo, datetime.now(UTC), uuid4(), None)
    record.headers.set("Content-Type", "application/warc-fields")
    record.headers.set("WARC-Filename", filename)
    record.set_bytes_content("".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode())
    return record


def archive_name(document: bytes) -> str:
    """Return the name that a file has in the archive. Raises ArchiveError if Pressmark has not written it."""
    record = next(iter(_iterate(io.BytesIO(document))), None)
    name = record.headers.get("WARC-Filename") if record is not None else None
    if not name:
        raise ArchiveError("it has no warcinfo record of Pressmark")
    return str(name)


def read_response(member: bytes) -> Response:
    """Return the response in a gzip member. Raises ArchiveError if there is none."""
    for record in _iterate(io.BytesIO(member)):
        if record.record_type in (WarcRecordType.response, WarcRecordType.revisit):
            return _response(record)
    raise ArchiveError("no response record at the archive pointer")


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """A segment in a file: its location, its captures, its events (columns of staging.event) and its crawl request.

    repeated_lines: that extraction removed from its texts, see `pressmark.outlet_memory`.
    """

    segment_id: UUID
    crawl_id: UUID
    outlet: str
    offset: int
    length: int
    captures: list[StoredCapture]
    events: list[dict[str, Any]]
    mode: Literal["incremental", "window"] = "incremental"
    start: datetime | None = None
    end: datetime = _NEVER
    repeated_lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredCapture:
    """A response or revisit in a file, with its location and the fields of its metadata record."""

    response: Response
    offset: int
    length: int
    is_revisit: bool
    fields: dict[str, Any]


def read_captures(document: bytes) -> Iterator[StoredCapture]:
    """Yield all captures of a WARC file with their metadata, in order. Stops at an incomplete last record."""
    pending: tuple[Response, int, int, bool] | None = None
    for offset, length in member_spans(document):
        record = next(iter(_iterate(io.BytesIO(document[offset : offset + length]))), None)
        if record is None:
            continue
        if record.record_type in (WarcRecordType.response, WarcRecordType.revisit):
            pending = (_response(record), offset, length, record.record_type == WarcRecordType.revisit)
        elif record.record_type == WarcRecordType.metadata and pending:
            response, start, size, is_revisit = pending
            yield StoredCapture(response, start, size, is_revisit, json.loads(record.reader.read()))
            pending = None


def read_segments(document: bytes) -> Iterator[StoredSegment]:
    """Yield the segments of a file, in order. Offsets of captures are relative to their segment.

    Each segment begins with its warcinfo record. Only files written by Pressmark contain segments.
    """
    starts = []
    for offset, length in member_spans(document):
        record = next(iter(_iterate(io.BytesIO(document[offset : offset + length]))), None)
        if record is not None and record.record_type == WarcRecordType.warcinfo:
            fields = dict(
                line.split(": ", 1)
                for line in record.reader.read().decode("utf-8", "replace").split("\r\n")
                if ": " in line
            )
            starts.append((offset, fields))
    for number, (offset, fields) in enumerate(starts):
        end = starts[number + 1][0] if number + 1 < len(starts) else len(document)
        if "pressmark-segment" not in fields:
            continue
        content = document[offset:end]
        yield StoredSegment(
            UUID(fields["pressmark-segment"]),
            UUID(fields["isPartOf"]),
            fields["pressmark-outlet"],
            offset,
            end - offset,
            list(read_captures(content)),
            _events(content),
            *_parse_scope(fields.get("pressmark-scope", "")),
            tuple(json.loads(fields.get("pressmark-repeated-lines", "[]"))),
        )


def _parse_scope(text: str) -> tuple[Literal["incremental", "window"], datetime | None, datetime]:
    mode, _, interval = text.partition(" ")
    start_text, _, end_text = interval.partition("/")
    start = datetime.fromisoformat(start_text) if start_text else None
    end = datetime.fromisoformat(end_text) if end_text else _NEVER
    return "window" if mode == "window" else "incremental", start, end


def _events(document: bytes) -> list[dict[str, Any]]:
    for offset, length in itertools.islice(member_spans(document), 1, 2):  # the record after warcinfo
        record = next(iter(_iterate(io.BytesIO(document[offset : offset + length]))), None)
        if record is not None and record.record_type == WarcRecordType.metadata:
            content = record.reader.read()
            return list(json.loads(content).get("events", [])) if content else []
    return []


def is_complete(document: bytes) -> bool:
    """Return whether a file ends with the end of a record."""
    end = 0
    for offset, length in member_spans(document):
        end = offset + length
    return bool(document) and end == len(document)


def member_spans(document: bytes) -> Iterator[tuple[int, int]]:
    """Yield (offset, length) of each complete gzip member."""
    offset = 0
    while offset < len(document):
        decoder = zlib.decompressobj(wbits=31)
        position = offset
        try:
            while not decoder.eof and position < len(document):
                decoder.decompress(document[position : position + 65536])
                position += 65536
        except zlib.error:
            return
        if not decoder.eof:
            return
        end = min(position, len(document)) - len(decoder.unused_data)
        yield offset, end - offset
        offset = end


def _iterate(stream: io.BytesIO) -> Iterator[WarcRecord]:
    yield from ArchiveIterator(stream, parse_http=True)


def _response(record: WarcRecord) -> Response:
    headers = record.http_headers
    digest = (record.headers.get("WARC-Payload-Digest") or "").removeprefix("sha256:")
    return Response(
        capture_id=UUID((record.record_id or "").strip("<>").removeprefix("urn:uuid:")),
        url=record.headers.get("WARC-Target-URI") or "",
        observed_at=datetime.fromisoformat(record.headers.get("WARC-Date") or ""),
        status=headers.status_code or 0,
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.items_bytes()),
        body=record.reader.read(),
        wire_digest=bytes.fromhex(digest),
        ip=record.headers.get("WARC-IP-Address"),
    )


def _record(kind: WarcRecordType, when: datetime, record_id: UUID, url: str | None) -> WarcRecord:
    record = WarcRecord()
    record.init_headers(kind, record_id.urn.encode())
    record.headers.set("WARC-Date", _date(when))
    if url:
        record.headers.set("WARC-Target-URI", url)
    return record


def _date(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _header_block(headers: Headers) -> bytes:
    # A line break in a header would end the block early.
    lines = [f"{name}: {value}".replace("\r", " ").replace("\n", " ") for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
