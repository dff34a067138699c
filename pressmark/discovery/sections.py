"""Section pages: links to articles on a front, section or tag page, and the link to its next page. Pure."""

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
    """Links that match a pattern of `include`, each once with its longest link text; never raises for its content.

    url: final address, base of relative links. Links that match nothing are navigation, not candidates.
    published: date of all that is listed. The next page is `rel=next`, or a link that says so.
    """
    try:
        page = parse_page(document[:MAX_BYTES], content_type)
    except ExtractionError as error:
        return Listing(problem=str(error))
    base = _base(page.tree, url)
    found: dict[str, str | None] = {}
    listing = Listing()
    for link in page.tree.iter("a"):
        address = absolute(link.get("href") or "", base)
        if address is None or not on_domains(address, domains) or not _wanted(address, include, exclude):
            continue
        if address not in found and len(found) >= limit:
            listing.truncated = True
            break
        text = one_line(link.text_content(), 400)
        before = found.get(address)
        found[address] = text if text and (before is None or len(text) > len(before)) else before
    listing.entries = [Entry(address, headline, published) for address, headline in found.items()]
    following = _next_page(page.tree, base)
    if following is not None and following != url and on_domains(following, domains):
        listing.children = [ChildListing(following)]
    if not found:
        listing.problem = "no link of it matches urls.include"
    return listing


def _base(tree: HtmlElement, url: str) -> str:
    element = tree.find(".//base")
    return absolute(element.get("href") or "", url) or url if element is not None else url


def _wanted(address: str, include: Sequence[str], exclude: Sequence[str]) -> bool:
    return any(re.search(p, address) for p in include) and not any(re.search(p, address) for p in exclude)


def _next_page(tree: HtmlElement, base: str) -> str | None:
    for element in tree.iter("link", "a"):
        if "next" in (element.get("rel") or "").lower().split():
            return absolute(element.get("href") or "", base)
    for element in tree.iter("a"):
        words = (one_line(element.text_content(), 60), one_line(element.get("aria-label"), 60))
        if any(_NEXT_WORDS.match(text) for text in words if text):
            return absolute(element.get("href") or "", base)
    return None
