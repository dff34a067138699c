"""Upstream behaviour that needs a workaround (docs/upstream.md). If a test fails, its workaround can be removed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import SimpleNamespace

import htmldate
import pytest
from lxml.etree import XPath
from lxml.html import HtmlElementClassLookup, HTMLParser, document_fromstring
from pebble import ProcessPool
from protego import Protego
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


def test_lxml_drops_everything_below_256_levels() -> None:
    page = "<html><body>" + "<font>" * 300 + "<p>deep</p>"
    assert "deep" not in document_fromstring(page, HTMLParser()).text_content()
    assert "deep" in document_fromstring(page, HTMLParser(huge_tree=True)).text_content()


def test_trafilatura_removes_joiners() -> None:
    # In a separate process, because importing our body module changes the function.
    code = r"from trafilatura.utils import remove_control_characters as r; print(ascii(r('\u0633\u0647\u200c\u0634')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "200c" not in done.stdout


def test_htmldate_raises_for_an_impossible_offset() -> None:
    page = (
        '<html><head><meta property="article:published_time" content="2026-03-10T18:40:00+25:00"></head><body><p>x</p>'
    )
    with pytest.raises(ValueError, match="offset must be"):
        htmldate.find_date(page + "<p>y</p></body></html>")


def test_protego_compares_user_agents_otherwise_than_rfc_9309() -> None:
    assert Protego.parse("User-agent: Pressmark/0.9\nDisallow: /").can_fetch("http://x.example/a", "Pressmark")
    assert not Protego.parse("User-agent: press\nDisallow: /").can_fetch("http://x.example/a", "Pressmark")
    group = "User-agent: pressmark\nCrawl-delay: 5\nUser-agent: other\nDisallow: /"
    assert Protego.parse(group).can_fetch("http://x.example/a", "Pressmark")


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


def test_airflow_forgets_the_name_of_a_mapped_task_that_is_retried() -> None:
    from airflow.sdk.execution_time import task_runner

    task = SimpleNamespace(
        task=SimpleNamespace(), stats_tags={}, rendered_map_index="tagesblick", end_date=None,
        _failure_metrics_emitted=True, _ti_context_from_server=SimpleNamespace(should_retry=True),
    )  # fmt: skip
    message, state = task_runner._finalize_task_failure(task)  # type: ignore[arg-type]
    assert state == "up_for_retry" and message.rendered_map_index is None
