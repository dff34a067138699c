"""Clean, fold and compare strings, and format counts. Extracting text from a page is in `extraction`."""

from __future__ import annotations

import codecs
import html
import re
import unicodedata
from typing import overload

SENTENCE_END = re.compile(r"[.!?。！？؟।…۔։።][\"'”“’‘»«」』)\]]*\s*$")
"""The end of a sentence, at the end of a text."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACE = re.compile(r"\s+")
_TAG = re.compile(r"</?[a-zA-Z!][^<>]{0,500}>")
_ENTITY = re.compile(r"&(?:[a-zA-Z]{2,10}|#\d{1,6}|#[xX][0-9a-fA-F]{1,5});")
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
# C0 controls except tab, newline and carriage return. They carry no meaning in news text and break CSV readers.
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
# Soft hyphens, zero-width spaces, word joiners, byte order marks and bidi marks. Joiners (U+200C, U+200D) carry
# meaning in Persian, Hindi and emoji, and stay.
_INVISIBLE = re.compile("[\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


# Python codecs that decode text, but are no encoding of a document.
_NO_CHARSET = frozenset(("undefined", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "mbcs", "oem"))


def text_encoding(label: str | None) -> str | None:
    """Return Python's name of a declared encoding. Returns None if it is unknown, or no encoding of text (`base64`)."""
    try:
        codec = codecs.lookup(label or "")
    except (LookupError, ValueError):
        return None
    is_text = getattr(codec, "_is_text_encoding", True) and codec.name.replace("-", "_") not in _NO_CHARSET
    return codec.name if is_text else None


@overload
def clean_text(value: str) -> str: ...
@overload
def clean_text(value: None) -> None: ...
def clean_text(value: str | None) -> str | None:
    r"""Remove control characters, including NUL, and replace lone surrogates.

    psycopg2 rejects NUL and lone surrogates, and jsonb rejects \\u0000. Every string that is written to the database
    passes through this function: titles, URLs, headers, text.
    """
    if value is None or not _UNSTORABLE.search(value):
        return value
    return _CONTROL.sub("", _SURROGATE.sub("�", value))


def without_invisible(value: str) -> str:
    """Remove characters that are never seen: soft hyphens, zero-width spaces, marks of direction."""
    return value if value.isascii() else _INVISIBLE.sub("", value)


def one_line(value: str | None, limit: int = 2000) -> str | None:
    """Collapse white space to single spaces and trim. Return None if nothing is left."""
    if not value:
        return None
    folded = _SPACE.sub(" ", clean_text(value)).strip()
    return folded[:limit] or None


def clean_line(text: str | None, limit: int = 2000) -> str | None:
    """Return a text on one line without invisible characters and with all entities resolved; None if it is empty."""
    line = one_line(without_invisible(text or ""), limit + 200)
    for _ in range(2):
        if not line or not _ENTITY.search(line):
            break
        line = one_line(without_invisible(html.unescape(line)), limit + 200)
    return line[:limit] if line else None


def plain_line(text: str | None, limit: int = 400) -> str | None:
    """Return a text that may contain markup on one line, without tags; None if it is empty."""
    line = clean_line(text, limit + 2000)
    return clean_line(_TAG.sub(" ", line), limit) if line else None


def plural(count: int, noun: str, plural_noun: str | None = None) -> str:
    """Format a count with its noun: "1 page", "2 pages"."""
    return f"{count:,} {noun if count == 1 else plural_noun or noun + 's'}"


def comparable(value: str | None) -> str:
    """Return the form in which two texts are compared: NFKC, with white space collapsed."""
    if not value:
        return ""
    return " ".join((value if value.isascii() else unicodedata.normalize("NFKC", value)).split())


def fold_name(name: str) -> str:
    """Return the letters and digits of a name, case-folded, for comparison."""
    return _NOT_ALPHANUMERIC.sub("", unicodedata.normalize("NFKC", name).casefold())
