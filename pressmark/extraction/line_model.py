"""How likely it is that a line of the main text is body text, by a logistic regression on its text and its markup.

It recognises what rules for single phrases miss: links to other articles, notices, biographies and offers within the
body. The weights are trained on the public benchmark packs by `benchmarks/train_line_model.py`. None depends on an
outlet. Most features are about the structure of the page; the phrases are those of the packs' languages.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate, groupby
from operator import mul
from pathlib import Path

from lxml.html import HtmlElement

from pressmark.extraction.blocks import AROUND_BIT, Block, KeyText, line_key
from pressmark.extraction.body_lines import Line, present_blocks
from pressmark.text import SENTENCE_END

WEIGHTS_FILE = Path(__file__).parent / "line_model.json"
_PARTLY_LINKED = 0.3
_SECTIONS = 3  # headings with text below them make a structure
_SENTENCE_WORDS = 12
_LINKED = 0.8  # share of links of a block that consists of them
KEEP = 0.4  # lines below this probability are removed
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0eff]")
_LABEL = re.compile(r"[^.!?]{2,40}[:：►▶>»→|]\s")
# Matched with lower-cased text. Long lines are paragraphs, which contain such words by chance.
_MORE = re.compile(
    r"read (?:more|also|next)|see also|related|more (?:on|from|stories)|also read|lesen sie|lies auch|mehr zum|"
    r"mehr dazu|weiterlesen|weitere|auch interessant|lire aussi|à lire|voir aussi|leer más|lea también|"
    r"le puede interesar|leggi anche|leia (?:mais|também)|lees ook|läs (?:mer|också)|les også|læs også|czytaj|"
    r"zobacz|читайте|devamını|ayrıca|baca juga|関連|相关|관련|click here|watch|listen|video:|photos?:|don't miss"
)
_NOTE = re.compile(
    r"contributed to|reporting by|editing by|editor's note|this (?:story|article|post)|originally|"
    r"is a (?:\w+ ){0,4}(?:reporter|editor|writer|correspondent|journalist|columnist|professor|author)|"
    r"correction|last updated|updated (?:on|at)|published|image credit|photo by|photograph|source:|quelle|foto|"
    r"\bdpa|reuters|\bafp\b|aktualisiert|contact|comment|vote|poll|tell us|let us know|join|discount|offer|€|\$\d|"
    r"affiliate|commission|advert"
)
_MAX_PHRASE_LINE = 600  # characters
_MAX_LABEL_LINE = 200  # characters
_TEXT_FEATURES = (
    "bias sentence_end label more note agreed log_words capitals lines has_embedded embedded headline author "
    "position from_start from_end first_lines unmatched"
).split()
_BLOCK_FEATURES = (
    "linked linked_label bold italic heading p li in_article in_blockquote in_figcaption in_li in_nav same_path "
    "body_siblings siblings repeats linked_run in_body_2_after"
).split()
_NEIGHBOUR_FEATURES = "in_body linked heading list log_words agreed more".split()
FEATURES = (
    *_TEXT_FEATURES,
    *_BLOCK_FEATURES,
    *(f"{name}_before" for name in _NEIGHBOUR_FEATURES),
    *(f"{name}_after" for name in _NEIGHBOUR_FEATURES),
)
"""Names of the features, in the order of `line_features`."""
_MORE_FEATURE, _LINKED_FEATURE = FEATURES.index("more"), FEATURES.index("linked")
_BITS = tuple(AROUND_BIT[tag] for tag in ("article", "blockquote", "figcaption", "li", "nav"))
_UNMATCHED = (0.0,) * (len(FEATURES) - len(_TEXT_FEATURES))
_ABSENT = (0.0,) * len(_NEIGHBOUR_FEATURES)


@dataclass(frozen=True)
class LineContext:
    """What the whole page says about its lines.

    other_key, embedded_key: of the second extractor's text and of JSON-LD's articleBody (empty if there is none).
    headline, author_keys: of the article.
    """

    blocks: Sequence[Block]
    other_key: KeyText
    embedded_key: KeyText
    headline: str | None
    author_keys: Sequence[str]


def without_boilerplate(lines: list[Line], context: LineContext) -> list[Line]:
    """Return the lines that are probably body text, each with its probability."""
    weights = _weights()
    rows = zip(lines, line_features(lines, context), protected_lines(lines, context), strict=True)
    kept = []
    for line, features, is_protected in rows:
        if is_protected or is_body_text(features, weights):
            line.probability = probability(features, weights)
            kept.append(line)
    return kept


def is_body_text(features: Sequence[float], weights: Sequence[float]) -> bool:
    """Return whether a line is kept: it is probably body text, and no link that offers another article."""
    return probability(features, weights) >= KEEP and not (features[_MORE_FEATURE] and features[_LINKED_FEATURE] > 0.5)


def protected_lines(lines: Sequence[Line], context: LineContext) -> list[bool]:
    """Return which lines the model must not remove, whatever it says.

    These are plain sentences of some length, lists that don't consist of links, and the headings of a text with
    sections.
    """
    protected = []
    items: defaultdict[HtmlElement, list[int]] = defaultdict(list)
    for number, line in enumerate(lines):
        block = None if line.block is None else context.blocks[line.block]
        protected.append(_is_plain_sentence(line.text, block))
        if block is not None and block.in_list:
            items[next(block.element.iterancestors("ul", "ol", "menu", "body"))].append(number)
    for numbers in items.values():
        linked = sum(context.blocks[lines[number].block or 0].linked > _PARTLY_LINKED for number in numbers)
        if 2 * linked <= len(numbers):
            for number in numbers:
                protected[number] = True
    headings = [
        number
        for number, line in enumerate(lines[:-1])
        if line.block is not None and context.blocks[line.block].is_heading and protected[number + 1]
    ]
    if len(headings) >= _SECTIONS:
        for number in headings:
            protected[number] = True
    return protected


def probability(features: Sequence[float], weights: Sequence[float]) -> float:
    """Return the probability that a line with these features is body text."""
    score = sum(map(mul, features, weights))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))


def line_features(lines: Sequence[Line], context: LineContext) -> list[tuple[float, ...]]:
    """Return the values of FEATURES for each line."""
    page = _PageFeatures(lines, context)
    return [page.features(number, line) for number, line in enumerate(lines)]


def _is_plain_sentence(text: str, block: Block | None) -> bool:
    return (
        (block is None or (block.linked < _PARTLY_LINKED and block.italic == 0))
        and len(text.split()) >= _SENTENCE_WORDS
        and bool(SENTENCE_END.search(text[-8:]))
        and _phrases(text) == (False, False)
    )


@lru_cache(maxsize=1024)
def _phrases(text: str) -> tuple[bool, bool]:
    """Return whether a text has a phrase that offers more, and one of a note. Asked for twice per line."""
    if len(text) > _MAX_PHRASE_LINE:
        return False, False
    lowered = text.lower()
    return bool(_MORE.search(lowered)), bool(_NOTE.search(lowered))


@cache
def _weights() -> tuple[float, ...]:
    weights: dict[str, float] = json.loads(WEIGHTS_FILE.read_text(encoding="utf-8"))["weights"]
    return tuple(weights[name] for name in FEATURES)


class _PageFeatures:
    def __init__(self, lines: Sequence[Line], context: LineContext) -> None:
        self.context = context
        self.blocks = blocks = context.blocks
        self.count = len(lines)
        self.present = present_blocks(lines, blocks)
        self.lines_before = list(accumulate(self.present, initial=0))
        self.path_sizes: Counter[str] = Counter()
        self.siblings: Counter[HtmlElement] = Counter()
        self.body_siblings: Counter[HtmlElement] = Counter()
        self.parents = [block.element.getparent() for block in blocks]
        for block, parent, is_present in zip(blocks, self.parents, self.present, strict=True):
            self.siblings[parent] += 1
            if is_present:
                self.body_siblings[parent] += 1
                self.path_sizes[block.path] += len(block.text)
        self.body_size = max(1, self.path_sizes.total())
        self.repeats = Counter(block.key for block in blocks)
        self.headline_key = line_key(context.headline or "")
        self.neighbours: dict[int, tuple[float, ...]] = {}
        self.linked_runs = _linked_runs(blocks)

    def features(self, number: int, line: Line) -> tuple[float, ...]:
        text, context, block = line.text, self.context, line.block
        is_label = len(text) <= _MAX_LABEL_LINE and bool(_LABEL.match(text))
        offers_more, is_note = _phrases(text)
        words = len(text) / 2 if not text.isascii() and _UNSPACED.search(text[:40]) else len(text.split())
        before, count = (number, self.count) if block is None else (self.lines_before[block], self.lines_before[-1])
        return (
            1.0,
            bool(SENTENCE_END.search(text[-8:])),
            is_label,
            offers_more,
            is_note,
            line.key in context.other_key,
            math.log1p(words),
            text.isupper(),
            min(self.count, 60) / 10,
            len(context.embedded_key) > 0,
            float(line.key in context.embedded_key) if len(context.embedded_key) else 0.5,
            line.key == self.headline_key,
            any(key in line.key for key in context.author_keys),
            before / max(1, count),
            min(before, 12) / 10,
            min(count - before, 12) / 10,
            before < 2,
            block is None,
            *(_UNMATCHED if block is None else self._of_block(block, is_label)),
        )

    def _of_block(self, position: int, is_label: bool) -> tuple[float, ...]:
        block, parent = self.blocks[position], self.parents[position]
        tag, around = block.element.tag, block.around
        return (
            block.linked,
            is_label and block.linked > 0.4,
            block.bold,
            block.italic,
            block.is_heading,
            tag == "p",
            tag == "li",
            *(bool(around & bit) for bit in _BITS),
            self.path_sizes[block.path] / self.body_size,
            self.body_siblings[parent] / self.siblings[parent],
            min(self.siblings[parent], 15) / 10,
            min(self.repeats[block.key], 4),
            min(self.linked_runs[position], 8) / 4,
            position + 2 < len(self.blocks) and self.present[position + 2],
            *self._of_neighbour(position - 1),
            *self._of_neighbour(position + 1),
        )

    def _of_neighbour(self, position: int) -> tuple[float, ...]:
        if not 0 <= position < len(self.blocks):
            return _ABSENT
        known = self.neighbours.get(position)
        if known is None:
            block = self.blocks[position]
            known = self.neighbours[position] = (
                self.present[position],
                block.linked,
                block.is_heading,
                block.in_list,
                math.log1p(len(block.text.split())),
                len(block.key) > 3 and block.key in self.context.other_key,
                len(block.text) <= _MAX_LABEL_LINE and bool(_MORE.search(block.text.lower())),
            )
        return known


def _linked_runs(blocks: Sequence[Block]) -> list[int]:
    """Return for each block how many blocks around it, itself included, consist of links."""
    runs: list[int] = []
    for is_linked, group in groupby(block.linked > _LINKED for block in blocks):
        size = len(list(group))
        runs += [size if is_linked else 0] * size
    return runs
