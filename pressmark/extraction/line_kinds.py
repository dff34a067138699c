"""What each line of a main text is: paragraph, heading, list item, quote or table row."""

from __future__ import annotations

from collections.abc import Sequence

from pressmark.extraction.blocks import AROUND_BIT, Block
from pressmark.extraction.body_lines import Line

PARAGRAPH, LIST_ITEM, QUOTE, TABLE_ROW = "p", "l", "q", "t"
_QUOTED = AROUND_BIT["blockquote"]


def line_kinds(lines: Sequence[Line], blocks: Sequence[Block]) -> str:
    """Return one letter per line: p paragraph, 1 to 6 heading of that level, l list item, q quote, t table row."""
    return "".join(_kind(line, None if line.block is None else blocks[line.block]) for line in lines)


def _kind(line: Line, block: Block | None) -> str:
    if line.text.startswith("|") and line.text.endswith("|"):
        return TABLE_ROW
    if block is not None and block.is_heading:
        return str(block.element.tag[1])
    if block.in_list if block is not None else line.text.startswith("- "):
        return LIST_ITEM
    return QUOTE if block is not None and block.around & _QUOTED else PARAGRAPH
