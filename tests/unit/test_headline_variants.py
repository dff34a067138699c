"""Headlines: site names, sections, kickers, badges, invisible characters."""

from __future__ import annotations

import pytest

from tests.page_builder import TITLE, Variant, Variants, page

VARIANTS = Variants()

for t in (
    "Board votes to rebuild breakwater｜The Quay Courier",
    "Board votes to rebuild breakwater » The Quay Courier",
    "The Quay Courier – Board votes to rebuild breakwater",
    "Board votes to rebuild breakwater — The Quay Courier",
    "Board votes to rebuild breakwater | Port | The Quay Courier",
):
    VARIANTS.add("title " + t, page(title=t, h1="<h2>x</h2>"), headline=TITLE)
VARIANTS.add("h1-badge", page(h1=f'<h1>{TITLE} <span class="badge">Premium</span></h1>'), headline=TITLE)
VARIANTS.add("h1-sr", page(h1=f'<h1><span class="visually-hidden">Article:</span>{TITLE}</h1>'), headline=TITLE)
VARIANTS.add("h1-shy", page(h1="<h1>Board votes to re&shy;build break&#173;water</h1>"), headline=TITLE)
VARIANTS.add(
    "h1-kicker-div", page(h1=f'<h1><div class="kicker">Port Ellery</div><div>{TITLE}</div></h1>'), headline=TITLE
)
VARIANTS.add("h1-nbsp", page(h1="<h1>Board votes&nbsp;to rebuild\u200b breakwater</h1>"), headline=TITLE)
VARIANTS.add(
    "og-esc",
    page(
        '<meta property="og:title" content="Tom &amp;amp; Ann&amp;#8217;s boat">',
        h1="<h1>Tom &amp; Ann’s boat</h1>",
        title="x",
    ),
    headline="Tom & Ann’s boat",
)
for t, h in [
    ("Why – and how – the wall fell – The Quay Courier", "Why – and how – the wall fell"),
    ("Board: wall falls | News | The Quay Courier", "Board: wall falls"),
    ("The Quay Courier: Board votes to rebuild", "Board votes to rebuild"),
    ("Board votes_The Quay Courier", "Board votes"),
    ("Q&A: what next? - The Quay Courier", "Q&A: what next?"),
    ("« La maire » dit » The Quay Courier", "« La maire » dit"),
]:
    VARIANTS.add("t " + t, page(title=t, h1="<h2>x</h2>"), headline=h)
VARIANTS.add(
    "h1 time",
    page(h1=f"<h1>{TITLE}<time>10 March</time></h1>", head=f'<meta property="og:title" content="{TITLE}">'),
    headline=TITLE,
)
VARIANTS.add("h1 img alt", page(h1=f"<h1><svg><title>icon</title></svg>{TITLE}</h1>"), headline=TITLE)
VARIANTS.add("h1 link", page(h1=f'<h1><a href="/port/2026/breakwater">{TITLE}</a></h1>'), headline=TITLE)
VARIANTS.add("logo h1", page(before='<h1 class="logo"><a href="/">The Quay Courier</a></h1>'), headline=TITLE)
VARIANTS.add(
    "two h1",
    page(after='<section class="related"><h1>Ferry late again and again and again</h1></section>'),
    headline=TITLE,
)
VARIANTS.add(
    "h badge mid",
    page(h1='<h1>Council approves <span class="premium">new bridge</span> plan</h1>', title="x"),
    headline="Council approves new bridge plan",
)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_headline_variant_is_read(variant: Variant) -> None:
    variant.check()
