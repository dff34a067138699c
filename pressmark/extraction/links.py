"""Outbound links in the main text of an article, without navigation, teasers and share buttons."""

from __future__ import annotations

from lxml.etree import XPath
from lxml.html import HtmlElement

from pressmark.text import clean_text
from pressmark.urls import absolute, url_key

MAX_LINKS = 200
_CONTEXT = 24  # characters on each side of a link that must surround it in the main text
# Links with text directly before or after them: a tenth of the links of a page. The others are menus and teasers.
_LINKS_IN_TEXT = XPath(
    "//a[@href][following-sibling::node()[1][self::text()][normalize-space()]"
    " or preceding-sibling::node()[1][self::text()][normalize-space()]]"
)


def find_links(tree: HtmlElement, body: str, base: str) -> list[str]:
    """Return the URLs that the main text links to, in order and without duplicates. Skips links to the page itself.

    body: the main text. A link belongs to it if its anchor text and the surrounding characters occur there together.
    """
    text = "".join(body.split())
    links: dict[str, None] = {}
    own_key = url_key(base)
    for anchor in _LINKS_IN_TEXT(tree):
        href = anchor.get("href")
        if not href or href.startswith(("#", "javascript:", "mailto:", "tel:")):
            continue
        context = _context(anchor)
        if context is None or context not in text:
            continue
        url = absolute(href, base)
        if url and len(url) <= 2048 and url_key(url) != own_key:
            links[clean_text(url)] = None
            if len(links) == MAX_LINKS:
                break
    return list(links)


def _context(anchor: HtmlElement) -> str | None:
    """Return the anchor text with the text before and after it in its element. Returns None if there is none."""
    words = "".join("".join(anchor.itertext()).split())
    previous, parent = anchor.getprevious(), anchor.getparent()
    before = (previous.tail if previous is not None else parent.text if parent is not None else None) or ""
    before = "".join(before.split())[-_CONTEXT:]
    after = "".join((anchor.tail or "").split())[:_CONTEXT]
    return before + words + after if words and len(before) + len(after) > 2 else None
