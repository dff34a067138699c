"""Reader comments. They are extracted only for outlets whose file enables them, and are stored apart from the text.

The markup of known comment systems is data: wpDiscuz, WordPress core, schema.org microdata. Unknown markup gives no
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
class _CommentMarkup:
    """XPath expressions for one comment system. All except `comment` are relative to the comment."""

    comment: str
    text: str
    author: str
    posted: str
    edited: str


def _class(name: str) -> str:
    return f"contains(concat(' ', normalize-space(@class), ' '), ' {name} ')"


_COMMENT_SYSTEMS = (
    _CommentMarkup(  # wpDiscuz 7
        comment=f"//div[{_class('wpd-comment')}]",
        text=f".//div[{_class('wpd-comment-text')}]",
        author=f".//div[{_class('wpd-comment-author')}]",
        posted=f".//div[{_class('wpd-comment-date')}]/@title",
        edited=f".//div[{_class('wpd-comment-last-edited')}]",
    ),
    _CommentMarkup(  # WordPress core, wp_list_comments
        comment=f"//*[{_class('comment-body')} and (self::article or self::div)]",
        text=f".//*[{_class('comment-content')}] | self::div/p",
        author=f".//*[{_class('fn')}]",
        posted=f".//*[{_class('comment-metadata')}]//time/@datetime | .//*[{_class('comment-meta')}]/a",
        edited=f".//*[{_class('comment-edited')}]",
    ),
    _CommentMarkup(  # schema.org microdata
        comment="//*[contains(@itemtype, 'schema.org/Comment') or contains(@itemtype, 'schema.org/UserComments')]",
        text=".//*[@itemprop='text' or @itemprop='commentText']",
        author=".//*[@itemprop='author' or @itemprop='creator']",
        posted=".//*[@itemprop='dateCreated' or @itemprop='datePublished' or @itemprop='commentTime']/@datetime",
        edited=".//*[@itemprop='dateModified']/@datetime",
    ),
)


def find_comments(tree: HtmlElement) -> list[ReaderComment]:
    """Return the comments in page order, from the first comment system whose markup matches."""
    for markup in _COMMENT_SYSTEMS:
        extracted = [_extract(element, markup) for element in tree.xpath(markup.comment)[:MAX_COMMENTS]]
        comments = [comment for comment in extracted if comment is not None]
        if comments:
            return comments
    return []


def _extract(element: HtmlElement, markup: _CommentMarkup) -> ReaderComment | None:
    author = _first(element, markup.author, markup)
    text = _text(element, markup)
    edited = _first(element, markup.edited, markup)
    if author is None and not text and edited is None:
        return None
    return ReaderComment(author, text, _first(element, markup.posted, markup), edited)


def _first(element: HtmlElement, xpath: str, markup: _CommentMarkup) -> str | None:
    for match in _matches(element, xpath, markup):
        value = one_line(match if isinstance(match, str) else match.text_content(), 300)
        if value:
            return value
    return None


def _text(element: HtmlElement, markup: _CommentMarkup) -> str:
    lines: list[str] = []
    for match in _matches(element, markup.text, markup):
        if not isinstance(match, str):
            blocks = match.xpath("./p") or [match]
            lines += [line for block in blocks if (line := one_line(block.text_content(), 20_000))]
    return clean_text("\n".join(lines))


def _matches(element: HtmlElement, xpath: str, markup: _CommentMarkup) -> list[Any]:
    """Return the matches of an XPath within this comment, without those in nested replies."""
    replies = set(element.xpath("." + markup.comment))
    replies.discard(element)
    own: list[Any] = []
    matches: list[Any] = element.xpath(xpath)
    for match in matches:
        parent: HtmlElement | None = match if isinstance(match, HtmlElement) else match.getparent()
        if parent is not None and not any(e in replies for e in (parent, *parent.iterancestors())):
            own.append(match)
    return own
