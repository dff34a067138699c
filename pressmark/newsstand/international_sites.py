"""Four more outlets of the newsstand.

A wire agency with a JSON listing in its own format, a magazine that has only section pages, a Japanese newspaper in
Shift_JIS and a Russian one in windows-1251.
"""

from __future__ import annotations

import json
from datetime import UTC, timedelta, timezone

from pressmark.newsstand.model import (
    DOMAIN,
    Article,
    Document,
    Site,
    common_pages,
    html_page,
    templates,
    write_article,
    xml_page,
)
from pressmark.newsstand.text_generator import ENGLISH, FRENCH, JAPANESE, RUSSIAN

_WIRE, _SENTINELLE, _SHIOMI, _MAYAK = (f"{n}.{DOMAIN}" for n in ("wire", "lasentinelle", "shiomi", "mayak"))
_PARIS, _TOKYO, _MOSCOW = (timezone(timedelta(hours=hours)) for hours in (1, 9, 3))
_SECTIONS = ("politique", "culture")
_PAGE_SIZE = 5


def wire_articles(edition: int = 1) -> list[Article]:
    """Return the articles of the agency. Other outlets publish some of them."""
    return [write_article(ENGLISH, _WIRE, n, f"/report/{4000 + n}", UTC) for n in range(1, 21)]


def _wire_pages(site: Site, edition: int) -> dict[str, Document]:
    articles = site.articles(edition)
    pages = {a.path: html_page(site, "structured.html", a, articles) for a in articles}
    items = [
        {"url": a.path, "headline": a.headline, "published": a.published.isoformat(), "updated": a.modified.isoformat()}
        for a in sorted(articles, key=lambda a: a.published, reverse=True)
    ]
    pages["/api/latest.json"] = Document("application/json", json.dumps({"items": items}).encode())
    return pages | common_pages(site, articles)


def _sentinelle_articles(edition: int) -> list[Article]:
    return [
        write_article(
            FRENCH, _SENTINELLE, n, f"/{_SECTIONS[n % 2]}/2026/03/article-{500 + n}.html", _PARIS,
            section=_SECTIONS[n % 2].capitalize(),
        )
        for n in range(1, 21)
    ]  # fmt: skip


def _sentinelle_pages(site: Site, edition: int) -> dict[str, Document]:
    articles = sorted(site.articles(edition), key=lambda a: a.published, reverse=True)
    pages = {a.path: html_page(site, "magazine.html", a, articles) for a in articles}
    for section in _SECTIONS:
        own = [a for a in articles if a.path.startswith(f"/{section}/")]
        count = -(-len(own) // _PAGE_SIZE)
        for number in range(count):
            path = f"/{section}/" if number == 0 else f"/{section}/page/{number + 1}/"
            text = templates().get_template("section.html").render(
                site=site, section=section, articles=own[number * _PAGE_SIZE : (number + 1) * _PAGE_SIZE],
                following=f"/{section}/page/{number + 2}/" if number + 1 < count else None,
            )  # fmt: skip
            pages[path] = Document("text/html; charset=utf-8", text.encode())
    for day in {a.published.date() for a in articles}:
        text = (
            templates()
            .get_template("section.html")
            .render(
                site=site,
                section=day.isoformat(),
                articles=[a for a in articles if a.published.date() == day],
                following=None,
            )
        )
        pages[f"/archives/{day:%Y/%m/%d}/"] = Document("text/html; charset=utf-8", text.encode())
    return pages | common_pages(site, articles)


def _shiomi_articles(edition: int) -> list[Article]:
    return [write_article(JAPANESE, _SHIOMI, n, f"/kiji/{7000 + n}.html", _TOKYO) for n in range(1, 17)]


def _shiomi_pages(site: Site, edition: int) -> dict[str, Document]:
    articles = site.articles(edition)
    pages = {a.path: html_page(site, "magazine.html", a, articles, "shift_jis") for a in articles}
    pages["/sitemap.xml"] = xml_page("sitemap_news.xml", site, articles, "application/xml")
    return pages | common_pages(site, articles)


def _mayak_articles(edition: int) -> list[Article]:
    return [write_article(RUSSIAN, _MAYAK, n, f"/news/{n}/", _MOSCOW) for n in range(1, 15)]


def _mayak_pages(site: Site, edition: int) -> dict[str, Document]:
    articles = site.articles(edition)
    pages = {a.path: html_page(site, "magazine.html", a, articles, "windows-1251") for a in articles}
    pages["/rss"] = xml_page("feed.xml", site, articles, "application/rss+xml; charset=utf-8")
    return pages | common_pages(site, articles)


ABROAD: tuple[Site, ...] = (
    Site(_WIRE, "Meridian Wire", "en", UTC, wire_articles, _wire_pages),
    Site(_SENTINELLE, "La Sentinelle", "fr", _PARIS, _sentinelle_articles, _sentinelle_pages),
    Site(_SHIOMI, "潮見新報", "ja", _TOKYO, _shiomi_articles, _shiomi_pages),
    Site(_MAYAK, "Северный маяк", "ru", _MOSCOW, _mayak_articles, _mayak_pages),
)
