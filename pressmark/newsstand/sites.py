"""The four outlets of the newsstand: what each serves at which address, in each edition.

Edition 1 has ten articles an outlet. In edition 2 one article of the Dispatch has changed (its feed
entry is newer), one of La Plaza is gone, and Tagesblick has a new one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from pressmark.newsstand.prose import ARABIC, ENGLISH, GERMAN, SPANISH, Language, write_headline, write_paragraphs

EDITIONS = (1, 2)
ARTICLES_AN_OUTLET = 10
SEED_URL = "http://dispatch.newsstand.example/resistance-groups-will-continue-to-target-u-s/"
SEED_HEADLINE = (
    "Resistance Groups Will Continue To Target U.S. Regardless Of Capacity Of Presence In Iraq: Al-Nujaba Movement"
)
_HERE = Path(__file__).parent
_FIRST_DAY = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
_DISPATCH, _TAGESBLICK, _ALWAHA, _PLAZA = (
    f"{n}.newsstand.example" for n in ("dispatch", "tagesblick", "alwaha", "laplaza")
)


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader's comment below an article."""

    author: str
    text: str
    posted: str
    edited: str | None = None


@dataclass(frozen=True, slots=True)
class Article:
    """An article as it stands in one edition."""

    path: str
    headline: str
    paragraphs: tuple[str, ...]
    published: datetime
    modified: datetime
    author: str
    section: str
    support: str | None = None
    picture: bool = False
    comments: tuple[Reader, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """What is served at a path."""

    content_type: str
    body: bytes


@dataclass(frozen=True)
class Site:
    """An outlet of the newsstand."""

    host: str
    name: str
    language: str
    zone: timezone
    articles: Callable[[int], list[Article]] = field(repr=False)
    pages: Callable[[Site, int], dict[str, Document]] = field(repr=False)


def seed_paragraphs() -> tuple[str, ...]:
    """The paragraphs of the article that Pressmark began with."""
    return tuple((_HERE / "seed_article.txt").read_text(encoding="utf-8").splitlines())


@cache
def documents(edition: int) -> dict[tuple[str, str], Document]:
    """Everything that an edition serves, by (host, path)."""
    return {(site.host, path): document for site in SITES for path, document in site.pages(site, edition).items()}


def _article(language: Language, host: str, number: int, path: str, zone: timezone, **more: object) -> Article:
    seed = f"{host} {number}"
    published = (_FIRST_DAY + timedelta(days=number, minutes=37 * number)).astimezone(zone)
    return Article(
        path=path,
        headline=write_headline(language, seed),
        paragraphs=tuple(write_paragraphs(language, seed)),
        published=published,
        modified=published,
        author=language.people[number % len(language.people)],
        section=("Town", "Region", "Culture")[number % 3],
        **more,  # type: ignore[arg-type]
    )


def _dispatch_articles(edition: int) -> list[Article]:
    zone = timezone(timedelta(hours=0))
    articles = [_seed_article()]
    for number in range(1, ARTICLES_AN_OUTLET):
        article = _article(
            ENGLISH, _DISPATCH, number, f"/harbour-notes-{number}/", zone, support="Support the Dispatch"
        )
        if number == 4 and edition >= 2:
            correction = "Correction: an earlier version of this article named the wrong committee."
            article = Article(
                article.path, article.headline, (*article.paragraphs, correction), article.published,
                article.modified + timedelta(days=20), article.author, article.section, article.support,
            )  # fmt: skip
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


def _tagesblick_articles(edition: int) -> list[Article]:
    zone = timezone(timedelta(hours=1))
    count = ARTICLES_AN_OUTLET + (1 if edition >= 2 else 0)
    return [_article(GERMAN, _TAGESBLICK, n, f"/lokales/artikel-{1000 + n}.html", zone) for n in range(1, count + 1)]


def _alwaha_articles(edition: int) -> list[Article]:
    zone = timezone(timedelta(hours=3))
    return [_article(ARABIC, _ALWAHA, n, f"/news/{2000 + n}", zone) for n in range(1, ARTICLES_AN_OUTLET + 1)]


def _plaza_articles(edition: int) -> list[Article]:
    zone = timezone(timedelta(hours=-3))
    numbers = [n for n in range(1, ARTICLES_AN_OUTLET + 1) if not (edition >= 2 and n == 7)]
    return [_article(SPANISH, _PLAZA, n, f"/nota.php?id={300 + n}", zone) for n in numbers]


def _dispatch_pages(site: Site, edition: int) -> dict[str, Document]:
    articles = site.articles(edition)
    pages = {a.path: _html(site, "wordpress.html", a, articles) for a in articles}
    pages["/feed/"] = _xml("feed.xml", site, articles, "application/rss+xml; charset=UTF-8")
    return pages | _common(site, articles)


def _tagesblick_pages(site: Site, edition: int) -> dict[str, Document]:
    articles = site.articles(edition)
    pages = {a.path: _html(site, "structured.html", a, articles) for a in articles}
    pages["/sitemap.xml"] = _xml("sitemap_index.xml", site, articles, "application/xml")
    pages["/sitemap-news.xml"] = _xml("sitemap_news.xml", site, articles, "application/xml")
    return pages | _common(site, articles, "Sitemap: http://tagesblick.newsstand.example/sitemap.xml\n")


def _alwaha_pages(site: Site, edition: int) -> dict[str, Document]:
    articles = site.articles(edition)
    pages = {a.path: _html(site, "structured.html", a, articles) for a in articles}
    pages["/atom.xml"] = _xml("atom.xml", site, articles, "application/atom+xml")
    return pages | _common(site, articles)


def _plaza_pages(site: Site, edition: int) -> dict[str, Document]:
    articles = site.articles(edition)
    pages = {a.path: _html(site, "plain.html", a, articles, "iso-8859-1") for a in articles}
    pages["/rss.xml"] = _xml("feed.xml", site, articles, "text/xml")
    return pages | _common(site, articles)


def _common(site: Site, articles: list[Article], robots: str = "") -> dict[str, Document]:
    front = _templates().get_template("front.html").render(site=site, articles=articles)
    return {
        "/": Document("text/html; charset=utf-8", front.encode()),
        "/robots.txt": Document("text/plain", f"User-agent: *\nDisallow: /admin/\n{robots}".encode()),
    }


def _html(site: Site, template: str, article: Article, articles: list[Article], encoding: str = "utf-8") -> Document:
    related = [other for other in articles if other.path != article.path][:4]
    text = _templates().get_template(template).render(site=site, article=article, related=related, encoding=encoding)
    return Document(f"text/html; charset={encoding}", text.encode(encoding, "xmlcharrefreplace"))


def _xml(template: str, site: Site, articles: list[Article], content_type: str) -> Document:
    newest_first = sorted(articles, key=lambda article: article.published, reverse=True)
    text = _templates().get_template(template).render(site=site, articles=newest_first)
    return Document(content_type, text.encode())


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("pressmark.newsstand"), autoescape=select_autoescape(["html", "xml"]),
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["rfc822"] = format_datetime
    environment.filters["iso"] = lambda when: when.isoformat(timespec="seconds")
    return environment


SITES: tuple[Site, ...] = (
    Site(_DISPATCH, "The Harbour Dispatch", "en", UTC, _dispatch_articles, _dispatch_pages),
    Site(_TAGESBLICK, "Tagesblick", "de", timezone(timedelta(hours=1)), _tagesblick_articles, _tagesblick_pages),
    Site(_ALWAHA, "الواحة", "ar", timezone(timedelta(hours=3)), _alwaha_articles, _alwaha_pages),
    Site(_PLAZA, "La Plaza", "es", timezone(timedelta(hours=-3)), _plaza_articles, _plaza_pages),
)
HOSTS = tuple(site.host for site in SITES)
