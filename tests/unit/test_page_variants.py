"""Variants of the page cases, built from one page: structured data, bylines, headlines, dates, charsets, bodies."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from benchmarks.cases import CONFIG as DEFAULT_CONFIG
from benchmarks.cases import OBSERVED_AT, URL, page_values
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


VARIANTS: list[Variant] = []


def check(name, html, ct="text/html", cfg=None, body_in=(), body_out=(), **fields):  # type: ignore[no-untyped-def]
    VARIANTS.append(
        Variant(name, html, ct, cfg or {}, tuple(body_in), tuple(body_out), {"outcome": "article", **fields})
    )


def LD(o):
    return f'<script type="application/ld+json">{o if isinstance(o, str) else json.dumps(o)}</script>'


def art(**k):
    return {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": TITLE,
        "datePublished": "2026-03-10T18:40:00+00:00",
        "author": {"@type": "Person", "name": "Petra Lindqvist"},
        **k,
    }


D = "2026-03-10T18:40:00+00:00"
A = ["Petra Lindqvist"]
# LD
check("ld-trailing", page(LD(json.dumps(art())[:-1] + ",}")), authors=A, published=D)
check("ld-comment", page(LD("/* yoast */ " + json.dumps(art()))), authors=A, published=D)
check("ld-linecomment", page(LD("// data\n" + json.dumps(art()))), authors=A, published=D)
check("ld-htmlcomment", page(LD("<!-- " + json.dumps(art()) + " -->")), authors=A, published=D)
check(
    "ld-two",
    page(LD(json.dumps({"@type": "Organization", "name": "X"}) + "\n" + json.dumps(art()))),
    authors=A,
    published=D,
)
check(
    "ld-newline-in-string", page(LD(json.dumps(art(description="a\nb")).replace("\\n", "\n"))), authors=A, published=D
)
check(
    "ld-itemlist",
    page(
        LD(
            {
                "@type": "ItemList",
                "itemListElement": [
                    {
                        "@type": "ListItem",
                        "item": art(
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
        + D
        + '"><meta name="author" content="Petra Lindqvist">'
    ),
    authors=A,
    published=D,
)
check(
    "ld-haspart",
    page(
        LD(
            art(
                hasPart=[
                    art(
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
    authors=A,
    published=D,
)
check(
    "ld-graph-ref",
    page(
        LD(
            {
                "@graph": [
                    {"@type": "WebPage", "@id": "#p", "datePublished": "2020-01-01"},
                    {"@type": "NewsArticle", "headline": TITLE, "datePublished": D, "author": {"@id": "#a"}},
                    {"@type": "Person", "@id": "#a", "name": "Petra Lindqvist"},
                ]
            }
        )
    ),
    authors=A,
    published=D,
)
check("ld-mainEntity", page(LD({"@type": "WebPage", "mainEntity": art()})), authors=A, published=D)
check("ld-type-list", page(LD(art(**{"@type": ["Article", "NewsArticle"]}))), authors=A, published=D)
check("ld-ns-type", page(LD(art(**{"@type": "http://schema.org/NewsArticle"}))), authors=A, published=D)
check(
    "ld-value",
    page(LD(art(headline={"@value": TITLE, "@language": "en"}, datePublished={"@type": "DateTime", "@value": D}))),
    authors=A,
    published=D,
    headline=TITLE,
)
check(
    "ld-related-first",
    page(
        LD(
            [
                art(
                    headline="Ferry late again",
                    url="http://quay.example/f",
                    author={"@type": "Person", "name": "Tom Abbey"},
                    datePublished="2026-03-14T00:00:00Z",
                ),
                art(url="http://quay.example/port/2026/breakwater"),
            ]
        )
    ),
    authors=A,
    published=D,
    headline=TITLE,
)
check(
    "ld-given-family",
    page(LD(art(author={"@type": "Person", "givenName": "Petra", "familyName": "Lindqvist"}))),
    authors=A,
)
check(
    "ld-name-list",
    page(LD(art(author={"@type": "Person", "name": ["Petra Lindqvist", "Omar Haddad"]}))),
    authors=["Petra Lindqvist", "Omar Haddad"],
)
check(
    "ld-author-str",
    page(LD(art(author="By Petra Lindqvist and Omar Haddad"))),
    authors=["Petra Lindqvist", "Omar Haddad"],
)
check(
    "ld-author-upper",
    page(LD(art(author="PETRA LINDQVIST AND OMAR HADDAD"))),
    authors=["PETRA LINDQVIST", "OMAR HADDAD"],
)
check("ld-author-y", page(LD(art(author="Petra Lindqvist y Omar Haddad"))), authors=["Petra Lindqvist", "Omar Haddad"])
check(
    "ld-author-gasset",
    page(LD(art(author={"@type": "Person", "name": "José Ortega y Gasset"}))),
    authors=["José Ortega y Gasset"],
)
check(
    "ld-author-url",
    page(LD(art(author="https://quay.example/a/petra")), byline="<p class='byline'>By Petra Lindqvist</p>"),
    authors=A,
)
check(
    "ld-agency",
    page(
        LD(art(author=[{"@type": "Person", "name": "Petra Lindqvist"}, {"@type": "Organization", "name": "Reuters"}]))
    ),
    authors=A,
)
check("ld-agency2", page(LD(art(author="Petra Lindqvist, Reuters"))), authors=A)
check("ld-place", page(LD(art(author="Petra Lindqvist, Berlin"))), authors=A)
check("ld-role", page(LD(art(author="Petra Lindqvist, Chief Political Correspondent"))), authors=A)
check("ld-role2", page(LD(art(author="Political Correspondent Petra Lindqvist"))), authors=A)
check("ld-by-name", page(LD(art(author={"@type": "Person", "name": "Byron Abbey"}))), authors=["Byron Abbey"])
check(
    "meta-par",
    page('<meta name="author" content="Par Petra Lindqvist">', lang="fr"),
    cfg=dict(languages=["fr"]),
    authors=A,
)
check(
    "meta-von",
    page('<meta name="author" content="Von Petra Lindqvist und Omar Haddad">', lang="de"),
    cfg=dict(languages=["de"]),
    authors=["Petra Lindqvist", "Omar Haddad"],
)
check("meta-num", page('<meta name="author" content="12345">'), authors=[])
check(
    "meta-cjk",
    page('<meta name="author" content="王小明，李四">'),
    cfg=dict(languages=["zh"]),
    authors=["王小明", "李四"],
)
check(
    "by-kisha",
    page(byline='<p class="author">記者 王小明</p>', lang="zh"),
    cfg=dict(languages=["zh"]),
    authors=(["王小明"], []),
)
check(
    "site-author",
    page(
        '<meta name="author" content="The Quay Courier">',
        byline='<p class="byline">By <a rel="author" href="/a">Petra Lindqvist</a></p>',
    ),
    authors=A,
)
# titles
for t in (
    "Board votes to rebuild breakwater｜The Quay Courier",
    "Board votes to rebuild breakwater » The Quay Courier",
    "The Quay Courier – Board votes to rebuild breakwater",
    "Board votes to rebuild breakwater — The Quay Courier",
    "Board votes to rebuild breakwater | Port | The Quay Courier",
):
    check("title " + t, page(title=t, h1="<h2>x</h2>"), headline=TITLE)
check("h1-badge", page(h1=f'<h1>{TITLE} <span class="badge">Premium</span></h1>'), headline=TITLE)
check("h1-sr", page(h1=f'<h1><span class="visually-hidden">Article:</span>{TITLE}</h1>'), headline=TITLE)
check("h1-shy", page(h1="<h1>Board votes to re&shy;build break&#173;water</h1>"), headline=TITLE)
check("h1-kicker-div", page(h1=f'<h1><div class="kicker">Port Ellery</div><div>{TITLE}</div></h1>'), headline=TITLE)
check("h1-nbsp", page(h1="<h1>Board votes&nbsp;to rebuild\u200b breakwater</h1>"), headline=TITLE)
check(
    "og-esc",
    page(
        '<meta property="og:title" content="Tom &amp;amp; Ann&amp;#8217;s boat">',
        h1="<h1>Tom &amp; Ann’s boat</h1>",
        title="x",
    ),
    headline="Tom & Ann’s boat",
)


# dates
def dt(name, text, want, cfg=None, attr=None, lang="en"):
    if cfg is None:
        cfg = {}
    check("date " + name, page(byline=f'<p class="meta">{text}</p>', lang=lang), cfg=cfg, published=want)


dt("us-weekday", "Tuesday, 03/10/2026", ("2026-03-10T00:00:00+00:00",), dict(timezone="America/New_York"))
dt("amb", "Published 03/10/2026", None)
dt("amb2", "Published 03-10-2026 18:40", None)
dt("fr", "Publié le 10 mars 2026 à 18h40", "2026-03-10T17:40:00+00:00", dict(timezone="Europe/Paris", languages=["fr"]))
dt("es", "10 de marzo de 2026, 18:40", "2026-03-10T17:40:00+00:00", dict(timezone="Europe/Madrid", languages=["es"]))
dt(
    "pt",
    "10 de março de 2026 às 18h40",
    "2026-03-10T21:40:00+00:00",
    dict(timezone="America/Sao_Paulo", languages=["pt"]),
)
dt("ja", "2026年3月10日 18時40分", "2026-03-10T09:40:00+00:00", dict(timezone="Asia/Tokyo", languages=["ja"]))
dt("ar", "١٠ مارس ٢٠٢٦ - ٦:٤٠ مساءً", "2026-03-10T15:40:00+00:00", dict(timezone="Asia/Riyadh", languages=["ar"]))
dt("ar2", "الثلاثاء 10 مارس 2026 18:40", "2026-03-10T15:40:00+00:00", dict(timezone="Asia/Riyadh", languages=["ar"]))
dt("et", "March 10, 2026 2:40 p.m. ET", "2026-03-10T18:40:00+00:00", dict(timezone="America/Los_Angeles"))
dt("ist", "10 Mar 2026, 06:40 PM IST", "2026-03-10T13:10:00+00:00", dict(timezone="Asia/Kolkata"))
dt("upd", "Published 10 March 2026 18:40 | Updated 2 May 2026 08:00", D)
dt("upd-first", "Updated 2 May 2026 08:00 | Published 10 March 2026 18:40", D)
check("meta-60", page('<meta property="article:published_time" content="2026-03-10T18:39:60Z">'), published=D)
check(
    "meta-24",
    page('<meta property="article:published_time" content="2026-03-09T24:00:00Z">'),
    published="2026-03-10T00:00:00+00:00",
)
check("meta-1970", page('<meta property="article:published_time" content="1970-01-01T00:00:00Z">'), published=None)
check("meta-25", page('<meta property="article:published_time" content="2026-03-10T18:40:00+25:00">'), published=None)
check("meta-9999", page('<meta property="article:published_time" content="9999-12-31T23:59:59-05:00">'), published=None)
check("meta-epoch", page('<meta name="date" content="1773168000">'), published="2026-03-10T18:40:00+00:00")
check(
    "data-published", page(byline='<div class="meta" data-published="1773168000000">some time ago</div>'), published=D
)
check(
    "live-posts",
    page(after='<div class="live-post"><time datetime="2026-03-12T07:00:00Z">12 March</time><p>x</p></div>'),
    published=None,
)
check(
    "related-time",
    page(
        tail='<section class="related"><article><h3><a href="/x">F</a></h3><time datetime="2026-03-14T06:00:00Z">14 March 2026</time></article></section>'
    ),
    published=None,
)
check(
    "aside-meta",
    page(
        before='<aside><div itemscope itemtype="http://schema.org/NewsArticle"><meta itemprop="datePublished" content="2026-03-14T06:00:00Z"></div></aside>',
        head=f'<meta property="article:published_time" content="{D}">',
    ),
    published=D,
)
check(
    "comment-micro",
    page(
        after='<div itemprop="comment" itemscope itemtype="http://schema.org/Comment"><time itemprop="datePublished" datetime="2026-03-12T07:00:00Z">x</time><p itemprop="text">hello there comment</p></div>'
    ),
    published=None,
)
check(
    "cal-event",
    page(tail='<div class="widget"><time datetime="2026-04-01T00:00:00Z">1 April 2026</time></div>'),
    published=None,
)
# encodings
ru = (
    "<p>Портовый совет во вторник вечером решил заново построить восточный волнорез: за две зимы штормы разрушили более сорока метров старой каменной стены и затопили рыбный рынок.</p>"
    * 3
)
rupage = (
    "<html><head><title>Совет решил построить волнорез</title></head><body><article><h1>Совет решил построить волнорез</h1>"
    + ru
    + "</article></body></html>"
)
check("enc 1251", rupage.encode("cp1251"), cfg=dict(languages=["ru"]), headline="Совет решил построить волнорез")
check("enc koi8", rupage.encode("koi8_r"), cfg=dict(languages=["ru"]), headline="Совет решил построить волнорез")
check("enc 1251 nolang", rupage.encode("cp1251"), cfg=dict(languages=[]), headline="Совет решил построить волнорез")
check(
    "enc utf16le header",
    rupage.encode("utf-16-le"),
    "text/html; charset=utf-16",
    cfg=dict(languages=["ru"]),
    headline="Совет решил построить волнорез",
)
check(
    "enc utf16be header",
    rupage.encode("utf-16-be"),
    "text/html; charset=utf-16be",
    cfg=dict(languages=["ru"]),
    headline="Совет решил построить волнорез",
)
zh = (
    "<html><head><title>港务委员会决定重建防波堤</title></head><body><article><h1>港务委员会决定重建防波堤</h1>"
    + "<p>港务委员会星期二晚间投票决定重建东防波堤。过去两个冬天，风暴冲毁了四十多米旧石墙，并淹没了鱼市。</p>" * 4
    + "</article></body></html>"
)
check("enc gbk", zh.encode("gbk"), cfg=dict(languages=["zh"]), headline="港务委员会决定重建防波堤")
check("enc gbk nolang", zh.encode("gbk"), cfg=dict(languages=[]), headline="港务委员会决定重建防波堤")
check(
    "enc gb18030 meta",
    zh.replace("<head>", "<head><meta charset=gb2312>").encode("gb18030"),
    cfg=dict(languages=["zh"]),
    headline="港务委员会决定重建防波堤",
)
b5 = (
    "<html><head><title>港務委員會</title></head><body><article><h1>港務委員會決定重建</h1>"
    + "<p>港務委員會星期二晚間投票決定重建東防波堤。過去兩個冬天，風暴沖毀了四十多米舊石牆。</p>" * 4
    + "</article></body></html>"
)
check("enc big5", b5.encode("big5"), cfg=dict(languages=["zh-TW"]), headline="港務委員會決定重建")
ja = (
    "<html><head><title>東の防波堤を再建へ</title></head><body><article><h1>東の防波堤を再建へ</h1>"
    + "<p>港湾委員会は火曜日の夜、東の防波堤を建て直す計画を可決した。二度の冬の嵐で古い石積みの四十メートル以上が崩れ、魚市場が浸水していた。</p>"
    * 4
    + "</article></body></html>"
)
check("enc sjis nolang", ja.encode("shift_jis"), cfg=dict(languages=[]), headline="東の防波堤を再建へ")
check("enc eucjp", ja.encode("euc_jp"), cfg=dict(languages=["ja"]), headline="東の防波堤を再建へ")
check(
    "enc euckr",
    "<html><head><title>항만</title></head><body><article><h1>항만 위원회 방파제 재건</h1>".encode("euc_kr")
    + (
        "<p>항만 위원회는 화요일 저녁 동쪽 방파제를 재건하기로 표결했다. 두 차례의 겨울 폭풍이 오래된 돌담을 무너뜨렸다.</p>"
        * 4
    ).encode("euc_kr"),
    cfg=dict(languages=["ko"]),
    headline="항만 위원회 방파제 재건",
)
fr = page(
    h1="<h1>Le comité réuni à Écluse</h1>",
    title="Le comité réuni à Écluse",
    body="<p>Le comité du port, réuni à Écluse, a voté mardi soir la reconstruction de la digue, après deux hivers où les tempêtes ont emporté quarante mètres.</p>"
    * 3,
    lang="fr",
)
check(
    "enc latin1 undeclared",
    fr.replace('<meta charset="utf-8">', "").encode("latin-1"),
    cfg=dict(languages=["fr"]),
    headline="Le comité réuni à Écluse",
)
check(
    "enc latin1 wrong utf8 meta", fr.encode("latin-1"), cfg=dict(languages=["fr"]), headline="Le comité réuni à Écluse"
)
pl = (
    "<html lang=pl><head><title>Rada</title></head><body><article><h1>Rada zdecydowała odbudować falochron</h1>"
    + "<p>Rada portu we wtorek wieczorem zagłosowała za odbudową wschodniego falochronu, ponieważ w ciągu dwóch zim sztormy zniszczyły ponad czterdzieści metrów muru.</p>"
    * 3
)
check(
    "enc pl 1250",
    pl.encode("cp1250"),
    cfg=dict(languages=["pl"]),
    headline="Rada zdecydowała odbudować falochron",
    body_in=["zagłosowała za odbudową"],
)
check("enc pl iso2", pl.encode("iso8859_2"), cfg=dict(languages=["pl"]), body_in=["zagłosowała za odbudową"])
check("garbage", page(body="<p>" + "x\ufffd\ufffd\ufffd y" * 80 + "</p>"), outcome=("quarantined", "extraction_empty"))
# langs
check(
    "jp",
    page(
        lang="jp",
        body="".join(
            "<p>港湾委員会は火曜日の夜、東の防波堤を建て直す計画を可決した。二度の冬の嵐で古い石積みの四十メートル以上が崩れ、魚市場が浸水していた。</p>"
            for _ in range(4)
        ),
    ),
    cfg=dict(languages=["ja"]),
    language="ja",
)
check(
    "nn",
    page(
        lang="nn-NO",
        body="<p>Hamnestyret røysta tysdag kveld for å byggja opp att den austre moloen, etter to vintrar der stormane reiv bort meir enn førti meter av den gamle steinmuren og fløymde fiskemarknaden.</p>"
        * 3,
    ),
    cfg=dict(languages=["nn"]),
    language="nn-NO",
)
# deep
for depth in (300, 1500, 2500, 6000):
    check(
        f"deep {depth}",
        page(body="<div>" * depth + BODY + "</div>" * depth),
        outcome="article" if depth < 2000 else "quarantined",
        body_in=[PARAGRAPHS[0]] if depth < 2000 else [],
    )
# body
check(
    "emoji",
    page(body=BODY + "<p>The crew cheered 👩‍👩‍👧 loudly when the vote was over and done with at last.</p>"),
    body_in=["👩‍👩‍👧"],
)
check(
    "hindi",
    page(
        body="<p>क्‍या बोर्ड ने मतदान किया और पूर्वी दीवार को फिर से बनाने का निर्णय लिया, यह सब मंगलवार की शाम को हुआ और लोग खुश थे।</p>"
        * 2,
        lang="hi",
    ),
    cfg=dict(languages=["hi"]),
    body_in=["क्‍या"],
)
check(
    "subheads",
    page(body=f"<p>{PARAGRAPHS[0]}</p><h2>Sign up</h2><p>{PARAGRAPHS[1]}</p><h3>Newsletter</h3><p>{PARAGRAPHS[2]}</p>"),
    body_in=["Sign up", "Newsletter"],
)
check(
    "cookie only",
    page(
        body="<p>We use cookies to improve your experience. By continuing you accept our cookie policy and the use of cookies.</p>"
    ),
    outcome=("extraction_empty", "consent_wall"),
)
check(
    "cookie de",
    page(
        body="<p>Wir verwenden Cookies und andere Technologien, um unser Angebot zu verbessern. Mehr dazu in unserer Erklärung.</p>"
    ),
    outcome=("extraction_empty", "consent_wall"),
)
check(
    "nuxt",
    page(
        body='<div id="__nuxt"></div>',
        tail='<script>window.__NUXT__={"data":[{"article":{"body":'
        + json.dumps("<p>" + "</p><p>".join(PARAGRAPHS) + "</p>")
        + "}}]};</script>",
    ),
    body_in=[PARAGRAPHS[0], PARAGRAPHS[4]],
)
check(
    "apollo",
    page(
        body='<div id="root"></div>',
        tail='<script type="application/json">'
        + json.dumps({"props": {"blocks": [{"type": "paragraph", "data": {"text": p}} for p in PARAGRAPHS]}})
        + "</script>",
    ),
    body_in=[PARAGRAPHS[0], PARAGRAPHS[4]],
)
check(
    "ldbody",
    page(LD(art(articleBody="\n".join(PARAGRAPHS))), body='<div id="app"></div>'),
    body_in=[PARAGRAPHS[0], PARAGRAPHS[4]],
)
check(
    "paywall aside",
    page(
        tail="<aside><p>Subscribe to continue reading</p></aside>", body=f"<p>{PARAGRAPHS[0]}</p><p>{PARAGRAPHS[1]}</p>"
    ),
)
check(
    "free-true",
    page(
        LD(art(isAccessibleForFree="True")),
        body=f"<p>{PARAGRAPHS[0]}</p><p>{PARAGRAPHS[1]}</p>",
        after="<p>Subscribe to continue reading</p>",
    ),
)
check(
    "real paywall",
    page(
        LD(art(isAccessibleForFree=False)),
        body=f"<p>{PARAGRAPHS[0]}</p>",
        after="<div class='paywall'><p>Subscribe to continue reading</p></div>",
    ),
    outcome="paywall_stub",
)
check("twice mobile", page(body=f'<div class="desktop">{BODY}</div><div class="mobile">{BODY}</div>'))
check(
    "ruby",
    page(
        body="<p>彼は<ruby>虐待<rp>(</rp><rt>ぎゃくたい</rt><rp>)</rp></ruby>を受けたと話した。港湾委員会は火曜日の夜、東の防波堤を建て直す計画を可決した。</p>"
        * 3,
        lang="ja",
    ),
    cfg=dict(languages=["ja"]),
    body_in=["彼は虐待を受けた"],
)
check(
    "sr body",
    page(body=BODY.replace("The harbour", '<span class="sr-only">Skip this</span>The harbour')),
    body_out=["Skip this"],
)
check(
    "br body",
    page(body=f"<div>{PARAGRAPHS[0]}<br><br>{PARAGRAPHS[1]}<br><br>{PARAGRAPHS[2]}</div>"),
    body_in=[PARAGRAPHS[0], PARAGRAPHS[1]],
)

# more bylines
for txt, want in [
    ("By Petra Lindqvist in Berlin", A),
    ("By Petra Lindqvist, Reuters", A),
    ("Petra Lindqvist | Staff Reporter", A),
    ("Text: Petra Lindqvist", A),
    ("Von Petra Lindqvist, dpa", A),
    ("By PETRA LINDQVIST and OMAR HADDAD", ["PETRA LINDQVIST", "OMAR HADDAD"]),
    ("By Petra Lindqvist &amp; Omar Haddad", ["Petra Lindqvist", "Omar Haddad"]),
    ("Petra Lindqvist, Omar Haddad und Hanna Vogt", ["Petra Lindqvist", "Omar Haddad", "Hanna Vogt"]),
    ("by Petra Lindqvist • 3 min read", A),
    ("Petra Lindqvist (London)", A),
    ("Reporter Petra Lindqvist", A),
    ("Petra Lindqvist, foreign correspondent", A),
    ("By Petra Lindqvist and agencies", A),
    ("By Petra Lindqvist and Associated Press", A),
]:
    check(
        "meta " + txt,
        page(f'<meta name="author" content="{txt}">'),
        cfg=dict(languages=["de"] if txt.startswith("Von") else ["en"]),
        authors=want,
    )
    check(
        "ldstr " + txt,
        page(LD(art(author=txt.replace("&amp;", "&")))),
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
    check("person " + name, page(LD(art(author={"@type": "Person", "name": name}))), authors=[name])
# titles
for t, h in [
    ("Why – and how – the wall fell – The Quay Courier", "Why – and how – the wall fell"),
    ("Board: wall falls | News | The Quay Courier", "Board: wall falls"),
    ("The Quay Courier: Board votes to rebuild", "Board votes to rebuild"),
    ("Board votes_The Quay Courier", "Board votes"),
    ("Q&A: what next? - The Quay Courier", "Q&A: what next?"),
    ("« La maire » dit » The Quay Courier", "« La maire » dit"),
]:
    check("t " + t, page(title=t, h1="<h2>x</h2>"), headline=h)
check(
    "h1 time",
    page(h1=f"<h1>{TITLE}<time>10 March</time></h1>", head=f'<meta property="og:title" content="{TITLE}">'),
    headline=TITLE,
)
check("h1 img alt", page(h1=f"<h1><svg><title>icon</title></svg>{TITLE}</h1>"), headline=TITLE)
check("h1 link", page(h1=f'<h1><a href="/port/2026/breakwater">{TITLE}</a></h1>'), headline=TITLE)
check("logo h1", page(before='<h1 class="logo"><a href="/">The Quay Courier</a></h1>'), headline=TITLE)
check(
    "two h1",
    page(after='<section class="related"><h1>Ferry late again and again and again</h1></section>'),
    headline=TITLE,
)
# dates extra
dt("slash year first", "2026/03/10 18:40", D)
dt("th", "10th of March 2026, 6:40pm", D)
dt("ord", "March 10th, 2026 at 18:40 GMT", D)
dt(
    "it",
    "Pubblicato il 10 marzo 2026 alle 19:40",
    "2026-03-10T18:40:00+00:00",
    dict(timezone="Europe/Rome", languages=["it"]),
)
dt("nl", "10 maart 2026 om 19.40 uur", "2026-03-10T18:40:00+00:00", dict(timezone="Europe/Amsterdam", languages=["nl"]))
dt("pl", "10 marca 2026, 19:40", "2026-03-10T18:40:00+00:00", dict(timezone="Europe/Warsaw", languages=["pl"]))
dt("tr", "10 Mart 2026 21:40", "2026-03-10T18:40:00+00:00", dict(timezone="Europe/Istanbul", languages=["tr"]))
dt(
    "sv",
    "Publicerad 10 mars 2026 kl 19.40",
    "2026-03-10T18:40:00+00:00",
    dict(timezone="Europe/Stockholm", languages=["sv"]),
)
dt("ko", "2026.03.11. 오전 3:40", "2026-03-10T18:40:00+00:00", dict(timezone="Asia/Seoul", languages=["ko"]))
dt("zh", "2026-03-11 02:40 来源：新华社", "2026-03-10T18:40:00+00:00", dict(timezone="Asia/Shanghai", languages=["zh"]))
dt("ru", "10 марта 2026 года, 21:40", "2026-03-10T18:40:00+00:00", dict(timezone="Europe/Moscow", languages=["ru"]))
dt("two-digit", "10.03.26 18:40", None)
dt("no year", "10 March, 18:40", None)
dt("relative", "3 hours ago", None)
dt("day mismatch", "Monday 03/10/2026", None)
dt("clock only", "Published at 18:40", None)
check(
    "meta amb + visible",
    page('<meta name="date" content="03/10/2026">', byline='<p class="meta">10 March 2026</p>'),
    published="2026-03-10T00:00:00+00:00",
)
check(
    "meta amb + modified",
    page(
        '<meta name="date" content="03/10/2026"><meta property="article:modified_time" content="2026-03-10T20:00:00Z">'
    ),
    published="2026-03-10T00:00:00+00:00",
)
check(
    "meta amb country",
    page('<meta name="date" content="03/10/2026">'),
    cfg=dict(country="US"),
    published="2026-03-10T00:00:00+00:00",
)
check("time no tz", page(byline='<time datetime="2026-03-10T18:40:00">x</time>'), published=D)
check("time text", page(byline="<time>10 March 2026 18:40</time>"), published=D)
check("future", page('<meta name="date" content="2027-03-10">'), published=None)
check(
    "mod only",
    page('<meta property="article:modified_time" content="2026-05-02T08:00:00Z">'),
    modified="2026-05-02T08:00:00+00:00",
    published=None,
)
check("copyright year", page(tail="<footer>© 2026 The Quay Courier, 1 January 2026</footer>"), published=None)
check(
    "body mention",
    page(
        body=BODY
        + "<p>The storm of 3 January 2026 took the first stones, and on 12 February 2026 the second one came in from the west.</p>"
    ),
    published=None,
)
check("micro", page(byline='<span itemprop="datePublished" content="2026-03-10T18:40:00Z">today</span>'), published=D)
check("author-box date", page(after='<div class="author-bio"><p>Joined 1 May 2019</p></div>'), published=None)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_variant_is_read(variant: Variant) -> None:
    settings = {k: tuple(v) if isinstance(v, list) else v for k, v in {**DEFAULT_CONFIG, **variant.config}.items()}
    body = variant.html if isinstance(variant.html, bytes) else variant.html.encode()
    page = extract_document(
        body, URL, (("Content-Type", variant.content_type),), OBSERVED_AT, ExtractionConfig(**settings), 10**7
    )
    values = page_values(page)
    for name, wanted in variant.fields.items():
        value = values[name]
        if name in ("published", "modified") and value and isinstance(wanted, str):
            value, wanted = datetime.fromisoformat(value), datetime.fromisoformat(wanted)
        assert value in wanted if isinstance(wanted, tuple) else value == wanted, f"{name}: {page.reason or ''}"
    text = page.extraction.article_body if page.extraction else ""
    for part in variant.contains:
        assert part in text
    for part in variant.excludes:
        assert part not in text
