"""Builds pages for the variants of page cases, and checks what is extracted from them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from benchmarks.cases import CONFIG, OBSERVED_AT, URL, page_values
from pressmark.extraction.fields import ExtractionConfig
from pressmark.extraction.worker import extract_document

PARAGRAPHS = [
    "The harbour board voted on Tuesday evening to rebuild the eastern breakwater, after two winters in which storms tore away more than forty metres of the old stone wall and flooded the fish market.",
    "Engineers told the meeting that the work would take nineteen months and cost about eleven million crowns, a third of it paid by the county and the rest borrowed against future berth fees.",
    "Skippers of the smaller boats had asked for a cheaper repair, arguing that the new fees would drive the last family crews out of the port before the first stone is laid.",
    "The board's chair answered that patching the wall again would only move the bill to the next council, and that insurers had already announced they would leave after another flood.",
    "Work is to begin in April, when the herring fleet is at sea, and the ferry to the islands will use the northern quay until the summer of the following year.",
]
BODY = "".join(f"<p>{p}</p>" for p in PARAGRAPHS)
TITLE = "Board votes to rebuild breakwater"
PUBLISHED = "2026-03-10T18:40:00+00:00"
AUTHORS = ["Petra Lindqvist"]


def page(
    head="",
    h1=f"<h1>{TITLE}</h1>",
    before="",
    after="",
    body=BODY,
    title=f"{TITLE} - The Quay Courier",
    lang="en",
    tail="",
    byline="",
):
    return f'<!DOCTYPE html><html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>{head}</head><body><header><nav><a href="/">Home</a> <a href="/p">Port</a></nav></header>{before}<main><article>{h1}{byline}{body}{after}</article></main>{tail}<footer><p>The Quay Courier</p></footer></body></html>'


def json_ld(value: Any) -> str:
    """A script element with JSON-LD; a string is used as it is."""
    return f'<script type="application/ld+json">{value if isinstance(value, str) else json.dumps(value)}</script>'


def news_article(**properties: Any) -> dict[str, Any]:
    """A NewsArticle in JSON-LD, with these properties changed or added."""
    return {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": TITLE,
        "datePublished": PUBLISHED,
        "author": {"@type": "Person", "name": AUTHORS[0]},
        **properties,
    }


@dataclass(frozen=True)
class Variant:
    """A page and what must come out of it. A tuple means that any of its values is right."""

    name: str
    html: str | bytes
    content_type: str = "text/html"
    config: dict[str, Any] = field(default_factory=dict)
    contains: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    fields: dict[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        """Extract the page and compare the fields and the text."""
        settings = {k: tuple(v) if isinstance(v, list) else v for k, v in {**CONFIG, **self.config}.items()}
        body = self.html if isinstance(self.html, bytes) else self.html.encode()
        headers = (("Content-Type", self.content_type),)
        result = extract_document(body, URL, headers, OBSERVED_AT, ExtractionConfig(**settings), 10**7)
        values = page_values(result)
        for name, wanted in self.fields.items():
            value = values[name]
            if name in ("published", "modified") and value and isinstance(wanted, str):
                value, wanted = datetime.fromisoformat(value), datetime.fromisoformat(wanted)
            assert value in wanted if isinstance(wanted, tuple) else value == wanted, f"{name}: {result.reason or ''}"
        text = result.extraction.article_body if result.extraction else ""
        for part in self.contains:
            assert part in text
        for part in self.excludes:
            assert part not in text


class Variants(list[Variant]):
    """The variants of one test module."""

    def add(
        self,
        name: str,
        html: str | bytes,
        ct: str = "text/html",
        cfg: dict[str, Any] | None = None,
        body_in: Any = (),
        body_out: Any = (),
        **fields: Any,
    ) -> None:
        """Add a page with the fields that must come out of it. By default it must be an article."""
        expected = {"outcome": "article", **fields}
        self.append(Variant(name, html, ct, cfg or {}, tuple(body_in), tuple(body_out), expected))

    def add_byline(
        self, name: str, text: str, published: Any, cfg: dict[str, Any] | None = None, lang: str = "en"
    ) -> None:
        """Add a page with a visible byline and its date of publication."""
        html = page(byline=f'<p class="meta">{text}</p>', lang=lang)
        self.add(f"byline {name}", html, cfg=cfg, published=published)
