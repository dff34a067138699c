"""URL identity: which URLs are the same article, and which are not URLs at all."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pressmark.urls import (
    absolute,
    is_homepage,
    on_domains,
    trap_reason,
    url_key,
    url_uid,
    without_trackers,
)
from tests.conftest import shared_folder

SAME = [
    "https://www.example.org/2026/story",
    "http://example.org/2026/story/",
    "https://m.example.org/2026/story?utm_source=feed&utm_medium=rss",
    "https://amp.example.org/2026/story",
    "https://example.org//2026/./story#comments",
    "https://EXAMPLE.org:443/2026/story/index.html",
    "https://example.org/2026/story?fbclid=abc",
]
DIFFERENT = [
    "https://example.org/story?id=1",
    "https://example.org/story?id=2",
    "https://example.org/story",
    "https://example.org:8080/story",
    "https://blog.example.org/story",
    "https://example.org/Story",
    "https://example.org/story?newsid=1",
    "https://example.org/a%2Fb",
    "https://example.org/a/b",
]


def test_variants_of_a_url_have_the_same_key() -> None:
    assert {url_key(url) for url in SAME} == {"example.org/2026/story"}


def test_each_group_of_url_variants_has_its_own_key() -> None:
    """url_groups.txt lists groups of URLs. URLs of one group share a key; different groups have different keys."""
    groups: list[list[str]] = [[]]
    for line in (Path(__file__).parent / "url_groups.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            groups[-1].append(line)
        elif groups[-1]:
            groups.append([])
    groups = [group for group in groups if group]
    assert sum(map(len, groups)) > 200 and len(groups) > 80
    keys = [{url_key(url) for url in group} for group in groups]
    assert [group for group, group_keys in zip(groups, keys, strict=True) if len(group_keys) > 1] == []
    assert len(set().union(*keys)) == len(groups), "two groups have the same key"


def test_url_parts_that_identify_an_article_are_kept() -> None:
    assert len({url_key(url) for url in DIFFERENT}) == len(DIFFERENT)


def test_identity_parameters_of_an_outlet_file_are_kept() -> None:
    assert url_key("https://example.org/s?id=1&page=2", ("id",)) == "example.org/s?id=1"


def test_article_uid_of_a_url_never_changes() -> None:
    # Every warehouse has this public id for the article. Changing the rule needs a new rule number and a migration.
    assert url_uid("southfront", "https://southfront.org/a-story/?utm_source=x") == url_uid(
        "southfront", "http://southfront.org/a-story"
    )
    assert url_uid("southfront", "https://southfront.org/a-story") == UUID("0d228ed8-6fe6-c7af-45a7-13dcfb846c31")
    assert url_uid("other", "https://southfront.org/a-story") != url_uid("southfront", "https://southfront.org/a-story")


def test_tracking_parameters_are_removed_and_the_rest_of_the_url_is_unchanged() -> None:
    assert without_trackers("https://www.x.org/a/?utm_source=f&id=3#top") == "https://www.x.org/a/?id=3"
    assert without_trackers("http://x.org/a?b=%20c&fbclid=1") == "http://x.org/a?b=%20c"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "file:///etc/passwd", "", "mailto:a@b", "http://", "//", "http://a:port/"]
)
def test_string_that_is_not_a_web_url_is_rejected(url: str) -> None:
    assert absolute(url) is None


def test_subdomains_and_homepages_are_recognised() -> None:
    assert on_domains("https://www.example.org/", ["example.org"])
    assert not on_domains("https://example.org.evil.net/", ["example.org"])
    assert not on_domains("https://notexample.org/", ["example.org"])
    assert is_homepage("https://www.example.org/?utm_source=x") and not is_homepage("https://example.org/a")


def test_crawler_traps_are_recognised_by_their_url() -> None:
    assert trap_reason("https://x.org/" + "a" * 2100)
    assert trap_reason("https://x.org/cal/next/cal/next/cal/")
    assert trap_reason("https://x.org/2026/11/23/a-story") is None


@given(st.text(max_size=200))
def test_url_key_is_idempotent_and_never_raises(text: str) -> None:
    url = absolute("http://example.org/" + text)
    if url is not None:
        key = url_key(url)
        assert url_key(f"https://{key}") == key, "normalising a key changes it"
        absolute(without_trackers(url))


def test_naughty_strings_never_raise() -> None:
    for text in json.loads((_corpora() / "strings" / "blns.json").read_text()):
        for url in (absolute(text), absolute("http://example.org/" + text), absolute(text, "http://example.org/")):
            if url is not None:
                url_uid("test", url)


def _corpora():  # type: ignore[no-untyped-def]
    from tests.hostile.corpora import corpora

    shared_folder("corpora")
    return corpora()
