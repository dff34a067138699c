"""Readers' comments, kept apart from the text. Read only for outlets whose file switches them on.

Known shapes are data: wpDiscuz, WordPress's own list, schema.org microdata. An unknown shape gives no
comments rather than wrong ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lxml.html import HtmlElement

from pressmark.extraction.fields import ReaderComment
from pressmark.text import clean_text, one_line

MAX_COMMENTS = 2000


@dataclass(frozen=True, slots=True)
class _Shape:
    """XPaths of one comment system; all but `comment` are relative to the comment."""

    comment: str
    text: str
    author: str
    posted: str
    edited: str


def _class(name: str) -> str:
    return f"contains(concat(' ', normalize-space(@class), ' '), ' {name} ')"


_SHAPES = (
    _Shape(  # wpDiscuz 7
        comment=f"//div[{_class('wpd-comment')}]",
        text=f".//div[{_class('wpd-comment-text')}]",
        author=f".//div[{_class('wpd-comment-author')}]",
        posted=f".//div[{_class('wpd-comment-date')}]/@title",
        edited=f".//div[{_class('wpd-comment-last-edited')}]",
    ),
    _Shape(  # WordPress core, wp_list_comments
        comment=f"//*[{_class('comment-body')} and (self::article or self::div)]",
        text=f".//*[{_class('comment-content')}] | self::div/p",
        author=f".//*[{_class('fn')}]",
        posted=f".//*[{_class('comment-metadata')}]//time/@datetime | .//*[{_class('comment-meta')}]/a",
        edited=f".//*[{_class('comment-edited')}]",
    ),
    _Shape(  # schema.org microdata
        comment="//*[contains(@itemtype, 'schema.org/Comment') or contains(@itemtype, 'schema.org/UserComments')]",
        text=".//*[@itemprop='text' or @itemprop='commentText']",
        author=".//*[@itemprop='author' or @itemprop='creator']",
        posted=".//*[@itemprop='dateCreated' or @itemprop='datePublished' or @itemprop='commentTime']/@datetime",
        edited=".//*[@itemprop='dateModified']/@datetime",
    ),
)


def find_comments(tree: HtmlElement) -> list[ReaderComment]:
    """Comments in the order of the page. The first shape that finds any is taken."""
    for shape in _SHAPES:
        found = [_read(element, shape) for element in tree.xpath(shape.comment)[:MAX_COMMENTS]]
        comments = [comment for comment in found if comment is not None]
        if comments:
            return comments
    return []


def _read(element: HtmlElement, shape: _Shape) -> ReaderComment | None:
    author = _first(element, shape.author, shape)
    text = _text(element, shape)
    edited = _first(element, shape.edited, shape)
    if author is None and not text and edited is None:
        return None
    return ReaderComment(author, text, _first(element, shape.posted, shape), edited)


def _first(element: HtmlElement, xpath: str, shape: _Shape) -> str | None:
    for found in _own(element, xpath, shape):
        value = one_line(found if isinstance(found, str) else found.text_content(), 300)
        if value:
            return value
    return None


def _text(element: HtmlElement, shape: _Shape) -> str:
    parts: list[str] = []
    for found in _own(element, shape.text, shape):
        if not isinstance(found, str):
            blocks = found.xpath("./p") or [found]
            parts += [line for block in blocks if (line := one_line(block.text_content(), 20_000))]
    return clean_text("\n".join(parts))


def _own(element: HtmlElement, xpath: str, shape: _Shape) -> list[Any]:
    """What an XPath finds within this comment and not within an answer nested in it."""
    nested = set(element.xpath("." + shape.comment))
    nested.discard(element)
    own: list[Any] = []
    matches: list[Any] = element.xpath(xpath)
    for found in matches:
        place: HtmlElement | None = found if isinstance(found, HtmlElement) else found.getparent()
        if place is not None and not any(p in nested for p in (place, *place.iterancestors())):
            own.append(found)
    return own
