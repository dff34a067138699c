"""What each line of a main text is, and how a text with kinds is written as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from pressmark.extraction.blocks import AROUND_BIT, Block
from pressmark.extraction.body_lines import Line

PARAGRAPH, LIST_ITEM, QUOTE, TABLE_ROW = "p", "l", "q", "t"
HEADING_LEVELS = "123456"
_QUOTED = AROUND_BIT["blockquote"]


def line_kinds(lines: Sequence[Line], blocks: Sequence[Block]) -> str:
    """Return one letter per line: p paragraph, 1 to 6 heading of that level, l list item, q quote, t table row."""
    return "".join(_kind(line, None if line.block is None else blocks[line.block]) for line in lines)


def _kind(line: Line, block: Block | None) -> str:
    if line.text.startswith("|") and line.text.endswith("|"):
        return TABLE_ROW
    if block is not None and block.is_heading:
        return str(block.element.tag[1])
    if line.text.startswith("- ") or (block is not None and block.in_list):
        return LIST_ITEM
    return QUOTE if block is not None and block.around & _QUOTED else PARAGRAPH


def as_markdown(body: str, kinds: str | None, headline: str | None = None) -> str:
    """Return a text as Markdown. kinds: of its lines; None or of another length: every line is a paragraph."""
    lines = body.splitlines()
    if kinds is None or len(kinds) != len(lines):
        kinds = PARAGRAPH * len(lines)
    parts = [f"# {headline}"] if headline else []
    previous = ""
    for line, kind in zip(lines, kinds, strict=True):
        if kind in HEADING_LEVELS:
            text = f"{'#' * max(2, int(kind))} {line}"
        elif kind == LIST_ITEM:
            text = f"- {line.removeprefix('- ')}"
        elif kind == QUOTE:
            text = f"> {line}"
        else:
            text = line
        if kind == previous and kind in (LIST_ITEM, TABLE_ROW):
            parts[-1] += f"\n{text}"
        else:
            parts.append(text)
        previous = kind
    return "\n\n".join(parts) + "\n"
