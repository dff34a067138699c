"""Main texts: deep trees, embedded data, repeated texts, notices; and languages."""

from __future__ import annotations

import json

import pytest

from tests.page_builder import BODY, PARAGRAPHS, Variant, Variants, json_ld, news_article, page

VARIANTS = Variants()

VARIANTS.add(
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
VARIANTS.add(
    "nn",
    page(
        lang="nn-NO",
        body="<p>Hamnestyret røysta tysdag kveld for å byggja opp att den austre moloen, etter to vintrar der stormane reiv bort meir enn førti meter av den gamle steinmuren og fløymde fiskemarknaden.</p>"
        * 3,
    ),
    cfg=dict(languages=["nn"]),
    language="nn-NO",
)
for depth in (300, 1500, 2500, 6000):
    VARIANTS.add(
        f"deep {depth}",
        page(body="<div>" * depth + BODY + "</div>" * depth),
        outcome="article" if depth < 2000 else "quarantined",
        body_in=[PARAGRAPHS[0]] if depth < 2000 else [],
    )
VARIANTS.add(
    "emoji",
    page(body=BODY + "<p>The crew cheered 👩‍👩‍👧 loudly when the vote was over and done with at last.</p>"),
    body_in=["👩‍👩‍👧"],
)
VARIANTS.add(
    "hindi",
    page(
        body="<p>क्‍या बोर्ड ने मतदान किया और पूर्वी दीवार को फिर से बनाने का निर्णय लिया, यह सब मंगलवार की शाम को हुआ और लोग खुश थे।</p>"
        * 2,
        lang="hi",
    ),
    cfg=dict(languages=["hi"]),
    body_in=["क्‍या"],
)
VARIANTS.add(
    "subheads",
    page(body=f"<p>{PARAGRAPHS[0]}</p><h2>Sign up</h2><p>{PARAGRAPHS[1]}</p><h3>Newsletter</h3><p>{PARAGRAPHS[2]}</p>"),
    body_in=["Sign up", "Newsletter"],
)
VARIANTS.add(
    "cookie only",
    page(
        body="<p>We use cookies to improve your experience. By continuing you accept our cookie policy and the use of cookies.</p>"
    ),
    outcome=("extraction_empty", "consent_wall"),
)
VARIANTS.add(
    "cookie de",
    page(
        body="<p>Wir verwenden Cookies und andere Technologien, um unser Angebot zu verbessern. Mehr dazu in unserer Erklärung.</p>"
    ),
    outcome=("extraction_empty", "consent_wall"),
)
VARIANTS.add(
    "nuxt",
    page(
        body='<div id="__nuxt"></div>',
        tail='<script>window.__NUXT__={"data":[{"article":{"body":'
        + json.dumps("<p>" + "</p><p>".join(PARAGRAPHS) + "</p>")
        + "}}]};</script>",
    ),
    body_in=[PARAGRAPHS[0], PARAGRAPHS[4]],
)
VARIANTS.add(
    "apollo",
    page(
        body='<div id="root"></div>',
        tail='<script type="application/json">'
        + json.dumps({"props": {"blocks": [{"type": "paragraph", "data": {"text": p}} for p in PARAGRAPHS]}})
        + "</script>",
    ),
    body_in=[PARAGRAPHS[0], PARAGRAPHS[4]],
)
VARIANTS.add(
    "ldbody",
    page(json_ld(news_article(articleBody="\n".join(PARAGRAPHS))), body='<div id="app"></div>'),
    body_in=[PARAGRAPHS[0], PARAGRAPHS[4]],
)
VARIANTS.add(
    "paywall aside",
    page(
        tail="<aside><p>Subscribe to continue reading</p></aside>", body=f"<p>{PARAGRAPHS[0]}</p><p>{PARAGRAPHS[1]}</p>"
    ),
)
VARIANTS.add(
    "free-true",
    page(
        json_ld(news_article(isAccessibleForFree="True")),
        body=f"<p>{PARAGRAPHS[0]}</p><p>{PARAGRAPHS[1]}</p>",
        after="<p>Subscribe to continue reading</p>",
    ),
)
VARIANTS.add(
    "real paywall",
    page(
        json_ld(news_article(isAccessibleForFree=False)),
        body=f"<p>{PARAGRAPHS[0]}</p>",
        after="<div class='paywall'><p>Subscribe to continue reading</p></div>",
    ),
    outcome="paywall_stub",
)
VARIANTS.add("twice mobile", page(body=f'<div class="desktop">{BODY}</div><div class="mobile">{BODY}</div>'))
VARIANTS.add(
    "ruby",
    page(
        body="<p>彼は<ruby>虐待<rp>(</rp><rt>ぎゃくたい</rt><rp>)</rp></ruby>を受けたと話した。港湾委員会は火曜日の夜、東の防波堤を建て直す計画を可決した。</p>"
        * 3,
        lang="ja",
    ),
    cfg=dict(languages=["ja"]),
    body_in=["彼は虐待を受けた"],
)
VARIANTS.add(
    "sr body",
    page(body=BODY.replace("The harbour", '<span class="sr-only">Skip this</span>The harbour')),
    body_out=["Skip this"],
)
VARIANTS.add(
    "br body",
    page(body=f"<div>{PARAGRAPHS[0]}<br><br>{PARAGRAPHS[1]}<br><br>{PARAGRAPHS[2]}</div>"),
    body_in=[PARAGRAPHS[0], PARAGRAPHS[1]],
)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_body_variant_is_read(variant: Variant) -> None:
    variant.check()
