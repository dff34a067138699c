"""Extracts the text of elements, and decides which elements belong to the page's article."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

from pressmark.text import clean_line

_BLOCKS = frozenset(
    "address article aside blockquote br dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header "
    "hr li main nav ol p pre section table tbody td th tr ul".split()
)
_SILENT = frozenset(("rt", "rp", "script", "style", "noscript", "template", "svg", "button"))
SCREEN_READER_ONLY = re.compile(
    r"(?:^|[\s_-])(?:sr-only|visually-?hidden|screen-?reader(?:-text|-only)?|visuallyhidden|a11y-hidden|u-hidden-visually)"
    r"(?:$|\s)",
    re.IGNORECASE,
)
# As a part of a class or id (`post-comments`), and only at the beginning of one (`content-with-sidebar` is no sidebar).
_OTHER_ITEM = re.compile(
    r"(?:^|[\s_-])(?:comments?|replies|disqus|related|recommend(?:ed|ations?)?|teasers?|promos?|newsletter|outbrain|taboola|"
    r"masthead|most-?(?:read|viewed|popular)|live-?(?:blog-?)?(?:posts?|updates?|entr(?:y|ies))|author-?(?:bio|box|card))(?:$|[\s_-])|"
    r"(?:^|\s)(?:sidebar|widgets?|popular|trending|respond|latest(?:-?news)?|ticker|bio(?:graphy)?|breadcrumbs?|"
    r"more-?(?:stories|news|from)|read-?(?:more|next|also)|top-?bar|site-?header|navbar|menu)(?:$|[\s_-])|"
    r"(?:^|\s)(?:cards?|tile|post|entry)(?:$|\s)",
    re.IGNORECASE,
)
_MAX_CARD = 400  # characters
_OTHER_TYPE = re.compile(r"/(?:Comment|UserComments|BlogPosting|NewsArticle|Article|Review|Person|WebPage)$")
_ARTICLE_TYPE = re.compile(r"/(?:\w*Article|BlogPosting|LiveBlogPosting|Report)$")
_OTHER_PROPERTIES = frozenset(("comment", "liveblogupdate", "hasPart", "haspart", "itemlistelement", "review"))
_OTHER_TAGS = frozenset(("aside", "nav", "footer"))


def element_text(element: HtmlElement, limit: int = 2000, without: frozenset[HtmlElement] = frozenset()) -> str | None:
    """Return the visible text of an element on one line, or None if it has none.

    Block borders and line breaks become spaces. Ruby readings, text for screen readers and soft hyphens are left out.
    Entities that were escaped twice are resolved. without: descendants to leave out.
    """
    return clean_line("".join(_pieces(element, without)), limit)


def _pieces(element: HtmlElement, without: frozenset[HtmlElement]) -> Iterator[str]:
    yield element.text or ""
    # Not recursive: a page may have two thousand levels.
    open_elements: list[tuple[Iterator[HtmlElement], HtmlElement | None]] = [(iter(element), None)]
    while open_elements:
        children, parent = open_elements[-1]
        child = next(children, None)
        if child is None:
            open_elements.pop()
            if parent is not None:
                yield " " if parent.tag in _BLOCKS else ""
                yield parent.tail or ""
        elif _is_visible(child, without):
            yield " " if child.tag in _BLOCKS else ""
            yield child.text or ""
            open_elements.append((iter(child), child))
        else:
            yield child.tail or ""


def _is_visible(element: HtmlElement, without: frozenset[HtmlElement]) -> bool:
    return (
        isinstance(element.tag, str)
        and element.tag not in _SILENT
        and element not in without
        and not is_screen_reader_only(element)
    )


def is_screen_reader_only(element: HtmlElement) -> bool:
    """Return whether an element's class hides it except from screen readers."""
    classes = element.get("class")
    return bool(classes) and SCREEN_READER_ONLY.search(classes) is not None


def main_article(tree: HtmlElement) -> HtmlElement | None:
    """Return the element of the page's article: the innermost article or main element around the headline.

    Without a headline in one, it is the only `article` of the page, or `main`. None if there is neither.
    """
    headings = [heading for heading in tree.iter("h1") if not _in_frame(heading)]
    for heading in headings:
        for ancestor in heading.iterancestors():
            if _is_item(ancestor):
                # A card with its own h1 within a longer list is a teaser. The article has paragraphs.
                if len(ancestor.findall(".//p")) >= 2 or len(headings) == 1:
                    return ancestor
                break
    articles = [element for element in tree.iter("article") if not _in_frame(element)]
    outermost = [a for a in articles if not any(ancestor.tag == "article" for ancestor in a.iterancestors())]
    if len(outermost) == 1:
        return outermost[0]
    main: HtmlElement | None = tree.find(".//main")
    return main


def is_foreign(element: HtmlElement, article: HtmlElement | None) -> bool:
    """Return whether an element does not belong to the page's article, but to a teaser, a comment, a live post.

    article: the result of `main_article`. Elements outside it belong to it unless they are part of another item, since
    bylines are often next to the article element. An element around the page's h1 is never another item.
    """
    for ancestor in (element, *element.iterancestors()):
        if ancestor is article:
            return False
        if ancestor.tag in ("body", "html"):
            break
        if _is_other(ancestor, element, article) and ancestor.find(".//h1") is None:
            return True
    return False


def _is_other(ancestor: HtmlElement, element: HtmlElement, article: HtmlElement | None) -> bool:
    if ancestor.tag in _OTHER_TAGS or ancestor.tag == "article":
        return True
    if ancestor.tag == "header" and ancestor.getparent() is not None and ancestor.getparent().tag == "body":
        return True
    if (ancestor.get("itemprop") or "").lower() in _OTHER_PROPERTIES:
        return True
    kind = ancestor.get("itemtype")
    if kind and ancestor is not element and _OTHER_TYPE.search(kind) and article is not None:
        return True
    marks = " ".join(filter(None, (ancestor.get("class"), ancestor.get("id"))))
    return bool(marks and _OTHER_ITEM.search(marks)) or _is_card(ancestor)


def _is_card(element: HtmlElement) -> bool:
    """Return whether an element is a teaser: a small block with its own linked heading."""
    if element.tag not in ("div", "li", "section", "a"):
        return False
    linked = any(
        heading.find(".//a") is not None or any(e.tag == "a" for e in heading.iterancestors())
        for heading in element.iter("h2", "h3", "h4")
    )
    return linked and len(element.text_content()) < _MAX_CARD


def _is_item(element: HtmlElement) -> bool:
    return element.tag in ("article", "main") or bool(_ARTICLE_TYPE.search(element.get("itemtype") or ""))


def _in_frame(element: HtmlElement) -> bool:
    return any(ancestor.tag in _OTHER_TAGS for ancestor in element.iterancestors())
