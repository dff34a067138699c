"""Upstream behaviour that needs a workaround (docs/upstream.md). If a test fails, its workaround can be removed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
import warnings
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import feedparser
import pytest
from lxml.etree import XPath
from lxml.html import HtmlElementClassLookup, HTMLParser, document_fromstring
from pebble import ProcessPool
from scrapy.http import HtmlResponse
from trafilatura import xpaths


def test_pebble_pool_breaks_when_an_idle_worker_is_killed() -> None:
    pool = ProcessPool(max_workers=1, context=multiprocessing.get_context("spawn"))
    try:
        pid = pool.schedule(os.getpid).result()
        os.kill(pid, signal.SIGKILL)
        time.sleep(1)
        with pytest.raises((BrokenProcessPool, RuntimeError)):
            pool.schedule(os.getpid).result()
    finally:
        pool.stop()
        pool.join()


def test_feedparser_returns_published_as_updated() -> None:
    parsed = feedparser.parse(
        b"<rss version='2.0'><channel><item><pubDate>Thu, 19 Nov 2026 08:00:00 GMT</pubDate></item></channel></rss>"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert parsed.entries[0].get("updated") == "Thu, 19 Nov 2026 08:00:00 GMT"
    assert dict.get(parsed.entries[0], "updated") is None


def test_scrapy_detects_the_encoding_of_the_old_body_in_replace() -> None:
    body = "<p>\u00e4\u00f6\u00fc</p>".encode("cp1252")
    response = HtmlResponse("http://example.org/", body=body)
    assert response._cached_benc is None
    response.replace(body=b"")
    assert response._cached_benc is not None, "replace did not detect the encoding of the old body"


def test_courlan_strips_parameters_that_identify_articles() -> None:
    from courlan import normalize_url

    assert normalize_url("https://example.org/story?storyid=17", strict=True) == "https://example.org/story"


def test_lxml_calls_python_for_the_class_of_each_element(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[str] = []
    lookup = HtmlElementClassLookup.lookup
    monkeypatch.setattr(
        HtmlElementClassLookup, "lookup", lambda self, *args: looked_up.append(args[-1]) or lookup(self, *args)
    )
    parser = HTMLParser()
    parser.set_element_class_lookup(HtmlElementClassLookup())
    list(document_fromstring("<html><body><p>a</p></body></html>", parser=parser).iter())
    assert looked_up == ["html", "body", "p"]


def test_exslt_calls_python_for_absent_attributes() -> None:
    tested_values: list[str] = []
    find_paragraphs = XPath(
        "//p[re:test(@class, 'x')]",
        namespaces={"re": "http://exslt.org/regular-expressions"},
        extensions={
            ("http://exslt.org/regular-expressions", "test"): lambda _, value, pattern: (
                tested_values.append(value) or False
            )
        },
        regexp=False,
    )
    find_paragraphs(document_fromstring("<html><body><p>a</p><p class='x'>b</p></body></html>"))
    assert tested_values == [[], ["x"]]
    assert "re:test(@class, '" in Path(xpaths.__file__).read_text(encoding="utf-8")
