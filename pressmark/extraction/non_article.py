"""Pages that are no articles although they came with an article's address: walls, error pages, lists, shells.

The patterns are data (`non_article.yaml`), each with a specimen in the newsstand. Long texts are articles
whatever they say, so that nearly every page costs one comparison of numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Literal

from lxml.html import HtmlElement
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from ruamel.yaml import YAML

from pressmark.extraction.fields import NonArticle
from pressmark.extraction.page import Page
from pressmark.extraction.structured import Node, nodes, types
from pressmark.outcomes import NON_ARTICLES, Outcome
from pressmark.text import one_line

_VISIBLE_CHARS = 20_000
_UNSEEN_TAGS = frozenset(("script", "style", "template", "head", "svg"))
_TEASERS = 6  # headings that are links make a list
_LONG_PARAGRAPH = 25  # words of running text outside of links
_LIST_TYPES = frozenset(("collectionpage", "searchresultspage"))
_GALLERY_TYPES = frozenset(("imagegallery", "mediagallery"))
_GALLERY_PICTURES = 6


def _any_of(patterns: object) -> object:
    """A list of regular expressions as one."""
    if isinstance(patterns, list):
        return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)
    return patterns


def _non_article(value: Outcome) -> Outcome:
    if value not in NON_ARTICLES:
        raise ValueError(f"{value} is not the outcome of a non-article page")
    return value


Patterns = Annotated[re.Pattern[str], BeforeValidator(_any_of)]


class Pattern(BaseModel):
    """One way in which a page shows that it is no article."""

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
    """All patterns of non_article.yaml, in order."""
    rows = YAML(typ="safe", pure=True).load((Path(__file__).parent / "non_article.yaml").read_text(encoding="utf-8"))
    return tuple(Pattern.model_validate(row) for row in rows)


def find_non_article(
    page: Page,
    article: Node,
    headers: tuple[tuple[str, str], ...],
    headline: str | None,
    words: int,
    free: bool | None,
) -> NonArticle | None:
    """What the page is instead of an article; None for an article.

    words: of the main text. free: what the page declares of its access.
    """
    evidence = _Evidence(page, article, headers, headline)
    for pattern in patterns():
        if words > pattern.most_words:
            continue
        found = _matched(pattern, evidence, free)
        if found is not None:
            return NonArticle(pattern.outcome, pattern.name, f"{found}; {words} words of main text")
    return None


@dataclass
class _Evidence:
    """What patterns look at; each part is made when the first of them asks."""

    page: Page
    article: Node
    headers: tuple[tuple[str, str], ...]
    headline: str | None

    @cached_property
    def title(self) -> str:
        element = self.page.tree.find(".//title")
        title = one_line(element.text_content(), 500) if element is not None else None
        return "\n".join(filter(None, (title, self.headline)))

    @cached_property
    def text(self) -> str:
        parts: list[str] = []
        size = 0
        for element in self.page.tree.iter():
            if isinstance(element.tag, str) and element.tag not in _UNSEEN_TAGS and element.text:
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
        found: list[str] = []
        for element in self.page.tree.iter("script", "link", "iframe", "form", "div", "meta"):
            found += element.attrib.values()
            if element.tag == "script" and element.text:
                found.append(element.text[:5000])
        return "\n".join(found)

    @cached_property
    def types(self) -> set[str]:
        return {kind for node in nodes(self.page.tree) for kind in types(node)}

    @cached_property
    def declares_article(self) -> bool:
        """Whether the page calls itself an article."""
        kind = (self.page.meta_first("og:type") or "").lower()
        return bool(self.article) or kind == "article" or "article:published_time" in self.page.meta


def _matched(pattern: Pattern, evidence: _Evidence, free: bool | None) -> str | None:
    """What of the page holds, in words; None where the pattern does not."""
    told: list[str] = []
    only_words = not (pattern.header or pattern.html or pattern.structure) and pattern.outcome != "paywall_stub"
    if only_words and evidence.declares_article:
        return None  # an article about consent, security checks or a page not found
    if pattern.free is not None:
        if free is not pattern.free:
            return None
        told.append("declared as not free" if free is False else "declared as free")
    if pattern.header is not None:
        header = next((f"{n}: {v}" for n, v in evidence.headers if pattern.header.search(f"{n}: {v}")), None)
        if header is None:
            return None
        told.append(f"header {header[:80]!r}")
    if pattern.title is not None:
        match = pattern.title.search(evidence.title)
        if match is None:
            return None
        told.append(f"title {match[0][:80]!r}")
    if pattern.text is not None:
        match = pattern.text.search(evidence.text)
        if match is None:
            return None
        told.append(f"text {match[0][:80]!r}")
    if pattern.html:
        marker = next((marker for marker in pattern.html if marker in evidence.html), None)
        if marker is None:
            return None
        told.append(f"markup {marker!r}")
    if pattern.structure is not None:
        made = _STRUCTURES[pattern.structure](evidence)
        if made is None:
            return None
        told.append(made)
    return f"{pattern.name}: {', '.join(told)}"


def _gallery(evidence: _Evidence) -> str | None:
    if evidence.types & _GALLERY_TYPES:
        return "declared as a gallery"
    pictures = sum(1 for figure in evidence.page.tree.iter("figure") if figure.find(".//img") is not None)
    return f"{pictures} pictures" if pictures >= _GALLERY_PICTURES else None


def _list(evidence: _Evidence) -> str | None:
    if evidence.declares_article:
        return None
    declared = evidence.types & _LIST_TYPES
    teasers = sum(
        1
        for heading in evidence.page.tree.iter("h2", "h3", "h4")
        if heading.find(".//a") is not None or (heading.getparent() is not None and heading.getparent().tag == "a")
    )
    if not declared and teasers < _TEASERS:
        return None
    running = sum(1 for paragraph in evidence.page.tree.iter("p") if _running_words(paragraph) >= _LONG_PARAGRAPH)
    # A teaser's text is a paragraph too; an article has more running text than headings that lead elsewhere.
    if running > max(teasers, 1) + 1:
        return None
    return "declared as a list" if declared else f"{teasers} headings that lead elsewhere"


def _shell(evidence: _Evidence) -> str | None:
    scripts = sum(1 for script in evidence.page.tree.iter("script") if script.get("src"))
    if not scripts:
        return None
    for element in evidence.page.tree.iter("div", "main"):
        if (element.get("id") or "").lower() in _SHELL_IDS and not element.text_content().strip():
            return f"an empty #{element.get('id')} and {scripts} scripts"
    noscript = " ".join(element.text_content() for element in evidence.page.tree.iter("noscript"))
    return "asks for JavaScript" if re.search(r"javascript", noscript, re.IGNORECASE) else None


_SHELL_IDS = frozenset(("root", "app", "__next", "__nuxt", "application", "main-app", "react-root"))
_STRUCTURES: dict[str, Callable[[_Evidence], str | None]] = {"gallery": _gallery, "list": _list, "shell": _shell}


def _running_words(paragraph: HtmlElement) -> int:
    linked = sum(len(link.text_content().split()) for link in paragraph.iter("a"))
    return len(paragraph.text_content().split()) - linked
