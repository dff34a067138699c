"""All outlets of the newsstand and their documents."""

from __future__ import annotations

from functools import cache
from urllib.parse import parse_qsl, urlsplit

from pressmark.newsstand.edge_case_pages import edge_case_documents
from pressmark.newsstand.international_sites import ABROAD
from pressmark.newsstand.model import Document, Site
from pressmark.newsstand.sites import FIRST_FOUR, posts

SITES: tuple[Site, ...] = (*FIRST_FOUR, *ABROAD)


@cache
def documents(edition: int) -> dict[tuple[str, str], Document]:
    """Return all documents of an edition by (host, path)."""
    articles = {(site.host, path): document for site in SITES for path, document in site.pages(site, edition).items()}
    return articles | edge_case_documents()


def answer(edition: int, host: str, target: str) -> Document | None:
    """Return the document for a path with its query, or None."""
    parts = urlsplit(target)
    if host == FIRST_FOUR[0].host and parts.path == "/wp-json/wp/v2/posts":
        return posts(edition, dict(parse_qsl(parts.query)))
    return documents(edition).get((host, target))


HOSTS = tuple(dict.fromkeys(host for host, _ in documents(1)))
