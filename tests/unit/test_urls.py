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
    "https://amp.example.org/2026/story/amp/",
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


def test_clothes_do_not_make_an_address() -> None:
    assert {url_key(url) for url in SAME} == {"example.org/2026/story"}


def test_a_few_hundred_addresses() -> None:
    """Groups of url_groups.txt: addresses of one article; none of another group."""
    groups: list[list[str]] = [[]]
    for line in (Path(__file__).parent / "url_groups.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            groups[-1].append(line)
        elif groups[-1]:
            groups.append([])
    groups = [group for group in groups if group]
    assert sum(map(len, groups)) > 200 and len(groups) > 80
    keys = [{url_key(url) for url in group} for group in groups]
    assert [group for group, found in zip(groups, keys, strict=True) if len(found) > 1] == []
    assert len(set().union(*keys)) == len(groups), "no two groups are one"


def test_what_carries_identity_stays() -> None:
    assert len({url_key(url) for url in DIFFERENT}) == len(DIFFERENT)


def test_parameters_of_an_outlets_file_decide() -> None:
    assert url_key("https://example.org/s?id=1&page=2", ("id",)) == "example.org/s?id=1"


def test_identity_is_frozen() -> None:
    # The public id of this article in every warehouse: a changed rule needs a new number and a migration.
    assert url_uid("southfront", "https://southfront.org/a-story/?utm_source=x") == url_uid(
        "southfront", "http://southfront.org/a-story"
    )
    assert url_uid("southfront", "https://southfront.org/a-story") == UUID("0d228ed8-6fe6-c7af-45a7-13dcfb846c31")
    assert url_uid("other", "https://southfront.org/a-story") != url_uid("southfront", "https://southfront.org/a-story")


def test_shown_addresses_work_and_carry_no_trackers() -> None:
    assert without_trackers("https://www.x.org/a/?utm_source=f&id=3#top") == "https://www.x.org/a/?id=3"
    assert without_trackers("http://x.org/a?b=%20c&fbclid=1") == "http://x.org/a?b=%20c"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "file:///etc/passwd", "", "mailto:a@b", "http://", "//", "http://a:port/"]
)
def test_no_addresses(url: str) -> None:
    assert absolute(url) is None


def test_domains() -> None:
    assert on_domains("https://www.example.org/", ["example.org"])
    assert not on_domains("https://example.org.evil.net/", ["example.org"])
    assert not on_domains("https://notexample.org/", ["example.org"])
    assert is_homepage("https://www.example.org/?utm_source=x") and not is_homepage("https://example.org/a")


def test_traps() -> None:
    assert trap_reason("https://x.org/" + "a" * 2100)
    assert trap_reason("https://x.org/cal/next/cal/next/cal/")
    assert trap_reason("https://x.org/2026/11/23/a-story") is None


@given(st.text(max_size=200))
def test_never_raises_for_what_absolute_lets_through(text: str) -> None:
    url = absolute("http://example.org/" + text)
    if url is not None:
        key = url_key(url)
        assert url_key(f"https://{key}") == key, "normalising twice is normalising once"
        absolute(without_trackers(url))


def test_naughty_strings() -> None:
    for text in json.loads((_corpora() / "strings" / "blns.json").read_text()):
        for url in (absolute(text), absolute("http://example.org/" + text), absolute(text, "http://example.org/")):
            if url is not None:
                url_uid("test", url)


def _corpora():  # type: ignore[no-untyped-def]
    from tests.hostile.corpora import corpora

    shared_folder("corpora")
    return corpora()
