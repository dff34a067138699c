"""The images of an article with caption, credit and alternative text, from Open Graph, JSON-LD and its figures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from pressmark.extraction.elements import element_text, is_foreign
from pressmark.extraction.fields import Image
from pressmark.extraction.page import Page
from pressmark.extraction.structured import Node, StructuredData, node_text
from pressmark.text import clean_line, clean_text
from pressmark.urls import absolute

MAX_IMAGES = 50
_MAX_TEXT = 1000  # characters of a caption
_MAX_URL = 2000
_CREDIT_CLASS = re.compile(
    r"(?:^|[\s_-])(?:credits?|copyright|photographer|photo-?by|source|attribution|agency|rights)(?:$|[\s_-])",
    re.IGNORECASE,
)
_CREDIT = re.compile(
    r"[(\[]?\s*(?:(?:photo(?:graph)?|image|picture|foto|bild|credits?|crédits?|copyright)(?:\s+(?:by|credit))?\s*[:/]|©)"
    r"\s*(?P<name>[^()\[\]]{2,120}?)\s*[)\]]?$",
    re.IGNORECASE,
)
_SOURCES = ("data-src", "data-original", "data-lazy-src", "data-srcset", "srcset", "src")  # src may be a placeholder


def find_images(page: Page, article: Node, data: StructuredData, base: str) -> list[Image]:
    """Return the images in the order of the page: first what the page declares as the main image, then the figures.

    An image that several sources name is one image with what each says. base: URL of the page.
    """
    images: dict[str, Image] = {}
    for image in (*_declared(page, base), *_of_article(article, data, base), *_figures(page, base)):
        key = _key(image.url)
        images[key] = _joined(images[key], image) if key in images else image
        if len(images) == MAX_IMAGES:
            break
    return list(images.values())


def _declared(page: Page, base: str) -> Iterator[Image]:
    value = page.meta_first("og:image:secure_url", "og:image", "og:image:url", "twitter:image")
    url = _url(value, base)
    if url:
        yield Image(url, alt=clean_line(page.meta_first("og:image:alt", "twitter:image:alt"), _MAX_TEXT), source="og")


def _of_article(article: Node, data: StructuredData, base: str) -> Iterator[Image]:
    for value in data.values(article.get("image")):
        if isinstance(value, str):
            url = _url(value, base)
            if url:
                yield Image(url, source="json_ld")
        elif isinstance(value, dict) and (url := _url(_first(value.get("url") or value.get("contentUrl")), base)):
            credit = next(
                (text for name in ("creditText", "creator", "author", "copyrightHolder", "copyrightNotice")
                 if (text := node_text(value.get(name), 300))),
                None,
            )  # fmt: skip
            yield Image(url, node_text(value.get("caption"), _MAX_TEXT), credit, source="json_ld")


def _first(value: Any) -> str | None:
    if isinstance(value, dict):
        value = value.get("@id") or value.get("url")
    return node_text(value, _MAX_URL)


def _figures(page: Page, base: str) -> Iterator[Image]:
    for figure in page.tree.iter("figure"):
        if is_foreign(figure, page.article) or figure.find(".//figure") is not None:
            continue
        ancestors = list(figure.iterancestors())
        if any(a.tag == "a" for a in ancestors) or (page.article is not None and page.article not in ancestors):
            continue  # a teaser
        caption_element = figure.find(".//figcaption")
        credit = _credit(figure)
        caption = _caption(caption_element) if caption_element is not None else None
        if caption and not credit and (match := _CREDIT.search(caption)):
            credit, caption = clean_line(match["name"]), clean_line(caption[: match.start()].rstrip(" -–—|/"))
        for number, element in enumerate(figure.iter("img")):
            url = _picture_url(element, base)
            if url:
                alt = clean_line(element.get("alt"), _MAX_TEXT)
                yield Image(url, caption if number == 0 else None, credit if number == 0 else None, alt)


def _caption(element: HtmlElement) -> str | None:
    credits = frozenset(child for child in element.iter() if child is not element and _is_credit(child))
    return element_text(element, _MAX_TEXT, credits)


def _credit(figure: HtmlElement) -> str | None:
    for element in figure.iter():
        if _is_credit(element) and (text := element_text(element, 300)):
            match = _CREDIT.search(text)
            return clean_line(match["name"]) if match else text
    return None


def _is_credit(element: HtmlElement) -> bool:
    if not isinstance(element.tag, str) or element.tag in ("img", "source", "picture", "figure", "figcaption"):
        return False
    marks = " ".join(filter(None, (element.get("class"), element.get("itemprop"))))
    return bool(marks) and _CREDIT_CLASS.search(marks) is not None


def _picture_url(element: HtmlElement, base: str) -> str | None:
    for name in _SOURCES:
        value = element.get(name)
        if not value or value.startswith("data:"):
            continue
        if name.endswith("srcset"):
            value = _largest(value)
        if url := _url(value, base):
            return url
    return None


def _largest(srcset: str) -> str:
    """Return the URL with the largest width or density of a srcset."""
    best, size = "", -1.0
    for candidate in re.split(r",\s+", srcset.strip()):
        url, _, descriptor = candidate.strip().partition(" ")
        number = re.match(r"[\d.]+", descriptor.strip())
        value = float(number[0]) if number and number[0].count(".") < 2 and number[0] != "." else 0.0
        if url and value > size:
            best, size = url, value
    return best


def _url(value: str | None, base: str) -> str | None:
    url = absolute(value.strip(), base) if value else None
    return clean_text(url) if url and len(url) <= _MAX_URL else None


def _key(url: str) -> str:
    """Return what sizes and crops of an image have in common: host and path."""
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}" if re.search(r"\.(?:jpe?g|png|gif|webp|avif)$", parts.path, re.I) else url


def _joined(known: Image, other: Image) -> Image:
    return replace(
        known,
        caption=known.caption or other.caption,
        credit=known.credit or other.credit,
        alt=known.alt or other.alt,
    )
