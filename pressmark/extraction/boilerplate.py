"""Removes lines of a main text that are known phrases: buttons, notices, rights, biographies, repeated text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lxml.html import HtmlElement

from pressmark.extraction.body_lines import Line
from pressmark.text import fold_name

# Lines that are a button, not a sentence. They match whole lines only, since an article may contain these words.
_BUTTON = re.compile(
    r"^(?:click (?:here )?to (?:see|view|enlarge).{0,40}|"
    r"(?:please )?(?:support|donate to|subscribe to) [\w .'&-]{2,40}|"
    r"advertisement|advertising|anzeige|publicité|publicidad|реклама|share this(?: article)?|read (?:more|also):?|"
    r"related (?:articles?|stories|news|topics):?|sign up|log in|subscribe|newsletter|follow us.{0,40}|loading\.{0,3}|"
    r"listen to this article|print this page|share on \w+|copy link|getty images|view all comments)[.!:]?$",
    re.IGNORECASE,
)

# Boilerplate lines. Above the text: labels and notices. Below it: rights, newsletters, follow buttons, links to other
# pages.
_ABOVE = re.compile(
    r"^\W{0,3}(?:published|supported by|advertisement|news analysis|guest essay)\W*$|"
    r"^\W{0,3}(?:source|photo|image)s?(?: credit)?:.{0,60}$|^\W{0,3}(?:©|\(c\) ?\d{4}).{0,200}$|"
    r"^\W{0,3}(?:all|the) products (?:featured|mentioned) .{0,240}$",
    re.IGNORECASE,
)
_BELOW = re.compile(
    r"^\W{0,3}(?:©|\(c\)|copyright (?:©|\(c\)|\d{4})).{0,200}$|^.{0,120}\ball rights reserved\b.{0,160}$|"
    r"^.{0,120}\b(?:sign(?:ing)? up|subscrib(?:e|ing))\b.{0,100}\b(?:newsletters?|inbox)\b.{0,160}$|"
    r"^.{0,160}\bdelivered (?:right |straight )?to your inbox\b.{0,80}$|"
    r"^\W{0,3}follow .{0,80}\bon (?:facebook|twitter|x|instagram|tiktok|threads|youtube|linkedin|whatsapp|telegram|"
    r"bluesky|mastodon)\b.{0,120}$|^\W{0,3}(?:contact us|email us) .{0,80}$|^\W{0,3}click here (?:to|for) .{0,100}$|"
    r"^\W{0,3}(?:related|more|read more|see also|watch|listen)(?: (?:content|stories|news))?:.{0,160}$|"
    r"^\W{0,3}(?:read the original (?:article|story)|this (?:story|article|post) (?:was )?(?:originally|first) "
    r"(?:appeared|published)).{0,160}$|^</?\w+>.{0,40}$|"
    r"^.{0,80}\b(?:staff|freelance) writer\b.{0,60}\bcan be reached\b.{0,160}$",
    re.IGNORECASE,
)
# The author's biography: a capitalised name followed by "is a ... reporter" or "writes about".
_BIOGRAPHY = re.compile(
    r"^(?:[A-ZÀ-ÞĀ-Ž][\w.'’-]*\s+){1,3}[A-ZÀ-ÞĀ-Ž][\w'’-]*(?:, [^,]{1,40},)? "
    r"(?:is (?:an?|the|our) (?:[\w’'-]+ ){0,4}(?:reporter|editor|correspondent|columnist|journalist|writer|contributor|"
    r"analyst|producer|fellow)\b(?! (?:says|said))|(?:writes|covers|has covered) (?:about|for|the)\b).{0,400}$"
)
_COOKIES = re.compile(
    r"^(?:(?:we|this (?:web)?site|our (?:web)?site)\b.{0,60}\buses? (?:\w+ ){0,3}cookies\b|"
    r"by (?:continuing|going on|using) .{0,80}"
    r"\bcookies\b|(?:wir|diese (?:web)?seite|unsere (?:web)?seite)\b.{0,60}\bcookies\b|"
    r"(?:nous|ce site)\b.{0,60}\bcookies\b|"
    r"(?:este sitio|utilizamos|usamos|questo sito|deze (?:web)?site)\b.{0,60}\bcookies\b).{0,500}$",
    re.IGNORECASE,
)
_TEXT_WORDS = 8  # of a paragraph below a subheading
_REPEATED = 60  # characters of a line that stands in the text only once
_QUESTION = ("?", "？", "؟", ";")
_HEAD_LINES = 3
_TAIL_LINES = 5
_MAX_BOILERPLATE_LENGTH = 600  # characters


def subheadings(tree: HtmlElement) -> frozenset[str]:
    """Return the folded texts of headings that a paragraph of text follows."""
    found = set()
    for heading in tree.iter("h2", "h3", "h4"):
        following = heading.getnext()
        if following is not None and following.tag == "p" and len(following.text_content().split()) >= _TEXT_WORDS:
            found.add(fold_name(heading.text_content()))
    return frozenset(found)


def without_phrases(
    lines: Sequence[Line],
    headline: str | None,
    site_names: frozenset[str],
    authors: Sequence[str] = (),
    subheadings: frozenset[str] = frozenset(),
) -> list[Line]:
    """Return the lines that are no known phrases.

    site_names: folded names of the outlet. A line that consists of one of them is removed. authors: of the article. A
    line about one of them at the end is a biography. subheadings: folded texts of headings that a paragraph follows.
    """
    title = fold_name(headline) if headline else ""
    kept: list[Line] = []
    tail = max(len(lines) - _TAIL_LINES, _HEAD_LINES)
    for position, line in enumerate(lines):
        stripped = line.text
        if len(stripped) <= _MAX_BOILERPLATE_LENGTH and (
            (position < _HEAD_LINES and _ABOVE.match(stripped))
            or (position >= tail and (_BELOW.match(stripped) or _is_biography(stripped, authors)))
            or _COOKIES.match(stripped)
        ):
            continue
        # Some pages repeat the headline above the text or as a caption.
        if title and position < 6 and fold_name(stripped) == title:
            continue
        if len(stripped) <= 90 and (_BUTTON.match(stripped) or fold_name(stripped) in site_names):
            if fold_name(stripped) not in subheadings:
                continue
        kept.append(line)
    return kept


def without_repetition(lines: Sequence[Line]) -> list[Line]:
    """Remove repeated text, such as separate copies for mobile and desktop.

    A question may be repeated on purpose, as in a series of interviews. It is dropped only if it repeats the line just
    before, or if a neighbour is a repetition too.
    """
    seen: set[str] = set()
    repeated = []
    for line in lines:
        repeated.append(len(line.text) >= _REPEATED and line.text in seen)
        seen.add(line.text)
    return [
        line
        for number, line in enumerate(lines)
        if not (
            repeated[number]
            and (
                not line.text.endswith(_QUESTION)
                or lines[number - 1].text == line.text
                or repeated[number - 1]
                or repeated[number + 1 : number + 2] == [True]
            )
        )
    ]


def _is_biography(line: str, authors: Sequence[str]) -> bool:
    return bool(_BIOGRAPHY.match(line)) and any(fold_name(author) in fold_name(line[:120]) for author in authors)
