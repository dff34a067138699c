"""The headline, by agreement of what the page offers: <h1>, JSON-LD, og:title, <title>.

Each candidate is freed of the outlet's name and then votes; equal ones add up. The weights were set on
the public benchmark packs (docs/extraction.md).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml.html import HtmlElement

from pressmark.extraction.page import Page
from pressmark.extraction.structured import Node, node_text
from pressmark.text import fold_name, one_line

_SEPARATOR = re.compile(r"\s+[|\u2013\u2014\u00b7\u2022:\u00bb\u2039\u203a~*-]\s+|\s*\|\s*|\s+::\s+|\s+//\s+")
_WEIGHTS = {"h1": 1.25, "h1_other": 0.45, "json_ld": 1.1, "og": 0.9, "twitter": 0.4, "title": 0.7}
_MAX_LENGTH = 400


@dataclass(frozen=True, slots=True)
class _Candidate:
    text: str
    kind: str


def find_headline(page: Page, article: Node, site_names: frozenset[str], xpath: str | None = None) -> str | None:
    """The headline, or None where the page offers nothing.

    site_names: names of the outlet in folded form (`fold_name`), never a headline by themselves.
    xpath: the outlet's own hint, believed where it finds something.
    """
    if xpath:
        for found in page.tree.xpath(xpath) if isinstance(xpath, str) else ():
            text = one_line(found if isinstance(found, str) else found.text_content(), _MAX_LENGTH)
            if text:
                return text
    names = site_names | _own_names(page)
    candidates = [c for c in _candidates(page, article, names) if fold_name(c.text) not in names]
    if not candidates:
        return None
    votes: dict[str, float] = {}
    for candidate in candidates:
        votes[_vote_key(candidate.text)] = votes.get(_vote_key(candidate.text), 0.0) + _WEIGHTS[candidate.kind]
    winner = max(votes, key=lambda key: votes[key])
    return next(c.text for c in candidates if _vote_key(c.text) == winner)


def _candidates(page: Page, article: Node, names: frozenset[str]) -> list[_Candidate]:
    found: list[_Candidate] = []
    headings = _headings(page.tree)
    main = [text for text, chrome in headings if not chrome] or [text for text, _ in headings]
    for position, text in enumerate(main[:4]):
        found.append(_Candidate(text, "h1" if len(main) == 1 or position == 0 else "h1_other"))
    for value, kind in (
        (node_text(article.get("headline"), _MAX_LENGTH) or node_text(article.get("name"), _MAX_LENGTH), "json_ld"),
        (page.meta_first("og:title"), "og"),
        (_title(page.tree), "title"),
        (page.meta_first("twitter:title"), "twitter"),
    ):
        if value:
            stripped = value if kind == "json_ld" else _without_site_name(value, names, main)
            found.append(_Candidate(stripped[:_MAX_LENGTH], kind))
    return found


def _headings(tree: HtmlElement) -> list[tuple[str, bool]]:
    """(text, whether it belongs to the page's furniture) of each <h1>."""
    found = []
    for element in tree.iter("h1"):
        text = one_line(element.text_content(), _MAX_LENGTH + 1)
        if not text or len(text) > _MAX_LENGTH:
            continue
        chrome = any(
            ancestor.tag in ("nav", "footer", "aside")
            or (ancestor.tag == "header" and ancestor.getparent() is not None and ancestor.getparent().tag == "body")
            or "logo" in (ancestor.get("class") or "").lower()
            for ancestor in (element, *element.iterancestors())
        )
        link = element.find(".//a")
        home = link is not None and (link.get("href") or "").rstrip("/").count("/") <= 2 and len(text) < 40
        found.append((text, chrome or home))
    return found


def _title(tree: HtmlElement) -> str | None:
    element = tree.find(".//head/title")
    if element is None:
        element = tree.find(".//title")
    return one_line(element.text_content(), 1000) if element is not None else None


def _own_names(page: Page) -> frozenset[str]:
    names = (page.meta_first("og:site_name"), page.meta_first("application-name"), page.meta_first("al:ios:app_name"))
    return frozenset(fold_name(name) for name in names if name)


def _without_site_name(text: str, names: frozenset[str], headings: list[str]) -> str:
    """Take the outlet's name off the end or the beginning of a title.

    What follows the last separator goes where it is the outlet's name, or where what remains is one of
    the page's own headings.
    """
    known = {_vote_key(heading) for heading in headings}
    for _ in range(3):
        cuts = list(_SEPARATOR.finditer(text))
        if not cuts or _vote_key(text) in known:
            return text
        head, tail = text[: cuts[-1].start()], text[cuts[-1].end() :]
        first, rest = text[: cuts[0].start()], text[cuts[0].end() :]
        if _is_name(tail, names) or _vote_key(head) in known:
            text = head.strip()
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
