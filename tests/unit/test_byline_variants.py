"""Bylines: names, roles, places, agencies, and how they are joined."""

from __future__ import annotations

import pytest

from tests.page_builder import AUTHORS, Variant, Variants, json_ld, news_article, page

VARIANTS = Variants()

VARIANTS.add(
    "ld-given-family",
    page(json_ld(news_article(author={"@type": "Person", "givenName": "Petra", "familyName": "Lindqvist"}))),
    authors=AUTHORS,
)
VARIANTS.add(
    "ld-name-list",
    page(json_ld(news_article(author={"@type": "Person", "name": ["Petra Lindqvist", "Omar Haddad"]}))),
    authors=["Petra Lindqvist", "Omar Haddad"],
)
VARIANTS.add(
    "ld-author-str",
    page(json_ld(news_article(author="By Petra Lindqvist and Omar Haddad"))),
    authors=["Petra Lindqvist", "Omar Haddad"],
)
VARIANTS.add(
    "ld-author-upper",
    page(json_ld(news_article(author="PETRA LINDQVIST AND OMAR HADDAD"))),
    authors=["PETRA LINDQVIST", "OMAR HADDAD"],
)
VARIANTS.add(
    "ld-author-y",
    page(json_ld(news_article(author="Petra Lindqvist y Omar Haddad"))),
    authors=["Petra Lindqvist", "Omar Haddad"],
)
VARIANTS.add(
    "ld-author-gasset",
    page(json_ld(news_article(author={"@type": "Person", "name": "José Ortega y Gasset"}))),
    authors=["José Ortega y Gasset"],
)
VARIANTS.add(
    "ld-author-url",
    page(
        json_ld(news_article(author="https://quay.example/a/petra")), byline="<p class='byline'>By Petra Lindqvist</p>"
    ),
    authors=AUTHORS,
)
VARIANTS.add(
    "ld-agency",
    page(
        json_ld(
            news_article(
                author=[{"@type": "Person", "name": "Petra Lindqvist"}, {"@type": "Organization", "name": "Reuters"}]
            )
        )
    ),
    authors=AUTHORS,
)
VARIANTS.add("ld-agency2", page(json_ld(news_article(author="Petra Lindqvist, Reuters"))), authors=AUTHORS)
VARIANTS.add("ld-place", page(json_ld(news_article(author="Petra Lindqvist, Berlin"))), authors=AUTHORS)
VARIANTS.add(
    "ld-role", page(json_ld(news_article(author="Petra Lindqvist, Chief Political Correspondent"))), authors=AUTHORS
)
VARIANTS.add("ld-role2", page(json_ld(news_article(author="Political Correspondent Petra Lindqvist"))), authors=AUTHORS)
VARIANTS.add(
    "ld-by-name",
    page(json_ld(news_article(author={"@type": "Person", "name": "Byron Abbey"}))),
    authors=["Byron Abbey"],
)
VARIANTS.add(
    "meta-par",
    page('<meta name="author" content="Par Petra Lindqvist">', lang="fr"),
    cfg=dict(languages=["fr"]),
    authors=AUTHORS,
)
VARIANTS.add(
    "meta-von",
    page('<meta name="author" content="Von Petra Lindqvist und Omar Haddad">', lang="de"),
    cfg=dict(languages=["de"]),
    authors=["Petra Lindqvist", "Omar Haddad"],
)
VARIANTS.add("meta-num", page('<meta name="author" content="12345">'), authors=[])
VARIANTS.add(
    "meta-cjk",
    page('<meta name="author" content="王小明，李四">'),
    cfg=dict(languages=["zh"]),
    authors=["王小明", "李四"],
)
VARIANTS.add(
    "by-kisha",
    page(byline='<p class="author">記者 王小明</p>', lang="zh"),
    cfg=dict(languages=["zh"]),
    authors=(["王小明"], []),
)
VARIANTS.add(
    "site-author",
    page(
        '<meta name="author" content="The Quay Courier">',
        byline='<p class="byline">By <a rel="author" href="/a">Petra Lindqvist</a></p>',
    ),
    authors=AUTHORS,
)
for txt, want in [
    ("By Petra Lindqvist in Berlin", AUTHORS),
    ("By Petra Lindqvist, Reuters", AUTHORS),
    ("Petra Lindqvist | Staff Reporter", AUTHORS),
    ("Text: Petra Lindqvist", AUTHORS),
    ("Von Petra Lindqvist, dpa", AUTHORS),
    ("By PETRA LINDQVIST and OMAR HADDAD", ["PETRA LINDQVIST", "OMAR HADDAD"]),
    ("By Petra Lindqvist &amp; Omar Haddad", ["Petra Lindqvist", "Omar Haddad"]),
    ("Petra Lindqvist, Omar Haddad und Hanna Vogt", ["Petra Lindqvist", "Omar Haddad", "Hanna Vogt"]),
    ("by Petra Lindqvist • 3 min read", AUTHORS),
    ("Petra Lindqvist (London)", AUTHORS),
    ("Reporter Petra Lindqvist", AUTHORS),
    ("Petra Lindqvist, foreign correspondent", AUTHORS),
    ("By Petra Lindqvist and agencies", AUTHORS),
    ("By Petra Lindqvist and Associated Press", AUTHORS),
]:
    VARIANTS.add(
        "meta " + txt,
        page(f'<meta name="author" content="{txt}">'),
        cfg=dict(languages=["de"] if txt.startswith("Von") else ["en"]),
        authors=want,
    )
    VARIANTS.add(
        "ldstr " + txt,
        page(json_ld(news_article(author=txt.replace("&amp;", "&")))),
        cfg=dict(languages=["de"] if txt.startswith("Von") else ["en"]),
        authors=want,
    )
for name in [
    "Anders And",
    "Di Farrow",
    "Van Morrison",
    "De Niro Robert",
    "Par Lagerkvist",
    "Von Trapp Maria",
    "Y Combinator Jane",
    "Bye Bradley",
    "Byung-Chul Han",
    "Ann Text",
    "Editor Jones",
    "News Anchorman Bob",
    "Le Bon Simon",
    "María José Y. Ortega",
    "Anna-Lena von der Leyen",
    "Juan e Costa",
    "李四",
    "김철수",
    "محمد علي",
    "John F. Kennedy Jr.",
]:
    VARIANTS.add(
        "person " + name, page(json_ld(news_article(author={"@type": "Person", "name": name}))), authors=[name]
    )
for name in [
    "Pap Ndiaye",
    "Sid James",
    "Rhys ap Owen",
    "Thomas Ed Smith",
    "Trần Thị Và Anh",
    "Nguyen Van Dan Anh",
    "Emily Post",
    "Jane Press",
    "Efe Obada",
    "Apa Sherpa",
]:
    VARIANTS.add(
        "structured " + name, page(json_ld(news_article(author={"@type": "Person", "name": name}))), authors=[name]
    )
for name in ["Efe Obada", "Sid Miller", "Apa Sherpa", "Emily Post", "Tim Press", "Pap Ndiaye"]:
    VARIANTS.add("free " + name, page(f'<meta name="author" content="{name}">'), authors=[name])
VARIANTS.add(
    "nl",
    page('<meta name="author" content="Jan van der Berg">'),
    cfg=dict(languages=["nl"]),
    authors=["Jan van der Berg"],
)
VARIANTS.add(
    "nl2",
    page('<meta name="author" content="van der Berg Jan">'),
    cfg=dict(languages=["nl"]),
    authors=["van der Berg Jan"],
)
VARIANTS.add(
    "fr kiev",
    page('<meta name="author" content="Petra Lindqvist, envoyée spéciale à Kiev">'),
    cfg=dict(languages=["fr"]),
    authors=AUTHORS,
)
VARIANTS.add("staff", page('<meta name="author" content="Staff Writer">'), authors=[])
VARIANTS.add("bbc", page('<meta name="author" content="Petra Lindqvist, BBC News">'), authors=AUTHORS)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_byline_variant_is_read(variant: Variant) -> None:
    variant.check()
