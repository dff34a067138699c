"""The structure of a text in the warehouse: kinds of lines, Markdown, images, standfirst, posts of a live blog."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.conftest import Installation
from tests.site import Answer, WebSite, feed
from tests.unit.test_main_text import numbered

H = "http://test.example"
IMAGE = {
    "@type": "ImageObject", "url": "/bridge-1200.jpg", "caption": "The bridge at dawn", "creditText": "Ines Calloway",
}  # fmt: skip


def story() -> Answer:
    """A story with every kind of line."""
    first, second, third, fourth = numbered(4)
    data = {"@type": "NewsArticle", "headline": "Harbour bridge opens", "url": f"{H}/story", "image": [IMAGE]}
    return Answer(
        f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Harbour bridge opens</title>
        <meta property="og:image" content="{H}/bridge-1200.jpg?w=600">
        <script type="application/ld+json">{json.dumps(data)}</script></head><body><article>
        <h1>Harbour bridge opens</h1>
        <p class="standfirst">After nineteen years of dispute, the first ferry passengers walked across.</p>
        <div class="text"><p>{first}</p><p>{second}</p>
        <figure><img src="/ferry.jpg" alt="A ferry at a quay">
        <figcaption>The last ferry leaves. <span class="credit">Photo: Tobias Lund</span></figcaption></figure>
        <h2>What it costs</h2><p>{third}</p>
        <ul><li>Stone: nine million</li><li>Steel: *four* million</li></ul>
        <p>{fourth}</p><blockquote><p>We have waited for this bridge for a very long time, she said.</p></blockquote>
        <p>{numbered(1, 7)[0]}</p></div></article></body></html>""".encode()
    )


def live_blog() -> Answer:
    """A live blog with three posts."""
    posts = "".join(
        f'<article class="live-post"><time datetime="2026-11-20T{hour}:00:00Z">{hour}:00</time>'
        f"<h3>Post at {hour} o'clock</h3><p>{numbered(1, hour)[0]}</p></article>"
        for hour in (12, 11, 10)
    )
    data = {"@type": "LiveBlogPosting", "headline": "Bridge opening live", "url": f"{H}/live"}
    return Answer(
        f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Bridge opening live</title>
        <script type="application/ld+json">{json.dumps(data)}</script></head><body><main>
        <h1>Bridge opening live</h1><p>{numbered(1, 30)[0]}</p><div class="live-posts">{posts}</div></main></body></html>
        """.encode()
    )


def test_structure_of_a_text_is_kept(installation: Installation, serve: Callable[..., WebSite]) -> None:
    web = serve()
    web.answers["test.example", "/story"] = story()
    web.answers["test.example", "/live"] = live_blog()
    web.answers["test.example", "/feed"] = feed((f"{H}/story", "Bridge"), (f"{H}/live", "Live"))
    assert installation.outcomes("test") == {"new": 2}

    lines = installation.query(
        "SELECT kind, heading_level, line FROM mart.article_line JOIN mart.article USING (article_uid) "
        f"WHERE url = '{H}/story' ORDER BY position",
        role="analyst",
    )
    kinds = [(kind, level) for kind, level, line in lines if "standfirst" not in line and "nineteen" not in line]
    assert kinds == [
        ("paragraph", None), ("paragraph", None), ("heading", 2), ("paragraph", None), ("list_item", None),
        ("list_item", None), ("paragraph", None), ("quote", None), ("paragraph", None),
    ]  # fmt: skip
    assert ("list_item", None, "Stone: nine million") in lines

    markdown = installation.run("show", f"{H}/story", "--markdown").stdout
    assert markdown.startswith("# Harbour bridge opens\n\n")
    assert "\n\n## What it costs\n\n" in markdown
    assert "\n\n- Stone: nine million\n- Steel: \\*four\\* million\n\n" in markdown
    assert "\n\n> We have waited" in markdown

    images = installation.query(
        "SELECT position, url, caption, credit, alt, source FROM mart.article_image ORDER BY position", role="analyst"
    )
    assert images == [
        (1, f"{H}/bridge-1200.jpg?w=600", "The bridge at dawn", "Ines Calloway", None, "og"),
        (2, f"{H}/ferry.jpg", "The last ferry leaves.", "Tobias Lund", "A ferry at a quay", "figure"),
    ]

    (row,) = installation.query(
        f"SELECT standfirst, is_live_blog, extraction_confidence, confidence_basis FROM mart.article WHERE url = '{H}/story'"
    )
    assert row[0] == "After nineteen years of dispute, the first ferry passengers walked across."
    assert not row[1] and row[2] > 0.8 and 0 <= row[3]["agreement"] <= 1

    posts = installation.query(
        "SELECT position, to_char(posted_at AT TIME ZONE 'UTC', 'HH24:MI'), posted_raw, post_body FROM mart.live_post "
        "ORDER BY position",
        role="analyst",
    )
    assert [post[:2] for post in posts] == [(1, "12:00"), (2, "11:00"), (3, "10:00")]
    assert all(post[3] == f"Post at {post[1][:2]} o'clock\n{numbered(1, int(post[1][:2]))[0]}" for post in posts)
    assert installation.query(f"SELECT is_live_blog FROM mart.article WHERE url = '{H}/live'") == [(True,)]
