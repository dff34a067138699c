"""Links in the main text: which addresses an article leads its readers to. Not navigation, teasers or shares."""

from __future__ import annotations

from lxml.etree import XPath
from lxml.html import HtmlElement

from pressmark.text import clean_text
from pressmark.urls import absolute, url_key

MAX_LINKS = 200
_CONTEXT = 24  # characters either side of a link that must stand in the text beside it
# With words right before or behind them: a tenth of the links of a page, the rest are menus and teasers.
_IN_A_SENTENCE = XPath(
    "//a[@href][following-sibling::node()[1][self::text()][normalize-space()]"
    " or preceding-sibling::node()[1][self::text()][normalize-space()]]"
)


def find_links(tree: HtmlElement, body: str, base: str) -> list[str]:
    """Addresses that the text links to, in order, each once; not the page's own.

    body: the main text. A link belongs to it where its words and those around it stand there side by side.
    """
    text = "".join(body.split())
    found: dict[str, None] = {}
    own = url_key(base)
    for anchor in _IN_A_SENTENCE(tree):
        href = anchor.get("href")
        if not href or href.startswith(("#", "javascript:", "mailto:", "tel:")):
            continue
        around = _around(anchor)
        if around is None or around not in text:
            continue
        url = absolute(href, base)
        if url and len(url) <= 2048 and url_key(url) != own:
            found[clean_text(url)] = None
            if len(found) == MAX_LINKS:
                break
    return list(found)


def _around(anchor: HtmlElement) -> str | None:
    """The link's words with what stands before and behind it in its element; None where it stands alone."""
    words = "".join("".join(anchor.itertext()).split())
    previous, parent = anchor.getprevious(), anchor.getparent()
    before = (previous.tail if previous is not None else parent.text if parent is not None else None) or ""
    before = "".join(before.split())[-_CONTEXT:]
    behind = "".join((anchor.tail or "").split())[:_CONTEXT]
    return before + words + behind if words and len(before) + len(behind) > 2 else None
