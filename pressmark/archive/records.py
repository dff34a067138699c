"""WARC records: making, writing at an exact offset, reading back at a pointer.

The body of a response is kept with its Content-Encoding as received and its transfer coding removed;
status and headers are those that Scrapy reports (title-cased, reordered), which warcinfo states.
Each record is a gzip member of its own, so that (offset, length) is enough to read it.

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
# Bodies mostly come gzip'd already: those are stored as they are, others packed at the fastest level.
_STORED, _PACKED = 0, 1
_NEVER = datetime.max.replace(tzinfo=UTC)

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Response:
    """A response as it came: body with its content encoding, transfer coding removed.

    headers: as Scrapy reports them, latin-1. observed_at: UTC. wire_digest: `body_digest(body)`; it
    stays when the body is let go.
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
        """First value of a header; None where it is not there."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def without_body(self) -> Response:
        """The same without its body, to be kept in memory while the body lies in the spool."""
        return replace(self, body=b"")


def body_digest(body: bytes) -> bytes:
    """sha256 of a body as received."""
    return hashlib.sha256(body).digest()


class RecordWriter:
    """Writes records to an open binary file, each a gzip member, and tells where each lies."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._writers = {level: GzipWriter(file, compression_level=level) for level in (_STORED, _PACKED)}

    def write(self, record: WarcRecord, packed_already: bool = False) -> tuple[int, int]:
        """(offset, length) of the record in the file.

        packed_already: its body is compressed, and doing it again is not worth the time.
        """
        offset = self._file.tell()
        writer = self._writers[_STORED if packed_already else _PACKED]
        record.write(writer)
        writer.finish()  # else the whole file becomes one member that other tools refuse
        self._file.flush()
        return offset, self._file.tell() - offset


def response_record(response: Response) -> WarcRecord:
    """The response itself."""
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
    """A response whose body is byte for byte the one of an earlier capture (named where known): headers only."""
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
    """The request that the response answers."""
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
    """What Pressmark knew at the fetch, as JSON: enough to stage the visit again from the file alone."""
    record = _record(WarcRecordType.metadata, response.observed_at, uuid4(), response.url)
    record.headers.set("Content-Type", "application/json")
    record.headers.set("WARC-Concurrent-To", f"<{response.capture_id.urn}>")
    record.set_bytes_content(json.dumps(fields, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace"))
    return record


def events_record(fields: dict[str, Any]) -> WarcRecord:
    """What a segment knows of articles beside captures (missing pages, unchanged ones), as JSON under `events`."""
    record = _record(WarcRecordType.metadata, datetime.now(UTC), uuid4(), None)
    record.headers.set("Content-Type", "application/json")
    record.set_bytes_content(json.dumps(fields, ensure_ascii=False, sort_keys=True, default=str).encode())
    return record


def warcinfo_record(fields: dict[str, str], filename: str) -> WarcRecord:
    """The head of a file: who made it, how, and what its bodies are."""
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


def read_response(member: bytes) -> Response:
    """The response in one gzip member. Raises ArchiveError where there is none."""
    for record in _iterate(io.BytesIO(member)):
        if record.record_type in (WarcRecordType.response, WarcRecordType.revisit):
            return _response(record)
    raise ArchiveError("the archive pointer does not lead to a response record")


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """A segment within a file: where it begins, its captures, its events (fields of staging.event), what was asked."""

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


@dataclass(frozen=True, slots=True)
class StoredCapture:
    """A response or revisit of a file, where it lies, and the fields of its metadata record."""

    response: Response
    offset: int
    length: int
    is_revisit: bool
    fields: dict[str, Any]


def read_captures(document: bytes) -> Iterator[StoredCapture]:
    """All captures of a WARC file with their metadata, in order; a torn last record ends the reading."""
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
    """The segments that a file is made of, in order; offsets of captures are counted from their segment's begin.

    Each begins with its warcinfo record. Files of our own alone: others name no segment.
    """
    begins = []
    for offset, length in member_spans(document):
        record = next(iter(_iterate(io.BytesIO(document[offset : offset + length]))), None)
        if record is not None and record.record_type == WarcRecordType.warcinfo:
            fields = dict(
                line.split(": ", 1)
                for line in record.reader.read().decode("utf-8", "replace").split("\r\n")
                if ": " in line
            )
            begins.append((offset, fields))
    for number, (offset, fields) in enumerate(begins):
        end = begins[number + 1][0] if number + 1 < len(begins) else len(document)
        if "pressmark-segment" not in fields:
            continue
        part = document[offset:end]
        yield StoredSegment(
            UUID(fields["pressmark-segment"]),
            UUID(fields["isPartOf"]),
            fields["pressmark-outlet"],
            offset,
            end - offset,
            list(read_captures(part)),
            _events(part),
            *_asked(fields.get("pressmark-scope", "")),
        )


def _asked(text: str) -> tuple[Literal["incremental", "window"], datetime | None, datetime]:
    mode, _, interval = text.partition(" ")
    begin, _, end = interval.partition("/")
    ending = datetime.fromisoformat(end) if end else _NEVER
    return "window" if mode == "window" else "incremental", datetime.fromisoformat(begin) if begin else None, ending


def _events(document: bytes) -> list[dict[str, Any]]:
    for offset, length in itertools.islice(member_spans(document), 1, 2):  # behind the warcinfo record
        record = next(iter(_iterate(io.BytesIO(document[offset : offset + length]))), None)
        if record is not None and record.record_type == WarcRecordType.metadata:
            content = record.reader.read()
            return list(json.loads(content).get("events", [])) if content else []
    return []


def member_spans(document: bytes) -> Iterator[tuple[int, int]]:
    """(offset, length) of each whole gzip member."""
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
    # A header with a line break would end the block early.
    lines = [f"{name}: {value}".replace("\r", " ").replace("\n", " ") for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
