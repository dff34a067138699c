"""Extracts all fields of an article from one payload. The result depends only on the bytes, the time and the outlet.

This module doesn't limit time or memory. `pool` and `worker` do.
"""

from __future__ import annotations

from datetime import datetime

from lxml.html import HtmlElement, tostring

from pressmark.extraction import fingerprints
from pressmark.extraction.authors import find_authors
from pressmark.extraction.blocks import line_key
from pressmark.extraction.body import BodyContext, find_body, select_nodes
from pressmark.extraction.comments import find_comments
from pressmark.extraction.confidence import confidence
from pressmark.extraction.embedded import find_embedded_body
from pressmark.extraction.fields import Extraction, ExtractionConfig, ReaderComment
from pressmark.extraction.headline import find_headline, page_titles
from pressmark.extraction.images import find_images
from pressmark.extraction.language import find_language
from pressmark.extraction.line_kinds import PARAGRAPH, line_kinds
from pressmark.extraction.links import find_links
from pressmark.extraction.live_blog import MIN_POSTS, find_live_posts, is_live_blog, post_elements
from pressmark.extraction.non_article import find_non_article
from pressmark.extraction.page import Page, parse_page
from pressmark.extraction.publication_dates import PageDates
from pressmark.extraction.standfirst import find_standfirst
from pressmark.extraction.structured import Node, article_node, flat, node_text, read_structured
from pressmark.extraction.tree_repair import repair_tree
from pressmark.rights import read_rights
from pressmark.text import clean_line, clean_text, one_line
from pressmark.urls import absolute, is_homepage, on_domains, url_key

MAX_KEYWORDS = 50
_MIN_MARKUP_WORDS = 40  # with fewer, the text of a script is taken as it is
_SHORT_MARKUP = 1700  # characters; a shorter text may be the beginning of one that stands in a script
_MUCH_LONGER = 1.5
_SAME_TEXT = 0.6  # share of the text of the markup that the longer one contains


def extract(
    document: bytes,
    url: str,
    headers: tuple[tuple[str, str], ...],
    observed_at: datetime,
    config: ExtractionConfig,
) -> Extraction:
    """Extract one page.

    document: bytes without content encoding. url: the final URL, which is the base of relative links.
    Raises NotHtml or ExtractionError. Exceptions of lxml and Trafilatura pass through.
    """
    content_type = next((value for name, value in headers if name.lower() == "content-type"), None)
    page = parse_page(document, content_type, config.languages)
    data = read_structured(page.tree)
    repair_tree(page.tree, document)
    article = article_node(data, _own_url(page, url, config), page_titles(page))
    headline, headline_source = find_headline(page, article, config.site_names, config.headline)
    comments = find_comments(page.tree) if config.comments != "off" else []
    byline = find_authors(page, article, data, config.site_names, config.languages)
    authors = [clean_text(name) for name in byline.authors]
    tree = select_nodes(page.tree, config.prune, config.keep)
    description, description_source = _description(page, article)
    document_text = page.text if tree is page.tree else tostring(tree, encoding="unicode")
    posts = post_elements(tree)
    embedded = node_text(article.get("articleBody"), 10**6) or ""
    titles = (*page_titles(page), description or "")
    context = BodyContext(
        headline, titles, config.site_names, authors, embedded, frozenset(posts), frozenset(config.repeated_lines)
    )
    found = find_body(tree, document_text, context)
    body, kinds, evidence, body_source = (
        clean_text(found.text),
        line_kinds(found.lines, found.blocks),
        found.evidence,
        "markup",
    )
    date_context = config.date_context(observed_at)
    live_posts = find_live_posts(posts, article, found.lines, found.blocks, date_context)
    if len(body) < _SHORT_MARKUP and (text := _embedded_body(page.tree, article, body)):
        body, body_source, live_posts = text, "script", []
        kinds = PARAGRAPH * len(body.splitlines())
        evidence = {}
    language, language_source = find_language(body, _declared_language(page, article), config.languages)
    section, section_source = _section(page, article)
    free = _free(page, article)
    words = fingerprints.count_words(body)
    dates = PageDates(page, article, url, date_context)
    first_block = next((line.block for line in found.lines if line.block is not None), None)
    return Extraction(
        payload_hash=page.payload_hash,
        headline=headline,
        description=description,
        authors=authors,
        author_organisations=[clean_text(name) for name in byline.organisations],
        published=dates.published,
        modified=dates.modified,
        in_language=language,
        in_language_source=language_source,
        article_section=section,
        keywords=_keywords(page, article),
        main_image=_main_image(page, article, url),
        is_accessible_for_free=free,
        canonical_url=_canonical(page, url, config),
        variants=_variants(page, url, config),
        links=find_links(page.tree, body, url),
        encoding=page.encoding,
        encoding_source=page.encoding_source,
        article_body=body,
        word_count=words,
        char_count=len(body),
        text_hash=fingerprints.text_hash(body) if body else None,
        headline_hash=fingerprints.comparable_hash(headline),
        description_hash=fingerprints.comparable_hash(description),
        authors_hash=fingerprints.comparable_hash("\n".join(authors)),
        body_hash=fingerprints.comparable_hash(body),
        signatures=fingerprints.signatures(body),
        rights=read_rights(headers, page.meta, page.links),
        non_article=find_non_article(page, article, data, headers, headline, words, free),
        comments=[_without_author(c) for c in comments] if config.comments == "text" else comments,
        standfirst=find_standfirst(found.blocks, first_block, description),
        line_kinds=kinds,
        images=find_images(page, article, data, url),
        is_live_blog=is_live_blog(article, data) or len([post for post in live_posts if post.posted]) >= MIN_POSTS,
        live_posts=live_posts,
        confidence=confidence(evidence) if evidence else None,
        confidence_basis=evidence,
        repeated_lines=found.repeated,
        sources={
            name: source
            for name, source in (
                ("headline", headline_source),
                ("description", description_source),
                ("authors", byline.source),
                ("article_section", section_source),
                ("article_body", body_source if body else None),
            )
            if source
        },
    )


def _embedded_body(tree: HtmlElement, article: Node, body: str) -> str:
    """Return the text of a script if the markup has none, or only a part of that text. Empty if there is none."""
    words = fingerprints.count_words(body)
    embedded = find_embedded_body(tree, article, body.splitlines() if words >= _MIN_MARKUP_WORDS else ())
    if words < _MIN_MARKUP_WORDS or not embedded:
        return embedded
    if fingerprints.count_words(embedded) < _MUCH_LONGER * words:
        return ""
    embedded_key, keys = line_key(embedded), [line_key(line) for line in body.splitlines()]
    shared = sum(len(key) for key in keys if key in embedded_key)
    return embedded if shared >= _SAME_TEXT * sum(map(len, keys)) else ""


def _own_url(page: Page, url: str, config: ExtractionConfig) -> str:
    """Return the URL by which the page's structured data names it: the canonical one, if it has one."""
    return _canonical(page, url, config) or url


def _without_author(comment: ReaderComment) -> ReaderComment:
    # An edit note names the author ("edited by ..."), so it is removed too.
    return ReaderComment(None, comment.text, comment.posted, None)


def _declared_language(page: Page, article: Node) -> str | None:
    return (
        page.tree.get("lang")
        or page.tree.get("{http://www.w3.org/XML/1998/namespace}lang")
        or node_text(article.get("inLanguage"), 40)
        or page.meta_first("content-language", "og:locale")
    )


def _description(page: Page, article: Node) -> tuple[str | None, str | None]:
    for name in ("og:description", "description", "twitter:description"):
        if text := clean_line(page.meta_first(name)):
            return text, name
    text = node_text(article.get("description"), 2000)
    return text, "json_ld" if text else None


def _section(page: Page, article: Node) -> tuple[str | None, str | None]:
    if text := node_text(article.get("articleSection"), 200):
        return text, "json_ld"
    text = page.meta_first("article:section", "section")
    return text, "meta" if text else None


def _keywords(page: Page, article: Node) -> list[str]:
    keywords: list[str] = []
    for value in flat(article.get("keywords")):
        text = node_text(value, 2000)
        if text:
            keywords += text.split(",")
    if not keywords:
        keywords = list(page.meta.get("article:tag", ()))
    if not keywords:
        keywords = [
            part for name in ("news_keywords", "keywords") for c in page.meta.get(name, ()) for part in c.split(",")
        ]
    cleaned = [one_line(keyword, 100) for keyword in keywords]
    return list(dict.fromkeys(keyword for keyword in cleaned if keyword))[:MAX_KEYWORDS]


def _main_image(page: Page, article: Node, base: str) -> str | None:
    candidates = [page.meta_first("og:image:secure_url", "og:image", "og:image:url", "twitter:image")]
    for image in flat(article.get("image")):
        candidates.append(
            node_text(image.get("url") or image.get("contentUrl"), 2000) if isinstance(image, dict) else image
        )
    for candidate in candidates:
        if isinstance(candidate, str) and (url := absolute(candidate, base)):
            return clean_text(url)[:2000]
    return None


def _free(page: Page, article: Node) -> bool | None:
    value = article.get("isAccessibleForFree")
    if isinstance(value, str):
        value = {"true": True, "false": False}.get(value.strip().rsplit("/", 1)[-1].lower())
    if isinstance(value, bool):
        return value
    tier = (page.meta_first("article:content_tier") or "").lower()
    return {"free": True, "metered": False, "locked": False}.get(tier)


def _variants(page: Page, base: str, config: ExtractionConfig) -> list[tuple[str, str]]:
    """Return (kind, URL) of the page's AMP and mobile variants on the outlet's own domains."""
    variants: dict[str, str] = {}
    for link in page.links:
        rel = link.rel.split()
        if "amphtml" in rel:
            kind = "amp"
        elif "alternate" in rel and ("handheld" in link.media or "max-width" in link.media):
            kind = "mobile"
        else:
            continue
        url = absolute(link.href, base)
        if url and on_domains(url, config.domains) and not is_homepage(url) and len(url) <= 2048:
            variants.setdefault(kind, url)
    return list(variants.items())


def _canonical(page: Page, base: str, config: ExtractionConfig) -> str | None:
    """Return the rel=canonical URL if it is on the outlet's own domains and isn't a homepage."""
    for link in page.links:
        if "canonical" in link.rel.split():
            url = absolute(link.href, base)
            if url and on_domains(url, config.domains) and not is_homepage(url) and len(url) <= 2048:
                return url if url_key(url) != url_key(config.home) else None
    return None
