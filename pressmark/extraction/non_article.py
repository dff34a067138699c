"""Detects non-article pages: challenges, consent walls, paywall stubs, error pages, index pages, empty shells.

The patterns are data (`non_article.yaml`). Each has an example page in the newsstand. A pattern applies only up to a
number of words, so most pages are decided by comparing word counts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Literal

from lxml.html import HtmlElement
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from ruamel.yaml import YAML

from pressmark.extraction.fields import NonArticle
from pressmark.extraction.page import Page
from pressmark.extraction.structured import Node, StructuredData, types
from pressmark.outcomes import NON_ARTICLES, Outcome
from pressmark.text import one_line, plural

_VISIBLE_CHARS = 20_000
_INVISIBLE_TAGS = frozenset(("script", "style", "template", "head", "svg"))
_MIN_TEASERS = 6  # a page with at least this many linked headings is a list
_LONG_PARAGRAPH = 25  # words outside of links
_PARAGRAPH = 15  # words outside of links
_RUNNING_PARAGRAPHS = 4
_FRAME_TAGS = frozenset(("nav", "footer", "aside", "dialog"))
_FRAME_ROLES = frozenset(("banner", "navigation", "contentinfo", "complementary", "dialog", "alertdialog"))
_LIST_TYPES = frozenset(("collectionpage", "searchresultspage"))
_GALLERY_TYPES = frozenset(("imagegallery", "mediagallery"))
_MIN_GALLERY_PICTURES = 6


def _any_of(patterns: object) -> object:
    """Combine a list of regular expressions into one."""
    if isinstance(patterns, list):
        return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)
    return patterns


def _non_article(value: Outcome) -> Outcome:
    if value not in NON_ARTICLES:
        raise ValueError(f"{value} is not an outcome of a non-article page")
    return value


Patterns = Annotated[re.Pattern[str], BeforeValidator(_any_of)]


class Pattern(BaseModel):
    """One pattern of a non-article page. The fields are described in non_article.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    outcome: Annotated[Outcome, AfterValidator(_non_article)]
    most_words: int = Field(gt=0)
    header: Patterns | None = None
    html: tuple[str, ...] = ()
    title: Patterns | None = None
    text: Patterns | None = None
    free: bool | None = None
    structure: Literal["gallery", "list", "shell"] | None = None
    source: str


@cache
def patterns() -> tuple[Pattern, ...]:
    """Load the patterns of non_article.yaml, in order."""
    rows = YAML(typ="safe", pure=True).load((Path(__file__).parent / "non_article.yaml").read_text(encoding="utf-8"))
    return tuple(Pattern.model_validate(row) for row in rows)


def find_non_article(
    page: Page,
    article: Node,
    data: StructuredData,
    headers: tuple[tuple[str, str], ...],
    headline: str | None,
    words: int,
    free: bool | None,
) -> NonArticle | None:
    """Return the first pattern that the page matches. Returns None for an article.

    words: number of words in the main text. free: isAccessibleForFree as the page declares it.
    """
    evidence = _Evidence(page, article, data, headers, headline)
    for pattern in patterns():
        if words > pattern.most_words:
            continue
        evidence_text = _match(pattern, evidence, free)
        if evidence_text is not None:
            reason = f"{evidence_text}; {plural(words, 'word')} of main text"
            return NonArticle(pattern.outcome, pattern.name, reason)
    return None


@dataclass
class _Evidence:
    """The parts of a page that patterns match. Each is computed on first use."""

    page: Page
    article: Node
    data: StructuredData
    headers: tuple[tuple[str, str], ...]
    headline: str | None

    @cached_property
    def title(self) -> str:
        element = self.page.tree.find(".//title")
        title = one_line(element.text_content(), 500) if element is not None else None
        return "\n".join(filter(None, (title, self.headline)))

    @cached_property
    def text(self) -> str:
        return self._visible(self.page.tree.iter())

    @cached_property
    def text_in_frame(self) -> str:
        """The visible text of menus, sidebars, dialogs and the footer."""
        frames = (element for element in self.page.tree.iter() if _is_frame(element))
        return "\n".join(self._visible(frame.iter()) for frame in frames)

    def _visible(self, elements: Iterable[HtmlElement]) -> str:
        parts: list[str] = []
        size = 0
        for element in elements:
            if isinstance(element.tag, str) and element.tag not in _INVISIBLE_TAGS and element.text:
                parts.append(element.text)
                size += len(element.text)
            if element.tail:
                parts.append(element.tail)
                size += len(element.tail)
            if size > _VISIBLE_CHARS:
                break
        return one_line(" ".join(parts), _VISIBLE_CHARS) or ""

    @cached_property
    def html(self) -> str:
        strings: list[str] = []
        for element in self.page.tree.iter("script", "link", "iframe", "form", "div", "meta"):
            strings += element.attrib.values()
            if element.tag == "script" and element.text:
                strings.append(element.text[:5000])
        return "\n".join(strings)

    @cached_property
    def types(self) -> set[str]:
        return {kind for node in self.data.nodes for kind in types(node)}

    @cached_property
    def declares_article(self) -> bool:
        """Whether the page declares itself an article."""
        kind = (self.page.meta_first("og:type") or "").lower()
        return bool(self.article) or kind == "article" or "article:published_time" in self.page.meta


def _match(pattern: Pattern, evidence: _Evidence, free: bool | None) -> str | None:
    """Describe the evidence that matches a pattern. Returns None if the pattern doesn't match."""
    matches: list[str] = []
    only_wording = not (pattern.header or pattern.html or pattern.structure) and pattern.outcome != "paywall_stub"
    if only_wording and evidence.declares_article:
        return None  # it may be an article about consent or security checks
    if pattern.outcome == Outcome.PAYWALL_STUB and free is True:
        return None
    if pattern.free is not None:
        if free is not pattern.free:
            return None
        matches.append("declared as not free" if free is False else "declared as free")
    if pattern.header is not None:
        header = next((f"{n}: {v}" for n, v in evidence.headers if pattern.header.search(f"{n}: {v}")), None)
        if header is None:
            return None
        matches.append(f"header {header[:80]!r}")
    if pattern.title is not None:
        match = pattern.title.search(evidence.title)
        if match is None:
            return None
        matches.append(f"title {match[0][:80]!r}")
    if pattern.text is not None:
        match = pattern.text.search(evidence.text)
        if match is None:
            return None
        if pattern.outcome == Outcome.PAYWALL_STUB and match[0] in evidence.text_in_frame:
            return None  # an offer that stands on every page
        matches.append(f"text {match[0][:80]!r}")
    if pattern.html:
        marker = next((marker for marker in pattern.html if marker in evidence.html), None)
        if marker is None:
            return None
        matches.append(f"markup {marker!r}")
    if pattern.structure is not None:
        structure = _STRUCTURES[pattern.structure](evidence)
        if structure is None:
            return None
        matches.append(structure)
    return f"{pattern.name}: {', '.join(matches)}"


def _gallery(evidence: _Evidence) -> str | None:
    if evidence.types & _GALLERY_TYPES:
        return "declared as a gallery"
    pictures = sum(1 for figure in evidence.page.tree.iter("figure") if figure.find(".//img") is not None)
    return f"{pictures} pictures" if pictures >= _MIN_GALLERY_PICTURES else None


def _list(evidence: _Evidence) -> str | None:
    if evidence.declares_article:
        return None
    declared = evidence.types & _LIST_TYPES
    if not declared and _has_running_text(evidence.page.tree):
        return None
    teasers = sum(
        1
        for heading in evidence.page.tree.iter("h2", "h3", "h4")
        if heading.find(".//a") is not None or (heading.getparent() is not None and heading.getparent().tag == "a")
    )
    if not declared and teasers < _MIN_TEASERS:
        return None
    long_paragraphs = sum(
        1 for paragraph in evidence.page.tree.iter("p") if _words_outside_links(paragraph) >= _LONG_PARAGRAPH
    )
    # Each teaser may have one long paragraph. An article has more of them than linked headings.
    if long_paragraphs > max(teasers, 1) + 1:
        return None
    return "declared as a list" if declared else f"{teasers} linked headings"


def _has_running_text(tree: HtmlElement) -> bool:
    """Return whether several paragraphs of text follow each other. In a list, each has its own heading."""
    paragraphs = Counter(
        paragraph.getparent() for paragraph in tree.iter("p") if _words_outside_links(paragraph) >= _PARAGRAPH
    )
    return any(count >= _RUNNING_PARAGRAPHS for count in paragraphs.values())


def _is_frame(element: HtmlElement) -> bool:
    return element.tag in _FRAME_TAGS or (element.get("role") or "").lower() in _FRAME_ROLES


def _shell(evidence: _Evidence) -> str | None:
    scripts = sum(1 for script in evidence.page.tree.iter("script") if script.get("src"))
    if not scripts:
        return None
    for element in evidence.page.tree.iter("div", "main"):
        if (element.get("id") or "").lower() in _SHELL_IDS and not element.text_content().strip():
            return f"an empty #{element.get('id')} and {plural(scripts, 'script')}"
    noscript = " ".join(element.text_content() for element in evidence.page.tree.iter("noscript"))
    return "requires JavaScript" if re.search(r"javascript", noscript, re.IGNORECASE) else None


_SHELL_IDS = frozenset(("root", "app", "__next", "__nuxt", "application", "main-app", "react-root"))
_STRUCTURES: dict[str, Callable[[_Evidence], str | None]] = {"gallery": _gallery, "list": _list, "shell": _shell}


def _words_outside_links(paragraph: HtmlElement) -> int:
    linked = sum(len(link.text_content().split()) for link in paragraph.iter("a"))
    return len(paragraph.text_content().split()) - linked
