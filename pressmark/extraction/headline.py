"""The headline of an article, by weighted vote of <h1>, JSON-LD, og:title, twitter:title and <title>.

The outlet's name is removed from each candidate first. The weights of equal candidates are added. They were tuned on
the public benchmark packs (docs/extraction.md).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lxml.html import HtmlElement

from pressmark.extraction.elements import element_text
from pressmark.extraction.page import Page
from pressmark.extraction.structured import Node, node_text
from pressmark.text import clean_line, fold_name

_SEPARATOR = re.compile(
    r"\s+[|\u2013\u2014\u00b7\u2022:\u00bb\u2039\u203a~*-]\s+|\s*[|｜]\s*|\s*_(?=[^_]+$)|\s+::\s+|\s+//\s+"
)
_SECTION = re.compile(r"^(\S+(?:\s+\S+){2,})\s+[|｜]\s+\S+(?:\s+\S+)?$")
_LEAD = re.compile(r"^([^:]{3,60}):\s+(\S.*)$")
_WEIGHTS = {"h1": 1.25, "h1_other": 0.45, "json_ld": 1.1, "og": 0.9, "twitter": 0.4, "title": 0.7}
_ONLY_HEADING = 1.6
_KICKER = re.compile(
    r"(?:^|[\s_-])(?:kicker|badge|label|eyebrow|overline|topline|roofline|dachzeile|spitzmarke|category|section(?:-?name)?|"
    r"rubric|rubrik|tag|flag|prefix|suffix|supertitle|pretitle|vignette|premium|plus|icon|live)(?:$|[\s_-])",
    re.IGNORECASE,
)
_MAX_LENGTH = 400
_BORDER = " -\u2013\u2014:|\u00b7\u2022"
_ELLIPSIS = re.compile(r"\s*(?:\u2026|\.{3,})\s*$")


@dataclass(frozen=True, slots=True)
class _Candidate:
    text: str
    kind: str


def find_headline(
    page: Page, article: Node, site_names: frozenset[str], xpath: str | None = None
) -> tuple[str | None, str | None]:
    """Return the headline and its sources, or (None, None) if the page has no candidate.

    site_names: names of the outlet in folded form (`fold_name`). A name alone is never a headline.
    xpath: the outlet's hint. Its first match with text is the headline.
    """
    if xpath:
        for match in page.tree.xpath(xpath) if isinstance(xpath, str) else ():
            text = clean_line(match, _MAX_LENGTH) if isinstance(match, str) else element_text(match, _MAX_LENGTH)
            if text:
                return text, "outlet file"
    names = site_names | _declared_site_names(page)
    candidates = [c for c in _candidates(page, article, names) if fold_name(c.text) not in names]
    if not candidates:
        return None, None
    candidates = _whole(candidates)
    votes: dict[str, float] = {}
    for candidate in candidates:
        votes[_vote_key(candidate.text)] = votes.get(_vote_key(candidate.text), 0.0) + _weight(candidate, candidates)
    winner = max(votes, key=lambda key: votes[key])
    agreeing = [candidate for candidate in candidates if _vote_key(candidate.text) == winner]
    return agreeing[0].text, ", ".join(dict.fromkeys(candidate.kind for candidate in agreeing))


def _weight(candidate: _Candidate, candidates: Sequence[_Candidate]) -> float:
    """Return the weight of a candidate. The only <h1> of a page weighs more, with two exceptions.

    Titles for search engines and social networks are often reworded. But if they contain the <h1> and a kicker, the
    kicker is part of the headline. If they share no word with the <h1>, it is the name of a section.
    """
    if candidate.kind != "h1" or any(other.kind == "h1_other" for other in candidates):
        return _WEIGHTS[candidate.kind]
    key = _vote_key(candidate.text)
    is_part = any(key in (other := _vote_key(c.text)) and key != other for c in candidates)
    words = _long_words(candidate.text)
    is_related = not words or any(words & _long_words(c.text) for c in candidates if c.kind != "h1")
    return _WEIGHTS["h1"] if is_part or not is_related else _ONLY_HEADING


def _long_words(text: str) -> set[str]:
    return {word for word in re.findall(r"\w+", text.casefold()) if len(word) > 3}


def page_titles(page: Page) -> tuple[str, ...]:
    """Return what the page itself calls its article: the texts of h1, og:title and <title>."""
    texts = [text for text, boilerplate in _headings(page) if not boilerplate]
    return tuple(filter(None, (*texts, clean_line(page.meta_first("og:title")), _title(page.tree))))


def _whole(candidates: list[_Candidate]) -> list[_Candidate]:
    """Replace each candidate that ends in an ellipsis by the longer one that it is the beginning of."""
    return [
        next(
            (
                _Candidate(other.text, candidate.kind)
                for other in candidates
                if _is_beginning(candidate.text, other.text)
            ),
            candidate,
        )
        for candidate in candidates
    ]


def _is_beginning(text: str, other: str) -> bool:
    cut = _ELLIPSIS.sub("", text)
    return (
        cut != text
        and len(cut) >= 15
        and len(other) > len(cut)
        and not _ELLIPSIS.search(other)
        and (fold_name(other).startswith(fold_name(cut)))
    )


def _candidates(page: Page, article: Node, names: frozenset[str]) -> list[_Candidate]:
    candidates: list[_Candidate] = []
    headings = _headings(page, _declared_titles(page, article))
    main = [text for text, boilerplate in headings if not boilerplate] or [text for text, _ in headings]
    for position, text in enumerate(main[:4]):
        candidates.append(_Candidate(text, "h1" if len(main) == 1 or position == 0 else "h1_other"))
    for value, kind in (
        (node_text(article.get("headline"), _MAX_LENGTH) or node_text(article.get("name"), _MAX_LENGTH), "json_ld"),
        (page.meta_first("og:title"), "og"),
        (_title(page.tree), "title"),
        (page.meta_first("twitter:title"), "twitter"),
    ):
        value = clean_line(value, 1000)
        if value:
            stripped = value if kind == "json_ld" else _without_site_name(value, names, main)
            candidates.append(_Candidate(stripped[:_MAX_LENGTH], kind))
    return candidates


def _declared_titles(page: Page, article: Node) -> list[str]:
    """Return the titles that the page gives outside its headings."""
    texts = (node_text(article.get("headline"), 1000), page.meta_first("og:title"), _title(page.tree))
    return [text for value in texts if (text := clean_line(value, 1000))]


def _headings(page: Page, declared: Sequence[str] = ()) -> list[tuple[str, bool]]:
    """Return (text, whether it is boilerplate) of each <h1>."""
    headings = []
    for element in page.tree.iter("h1"):
        text = _heading_text(element, declared)
        if not text or len(text) > _MAX_LENGTH:
            continue
        boilerplate = any(
            ancestor.tag in ("nav", "footer", "aside")
            or (ancestor.tag == "header" and ancestor.getparent() is not None and ancestor.getparent().tag == "body")
            or "logo" in (ancestor.get("class") or "").lower()
            for ancestor in (element, *element.iterancestors())
        )
        link = element.find(".//a")
        home_link = link is not None and (link.get("href") or "").rstrip("/").count("/") <= 2 and len(text) < 40
        headings.append((text, boilerplate or home_link))
    return headings


def _heading_text(element: HtmlElement, declared: Sequence[str]) -> str | None:
    """Return the text of a heading without a kicker or badge.

    An element at its border is one if its class says so, or if a declared title is the heading without it.
    """
    children = [child for child in element.iter() if child is not element and isinstance(child.tag, str)]
    badges = frozenset(
        child
        for child in children
        if _KICKER.search(" ".join(filter(None, (child.get("class"), child.get("itemprop"), child.get("id")))))
    )
    text = element_text(element, _MAX_LENGTH + 1)
    if not text or not children:
        return text
    if any(_starts_with(title, text) for title in declared):
        # The separator between a kicker and the rest may be drawn by the style sheet.
        same = (title for title in declared if fold_name(title) == fold_name(text))
        return next((title for title in same if title.count(":") > text.count(":")), text)
    bare = element_text(element, _MAX_LENGTH + 1, badges)
    if bare and not (text.startswith(bare) or text.endswith(bare)):
        bare = None  # a kicker or badge stands at the border
    for without in (badges, frozenset((element[0],)), frozenset((element[-1],))):
        shorter = element_text(element, _MAX_LENGTH + 1, without)
        if shorter and any(_starts_with(title, shorter.lstrip(_BORDER)) for title in declared):
            return shorter.strip(_BORDER)
    return (bare or text).strip(_BORDER)


def _starts_with(title: str, heading: str) -> bool:
    return fold_name(title).startswith(fold_name(heading))


def _title(tree: HtmlElement) -> str | None:
    element = tree.find(".//head/title")
    if element is None:
        element = tree.find(".//title")
    return element_text(element, 1000) if element is not None else None


def _declared_site_names(page: Page) -> frozenset[str]:
    names = (page.meta_first("og:site_name"), page.meta_first("application-name"), page.meta_first("al:ios:app_name"))
    return frozenset(fold_name(name) for name in names if name)


def _without_site_name(text: str, names: frozenset[str], headings: list[str]) -> str:
    """Remove the outlet's name from the end or the beginning of a title.

    The part after the last separator is removed if it is the outlet's name, or if the rest is one of the page's
    headings. The part before the first separator is treated in the same way.
    """
    known = {_vote_key(heading) for heading in headings}
    lead = _LEAD.match(text)  # "Name: headline"
    if lead and fold_name(lead[1]) in names:
        return lead[2].strip()
    for _ in range(3):
        cuts = list(_SEPARATOR.finditer(text))
        if not cuts or _vote_key(text) in known:
            return text
        head, tail = text[: cuts[-1].start()], text[cuts[-1].end() :]
        first, rest = text[: cuts[0].start()], text[cuts[0].end() :]
        if _is_name(tail, names) or _vote_key(head) in known:
            text = head.strip()
            section = _SECTION.match(text)  # "Headline | Section | Name"
            if section and "|" in cuts[-1][0].replace("｜", "|"):
                text = section[1].strip()
        elif _is_name(first, names) or _vote_key(rest) in known:
            text = rest.strip()
        elif any(_vote_key(text[: cut.start()]) in known for cut in cuts):
            text = next(text[: cut.start()] for cut in cuts if _vote_key(text[: cut.start()]) in known)
        else:
            return text
    return text


def _is_name(part: str, names: frozenset[str]) -> bool:
    folded = fold_name(part)
    return bool(folded) and (
        folded in names or any(len(name) > 3 and (folded.startswith(name) or name.startswith(folded)) for name in names)
    )


def _vote_key(text: str) -> str:
    return fold_name(text)
