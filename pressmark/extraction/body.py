"""The main text of an article: found by Trafilatura, completed, and freed from lines that aren't body text."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

from lxml.html import HtmlElement

from pressmark.extraction.blocks import Block, KeyText, line_key, page_blocks
from pressmark.extraction.body_lines import Line, body_lines, fill_gaps
from pressmark.extraction.boilerplate import subheadings, without_phrases, without_repetition
from pressmark.extraction.confidence import text_evidence
from pressmark.extraction.line_model import LineContext, without_boilerplate
from pressmark.extraction.main_text import MainText, find_main_text
from pressmark.outlet_memory import memory_key, repeated_at_borders

_MIN_NAME = 5  # letters of a name that is looked for in lines


@dataclass(frozen=True)
class Body:
    """The main text of an article. lines: one per paragraph. blocks: of the page. evidence: see `confidence`.

    repeated: keys of the lines that were removed because the outlet repeats them.
    """

    lines: list[Line]
    blocks: list[Block]
    main: MainText
    evidence: dict[str, float]
    repeated: list[str]

    @property
    def text(self) -> str:
        """The main text, one line per paragraph."""
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True)
class BodyContext:
    """What is known of the article before its text.

    titles: what the page says it is about. site_names: folded names of the outlet. embedded: JSON-LD's articleBody.
    posts: elements of a live blog's posts. repeated_lines: keys of the lines that the outlet repeats.
    """

    headline: str | None
    titles: Sequence[str]
    site_names: frozenset[str]
    authors: Sequence[str] = ()
    embedded: str = ""
    posts: frozenset[HtmlElement] = frozenset()
    repeated_lines: frozenset[str] = frozenset()


def find_body(tree: HtmlElement, document: str, context: BodyContext) -> Body:
    """Return the main text of a page.

    tree: the page, which isn't changed. document: its HTML.
    """
    main = find_main_text(tree, document, context.titles)
    blocks = page_blocks(tree)
    other_key = KeyText.of(main.other)
    candidates = fill_gaps(body_lines(main.text, blocks), blocks, other_key, context.posts)
    repeated: list[str] = []
    if context.repeated_lines:
        texts = [line.text for line in candidates]
        positions = repeated_at_borders(texts, context.repeated_lines)
        repeated = [memory_key(texts[position]) for position in sorted(positions)]
        candidates = [line for position, line in enumerate(candidates) if position not in positions]
    lines = without_phrases(candidates, context.headline, context.site_names, context.authors, subheadings(tree))
    line_context = LineContext(
        blocks,
        other_key,
        KeyText.of(context.embedded),
        context.headline,
        [key for author in context.authors if len(key := line_key(author)) > _MIN_NAME],
    )
    lines = without_repetition(without_boilerplate(lines, line_context))
    evidence = text_evidence(
        lines,
        blocks,
        candidate_size=sum(len(line.key) for line in candidates),
        other=other_key,
        titles=context.titles,
    )
    return Body(lines, blocks, main, evidence, repeated)


def select_nodes(tree: HtmlElement, prune: Sequence[str], keep: Sequence[str]) -> HtmlElement:
    """Return a copy of the tree without the elements that match `prune`, and with only those that match `keep`.

    prune, keep: XPath expressions. `keep` is ignored if it matches nothing, so that an outlet that changes its layout
    doesn't lose its text.
    """
    if not prune and not keep:
        return tree
    tree = copy(tree)
    for xpath in prune:
        for element in _elements(tree, xpath):
            _drop(element)
    matches = [element for xpath in keep for element in _elements(tree, xpath)]
    body = tree.find(".//body")
    if matches and body is not None:
        outermost = [e for e in matches if not any(ancestor in matches for ancestor in e.iterancestors())]
        for child in list(body):
            body.remove(child)
        body.text = None
        body.extend(outermost)
    return tree


def _elements(tree: HtmlElement, xpath: str) -> list[HtmlElement]:
    matches = tree.xpath(xpath)
    return [item for item in matches if isinstance(item, HtmlElement)] if isinstance(matches, list) else []


def _drop(element: HtmlElement) -> None:
    """Remove an element and keep the text that follows it."""
    if element.getparent() is not None:
        element.drop_tree()
