"""Relates the lines of a main text to the blocks of the page, and fills in lines that the extractor left out.

Trafilatura takes one element as the body. If advertisements or modules split the body into several elements of the same
kind, it takes only the first, so the lines of the others are added.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from lxml.html import HtmlElement

from pressmark.extraction.blocks import AROUND_BIT, Block, KeyText, line_key

_COMMENTS = re.compile(r"(?:^|[\s_-])(?:comments?|replies|disqus|respond|discussion)(?:$|[\s_-])", re.IGNORECASE)
_LOOK_AHEAD = 60  # blocks between two lines that follow each other
_MIN_JOINED = 40  # letters of a line that may be several blocks
_MIN_PART = 10  # letters of a part by which a line and a block are matched
_MAIN_PATH = 0.5  # share of the body's text that has the same path
_MIN_WORDS = 9  # of a paragraph that is added
_MAX_LINKED = 0.3
_NOT_BODY = AROUND_BIT["aside"] | AROUND_BIT["nav"] | AROUND_BIT["footer"] | AROUND_BIT["figure"] | AROUND_BIT["form"]


@dataclass(slots=True)
class Line:
    """A line of the main text. block: its position among the page's blocks, if it is one of them or a part of one.

    probability: that it is body text, from the line model.
    """

    text: str
    key: str
    block: int | None = None
    probability: float = 1.0


def body_lines(text: str, blocks: Sequence[Block]) -> list[Line]:
    """Return the lines of a main text, each with the block that it comes from."""
    positions: defaultdict[str, list[int]] = defaultdict(list)
    starts: defaultdict[str, list[int]] = defaultdict(list)  # by the first letters of longer blocks
    for position, block in enumerate(blocks):
        positions[block.key].append(position)
        if len(block.key) > _MIN_PART:
            starts[block.key[: _MIN_PART + 1]].append(position)
    lines = [
        part
        for line in text.splitlines()
        if (stripped := line.strip())
        for part in _parts(Line(stripped, line_key(stripped)), blocks, positions, starts)
    ]
    last = -1
    for line in lines:
        candidates = positions.get(line.key)
        if candidates:
            line.block = next((position for position in candidates if position > last), candidates[0])
            if last < line.block <= last + _LOOK_AHEAD or last < 0:
                last = line.block
        elif len(line.key) > _MIN_PART:
            for position in range(last + 1, min(len(blocks), last + _LOOK_AHEAD)):
                if _is_part(line.key, blocks[position].key):
                    line.block = last = position
                    break
    return lines


def fill_gaps(
    lines: list[Line], blocks: Sequence[Block], other_key: KeyText, posts: Collection[HtmlElement] = ()
) -> list[Line]:
    """Return the lines with the blocks that belong to the same body.

    These are paragraphs in elements of the same path as most of the body, up to the headline of the next article, and
    headings between lines. other_key: key of the second extractor's text, which must contain them. posts: elements of a
    live blog's posts, whose paragraphs and headings all belong to the body.
    """
    matched = [line.block for line in lines if line.block is not None]
    if not matched:
        return lines
    present = present_blocks(lines, blocks)
    main_path = _main_path(blocks, present)
    first, last = min(matched), max(matched)
    counts = Counter(block.key for block in blocks)
    missing = []
    for position in range(first + 1, len(blocks)):
        block = blocks[position]
        if position > last and block.element.tag == "h1":
            break  # another article
        if present[position] or counts[block.key] > 1 or block.around & _NOT_BODY:
            continue
        if _is_comment(block):
            continue
        if posts and block.linked < _MAX_LINKED and _is_in_post(block, posts):
            missing.append(position)
            continue
        if block.key not in other_key:
            continue
        is_paragraph = block.path == main_path and block.linked < _MAX_LINKED and len(block.text.split()) >= _MIN_WORDS
        is_subheading = (
            block.is_heading
            and position < last
            and block.linked < _MAX_LINKED
            and block.element.tag != "h1"
            and present[position + 1]
        )
        if is_paragraph or is_subheading:
            missing.append(position)
    if posts:
        lines = _in_page_order(lines)
    return _merged(lines, [Line(blocks[p].text, blocks[p].key, p) for p in missing]) if missing else lines


def _is_comment(block: Block) -> bool:
    return any(
        _COMMENTS.search(f"{element.get('class') or ''} {element.get('id') or ''}")
        for element in (block.element, *block.element.iterancestors())
    )


def _is_in_post(block: Block, posts: Collection[HtmlElement]) -> bool:
    return (block.element.tag in ("p", "li", "blockquote") or block.is_heading) and any(
        ancestor in posts for ancestor in block.element.iterancestors()
    )


def _parts(
    line: Line,
    blocks: Sequence[Block],
    positions: Mapping[str, Sequence[int]],
    starts: Mapping[str, Sequence[int]],
) -> list[Line]:
    """Return the lines of consecutive blocks that an extractor has joined into one line, as it does with short texts.

    The parts of list items and table rows stay together.
    """
    if line.key in positions or line.text.startswith(("- ", "|")) or len(line.key) < _MIN_JOINED:
        return [line]
    for start in starts.get(line.key[: _MIN_PART + 1], ()):
        block = blocks[start]
        if not line.key.startswith(block.key):
            continue
        end, joined = start + 1, block.key
        while end < len(blocks) and line.key.startswith(joined + blocks[end].key):
            joined += blocks[end].key
            end += 1
        if joined == line.key:
            return [Line(part.text, part.key) for part in blocks[start:end]]
    return [line]


def _is_part(line: str, block: str) -> bool:
    return len(block) >= _MIN_PART and (line in block or (block in line and 2 * len(block) > len(line)))


def present_blocks(lines: Sequence[Line], blocks: Sequence[Block]) -> list[bool]:
    """Return for each block whether its text is in the lines."""
    text = KeyText(line.key for line in lines)
    present = [len(block.key) > 5 and block.key in text for block in blocks]
    for line in lines:
        if line.block is not None:
            present[line.block] = True
    return present


def _main_path(blocks: Sequence[Block], present: Sequence[bool]) -> str | None:
    """Return the path of most of the body's text, or None if no path has so much of it."""
    sizes: Counter[str] = Counter()
    for block, is_present in zip(blocks, present, strict=True):
        if is_present:
            sizes[block.path] += len(block.text)
    path, size = max(sizes.items(), key=lambda item: item[1], default=("", 0))
    return path if size > _MAIN_PATH * sizes.total() else None


def _in_page_order(lines: Sequence[Line]) -> list[Line]:
    """Return the lines in the order of the page. Trafilatura may begin with one post and add the others."""
    places: list[int] = []
    for line in lines:
        places.append(line.block if line.block is not None else places[-1] if places else -1)
    return [line for _, line in sorted(zip(places, lines, strict=True), key=lambda item: item[0])]


def _merged(lines: list[Line], missing: list[Line]) -> list[Line]:
    """Insert the missing lines where their blocks stand in the page."""
    merged: list[Line] = []
    pending = missing
    for line in lines:
        while pending and line.block is not None and pending[0].block is not None and pending[0].block < line.block:
            merged.append(pending.pop(0))
        merged.append(line)
    return merged + pending
