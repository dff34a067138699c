"""Changes a parsed page so that Trafilatura sees what a reader sees.

Ruby readings and text for screen readers are removed. Layout tables become blocks, a main text in an <aside> is marked
as the main text, and a paragraph of the article that is one link becomes a paragraph.
"""

from __future__ import annotations

from lxml.etree import XPath
from lxml.html import HtmlElement

from pressmark.extraction.elements import is_screen_reader_only

_LINKED_PARAGRAPHS = XPath("//p[count(*) = 1 and a]")
_MAYBE_HIDDEN = XPath(
    "//*[contains(@class, 'sr-only') or contains(@class, 'isually') or contains(@class, 'creen') or "
    "contains(@class, 'CREEN') or contains(@class, 'a11y-hidden')]"
)
_HIDDEN_MARKS = (b"sr-only", b"isually", b"creen-reader", b"creenreader", b"a11y-hidden", b"SCREEN")
_TABLE_TAGS = frozenset(("table", "tbody", "thead", "tfoot", "tr", "td", "th"))
_LAYOUT_MARKS = ("h1", "h2", "table", "article", "form")
_LONG_CELL = 3  # paragraphs in one cell
_MIN_MAIN_WORDS = 80
_MIN_LINKED_WORDS = 12
_MIN_SIBLINGS = 2


def repair_tree(tree: HtmlElement, document: bytes) -> None:
    """Change the tree in place. document: its bytes, which show quickly that a page has nothing hidden."""
    for element in list(tree.iter("rt", "rp")):
        element.drop_tree()
    for element in _MAYBE_HIDDEN(tree) if any(mark in document for mark in _HIDDEN_MARKS) else ():
        if is_screen_reader_only(element) and element.getparent() is not None and not _holds_article(element):
            element.drop_tree()
    _unfold_layout_tables(tree)
    _free_main_text(tree)
    _unlink_paragraphs(tree)


def _holds_article(element: HtmlElement) -> bool:
    return element.tag in ("h1", "body", "html", "main", "article") or len(element.findall(".//p")) > 1


def _unfold_layout_tables(tree: HtmlElement) -> None:
    """Turn tables that arrange the page into blocks. Tables of data have no headings, tables or paragraphs."""
    for table in list(tree.iter("table")):
        is_layout = (
            (table.get("role") or "").lower() in ("presentation", "none")
            or any(table.find(f".//{tag}") is not None for tag in _LAYOUT_MARKS)
            or any(len(cell.findall("p")) >= _LONG_CELL for cell in table.iter("td"))
        )
        if is_layout:
            for element in (table, *_own_cells(table)):
                element.tag = "div"


def _own_cells(table: HtmlElement) -> list[HtmlElement]:
    """Return the rows and cells of a table, without those of nested tables."""
    cells: list[HtmlElement] = []
    pending = list(table)
    while pending:
        element = pending.pop()
        if element.tag in _TABLE_TAGS and element.tag != "table":
            cells.append(element)
            pending += list(element)
    return cells


def _free_main_text(tree: HtmlElement) -> None:
    """Mark an <aside> that holds most of the page's paragraphs as the main text."""
    asides = [element for element in tree.iter("aside") if len(element.findall(".//p")) > 1]
    if not asides:
        return
    total = sum(_own_words(paragraph) for paragraph in tree.iter("p"))
    for aside in asides:
        words = sum(_own_words(paragraph) for paragraph in aside.iter("p"))
        if words >= _MIN_MAIN_WORDS and words * 2 > total:
            aside.tag = "article"
            for ancestor in aside.iterancestors("aside"):
                ancestor.tag = "div"
            return


def _unlink_paragraphs(tree: HtmlElement) -> None:
    """Remove the link around a whole paragraph that stands among paragraphs of text."""
    for paragraph in _LINKED_PARAGRAPHS(tree):
        link = paragraph.find("a")
        if (paragraph.text or "").strip() or (link.tail or "").strip():
            continue
        text = link.text_content().strip()
        if len(text.split()) < _MIN_LINKED_WORDS or not text.endswith((".", "!", "?", "”", '"', "»", "。")):
            continue
        siblings = [s for s in (paragraph.getprevious(), paragraph.getnext()) if s is not None and s.tag == "p"]
        if len(siblings) == _MIN_SIBLINGS and all(_own_words(sibling) >= _MIN_LINKED_WORDS for sibling in siblings):
            link.drop_tag()


def _own_words(paragraph: HtmlElement) -> int:
    """Return the number of words of a paragraph outside of its links."""
    linked = sum(len(link.text_content().split()) for link in paragraph.iter("a"))
    return len(paragraph.text_content().split()) - linked
