"""The first four outlets of the newsstand and their pages in each edition.

Edition 1 has ten articles per outlet. In edition 2, one article of the Dispatch has changed and its feed entry is
newer. One article of La Plaza is gone, and Tagesblick has a new one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from html import escape
from pathlib import Path

from pressmark.newsstand.international_sites import wire_articles
from pressmark.newsstand.model import (
    DOMAIN,
    Article,
    Document,
    Reader,
    Site,
    common_pages,
    html_page,
    slightly_edited,
    write_article,
    xml_page,
)
from pressmark.newsstand.text_generator import ARABIC, ENGLISH, GERMAN, SPANISH

ARTICLES_PER_OUTLET = 10
SEED_URL = "http://dispatch.newsstand.example/resistance-groups-will-continue-to-target-u-s/"
SEED_HEADLINE = (
    "Resistance Groups Will Continue To Target U.S. Regardless Of Capacity Of Presence In Iraq: Al-Nujaba Movement"
)
_HERE = Path(__file__).parent
_DISPATCH, _TAGESBLICK, _ALWAHA, _PLAZA = (f"{n}.{DOMAIN}" for n in ("dispatch", "tagesblick", "alwaha", "laplaza"))


def seed_paragraphs() -> tuple[str, ...]:
    """Return the paragraphs of the article that Pressmark was first built for."""
    return tuple((_HERE / "seed_article.txt").read_text(encoding="utf-8").splitlines())


def _dispatch_articles(edition: int) -> list[Article]:
    zone = timezone(timedelta(hours=0))
    articles = [_seed_article()]
    for number in range(1, ARTICLES_PER_OUTLET):
        article = write_article(
            ENGLISH, _DISPATCH, number, f"/harbour-notes-{number}/", zone, support="Support the Dispatch"
        )
        if number == 9:  # a report of the wire agency
            article = replace(
                article, paragraphs=slightly_edited(wire_articles()[4].paragraphs, "The Harbour Dispatch")
            )
        if number == 4 and edition >= 2:
            correction = "Correction: an earlier version of this article named the wrong committee."
            article = replace(
                article,
                paragraphs=(*article.paragraphs, correction),
                modified=article.modified + timedelta(days=20),
            )
        articles.append(article)
    return articles


def _seed_article() -> Article:
    published = datetime(2021, 7, 26, 17, 12, 41, tzinfo=UTC)
    return Article(
        path=SEED_URL.partition(_DISPATCH)[2],
        headline=SEED_HEADLINE,
        paragraphs=seed_paragraphs(),
        published=published,
        modified=published,
        author="Newsroom",
        section="Middle East",
        support="Support SouthFront",
        picture=True,
        comments=(
            Reader(
                "",
                "The only way that they will ever leave is when staying has become too dear for them.",
                "July 26, 2021 6:40 pm",
            ),
            Reader(
                "",
                "Let the politicians who invited them explain it to the people, in public and without notes.",
                "July 26, 2021 7:15 pm",
            ),
            Reader(
                "Harbour Master",
                "A bus accident elsewhere is on every front page today. What is happening to this paper?",
                "July 26, 2021 8:02 pm",
            ),
            Reader(
                "Umbrella Seller",
                "“Avalanche closes a mountain road”\n“Towns under water after days of rain”",
                "July 26, 2021 9:30 pm",
            ),
            Reader("Ivan Freely", "", "July 27, 2021 4:11 am", "Last edited 2 months ago by Ivan Freely"),
        ),
    )


def posts(edition: int, query: Mapping[str, str]) -> Document:
    """Return the response of the Dispatch's WordPress to wp/v2/posts, with paging and errors."""
    articles = _dispatch_articles(edition)
    if "after" in query:
        articles = [a for a in articles if a.published > datetime.fromisoformat(query["after"]).replace(tzinfo=UTC)]
    if "before" in query:
        articles = [a for a in articles if a.published < datetime.fromisoformat(query["before"]).replace(tzinfo=UTC)]
    key = "modified" if query.get("orderby") == "modified" else "published"
    articles.sort(key=lambda a: getattr(a, key), reverse=True)
    size, page = int(query.get("per_page", 10)), int(query.get("page", 1))
    page_count = -(-len(articles) // size)
    if page > max(page_count, 1):
        error = {
            "code": "rest_post_invalid_page_number",
            "message": "The page number requested is larger than the total.",
        }
        return Document("application/json", json.dumps(error).encode(), 400)
    rows = [
        {
            "link": f"http://{_DISPATCH}{a.path}",
            "date": f"{a.published:%Y-%m-%dT%H:%M:%S}",
            "date_gmt": f"{a.published.astimezone(UTC):%Y-%m-%dT%H:%M:%S}",
            "modified_gmt": f"{a.modified.astimezone(UTC):%Y-%m-%dT%H:%M:%S}",
            "title": {"rendered": escape(a.headline)},
        }
        for a in articles[(page - 1) * size : page * size]
    ]
    headers = (("X-WP-Total", str(len(articles))), ("X-WP-TotalPages", str(page_count)))
    return Document("application/json; charset=UTF-8", json.dumps(rows).encode(), 200, headers)


def _tagesblick_articles(edition: int) -> list[Article]:
    zone = timezone(timedelta(hours=1))
    count = ARTICLES_PER_OUTLET + (1 if edition >= 2 else 0)
    return [
        write_article(GERMAN, _TAGESBLICK, n, f"/lokales/artikel-{1000 + n}.html", zone) for n in range(1, count + 1)
    ]


def _alwaha_articles(edition: int) -> list[Article]:
    zone = timezone(timedelta(hours=3))
    return [write_article(ARABIC, _ALWAHA, n, f"/news/{2000 + n}", zone) for n in range(1, ARTICLES_PER_OUTLET + 1)]


def _plaza_articles(edition: int) -> list[Article]:
    zone = timezone(timedelta(hours=-3))
    numbers = [n for n in range(1, ARTICLES_PER_OUTLET + 1) if not (edition >= 2 and n == 7)]
    return [write_article(SPANISH, _PLAZA, n, f"/nota.php?id={300 + n}", zone) for n in numbers]


_RSS = "application/rss+xml"


def _dispatch_pages(site: Site, edition: int) -> dict[str, Document]:
    articles = site.articles(edition)
    pages = {a.path: html_page(site, "wordpress.html", a, articles) for a in articles}
    pages["/feed/"] = xml_page("feed.xml", site, articles, "application/rss+xml; charset=UTF-8")
    pages["/comments/feed/"] = xml_page("feed.xml", site, articles[:3], "application/rss+xml; charset=UTF-8")
    return pages | common_pages(site, articles)


def _tagesblick_pages(site: Site, edition: int) -> dict[str, Document]:
    articles = site.articles(edition)
    pages = {a.path: html_page(site, "structured.html", a, articles) for a in articles}
    pages["/sitemap.xml"] = xml_page("sitemap_index.xml", site, articles, "application/xml")
    pages["/sitemap-news.xml"] = xml_page("sitemap_news.xml", site, articles, "application/xml")
    return pages | common_pages(site, articles, "Sitemap: http://tagesblick.newsstand.example/sitemap.xml\n")


def _alwaha_pages(site: Site, edition: int) -> dict[str, Document]:
    articles = site.articles(edition)
    pages = {a.path: html_page(site, "structured.html", a, articles) for a in articles}
    pages["/atom.xml"] = xml_page("atom.xml", site, articles, "application/atom+xml")
    return pages | common_pages(site, articles)


def _plaza_pages(site: Site, edition: int) -> dict[str, Document]:
    articles = site.articles(edition)
    pages = {a.path: html_page(site, "plain.html", a, articles, "iso-8859-1") for a in articles}
    pages["/rss.xml"] = xml_page("feed.xml", site, articles, "text/xml")
    return pages | common_pages(site, articles)


FIRST_FOUR: tuple[Site, ...] = (
    Site(
        _DISPATCH,
        "The Harbour Dispatch",
        "en",
        UTC,
        _dispatch_articles,
        _dispatch_pages,
        ((_RSS, "/comments/feed/", "The Harbour Dispatch » Comments"), (_RSS, "/feed/", "The Harbour Dispatch")),
        True,
    ),
    Site(_TAGESBLICK, "Tagesblick", "de", timezone(timedelta(hours=1)), _tagesblick_articles, _tagesblick_pages),
    Site(
        _ALWAHA,
        "الواحة",
        "ar",
        timezone(timedelta(hours=3)),
        _alwaha_articles,
        _alwaha_pages,
        (("application/atom+xml", "/atom.xml", "الواحة"),),
    ),
    Site(
        _PLAZA,
        "La Plaza",
        "es",
        timezone(timedelta(hours=-3)),
        _plaza_articles,
        _plaza_pages,
        ((_RSS, "/rss.xml", "La Plaza"),),
    ),
)
