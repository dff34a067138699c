"""Dates: visible ones in many languages, placeholders, and those of something else on the page."""

from __future__ import annotations

import pytest

from tests.page_builder import BODY, PUBLISHED, TITLE, Variant, Variants, page

VARIANTS = Variants()

VARIANTS.add_byline(
    "us-weekday", "Tuesday, 03/10/2026", ("2026-03-10T00:00:00+00:00",), dict(timezone="America/New_York")
)
VARIANTS.add_byline("amb", "Published 03/10/2026", None)
VARIANTS.add_byline("amb2", "Published 03-10-2026 18:40", None)
VARIANTS.add_byline(
    "fr", "Publié le 10 mars 2026 à 18h40", "2026-03-10T17:40:00+00:00", dict(timezone="Europe/Paris", languages=["fr"])
)
VARIANTS.add_byline(
    "es", "10 de marzo de 2026, 18:40", "2026-03-10T17:40:00+00:00", dict(timezone="Europe/Madrid", languages=["es"])
)
VARIANTS.add_byline(
    "pt",
    "10 de março de 2026 às 18h40",
    "2026-03-10T21:40:00+00:00",
    dict(timezone="America/Sao_Paulo", languages=["pt"]),
)
VARIANTS.add_byline(
    "ja", "2026年3月10日 18時40分", "2026-03-10T09:40:00+00:00", dict(timezone="Asia/Tokyo", languages=["ja"])
)
VARIANTS.add_byline(
    "ar", "١٠ مارس ٢٠٢٦ - ٦:٤٠ مساءً", "2026-03-10T15:40:00+00:00", dict(timezone="Asia/Riyadh", languages=["ar"])
)
VARIANTS.add_byline(
    "ar2", "الثلاثاء 10 مارس 2026 18:40", "2026-03-10T15:40:00+00:00", dict(timezone="Asia/Riyadh", languages=["ar"])
)
VARIANTS.add_byline(
    "et", "March 10, 2026 2:40 p.m. ET", "2026-03-10T18:40:00+00:00", dict(timezone="America/Los_Angeles")
)
VARIANTS.add_byline("ist", "10 Mar 2026, 06:40 PM IST", "2026-03-10T13:10:00+00:00", dict(timezone="Asia/Kolkata"))
VARIANTS.add_byline("upd", "Published 10 March 2026 18:40 | Updated 2 May 2026 08:00", PUBLISHED)
VARIANTS.add_byline("upd-first", "Updated 2 May 2026 08:00 | Published 10 March 2026 18:40", PUBLISHED)
VARIANTS.add(
    "meta-60", page('<meta property="article:published_time" content="2026-03-10T18:39:60Z">'), published=PUBLISHED
)
VARIANTS.add(
    "meta-24",
    page('<meta property="article:published_time" content="2026-03-09T24:00:00Z">'),
    published="2026-03-10T00:00:00+00:00",
)
VARIANTS.add(
    "meta-1970", page('<meta property="article:published_time" content="1970-01-01T00:00:00Z">'), published=None
)
VARIANTS.add(
    "meta-25", page('<meta property="article:published_time" content="2026-03-10T18:40:00+25:00">'), published=None
)
VARIANTS.add(
    "meta-9999", page('<meta property="article:published_time" content="9999-12-31T23:59:59-05:00">'), published=None
)
VARIANTS.add("meta-epoch", page('<meta name="date" content="1773168000">'), published="2026-03-10T18:40:00+00:00")
VARIANTS.add(
    "data-published",
    page(byline='<div class="meta" data-published="1773168000000">some time ago</div>'),
    published=PUBLISHED,
)
VARIANTS.add(
    "live-posts",
    page(after='<div class="live-post"><time datetime="2026-03-12T07:00:00Z">12 March</time><p>x</p></div>'),
    published=None,
)
VARIANTS.add(
    "related-time",
    page(
        tail='<section class="related"><article><h3><a href="/x">F</a></h3><time datetime="2026-03-14T06:00:00Z">14 March 2026</time></article></section>'
    ),
    published=None,
)
VARIANTS.add(
    "aside-meta",
    page(
        before='<aside><div itemscope itemtype="http://schema.org/NewsArticle"><meta itemprop="datePublished" content="2026-03-14T06:00:00Z"></div></aside>',
        head=f'<meta property="article:published_time" content="{PUBLISHED}">',
    ),
    published=PUBLISHED,
)
VARIANTS.add(
    "comment-micro",
    page(
        after='<div itemprop="comment" itemscope itemtype="http://schema.org/Comment"><time itemprop="datePublished" datetime="2026-03-12T07:00:00Z">x</time><p itemprop="text">hello there comment</p></div>'
    ),
    published=None,
)
VARIANTS.add(
    "cal-event",
    page(tail='<div class="widget"><time datetime="2026-04-01T00:00:00Z">1 April 2026</time></div>'),
    published=None,
)
VARIANTS.add_byline("slash year first", "2026/03/10 18:40", PUBLISHED)
VARIANTS.add_byline("th", "10th of March 2026, 6:40pm", PUBLISHED)
VARIANTS.add_byline("ord", "March 10th, 2026 at 18:40 GMT", PUBLISHED)
VARIANTS.add_byline(
    "it",
    "Pubblicato il 10 marzo 2026 alle 19:40",
    "2026-03-10T18:40:00+00:00",
    dict(timezone="Europe/Rome", languages=["it"]),
)
VARIANTS.add_byline(
    "nl", "10 maart 2026 om 19.40 uur", "2026-03-10T18:40:00+00:00", dict(timezone="Europe/Amsterdam", languages=["nl"])
)
VARIANTS.add_byline(
    "pl", "10 marca 2026, 19:40", "2026-03-10T18:40:00+00:00", dict(timezone="Europe/Warsaw", languages=["pl"])
)
VARIANTS.add_byline(
    "tr", "10 Mart 2026 21:40", "2026-03-10T18:40:00+00:00", dict(timezone="Europe/Istanbul", languages=["tr"])
)
VARIANTS.add_byline(
    "sv",
    "Publicerad 10 mars 2026 kl 19.40",
    "2026-03-10T18:40:00+00:00",
    dict(timezone="Europe/Stockholm", languages=["sv"]),
)
VARIANTS.add_byline(
    "ko", "2026.03.11. 오전 3:40", "2026-03-10T18:40:00+00:00", dict(timezone="Asia/Seoul", languages=["ko"])
)
VARIANTS.add_byline(
    "zh", "2026-03-11 02:40 来源：新华社", "2026-03-10T18:40:00+00:00", dict(timezone="Asia/Shanghai", languages=["zh"])
)
VARIANTS.add_byline(
    "ru", "10 марта 2026 года, 21:40", "2026-03-10T18:40:00+00:00", dict(timezone="Europe/Moscow", languages=["ru"])
)
VARIANTS.add_byline("two-digit", "10.03.26 18:40", None)
VARIANTS.add_byline("no year", "10 March, 18:40", None)
VARIANTS.add_byline("relative", "3 hours ago", None)
VARIANTS.add_byline("day mismatch", "Monday 03/10/2026", None)
VARIANTS.add_byline("clock only", "Published at 18:40", None)
VARIANTS.add(
    "meta amb + visible",
    page('<meta name="date" content="03/10/2026">', byline='<p class="meta">10 March 2026</p>'),
    published="2026-03-10T00:00:00+00:00",
)
VARIANTS.add(
    "meta amb + modified",
    page(
        '<meta name="date" content="03/10/2026"><meta property="article:modified_time" content="2026-03-10T20:00:00Z">'
    ),
    published="2026-03-10T00:00:00+00:00",
)
VARIANTS.add(
    "meta amb country",
    page('<meta name="date" content="03/10/2026">'),
    cfg=dict(country="US"),
    published="2026-03-10T00:00:00+00:00",
)
VARIANTS.add("time no tz", page(byline='<time datetime="2026-03-10T18:40:00">x</time>'), published=PUBLISHED)
VARIANTS.add("time text", page(byline="<time>10 March 2026 18:40</time>"), published=PUBLISHED)
VARIANTS.add("future", page('<meta name="date" content="2027-03-10">'), published=None)
VARIANTS.add(
    "mod only",
    page('<meta property="article:modified_time" content="2026-05-02T08:00:00Z">'),
    modified="2026-05-02T08:00:00+00:00",
    published=None,
)
VARIANTS.add("copyright year", page(tail="<footer>© 2026 The Quay Courier, 1 January 2026</footer>"), published=None)
VARIANTS.add(
    "body mention",
    page(
        body=BODY
        + "<p>The storm of 3 January 2026 took the first stones, and on 12 February 2026 the second one came in from the west.</p>"
    ),
    published=None,
)
VARIANTS.add(
    "micro",
    page(byline='<span itemprop="datePublished" content="2026-03-10T18:40:00Z">today</span>'),
    published=PUBLISHED,
)
VARIANTS.add("author-box date", page(after='<div class="author-bio"><p>Joined 1 May 2019</p></div>'), published=None)
VARIANTS.add(
    "masthead today",
    f'<html><body><header><div class="date">Thursday, 26 November 2026</div></header><article><h1>{TITLE}</h1>{BODY}</article></body></html>',
    published=None,
)
VARIANTS.add(
    "topbar",
    f'<html><body><div class="topbar"><span class="date">Thursday, 26 November 2026</span></div><div class="story"><h1>{TITLE}</h1><p class="meta">4 March 2026</p>{BODY}</div></body></html>',
    published="2026-03-04T00:00:00+00:00",
)
VARIANTS.add("prose date", page(byline="<p>The council met on 4 January 2025 to vote.</p>"), published=None)
VARIANTS.add("born", page(byline="<p>John Roe (born 4 March 1995) is the new mayor.</p>"), published=None)
VARIANTS.add(
    "standfirst",
    page(
        byline='<p class="standfirst">The festival opens on 12 July 2026 at 8 pm.</p><p class="meta">4 March 2026</p>'
    ),
    published="2026-03-04T00:00:00+00:00",
)
VARIANTS.add(
    "updated alone",
    page(byline='<p class="meta">Last updated on 5 March 2026</p>'),
    published=None,
    modified="2026-03-05T00:00:00+00:00",
)
VARIANTS.add("http-equiv", page('<meta http-equiv="date" content="Tue, 10 Mar 2026 18:40:00 GMT">'), published=None)
VARIANTS.add(
    "cards",
    page(
        after='<div class="cards"><div class="card"><time datetime="2026-11-11T00:00:00Z">x</time><h3><a href="/x">y</a></h3></div></div>'
    ),
    published=None,
)
VARIANTS.add(
    "post in article",
    page(
        after='<div class="post"><time datetime="2026-11-11T00:00:00Z">x</time><p>Ten past nine: more rain.</p></div>'
    ),
    published=None,
)
VARIANTS.add(
    "wrapper id",
    f'<html><body><div id="latest-news"><div class="story"><h1>{TITLE}</h1><time itemprop="datePublished" datetime="2026-03-10T18:40:00Z">x</time>{BODY}</div></div></body></html>',
    published="2026-03-10T18:40:00+00:00",
)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_date_variant_is_read(variant: Variant) -> None:
    variant.check()
