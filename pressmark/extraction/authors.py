"""The authors of an article: JSON-LD first, then meta elements, then bylines as Trafilatura extracts them."""

from __future__ import annotations

import re
from typing import Any

from trafilatura.metadata import extract_author

from pressmark.extraction.page import Page
from pressmark.extraction.structured import Node, as_list, node_text, types
from pressmark.text import fold_name, one_line

MAX_AUTHORS = 30
_META_NAMES = ("author", "article:author", "parsely-author", "sailthru.author", "byl", "dc.creator", "citation_author")
_BY = re.compile(r"^(?:by|von|par|por|di|da|door|av|af|przez|от|автор:?)\s+", re.IGNORECASE)
_SPLIT = re.compile(r"\s*(?:;|\||,|\s+and\s+|\s+und\s+|\s+et\s+|\s+y\s+|\s+&\s+)\s*")
_NOT_A_NAME = re.compile(r"https?://|www\.|@|^\W*$|^\d+$", re.IGNORECASE)
_NAME_SUFFIX = re.compile(r"^(?:jr|sr|ii|iii|iv|phd|md|esq)\.?$", re.IGNORECASE)


def find_authors(page: Page, article: Node, site_names: frozenset[str]) -> list[str]:
    """Return the authors' names without duplicates, in page order.

    site_names: folded names of the outlet. They are dropped if the page also names a person.
    """
    # A source is used only if the ones before it are empty. Bylines take a third as long to extract as the body.
    return (
        _clean(_from_json_ld(article), site_names)
        or _clean(_from_meta(page), site_names)
        or _clean(_from_byline(page), site_names)
    )


def _from_json_ld(article: Node) -> list[str]:
    names: list[str] = []
    for value in as_list(article.get("author")) or as_list(article.get("creator")):
        if isinstance(value, dict):
            for name in as_list(value.get("name")):
                text = node_text(name, 300)
                if text:
                    names += [text] if "person" in types(value) and "," not in text else split_names(text)
        elif isinstance(value, str):
            names += split_names(value)
    return names


def _from_meta(page: Page) -> list[str]:
    for name in _META_NAMES:
        contents = [content for content in page.meta.get(name, ()) if not _NOT_A_NAME.search(content)]
        if contents:
            return [author for content in contents for author in split_names(content)]
    return []


def _from_byline(page: Page) -> list[str]:
    byline: Any = extract_author(page.tree)  # copies the tree before it changes it
    return split_names(byline) if byline else []


def split_names(text: str) -> list[str]:
    """Split a byline into names: `By A. Writer, B. Author and C. Third` gives three."""
    text = _BY.sub("", one_line(text, 600) or "")
    names: list[str] = []
    for part in _SPLIT.split(text):
        if _NAME_SUFFIX.match(part) and names:
            names[-1] += f", {part}"
        elif part:
            names.append(part)
    return names


def _clean(names: list[str], site_names: frozenset[str]) -> list[str]:
    kept: dict[str, str] = {}
    for name in names:
        text = _BY.sub("", name).strip(" ,;:|-\u2013\u2014")
        if not text or len(text) > 120 or _NOT_A_NAME.search(text):
            continue
        kept.setdefault(fold_name(text), text)
    persons = [text for folded, text in kept.items() if folded not in site_names]
    return (persons or list(kept.values()))[:MAX_AUTHORS]
