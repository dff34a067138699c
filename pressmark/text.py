"""Strings as the warehouse can hold them. Not for finding text in a page: see `extraction`."""

from __future__ import annotations

import re
import unicodedata
from typing import overload

_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACE = re.compile(r"\s+")
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
# C0 controls but tab, newline and carriage return; they carry no meaning in news text and break CSV readers.
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@overload
def clean_text(value: str) -> str: ...
@overload
def clean_text(value: None) -> None: ...
def clean_text(value: str | None) -> str | None:
    r"""Make a string storable: no NUL, no lone surrogate, no other control character.

    psycopg2 refuses NUL and lone surrogates, jsonb refuses \\u0000. Every string that reaches the
    database passes here: titles, URLs, headers, text.
    """
    if value is None or not _UNSTORABLE.search(value):
        return value
    return _CONTROL.sub("", _SURROGATE.sub("�", value))


def one_line(value: str | None, limit: int = 2000) -> str | None:
    """White space folded to single spaces and trimmed; None where nothing is left."""
    if not value:
        return None
    folded = _SPACE.sub(" ", clean_text(value)).strip()
    return folded[:limit] or None


def plural(count: int, noun: str, plural_noun: str | None = None) -> str:
    """A count with its noun: "1 page", "2 pages"."""
    return f"{count:,} {noun if count == 1 else plural_noun or noun + 's'}"


def comparable(value: str | None) -> str:
    """The form in which two versions of a text are compared: NFKC, white space folded."""
    if not value:
        return ""
    return " ".join((value if value.isascii() else unicodedata.normalize("NFKC", value)).split())


def fold_name(name: str) -> str:
    """A name for comparison: its letters and digits, case-folded."""
    return _NOT_ALPHANUMERIC.sub("", unicodedata.normalize("NFKC", name).casefold())
