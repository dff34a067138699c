"""What is done to read faster changes nothing of what is read."""

import re

import pytest
from lxml.etree import XPath
from lxml.html import tostring
from trafilatura import load_html, xpaths

from pressmark.extraction.page import _tree, decode
from pressmark.extraction.trafilatura_tuning import optimized
from pressmark.newsstand.site_map import documents

PAGES = [document.body for document in documents(1).values() if "html" in document.content_type]


@pytest.mark.parametrize(
    "text",
    [
        *(decode(page, "text/html")[0] for page in PAGES),
        "<!DOCTYPE html/><html/>\n<body><p>one</p>" + "<p>line</p>\n" * 1000,
        "<html lang='en' />\n" + "<div><p>text</p></div>\n" * 1000,
        "<!doctype html>" + "<p>no line end at all</p>" * 1000,
        "<!doctype html>\n" + "<p>not a character: \ufffe</p>\n" * 1000,
        "<!-- first --><!doctype html>\n" + "<p>line</p>\n" * 1000,
        '<?xml version="1.0" encoding="utf-8"?><html><body>' + "<p>line</p>\n" * 1000,
        "plain words\n" * 2000,
    ],
)
def test_a_tree_is_the_one_that_trafilatura_would_build(text: str) -> None:
    ours, theirs = _tree(text), load_html(text)
    assert (ours is None) == (theirs is None)
    if ours is not None and theirs is not None:
        assert tostring(ours) == tostring(theirs)


def test_quickened_expressions_find_the_same_elements() -> None:
    trees = [tree for page in PAGES if (tree := load_html(page)) is not None]
    expressions = [item for value in vars(xpaths).values() if isinstance(value, list) for item in value]
    slow = [XPath(_plain(item.path), namespaces={"re": "http://exslt.org/regular-expressions"}) for item in expressions]
    assert any("re:test(string(" in item.path for item in expressions), "they were not quickened"
    found = 0
    for plain, quick in zip(slow, expressions, strict=True):
        for tree in trees:
            elements = plain(tree)
            assert elements == quick(tree)
            found += len(elements)
    assert found > 100


def test_a_pattern_that_an_absent_attribute_matches_stays() -> None:
    expression = XPath("//p[re:test(@id, '^$|x')]", namespaces={"re": "http://exslt.org/regular-expressions"})
    assert optimized(expression).path == expression.path


def _plain(path: str) -> str:
    return re.sub(r"\((@[\w|@]+) and re:test\(string\(\1\), ('[^']*'(?:, 'i')?)\)\)", r"re:test(\1, \2)", path)
