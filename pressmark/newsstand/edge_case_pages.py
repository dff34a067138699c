"""The Odd Lot: an outlet whose pages are edge cases, each with a description and its expected outcome.

`pressmark why URL` shows the outcome of a page and its reason. tests/acceptance/test_edge_case_pages.py crawls all of
them and checks the outcomes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any

from pressmark.newsstand.international_sites import wire_articles
from pressmark.newsstand.model import DOMAIN, Document, slightly_edited
from pressmark.newsstand.text_generator import ENGLISH, write_headline, write_paragraphs

HOST = f"oddlot.{DOMAIN}"
MOBILE = f"m.{HOST}"
_NAME = "The Odd Lot"


@dataclass(frozen=True, slots=True)
class EdgeCase:
    """A page with its description and expected outcome.

    what: the description. outcome: None for a URL that is not a candidate itself, because it is a variant of the page
    `same_as` or is only reached by a redirect. expected: values of mart.article by column. listed: whether the sitemap
    contains the page.
    """

    path: str
    what: str
    outcome: str | None
    document: Document | None = None
    expected: dict[str, Any] = field(default_factory=dict)
    same_as: str | None = None
    host: str = HOST
    listed: bool = True

    @property
    def url(self) -> str:
        """URL of the page."""
        return f"http://{self.host}{self.path}"


def _text(seed: str) -> list[str]:
    return write_paragraphs(ENGLISH, f"odd lot {seed}")


def _page(
    seed: str,
    *,
    head: str = "",
    before: str = "",
    after: str = "",
    date: str | None = "2026-03-05T09:15:00+00:00",
    paragraphs: list[str] | None = None,
    comments: str = "",
) -> str:
    """Render the page of a regular article with the additions of an edge case."""
    title = escape(write_headline(ENGLISH, f"odd lot {seed}"))
    dated = f'<meta property="article:published_time" content="{date}">' if date else ""
    body = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs or _text(seed))
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title} | {_NAME}</title>'
        f'<meta property="og:type" content="article">{dated}{head}</head><body>'
        f'<header><a href="/">{_NAME}</a><nav><a href="/news/">News</a> <a href="/members/">Members</a></nav></header>'
        f"<main><article><h1>{title}</h1>{before}{body}{after}</article>{comments}</main>"
        f"<footer>© {_NAME}. All rights reserved.</footer></body></html>"
    )


def _html(text: str, status: int = 200, *headers: tuple[str, str], charset: str = "utf-8") -> Document:
    return Document(f"text/html; charset={charset}", text.encode(), status, headers)


def _redirect(to: str) -> Document:
    return Document("text/html", b"", 301, (("Location", to),))


def _bare(title: str, body: str, head: str = "") -> str:
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>{head}</head>'
        f"<body>{body}</body></html>"
    )


_FRAMED = _page(
    "framed",
    before='<figure><img src="/a.jpg" alt="x"><figcaption>The quay at dawn. Photo: A. Stringer</figcaption></figure>',
    after='<div class="newsletter-signup"><h3>Sign up for our newsletter</h3><form><input type="email"></form></div>'
    '<aside class="related-articles"><h3>Related stories</h3><ul><li><a href="/news/plain">Another story of the '
    'day</a></li></ul></aside><div class="author-bio"><p>A. Writer has covered the coast since 1999.</p></div>',
)
_LINKED = _page(
    "linked",
    before=f'<p>The report was <a href="http://wire.{DOMAIN}/report/4005">first printed by Meridian Wire</a>, and the '
    'whole budget stands on <a href="https://www.example.org/budget">the pages of the town</a> since Monday.</p>',
    after='<ul class="share"><li><a href="https://social.example/share">Share this</a></li></ul>',
)
_COMMENTED = _page(
    "commented",
    comments='<section id="comments" class="comments-area"><h3>2 comments</h3><ol class="comment-list">'
    '<li class="comment"><b class="fn">Gull</b><div class="comment-content"><p>I have seen this bridge myself and it '
    'is not as bad as that.</p></div></li><li class="comment"><b class="fn">Tern</b><div class="comment-content">'
    "<p>Who is going to pay for all of it in the end?</p></div></li></ol></section>",
)
_STUB = _bare(
    f"{write_headline(ENGLISH, 'odd lot stub')} | {_NAME}",
    f"<main><article><h1>{write_headline(ENGLISH, 'odd lot stub')}</h1><p>{_text('stub')[0]}</p>"
    '<div class="paywall"><h2>Subscribe to continue reading</h2><p>Already a subscriber? Log in.</p></div>'
    "</article></main>",
    '<meta property="og:type" content="article"><script type="application/ld+json">'
    + json.dumps({"@context": "https://schema.org", "@type": "NewsArticle", "isAccessibleForFree": False,
                  "headline": write_headline(ENGLISH, "odd lot stub"), "datePublished": "2026-03-06T10:00:00Z"})
    + "</script>",
)  # fmt: skip
_CONSENT = _bare(
    "Before you continue",
    "<main><h1>We value your privacy</h1><p>We and our partners store information on a device, such as cookies, and "
    "process personal data, such as unique identifiers, for advertising and audience measurement.</p>"
    "<button>Accept all</button> <button>Settings</button></main>",
)
_CHALLENGE = _bare(
    "Just a moment...",
    '<div id="challenge"><h1>oddlot.newsstand.example</h1><p>Checking if the site connection is secure. Enable '
    "JavaScript and cookies to continue.</p></div>",
    '<script src="/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1"></script>',
)
_HUMAN = _bare(
    "Access denied",
    "<h1>Are you a human?</h1><p>Unusual traffic came from your network. Solve the captcha to go on.</p>",
)
_BLOCK_PAGE = _bare(
    "oddlot.newsstand.example",
    '<p>Please enable JS and disable any ad blocker</p><script src="https://ct.captcha-delivery.com/c.js"></script>',
)
_GEO = _bare(
    _NAME,
    "<main><h1>We are sorry</h1><p>This content is not available in your region. We recognise that you are coming from "
    "a country to which we do not publish at this time.</p></main>",
)
_SOFT_404 = _bare(
    f"Page not found | {_NAME}",
    "<main><h1>Page not found</h1><p>The page that you are looking for has moved or no longer exists. Try the search, "
    "or go back to the front page.</p></main>",
)
_LIST = _bare(
    f"Harbour | {_NAME}",
    "<main><h1>Harbour</h1>"
    + "".join(
        f'<div><h2><a href="/news/{n}">{escape(write_headline(ENGLISH, f"odd lot list {n}"))}</a></h2>'
        f"<p>{escape(_text(f'list {n}')[0])}</p></div>"
        for n in range(9)
    )
    + "</main>",
)
_GALLERY = _bare(
    f"In pictures: the regatta | {_NAME}",
    "<main><article><h1>In pictures: the regatta</h1>"
    + "".join(f'<figure><img src="/p/{n}.jpg" alt=""><figcaption>Boat {n}</figcaption></figure>' for n in range(8))
    + "</article></main>",
    '<meta property="og:type" content="article">',
)
_SHELL = _bare(
    _NAME,
    '<noscript>You need to enable JavaScript to run this app.</noscript><div id="root"></div>'
    '<script src="/static/main.js"></script>',
)
_LIVE = _page(
    "live",
    head='<script type="application/ld+json">'
    + json.dumps({"@context": "https://schema.org", "@type": "LiveBlogPosting", "headline": "As it happened",
                  "datePublished": "2026-03-05T09:15:00+00:00"})
    + "</script>",
    paragraphs=[f"{10 + n}:00 {paragraph}" for n, paragraph in enumerate(_text("live"))],
)  # fmt: skip
_IN_2099 = (datetime(2099, 1, 1, tzinfo=UTC) + timedelta(hours=1)).isoformat()
_TDM = '<meta name="tdm-reservation" content="1"><meta name="tdm-policy" content="http://oddlot.newsstand.example/tdm">'
_AGENCY = list(slightly_edited(wire_articles()[4].paragraphs, _NAME))
_ACCENTS = "Señor Müller’s café reopened in Łódź — “at last”, as the paper in Åre wrote."
_JAN = "2026-01-09"

EDGE_CASES: tuple[EdgeCase, ...] = (
    EdgeCase("/news/plain", "a regular article", "new", _html(_page("plain")),
             {"article_body": "\n".join(_text("plain")), "date_published_precision": "second"}),
    EdgeCase("/news/plain?utm_source=feed&fbclid=1", "the same with tracking parameters", None, _html(_page("plain")),
             same_as="/news/plain"),
    EdgeCase(
        "/news/plain/amp/", "its AMP page, with the same text", "duplicate_url", _html(_page("plain")),
        same_as="/news/plain",
    ),
    EdgeCase("/news/plain", "its mobile page", None, _html(_page("plain")), same_as="/news/plain", host=MOBILE),
    EdgeCase("/print/plain", "its print view, whose canonical link names it", "duplicate_url",
             _html(_page("plain", head=f'<link rel="canonical" href="http://{HOST}/news/plain">'))),
    EdgeCase("/news/framed", "captions, teasers, a newsletter box and an author's biography around the text", "new",
             _html(_FRAMED), {"article_body": "\n".join(_text("framed"))}),
    EdgeCase("/news/linked", "links in the text, next to those of the page frame", "new", _html(_LINKED)),
    EdgeCase("/news/commented", "readers' comments, which the outlet's file does not include", "new",
             _html(_COMMENTED), {"article_body": "\n".join(_text("commented"))}),
    EdgeCase("/news/agency", "a report of Meridian Wire, slightly edited", "new",
             _html(_page("agency", date="2026-03-08T12:00:00+00:00", paragraphs=_AGENCY))),
    EdgeCase("/news/live", "a live blog, whose posts are its text", "new", _html(_LIVE)),
    EdgeCase("/news/wrong-charset", "UTF-8 declared as iso-8859-1", "new",
             _html(_page("charset", paragraphs=[_ACCENTS, *_text("charset")]), charset="iso-8859-1"),
             {"article_body": "\n".join([_ACCENTS, *_text("charset")])}),
    EdgeCase("/news/future", "a date in 2099, which is rejected", "new", _html(_page("future", date=_IN_2099)),
             {"date_published": None, "date_published_flag": "future"}),
    EdgeCase("/news/undated", "no date anywhere, so none is stored", "new", _html(_page("undated", date=None)),
             {"date_published": None, "date_published_flag": None}),
    EdgeCase("/news/day-only", "a date without a time", "new", _html(_page("day", date=_JAN)),
             {"date_published_day": _JAN, "date_published_precision": "day", "date_published_offset": None}),
    EdgeCase("/news/odd-zone", "a time zone with an offset of 5:45 hours", "new",
             _html(_page("zone", date="2026-01-09T10:00:00+05:45")),
             {"date_published": "2026-01-09 04:15:00+00", "date_published_offset": 345}),
    EdgeCase("/news/noarchive-header", "noarchive in a header: extracted but not archived", "new",
             _html(_page("noarchive h"), 200, ("X-Robots-Tag", "noarchive")), {"archive_file": None}),
    EdgeCase("/news/noarchive-meta", "noarchive in the page: extracted but not archived", "new",
             _html(_page("noarchive m", head='<meta name="robots" content="noarchive">')), {"archive_file": None}),
    EdgeCase("/r/1", "a chain of two redirects to an article", "new", _redirect("/r/2")),
    EdgeCase("/r/2", "the second redirect of the chain", None, _redirect("/news/moved"), listed=False),
    EdgeCase("/news/moved", "the target of the chain", None, _html(_page("moved")), same_as="/r/1", listed=False),
    EdgeCase("/r/loop", "a redirect to itself", "http_error", _redirect("/r/loop")),
    EdgeCase("/r/home", "a redirect to the homepage", "redirect_home", _redirect("/")),
    EdgeCase("/r/away", "a redirect to another site", "out_of_scope", _redirect("http://elsewhere.example/x")),
    EdgeCase("/news/stub", "the beginning of an article behind a paywall", "paywall_stub", _html(_STUB)),
    EdgeCase("/news/consent", "a consent wall with status 200", "consent_wall", _html(_CONSENT)),
    EdgeCase("/news/challenge", "a bot challenge with status 200", "challenge_page", _html(_CHALLENGE)),
    EdgeCase("/news/challenge-403", "a bot challenge with status 403", "challenge_page", _html(_HUMAN, 403)),
    EdgeCase("/news/plain-2", "a regular article between the challenge pages", "new", _html(_page("plain 2"))),
    EdgeCase("/news/block-page", "a bot manager's page with status 403", "challenge_page", _html(_BLOCK_PAGE, 403)),
    EdgeCase("/news/mitigated", "a challenge that only a header reveals", "challenge_page",
             _html(_bare("…", "<p>Wait.</p>"), 403, ("cf-mitigated", "challenge"))),
    EdgeCase("/news/forbidden", "status 403 without a challenge", "http_error",
             _html(_bare("Forbidden", "<p>No.</p>"), 403)),
    EdgeCase("/news/elsewhere", "a page that is blocked in our country", "geo_blocked", _html(_GEO)),
    EdgeCase("/news/451", "status 451", "legal_block", _html(_bare("No", "<p>A court has ordered it.</p>"), 451)),
    EdgeCase("/news/plain-3", "a regular article after the blocked pages", "new", _html(_page("plain 3"))),
    EdgeCase("/news/soft-404", "an error page with status 200", "soft_404", _html(_SOFT_404)),
    EdgeCase("/news/404", "an error page with status 404", "gone", _html(_SOFT_404, 404)),
    EdgeCase("/tag/harbour", "an index page", "index_page", _html(_LIST)),
    EdgeCase("/news/regatta", "a gallery", "gallery", _html(_GALLERY)),
    EdgeCase("/news/shell", "an empty page that needs JavaScript", "javascript_required", _html(_SHELL)),
    EdgeCase("/news/empty", "an empty response body", "not_html", Document("text/html", b"")),
    EdgeCase("/news/thin", "a page with one word", "extraction_empty", _html(_bare("Soon", "<p>Soon.</p>"))),
    EdgeCase("/news/report.pdf", "a PDF", "not_html", Document("application/pdf", b"%PDF-1.7\n")),
    EdgeCase("/news/broken", "status 500", "http_error", _html(_bare("Oops", "<p>Oops.</p>"), 500)),
    EdgeCase("/members/minutes", "a path that robots.txt disallows", "robots_denied", _html(_page("members"))),
    EdgeCase("/archive/reserved", "a TDM reservation in tdmrep.json", "rights_reserved", _html(_page("reserved f"))),
    EdgeCase("/news/reserved-header", "a TDM reservation in a header", "rights_reserved",
             _html(_page("reserved h"), 200, ("tdm-reservation", "1"))),
    EdgeCase("/news/reserved-meta", "a TDM reservation in the page", "rights_reserved",
             _html(_page("reserved m", head=_TDM))),
    EdgeCase("/calendar/2026/2026/2026/2026/2026", "an endless calendar", "crawler_trap",
             _html(_page("crawler_trap"))),
)  # fmt: skip


def edge_case_documents() -> dict[tuple[str, str], Document]:
    """Return all documents of the outlet by (host, path)."""
    documents = {(case.host, case.path): case.document for case in EDGE_CASES if case.document is not None}
    listed = "".join(f"<url><loc>{escape(case.url)}</loc></url>" for case in EDGE_CASES if case.listed)
    documents |= {
        (HOST, "/"): _html(_bare(_NAME, f"<h1>{_NAME}</h1>")),
        (HOST, "/sitemap.xml"): Document(
            "application/xml",
            f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{listed}</urlset>'.encode(),
        ),
        (HOST, "/robots.txt"): Document("text/plain", b"User-agent: *\nDisallow: /members/\n"),
        (MOBILE, "/robots.txt"): Document("text/plain", b"User-agent: *\nDisallow:\n"),
        (HOST, "/.well-known/tdmrep.json"): Document(
            "application/json",
            json.dumps([{"location": "/archive/*", "tdm-reservation": 1, "tdm-policy": f"http://{HOST}/tdm"}]).encode(),
        ),
    }
    return documents
