"""All outlets of the newsstand, and everything that they serve."""

from __future__ import annotations

from functools import cache

from pressmark.newsstand.abroad import ABROAD
from pressmark.newsstand.model import Document, Site
from pressmark.newsstand.sites import FIRST_FOUR
from pressmark.newsstand.specimens import specimen_documents

SITES: tuple[Site, ...] = (*FIRST_FOUR, *ABROAD)


@cache
def documents(edition: int) -> dict[tuple[str, str], Document]:
    """Everything that an edition serves, by (host, path)."""
    articles = {(site.host, path): document for site in SITES for path, document in site.pages(site, edition).items()}
    return articles | specimen_documents()


HOSTS = tuple(dict.fromkeys(host for host, _ in documents(1)))
