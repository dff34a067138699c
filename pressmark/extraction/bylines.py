"""The visible byline of an article: a marked element or a line that begins with "By", near the headline.

Author boxes below the text count if they are marked as the author. Bylines of teasers and comments don't count.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from lxml.html import HtmlElement

from pressmark.extraction.elements import element_text, is_foreign

_AUTHOR_PAGE = re.compile(
    r"/(?:authors?|staff|writers?|contributors?|journalists?|reporters?|columnists?|by|bios?|"
    r"autor(?:en|es|a)?|auteurs?|autore|autori|redakt(?:ion|orzy|or)|korrespondenten|journalistes?|yazarlar|"
    r"skribent)(?:/[^/?#]+)*/[^/?#]*[^\W\d_]{2}[^/?#]*/?(?:[?#]|$)",
    re.IGNORECASE,
)
_CLASS = re.compile(
    r"(?:^|[\s_-])(?:by-?lines?|authors?(?:-?name|-?info|-?list|-?link)?|auth-?name|writers?|reporters?|autor(?:en|es)?|"
    r"auteurs?|autore|vcard|credits-?author|post-?author|entry-?author|article-?author|latest-by|verfasser|firma|"
    r"muhabir|yazar|penulis|redaktor|skribent)(?:$|[\s_-])|custom_author|authName|AuthorName|bylineName",
    re.IGNORECASE,
)
_BY = re.compile(
    r"(?:by|von|par|por|door|av|af|przez|от|автор|text|texto|texte|testo|words|reported by|written by|story by|"
    r"oleh|yazan|haber|作者|記者|文)\s*[:：]?\s+(?=[^\W\d_])",
    re.IGNORECASE,
)
_BY_WORD = re.compile(
    r"^(?:(?:[Ww]ritten|[Ww]ords|[Ss]tory|[Tt]ext|[Rr]eported|[Pp]osted|[Pp]ublished)\s+)?"
    r"(?:[Bb]y|BY|[Vv]on|VON|[Pp]ar|[Pp]or|[Dd]i|[Dd]oor|[Aa]v|[Aa]f|[Pp]rzez|[Оо]т)\s*[:：]?\s*(?=[A-ZÀ-ÞĀ-ŽА-Я])"
)
_BY_INSIDE = re.compile(r"\d[^.]{0,30}?[\s|,•·–-](?P<by>[Bb]y|BY|[Vv]on|[Pp]ar|[Pp]or)\s+(?=[A-ZÀ-ÞĀ-ŽА-Я])")
# What follows the names: a date, reading time, a section.
_DETAILS = re.compile(
    r"\s*(?:[|•·]|\s[-–—]\s|\b(?:(?:last )?updated|published|posted|aktualisiert|stand:|mis à jour|actualizado)(?!\w)|"
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+\d|"
    r"\d).*$",
    re.IGNORECASE | re.DOTALL,
)
_MORE_NAMES = re.compile(
    r"^[^|•·\d]{3,120}\b(?:and|und|et|y|e|og|och|en)\s+[^|•·\d]{3,60}|^[^|•·\d]{3,60},\s+[^|•·\d,]{3,60}"
)
_NAME_PARTS = frozenset(
    "and und et y e og och en de del della di da dos van von der den ter la le el al bin ibn af av zu for".split()
)
_AFTER_HEADLINE = 250  # elements
_BEFORE_HEADLINE = 25
_LONG_PARAGRAPH = 220  # characters; the text has begun
_MAX_BYLINE = 220
_STANDFIRST = 40  # elements after the first long paragraph, which may be a standfirst
_MARKED = 3  # rank of an element that is marked as the author
_TOGETHER = 14  # elements between two names of one byline


@dataclass(frozen=True, slots=True)
class _Candidate:
    element: HtmlElement
    position: int
    rank: int


def find_byline(tree: HtmlElement, article: HtmlElement | None) -> list[str]:
    """Return the texts of the byline as the page shows them, without "By". Empty if there is none.

    article: the element of the page's article.
    """
    elements = [element for element in tree.iter() if isinstance(element.tag, str)]
    headline = _headline(elements, article)
    begun = _begin_of_text(elements, headline)
    candidates: list[_Candidate] = []
    end = 0  # position after the parts of the last candidate, which are read with it
    for position, element in enumerate(elements):
        if position < end:
            continue
        rank = _rank(element)
        near = headline is not None and -_BEFORE_HEADLINE <= position - headline <= _AFTER_HEADLINE and position < begun
        if rank == 0 and near and _begins_with_by(element):
            rank = 1
        if rank == 0 or (not near and rank < _MARKED):
            continue
        text = element_text(element, _MAX_BYLINE + 1)
        if not text or len(text) > _MAX_BYLINE or is_foreign(element, article) or _in_figure(element):
            continue
        end = position + sum(1 for part in element.iter() if isinstance(part.tag, str))
        candidates.append(_Candidate(element, position, rank if near else rank - 1))
    if not candidates:
        return []
    best = max(candidate.rank for candidate in candidates)
    chosen = [candidate for candidate in candidates if candidate.rank == best]
    texts = _names(chosen[0].element)
    for previous, candidate in pairwise(chosen):
        if candidate.position - previous.position > _TOGETHER:
            break
        texts += _names(candidate.element)
    return list(dict.fromkeys(texts))


def _names(element: HtmlElement) -> list[str]:
    """Return the names of a byline: of its innermost marked parts, and of its text if that names more."""
    text = element_text(element, _MAX_BYLINE) or ""
    inside = _BY_INSIDE.search(text)  # "12 March 2026, by Jane Doe"
    text = _without_by(text[inside.start("by") :] if inside else text)
    marked = [part for part in element.iter() if part is not element and isinstance(part.tag, str) and _rank(part)]
    innermost = [part for part in marked if not any(_rank(child) for child in part.iterdescendants("*"))]
    parts = [_without_by(part) for e in innermost if (part := element_text(e, _MAX_BYLINE))]
    if not parts:
        return [_DETAILS.split(text)[0]] if _DETAILS.split(text)[0] else []
    if len(parts) == 1 and (more := _MORE_NAMES.match(text)) and parts[0] in more[0]:
        return [_DETAILS.split(text)[0]]
    return parts


def _without_by(text: str) -> str:
    return _BY_WORD.sub("", text.strip(), count=1)


def _headline(elements: list[HtmlElement], article: HtmlElement | None) -> int | None:
    """Return the position of the headline: the first h1 of the article, or its first h2 if the page has no h1."""
    for tag in ("h1", "h2"):
        for position, element in enumerate(elements):
            if element.tag == tag and not is_foreign(element, article):
                return position
    return None


def _in_figure(element: HtmlElement) -> bool:
    return any(ancestor.tag in ("figure", "figcaption") for ancestor in element.iterancestors())


def _begin_of_text(elements: list[HtmlElement], headline: int | None) -> int:
    """Return the position of the first long paragraph below the headline."""
    for position in range((headline or 0) + 1, len(elements)):
        if elements[position].tag == "p" and len(elements[position].text_content()) > _LONG_PARAGRAPH:
            return position + _STANDFIRST
    return len(elements)


def _rank(element: HtmlElement) -> int:
    """Return how surely an element is a byline: 3 marked as the author, 2 by its link or class, 0 not at all."""
    if element.tag in ("meta", "link", "script", "img", "body", "html", "article", "main", "form", "button"):
        return 0
    if (element.get("itemprop") or "").lower() in ("author", "creator") or "author" in (
        element.get("rel") or ""
    ).split():
        return 3
    href = element.get("href")
    if href and element.tag == "a" and _AUTHOR_PAGE.search(href):
        return 2
    classes = element.get("class")
    return 2 if classes and _CLASS.search(classes) else 0


def _begins_with_by(element: HtmlElement) -> bool:
    if element.tag in ("h1", "h2", "h3") or not element.text or len(element.text) > _MAX_BYLINE:
        return False
    text = element_text(element, _MAX_BYLINE) or ""
    match = _BY.match(text)
    names = _DETAILS.split(text[match.end() :])[0] if match else ""
    # "Von Berlin nach München" has a small word that no name has.
    words = names.replace(",", " ").split()
    return bool(words) and not any(word[0].islower() and word.lower() not in _NAME_PARTS for word in words)
