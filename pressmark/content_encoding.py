"""Removes the content encoding of a response: declared or not, in one layer or several, whole or cut short.

Only gzip and deflate are requested. Labels that name no encoding (`none`, `utf-8`) are ignored, and so is a declared
encoding that the body doesn't have. gzip data is recognised by its first bytes, since some servers don't declare it.
"""

from __future__ import annotations

import zlib

from pressmark.errors import ExtractionError

GZIP_MAGIC = b"\x1f\x8b"
_UNSUPPORTED = frozenset(("br", "zstd", "compress", "x-compress", "dcb", "dcz"))
_MAX_LAYERS = 4
_MAX_MEMBERS = 10_000  # tools that compress in parallel make a few hundred
_PIECE = 65_536
_TEXT_START = (b"<", b"{", b"[")


class TooLarge(ExtractionError):
    """The body is larger than the limit after its content encoding is removed."""


class IncompleteBody(ExtractionError):
    """The compressed body is truncated: the connection broke, or the server stopped."""


def remove_content_encoding(body: bytes, content_encoding: str | None, limit: int) -> bytes:
    """Decompress a body, layer by layer.

    limit: maximum number of bytes at any layer. Raises TooLarge if it is exceeded, IncompleteBody if compressed data is
    cut short, and ExtractionError if the data is broken or has an encoding that was not requested.
    """
    labels = [label.strip().lower() for label in (content_encoding or "").split(",")]
    for label in reversed(labels):
        if label in _UNSUPPORTED:
            raise ExtractionError(f"content encoding {label!r} is not supported: only gzip and deflate are requested")
        if label == "deflate":
            body = _inflate_deflate(body, limit)
    for _ in range(_MAX_LAYERS):
        if not body.startswith(GZIP_MAGIC):
            break
        body = gunzip(body, limit)
    if len(body) > limit:
        raise TooLarge(f"larger than {limit} bytes")
    return body


def gunzip(body: bytes, limit: int) -> bytes:
    """Decompress all members of a gzip file. Zero bytes between members, and anything after the last, are ignored.

    Raises like `remove_content_encoding`.
    """
    content = bytearray()
    view = memoryview(body)
    position = members = 0
    while body.startswith(GZIP_MAGIC, position):
        members += 1
        if members > _MAX_MEMBERS:
            raise ExtractionError(f"broken compressed body: more than {_MAX_MEMBERS} gzip members")
        decoder = zlib.decompressobj(wbits=31)
        while not decoder.eof:
            piece = view[position : position + _PIECE]
            if not piece:
                raise IncompleteBody(f"the compressed body is cut short after {len(body)} bytes")
            try:
                content += decoder.decompress(piece, limit + 1 - len(content))
            except zlib.error as error:
                raise ExtractionError(f"broken compressed body: {error}") from error
            if len(content) > limit:
                raise TooLarge(f"larger than {limit} bytes after decompression")
            position += len(piece) - len(decoder.unused_data) - len(decoder.unconsumed_tail)
        while body.startswith(b"\0", position):
            position += 1
    return bytes(content)


def _inflate_deflate(body: bytes, limit: int) -> bytes:
    """Decompress `deflate`: zlib data as in RFC 9110, or raw deflate data, which some servers send."""
    if body.startswith(GZIP_MAGIC):
        return body  # not what the header says
    problem: zlib.error | None = None
    for bits in (15, -15):
        decoder = zlib.decompressobj(wbits=bits)
        try:
            content = decoder.decompress(body, limit + 1)
        except zlib.error as error:
            problem = problem or error
            continue
        if len(content) > limit:
            raise TooLarge(f"larger than {limit} bytes after decompression")
        if not decoder.eof:
            raise IncompleteBody(f"the compressed body is cut short after {len(body)} bytes")
        return content
    if body.lstrip()[:1] in _TEXT_START:
        return body
    raise ExtractionError(f"broken compressed body: {problem}")
