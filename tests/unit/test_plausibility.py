"""Texts that cannot be the article's, alone and compared with the outlet's other texts."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from pressmark.extraction.extract import extract
from pressmark.extraction.fields import Extraction, ExtractionConfig
from pressmark.plausibility import Comparison, OutletTexts, implausible_for_outlet, implausible_text
from tests.unit.test_main_text import numbered, paragraphs

CONFIG = ExtractionConfig("test", "Test", "http://test.example/", ("test.example",), ("en",), "UTC")
NOTICE = "Please log in to continue with this page. You need an account of our house for that."


def extracted(content: str, headline: str = "Harbour bridge opens", head: str = "") -> Extraction:
    """Extract a page with this content below its headline."""
    page = f"<html><head><title>{headline}</title>{head}</head><body><main><h1>{headline}</h1>{content}</main></body></html>"
    return extract(
        page.encode(), "http://test.example/story", (("Content-Type", "text/html"),), datetime.now(UTC), CONFIG
    )


def outlet(length: int = 12, count: int = 40) -> OutletTexts:
    """The texts of an outlet whose articles have this number of paragraphs."""
    rows = []
    for number in range(count):
        text = "\n".join(numbered(length, 1000 * (number + 1)))
        rows.append((UUID(int=number), f"Story number {number}", text, len(text.split())))
    return OutletTexts(rows)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('<ul><li><a href="/">Home</a></li><li><a href="/t">Town hall news</a></li><li><a href="/w">World and sports</a></li></ul>', "links"),
        ("<div>Home / Town / World / About / Sports / Culture / Weather / Contact / Imprint</div>", "no sentence"),
    ],
)  # fmt: skip
def test_navigation_is_no_text(content: str, reason: str) -> None:
    found = extracted(content)
    assert found.word_count < 8 or reason in (implausible_text(found) or "")


@pytest.mark.parametrize(
    "content",
    [
        paragraphs(numbered(5)),
        "<p>The harbour bridge opens on Friday.</p>",
        "<p>港の橋が金曜日に開通する。市長が発表した。工事は十九年かかり、費用は予定の二倍になった。</p>",
        "<p>สะพานท่าเรือเปิดให้ใช้งานในวันศุกร์ นายกเทศมนตรีประกาศว่าการก่อสร้างใช้เวลาสิบเก้าปี</p>",
        f'<p><a href="/x">{numbered(1)[0]}</a></p>{paragraphs(numbered(3, 3))}',
    ],
)
def test_text_with_sentences_is_one(content: str) -> None:
    assert implausible_text(extracted(content)) is None


def test_notice_of_other_pages_is_rejected_and_says_why() -> None:
    texts = outlet()
    for number in range(2):
        texts.add(UUID(int=100 + number), extracted(f"<p>{NOTICE}</p>", f"Some other story {number}"))
    found = extracted(f"<p>{NOTICE}</p>")
    comparison = texts.compare(UUID(int=500), found)
    assert comparison.seen == 1.0
    assert "of the text stands on other pages" in (implausible_for_outlet(found, comparison) or "")


def test_notice_without_a_word_of_the_headline_is_rejected_at_once() -> None:
    found = extracted(f"<p>{NOTICE}</p>")
    reason = implausible_for_outlet(found, outlet().compare(UUID(int=500), found))
    assert reason is not None and "the outlet's articles usually have" in reason


def test_short_report_with_its_own_sentences_is_an_article() -> None:
    found = extracted("<p>The harbour bridge opens on Friday. The mayor announced it at noon.</p>")
    assert implausible_for_outlet(found, outlet().compare(UUID(int=500), found)) is None


def test_new_headline_of_the_same_article_changes_nothing() -> None:
    """A short article whose headline was changed has its own earlier lines."""
    texts = outlet()
    for uid in (500, 501):
        texts.add(
            UUID(int=uid),
            extracted("<p>The harbour bridge opens on Friday. The mayor announced it.</p>", "Bridge opens"),
        )
    found = extracted(
        "<p>The harbour bridge opens on Friday. The mayor announced it.</p>", "Harbour bridge opens at last"
    )
    assert texts.compare(UUID(int=500), found).seen == 0.0


def test_outlet_with_few_articles_is_not_compared() -> None:
    found = extracted(f"<p>{NOTICE}</p>")
    assert implausible_for_outlet(found, outlet(count=4).compare(UUID(int=500), found)) is None


def test_comparison_from_the_archive_counts_only_for_the_same_text() -> None:
    found = extracted(f"<p>{NOTICE}</p>")
    kept = Comparison(12, 300, 400, 1.0, (found.text_hash or b"").hex()).as_json()
    assert Comparison.from_json(kept, found).seen == 1.0
    assert Comparison.from_json(kept, extracted(paragraphs(numbered(5)))).seen == 0.0
