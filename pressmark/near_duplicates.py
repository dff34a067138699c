"""Which texts are copies of one another, and which articles hang together by copies. Pure.

MinHash finds candidates (a shared band), the texts themselves decide. "Copy" means the same text with
edits, cut or framed otherwise (syndication, reprints), not the same event told in other words.
"""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import xxhash

from pressmark.extraction.fields import Signatures
from pressmark.extraction.fingerprints import Numbers

MIN_SIMILARITY = 0.5
MIN_CONTAINMENT = 0.7
MIN_SHARED = 30
BOILERPLATE_MIN_HEADLINES = 3  # a line above which so many headlines of one outlet stand is furniture
_ROWS = 4  # values of a band: 32 bands of the whole text, 8 of its beginning

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Similarity:
    """How alike two texts are. containment: of the one with fewer shingles. shared: None for equal texts."""

    similarity: float
    containment: float
    shared: int | None

    @property
    def is_copy(self) -> bool:
        """Whether one text is a copy of the other."""
        if self.shared is None:
            return True
        return self.similarity >= MIN_SIMILARITY or (self.containment >= MIN_CONTAINMENT and self.shared >= MIN_SHARED)


EQUAL = Similarity(1.0, 1.0, None)


def bands(signatures: Signatures) -> list[int]:
    """Signed 64-bit hashes of the bands. Two texts with one in common are candidates."""
    found = []
    for kind, signature in ((b"b", signatures.body), (b"l", signatures.lead)):
        width = 4 * _ROWS
        for number in range(len(signature) // width):
            band = kind + struct.pack("<H", number) + signature[number * width : (number + 1) * width]
            value = xxhash.xxh3_64_intdigest(band)
            found.append(value - 2**64 if value >= 2**63 else value)
    return found


def measure_similarity(one: Numbers, other: Numbers) -> Similarity:
    """Compare two sorted arrays of different shingles; neither empty."""
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return Similarity(shared / (len(one) + len(other) - shared), shared / min(len(one), len(other)), shared)


def outlet_line(outlet: str, line: str) -> int:
    """Identity of a line of an outlet, as a signed 64-bit number."""
    # NFKC leaves ASCII alone.
    folded = line if line.isascii() else unicodedata.normalize("NFKC", line)
    value = xxhash.xxh3_64_intdigest(f"{outlet}\0{' '.join(folded.split()).casefold()}".encode())
    return value - 2**64 if value >= 2**63 else value


def split_lines(outlet: str, text: str) -> dict[int, str]:
    """The different lines of a text by their identity, in order."""
    found: dict[int, str] = {}
    for line in text.splitlines():
        found.setdefault(outlet_line(outlet, line), line)
    return found


def without_lines(outlet: str, text: str, left_out: frozenset[int]) -> str:
    """The text without these lines."""
    if not left_out:
        return text
    return "\n".join(line for line in text.splitlines() if outlet_line(outlet, line) not in left_out)


def components(nodes: Iterable[Key], edges: Iterable[tuple[Key, Key]]) -> list[list[Key]]:
    """Connected components, each sorted; nodes without an edge stand alone."""
    leader = {node: node for node in nodes}

    def find(node: Key) -> Key:
        root = node
        while leader[root] != root:
            root = leader[root]
        while leader[node] != root:
            leader[node], node = root, leader[node]
        return root

    for one, other in edges:
        a, b = sorted((find(one), find(other)))  # type: ignore[type-var]
        leader[b] = a
    found: dict[Key, list[Key]] = {}
    for node in leader:
        found.setdefault(find(node), []).append(node)
    return [sorted(members) for members in found.values()]  # type: ignore[type-var]


def labels(groups: Sequence[Sequence[Key]]) -> dict[Key, Key]:
    """The label of each node that is not alone: the smallest of its component."""
    return {node: group[0] for group in groups if len(group) > 1 for node in group}
