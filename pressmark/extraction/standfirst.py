"""The standfirst: the sentence or two between the headline and the text that sum up the article.

It is recognised by its class, or because the page describes itself with the same words. It counts only between the
headline and the first lines of the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pressmark.extraction.blocks import AROUND_BIT, Block, line_key
from pressmark.text import clean_line

_CLASS = re.compile(
    r"(?:^|[\s_-])(?:stand-?first|dek|deck|sub-?head(?:line|ing)?|sub-?title|summary|lede?|lead(?:-?text)?|intro(?:duction)?|"
    r"teaser-?text|excerpt|abstract|chap[oô](?:-text)?|vorspann|anleser|bajada|entradilla|sommario|occhiello|"
    r"ingress|manchet|kop-?intro|perex|zajawka|synopsis)(?:$|[\s_-])|(?:headline|title)-?(?:deck|sub)|articlelead|"
    r"__(?:standfirst|summary|lead|intro|dek|subtitle)",
    re.IGNORECASE,
)
_PROPERTIES = frozenset(("description", "alternativeheadline", "alternateheadline", "abstract"))
_MAX_DISTANCE = 14  # blocks between the headline and the standfirst
_MIN_WORDS, _MAX_CHARACTERS = 5, 700
_MAX_LINKED = 0.5
_SAME = 40  # characters that a shortened description must share
_NOT_HERE = AROUND_BIT["nav"] | AROUND_BIT["footer"] | AROUND_BIT["figure"] | AROUND_BIT["aside"] | AROUND_BIT["form"]
_OTHER = re.compile(
    r"^(?:by|von|par|por)\s|\b(?:photo|foto|image|credit|getty images|picture alliance)\b.{0,60}$|"
    r"^(?:published|updated|posted|aktualisiert|stand)\b|\b\d{1,2}:\d{2}\b|^\W*(?:[A-Z][a-z]{2,8}\.?\s+\d{1,2}, \d{4})",
    re.IGNORECASE,
)
_LEVELS = 3  # elements around a block whose classes count


def find_standfirst(blocks: Sequence[Block], first_line: int | None, description: str | None) -> str | None:
    """Return the standfirst, or None if the page shows none.

    first_line: position of the block of the first line of the text. description: what the page says of itself.
    """
    start = next((n for n, block in enumerate(blocks) if block.element.tag == "h1"), None)
    if start is None:
        return None
    end = min(len(blocks), start + _MAX_DISTANCE)
    if first_line is not None and first_line > start:
        end = min(end, first_line + 1)
    headline_key, wanted = blocks[start].key, line_key(description or "")
    parts: list[str] = []
    for position in range(start + 1, end):
        block = blocks[position]
        if block.key == headline_key or not _may_be(block):
            if parts:
                break
            continue
        # A page that describes itself with the first words of its text has no standfirst.
        if _is_marked(block) or (position != first_line and _is_description(block.key, wanted)):
            parts.append(block.text)
        elif parts:
            break
    return clean_line(" ".join(parts), 2 * _MAX_CHARACTERS)


def _may_be(block: Block) -> bool:
    return (
        len(block.text) <= _MAX_CHARACTERS
        and len(block.text) >= 2 * _MIN_WORDS
        and (len(block.text.split()) >= _MIN_WORDS or not block.text.isascii())
        and block.linked < _MAX_LINKED
        and not _OTHER.search(block.text)
        and not block.around & _NOT_HERE
    )


def _is_description(key: str, wanted: str) -> bool:
    return bool(wanted) and (key == wanted or (len(key) >= _SAME and wanted.startswith(key[:_SAME])))


def _is_marked(block: Block) -> bool:
    element = block.element
    for _ in range(_LEVELS):
        if element is None or element.tag in ("article", "main", "body", "section"):
            return False
        marks = " ".join(filter(None, (element.get("class"), element.get("id"), element.get("data-testid"))))
        if (marks and _CLASS.search(marks)) or (element.get("itemprop") or "").lower() in _PROPERTIES:
            return len(element.text_content()) <= 2 * _MAX_CHARACTERS
        element = element.getparent()
    return False
