"""Live blogs: pages whose text is a series of posts with times."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from lxml.html import HtmlElement

from pressmark.dates import DateContext, ParsedDate, read_date
from pressmark.extraction.blocks import Block, line_key
from pressmark.extraction.body_lines import Line
from pressmark.extraction.fields import LivePost
from pressmark.extraction.structured import Node, StructuredData, flat, node_text, types

_POST_CLASS = re.compile(
    r"(?:^|[\s_-])(?:live-?(?:blog-?)?(?:posts?|updates?|entr(?:y|ies)|items?)|liveblog-?(?:post|entry|item|update)|"
    r"lb-?(?:post|entry))(?:$|[\s_-])",
    re.IGNORECASE,
)
MIN_POSTS = 3
_MIN_KEY = 12  # letters by which a declared post and a line are matched
_MIN_WORDS = 4  # of a post


def is_live_blog(article: Node, data: StructuredData) -> bool:
    """Return whether the page declares itself a live blog."""
    return "liveblogposting" in types(article) or any("liveblogposting" in types(node) for node in data.outer)


def post_elements(tree: HtmlElement) -> list[HtmlElement]:
    """Return the elements of the posts of a live blog in page order. Empty if there are fewer than three."""
    marked = [element for element in tree.iter("article", "div", "li", "section") if _is_post(element)]
    inside = set(marked)
    # A part of a post may have a similar class, and so may the element around all posts.
    outer = [e for e in marked if not any(ancestor in inside for ancestor in e.iterancestors())]
    if len(outer) == 1:
        outer = [e for e in marked if next((a for a in e.iterancestors() if a in inside), None) is outer[0]]
    posts = [e for e in outer if len(e.text_content().split()) >= _MIN_WORDS and not _in_frame(e)]
    return posts if len(posts) >= MIN_POSTS else []


def find_live_posts(
    elements: Sequence[HtmlElement],
    article: Node,
    lines: Sequence[Line],
    blocks: Sequence[Block],
    context: DateContext,
) -> list[LivePost]:
    """Return the posts that have lines in the text, in the order of the text.

    elements: the result of `post_elements`. Without any, posts are those that JSON-LD declares.
    """
    if not elements:
        return list(_declared(article, lines, context))
    first_lines: dict[HtmlElement, int] = {}
    posts = set(elements)
    for number, line in enumerate(lines):
        if line.block is None:
            continue
        element = blocks[line.block].element
        post = next((e for e in (element, *element.iterancestors()) if e in posts), None)
        if post is not None:
            first_lines.setdefault(post, number)
    ordered = sorted(first_lines.items(), key=lambda item: item[1])
    return [LivePost(number, _posted(post, context)) for post, number in ordered]


def _declared(article: Node, lines: Sequence[Line], context: DateContext) -> Iterator[LivePost]:
    """Yield the posts of JSON-LD whose headline or first words are a line of the text."""
    starts: dict[int, ParsedDate | None] = {}
    for post in flat(article.get("liveBlogUpdate")):
        if not isinstance(post, dict):
            continue
        keys = [line_key(text) for name in ("headline", "articleBody") if (text := node_text(post.get(name), 20_000))]
        for number, line in enumerate(lines):
            if len(line.key) >= _MIN_KEY and any(key.startswith(line.key) for key in keys):
                posted = read_date(node_text(post.get("datePublished"), 100), "json_ld", context)
                starts.setdefault(number, posted)
                break
    for number in sorted(starts):
        yield LivePost(number, starts[number])


def _is_post(element: HtmlElement) -> bool:
    classes = element.get("class")
    if classes and _is_post_class(classes):
        return True
    return (element.get("itemprop") or "").lower() == "liveblogupdate"


def _in_frame(element: HtmlElement) -> bool:
    return any(ancestor.tag in ("aside", "nav", "footer") for ancestor in element.iterancestors())


@lru_cache(maxsize=4096)
def _is_post_class(classes: str) -> bool:
    return _POST_CLASS.search(classes) is not None


def _posted(post: HtmlElement, context: DateContext) -> ParsedDate | None:
    for element in post.iter("time", "meta", "span"):
        raw = element.get("datetime")
        if element.tag != "time" and (element.get("itemprop") or "").lower() == "datepublished":
            raw = element.get("content") or element.get("datetime") or element.text_content()
        if raw and (found := read_date(raw, "time_element", context)) is not None:
            return found
    for name in ("data-timestamp", "data-time", "data-published", "data-date"):
        if (found := read_date(post.get(name), "time_element", context)) is not None:
            return found
    return None
