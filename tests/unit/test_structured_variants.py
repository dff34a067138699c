"""JSON-LD: repairs, references, and which object is the article."""

from __future__ import annotations

import json

import pytest

from tests.page_builder import AUTHORS, PUBLISHED, TITLE, Variant, Variants, json_ld, news_article, page

VARIANTS = Variants()

VARIANTS.add("ld-trailing", page(json_ld(json.dumps(news_article())[:-1] + ",}")), authors=AUTHORS, published=PUBLISHED)
VARIANTS.add(
    "ld-comment", page(json_ld("/* yoast */ " + json.dumps(news_article()))), authors=AUTHORS, published=PUBLISHED
)
VARIANTS.add(
    "ld-linecomment", page(json_ld("// data\n" + json.dumps(news_article()))), authors=AUTHORS, published=PUBLISHED
)
VARIANTS.add(
    "ld-htmlcomment", page(json_ld("<!-- " + json.dumps(news_article()) + " -->")), authors=AUTHORS, published=PUBLISHED
)
VARIANTS.add(
    "ld-two",
    page(json_ld(json.dumps({"@type": "Organization", "name": "X"}) + "\n" + json.dumps(news_article()))),
    authors=AUTHORS,
    published=PUBLISHED,
)
VARIANTS.add(
    "ld-newline-in-string",
    page(json_ld(json.dumps(news_article(description="a\nb")).replace("\\n", "\n"))),
    authors=AUTHORS,
    published=PUBLISHED,
)
VARIANTS.add(
    "ld-itemlist",
    page(
        json_ld(
            {
                "@type": "ItemList",
                "itemListElement": [
                    {
                        "@type": "ListItem",
                        "item": news_article(
                            headline="Ferry late again",
                            url="http://quay.example/x",
                            datePublished="2026-03-14T06:00:00Z",
                            author={"@type": "Person", "name": "Tom Abbey"},
                        ),
                    }
                ],
            }
        )
        + '<meta property="article:published_time" content="'
        + PUBLISHED
        + '"><meta name="author" content="Petra Lindqvist">'
    ),
    authors=AUTHORS,
    published=PUBLISHED,
)
VARIANTS.add(
    "ld-haspart",
    page(
        json_ld(
            news_article(
                hasPart=[
                    news_article(
                        headline="Other",
                        datePublished="2026-01-01",
                        author={"@type": "Person", "name": "Tom Abbey"},
                        articleBody="x",
                        description="y",
                        articleSection="z",
                    )
                ]
            )
        )
    ),
    authors=AUTHORS,
    published=PUBLISHED,
)
VARIANTS.add(
    "ld-graph-ref",
    page(
        json_ld(
            {
                "@graph": [
                    {"@type": "WebPage", "@id": "#p", "datePublished": "2020-01-01"},
                    {"@type": "NewsArticle", "headline": TITLE, "datePublished": PUBLISHED, "author": {"@id": "#a"}},
                    {"@type": "Person", "@id": "#a", "name": "Petra Lindqvist"},
                ]
            }
        )
    ),
    authors=AUTHORS,
    published=PUBLISHED,
)
VARIANTS.add(
    "ld-mainEntity",
    page(json_ld({"@type": "WebPage", "mainEntity": news_article()})),
    authors=AUTHORS,
    published=PUBLISHED,
)
VARIANTS.add(
    "ld-type-list",
    page(json_ld(news_article(**{"@type": ["Article", "NewsArticle"]}))),
    authors=AUTHORS,
    published=PUBLISHED,
)
VARIANTS.add(
    "ld-ns-type",
    page(json_ld(news_article(**{"@type": "http://schema.org/NewsArticle"}))),
    authors=AUTHORS,
    published=PUBLISHED,
)
VARIANTS.add(
    "ld-value",
    page(
        json_ld(
            news_article(
                headline={"@value": TITLE, "@language": "en"}, datePublished={"@type": "DateTime", "@value": PUBLISHED}
            )
        )
    ),
    authors=AUTHORS,
    published=PUBLISHED,
    headline=TITLE,
)
VARIANTS.add(
    "ld-related-first",
    page(
        json_ld(
            [
                news_article(
                    headline="Ferry late again",
                    url="http://quay.example/f",
                    author={"@type": "Person", "name": "Tom Abbey"},
                    datePublished="2026-03-14T00:00:00Z",
                ),
                news_article(url="http://quay.example/port/2026/breakwater"),
            ]
        )
    ),
    authors=AUTHORS,
    published=PUBLISHED,
    headline=TITLE,
)
VARIANTS.add(
    "ld other",
    page(
        json_ld(
            news_article(
                url="/other",
                headline="A different story about cats",
                author={"@type": "Person", "name": "Wrong Man"},
                datePublished="2026-01-01",
            )
        )
    ),
    published=None,
    authors=[],
)
VARIANTS.add(
    "ld seo",
    page(json_ld(news_article(url="/other", headline="Breakwater rebuild: board votes"))),
    authors=["Petra Lindqvist"],
)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_structured_variant_is_read(variant: Variant) -> None:
    variant.check()
