"""The Trafilatura optimizations do not change the results of an extraction."""

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
def test_parsed_tree_equals_the_tree_from_trafilatura(text: str) -> None:
    ours, theirs = _tree(text), load_html(text)
    assert (ours is None) == (theirs is None)
    if ours is not None and theirs is not None:
        assert tostring(ours) == tostring(theirs)


def test_optimized_expressions_find_the_same_elements() -> None:
    trees = [tree for page in PAGES if (tree := load_html(page)) is not None]
    expressions = [item for value in vars(xpaths).values() if isinstance(value, list) for item in value]
    original = [
        XPath(_plain(item.path), namespaces={"re": "http://exslt.org/regular-expressions"}) for item in expressions
    ]
    assert any("re:test(string(" in item.path for item in expressions), "no expression was optimized"
    matched = 0
    for plain, optimized_expression in zip(original, expressions, strict=True):
        for tree in trees:
            elements = plain(tree)
            assert elements == optimized_expression(tree)
            matched += len(elements)
    assert matched > 100


def test_pattern_that_matches_an_absent_attribute_is_not_optimized() -> None:
    expression = XPath("//p[re:test(@id, '^$|x')]", namespaces={"re": "http://exslt.org/regular-expressions"})
    assert optimized(expression).path == expression.path


def _plain(path: str) -> str:
    return re.sub(r"\((@[\w|@]+) and re:test\(string\(\1\), ('[^']*'(?:, 'i')?)\)\)", r"re:test(\1, \2)", path)
