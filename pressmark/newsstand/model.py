"""What an outlet of the newsstand is made of, and how its pages are written."""

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
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Site:
    """An outlet of the newsstand."""

    host: str
    name: str
    language: str
    zone: timezone
    articles: Callable[[int], list[Article]] = field(repr=False)
    pages: Callable[[Site, int], dict[str, Document]] = field(repr=False)
    feeds: tuple[tuple[str, str, str], ...] = ()  # type, path, title: as its front page names them
    wordpress: bool = False


def write_article(language: Language, host: str, number: int, path: str, zone: timezone, **more: object) -> Article:
    """An invented article, the same in every run."""
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
    """A text as another newsroom prints it: a few words changed, a line of its own."""
    changed = [p.replace(" the ", " this ", 1).replace(" to ", " in order to ", 1) for p in paragraphs]
    return (*changed, f"{house} received this report from Meridian Wire and shortened its headline.")


def common_pages(site: Site, articles: list[Article], robots: str = "") -> dict[str, Document]:
    """Front page and robots.txt."""
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
    told: str | None = None,
) -> Document:
    """An article's page. encoding: of the bytes. told: what the header says of it; None for the truth."""
    related = [other for other in articles if other.path != article.path][:4]
    text = templates().get_template(template).render(site=site, article=article, related=related, encoding=encoding)
    return Document(f"text/html; charset={told or encoding}", text.encode(encoding, "xmlcharrefreplace"))


def xml_page(template: str, site: Site, articles: list[Article], content_type: str) -> Document:
    """A feed or sitemap of these articles, newest first."""
    newest_first = sorted(articles, key=lambda article: article.published, reverse=True)
    text = templates().get_template(template).render(site=site, articles=newest_first)
    return Document(content_type, text.encode())


@cache
def templates() -> Environment:
    """The templates of all pages."""
    environment = Environment(
        loader=PackageLoader("pressmark.newsstand"), autoescape=select_autoescape(["html", "xml"]),
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["rfc822"] = format_datetime
    environment.filters["iso"] = lambda when: when.isoformat(timespec="seconds")
    return environment
