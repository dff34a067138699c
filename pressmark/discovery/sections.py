"""Extracts the links to articles, and the link to the next page, from a front, section or tag page."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lxml.html import HtmlElement

from pressmark.dates import ParsedDate
from pressmark.discovery.listing import ChildListing, Entry, Listing
from pressmark.errors import ExtractionError
from pressmark.extraction.page import parse_page
from pressmark.text import one_line
from pressmark.urls import absolute, on_domains

MAX_BYTES = 10 * 2**20
_NEXT_WORDS = re.compile(
    r"^\W*(?:next(?: page)?|older(?: (?:posts|articles|stories))?|weiter|nächste(?: seite)?|ältere(?: beiträge)?|"
    r"suivante?s?|page suivante|siguientes?|página siguiente|successiv[ao]|volgende|nästa|далее|следующая|"
    r"次(?:へ|のページ)?|下一页|التالي)\W*$",
    re.IGNORECASE,
)


def parse_section(
    document: bytes,
    url: str,
    *,
    domains: Sequence[str],
    include: Sequence[str],
    exclude: Sequence[str] = (),
    content_type: str | None = None,
    limit: int = 2000,
    published: ParsedDate | None = None,
) -> Listing:
    """Return the links that match a pattern of `include`. Each is listed once, with its longest link text.

    Never raises because of the content of the page. Links that don't match are navigation.

    url: the final URL, which is the base of relative links. published: date of all listed articles, if known.
    The next page is found by `rel=next` or by the text of its link.
    """
    try:
        page = parse_page(document[:MAX_BYTES], content_type)
    except ExtractionError as error:
        return Listing(problem=str(error))
    base = _base(page.tree, url)
    headlines: dict[str, str | None] = {}
    listing = Listing()
    for link in page.tree.iter("a"):
        link_url = absolute(link.get("href") or "", base)
        if link_url is None or not on_domains(link_url, domains) or not _is_included(link_url, include, exclude):
            continue
        if link_url not in headlines and len(headlines) >= limit:
            listing.truncated = True
            break
        text = one_line(link.text_content(), 400)
        previous = headlines.get(link_url)
        headlines[link_url] = text if text and (previous is None or len(text) > len(previous)) else previous
    listing.entries = [Entry(link_url, headline, published) for link_url, headline in headlines.items()]
    next_page = _next_page(page.tree, base)
    if next_page is not None and next_page != url and on_domains(next_page, domains):
        listing.children = [ChildListing(next_page)]
    if not headlines:
        listing.problem = "no link on the page matches urls.include"
    return listing


def _base(tree: HtmlElement, url: str) -> str:
    element = tree.find(".//base")
    return absolute(element.get("href") or "", url) or url if element is not None else url


def _is_included(url: str, include: Sequence[str], exclude: Sequence[str]) -> bool:
    return any(re.search(p, url) for p in include) and not any(re.search(p, url) for p in exclude)


def _next_page(tree: HtmlElement, base: str) -> str | None:
    for element in tree.iter("link", "a"):
        if "next" in (element.get("rel") or "").lower().split():
            return absolute(element.get("href") or "", base)
    for element in tree.iter("a"):
        words = (one_line(element.text_content(), 60), one_line(element.get("aria-label"), 60))
        if any(_NEXT_WORDS.match(text) for text in words if text):
            return absolute(element.get("href") or "", base)
    return None
