"""The text blocks of a page in document order, each with what its markup says about it.

A block is a run of text that no border of a block element and no line break interrupts: a paragraph, a heading, a list
item, the label of a button. Blocks relate the lines of a main text to the elements that they come from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from lxml.html import HtmlElement

_BLOCK_TAGS = frozenset(
    "address article aside blockquote body button caption center dd details dialog div dl dt fieldset figcaption "
    "figure footer form h1 h2 h3 h4 h5 h6 header hgroup html label legend li main menu nav ol p pre section select "
    "summary table tbody td tfoot th thead tr ul".split()
)
_BREAKS = _BLOCK_TAGS | {"br", "hr"}
_SILENT_TAGS = frozenset(
    "script style option svg noscript iframe object video audio canvas math textarea rt rp".split()
)
_BOLD_TAGS = frozenset(("b", "strong"))
_ITALIC_TAGS = frozenset(("i", "em", "cite"))
_STYLE_TAGS = _BOLD_TAGS | _ITALIC_TAGS | {"a"}
HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_MAX_SEARCHED = 150_000  # characters
_NOT_KEY = re.compile(r"[\W_]+")

AROUND = ("aside", "footer", "nav", "header", "figure", "figcaption", "form", "table", "blockquote", "li", "article")
"""Elements that may stand around a block, as bits of `Block.around`."""
AROUND_BIT = {tag: 1 << number for number, tag in enumerate(AROUND)}


class _Context(NamedTuple):
    """What a text inherits from the elements around it."""

    block: HtmlElement
    link: bool
    bold: bool
    italic: bool
    around: int


@dataclass(slots=True)
class Block:
    """A text block. key: see `line_key`. linked, bold, italic: shares of its characters.

    around: the elements around it, bits of AROUND_BIT.
    """

    element: HtmlElement
    text: str
    key: str
    linked: float
    bold: float
    italic: float
    around: int

    @property
    def path(self) -> str:
        """Tag and class of its element and of the parent."""
        parent = self.element.getparent()
        own = f"{self.element.tag}.{self.element.get('class') or ''}"
        return own if parent is None else f"{own}<{parent.tag}.{parent.get('class') or ''}"

    @property
    def is_heading(self) -> bool:
        """Whether it is a heading."""
        return self.element.tag in HEADINGS

    @property
    def in_list(self) -> bool:
        """Whether it is part of a list."""
        return self.element.tag == "li" or bool(self.around & AROUND_BIT["li"])


def line_key(text: str) -> str:
    """Return the letters and digits of a text in lower case, by which blocks and lines are compared."""
    return _NOT_KEY.sub("", text).lower()


class KeyText:
    """The keys of a text's lines, to ask whether the text contains a key.

    A key may also be a part of the text, but in very long texts only whole lines count: searching thousands of keys in
    megabytes would take minutes.
    """

    def __init__(self, keys: Iterable[str]) -> None:
        lines = list(keys)
        self._lines = set(lines)
        self._text = "".join(lines)
        self._is_searched = len(self._text) <= _MAX_SEARCHED

    def __len__(self) -> int:
        return len(self._text)

    def __contains__(self, key: str) -> bool:
        return key in self._lines or (self._is_searched and key in self._text)

    @classmethod
    def of(cls, text: str) -> KeyText:
        """Return the keys of the lines of a text."""
        return cls(line_key(line) for line in text.splitlines())


def page_blocks(tree: HtmlElement) -> list[Block]:
    """Return the blocks of a page in document order."""
    body = tree.find(".//body")
    builder = _Builder()
    builder.walk(body if body is not None else tree)
    return builder.blocks


class _Builder:
    """Walks a tree and cuts its text into blocks. Not recursive: a page may have two thousand levels."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._pieces: list[str] = []
        self._linked = self._bold = self._italic = 0

    def walk(self, root: HtmlElement) -> None:
        context = _Context(root, False, False, False, 0)
        self._add(root.text, context)
        stack = [(iter(root), root, context)]
        while stack:
            children, parent, context = stack[-1]
            element = next(children, None)
            if element is not None:
                tag = element.tag
                if tag in _SILENT_TAGS or not isinstance(tag, str):
                    self._add(element.tail, context)
                    continue
                is_block = tag in _BLOCK_TAGS
                if is_block:
                    self._finish(context)
                    context = _Context(
                        element,
                        context.link,
                        False,
                        False,
                        context.around | AROUND_BIT[tag] if tag in AROUND_BIT else context.around,
                    )
                elif tag in _BREAKS:
                    self._finish(context)
                elif tag in _STYLE_TAGS:
                    context = _Context(
                        context.block,
                        context.link or tag == "a",
                        context.bold or tag in _BOLD_TAGS,
                        context.italic or tag in _ITALIC_TAGS,
                        context.around,
                    )
                self._add(element.text, context)
                stack.append((iter(element), element, context))
                continue
            stack.pop()
            if parent.tag in _BLOCK_TAGS:
                self._finish(context)
            if stack:
                self._add(parent.tail, stack[-1][2])

    def _add(self, text: str | None, context: _Context) -> None:
        if not text:
            return
        self._pieces.append(text)
        if context.link or context.bold or context.italic:
            length = len(text.strip())
            self._linked += length * context.link
            self._bold += length * context.bold
            self._italic += length * context.italic

    def _finish(self, context: _Context) -> None:
        if not self._pieces:
            return
        text = " ".join("".join(self._pieces).split())
        size = len(text)
        linked, bold, italic = self._linked, self._bold, self._italic
        self._pieces = []
        self._linked = self._bold = self._italic = 0
        if not text:
            return
        key = line_key(text)
        if key:
            shares = min(1.0, linked / size), min(1.0, bold / size), min(1.0, italic / size)
            self.blocks.append(Block(context.block, text, key, *shares, context.around))
