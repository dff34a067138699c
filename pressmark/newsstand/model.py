"""The data of a newsstand outlet, and functions that render its pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from pressmark.newsstand.text_generator import Language, write_headline, write_paragraphs

EDITIONS = (1, 2)
FIRST_DAY = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
DOMAIN = "newsstand.example"


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader comment below an article."""

    author: str
    text: str
    posted: str
    edited: str | None = None


@dataclass(frozen=True, slots=True)
class Article:
    """An article in one edition."""

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
    """The response for one path."""

    content_type: str
    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Site:
    """A site of the newsstand. articles, pages: functions of the edition."""

    host: str
    name: str
    language: str
    zone: timezone
    articles: Callable[[int], list[Article]] = field(repr=False)
    pages: Callable[[Site, int], dict[str, Document]] = field(repr=False)
    feeds: tuple[tuple[str, str, str], ...] = ()  # (type, path, title), as on the front page
    wordpress: bool = False


def write_article(language: Language, host: str, number: int, path: str, zone: timezone, **more: object) -> Article:
    """Write an invented article. It is the same in every run."""
    seed = f"{host} {number}"
    published = (FIRST_DAY + timedelta(days=number, minutes=37 * number)).astimezone(zone)
    fields: dict[str, object] = {
        "path": path,
        "headline": write_headline(language, seed),
        "paragraphs": tuple(write_paragraphs(language, seed)),
        "published": published,
        "modified": published,
        "author": language.people[number % len(language.people)],
        "section": ("Town", "Region", "Culture")[number % 3],
    }
    return Article(**(fields | more))  # type: ignore[arg-type]


def slightly_edited(paragraphs: tuple[str, ...], house: str) -> tuple[str, ...]:
    """Return a text as another newsroom would publish it: a few words changed, one line added."""
    changed = [p.replace(" the ", " this ", 1).replace(" to ", " in order to ", 1) for p in paragraphs]
    return (*changed, f"{house} received this report from Meridian Wire and shortened its headline.")


def common_pages(site: Site, articles: list[Article], robots: str = "") -> dict[str, Document]:
    """Return the front page and robots.txt by path."""
    front = templates().get_template("front.html").render(site=site, articles=articles)
    return {
        "/": Document("text/html; charset=utf-8", front.encode()),
        "/robots.txt": Document("text/plain", f"User-agent: *\nDisallow: /admin/\n{robots}".encode()),
    }


def html_page(
    site: Site,
    template: str,
    article: Article,
    articles: list[Article],
    encoding: str = "utf-8",
    declared_encoding: str | None = None,
) -> Document:
    """Render the page of an article.

    encoding: encoding of the bytes. declared_encoding: encoding in the header; None for the same.
    """
    related = [other for other in articles if other.path != article.path][:4]
    text = templates().get_template(template).render(site=site, article=article, related=related, encoding=encoding)
    return Document(f"text/html; charset={declared_encoding or encoding}", text.encode(encoding, "xmlcharrefreplace"))


def xml_page(template: str, site: Site, articles: list[Article], content_type: str) -> Document:
    """Render a feed or sitemap of articles, newest first."""
    newest_first = sorted(articles, key=lambda article: article.published, reverse=True)
    text = templates().get_template(template).render(site=site, articles=newest_first)
    return Document(content_type, text.encode())


@cache
def templates() -> Environment:
    """Return the environment of the page templates."""
    environment = Environment(
        loader=PackageLoader("pressmark.newsstand"), autoescape=select_autoescape(["html", "xml"]),
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["rfc822"] = format_datetime
    environment.filters["iso"] = lambda when: when.isoformat(timespec="seconds")
    return environment
