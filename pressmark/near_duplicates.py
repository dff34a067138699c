"""Detects near-duplicate texts and groups them into copy clusters. Makes no database queries.

Texts that share a MinHash band are candidates. The similarity of the texts decides. A copy is the same text with edits,
cuts or other boilerplate (syndication, reprints). It is not an independent article about the same event.
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
BOILERPLATE_MIN_HEADLINES = 3  # a line is boilerplate if articles with this many headlines of an outlet contain it
_ROWS = 4  # values per band: 32 bands of the whole text, 8 of its beginning

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Similarity:
    """The similarity of two texts.

    similarity: Jaccard index of their shingles. containment: share of the shorter text's shingles that the other one
    contains. shared: number of shared shingles, or None if the texts are equal.
    """

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
    """Return the hashes of the bands as signed 64-bit integers. Two texts that share one are candidates."""
    hashes = []
    for kind, signature in ((b"b", signatures.body), (b"l", signatures.lead)):
        width = 4 * _ROWS
        for number in range(len(signature) // width):
            band = kind + struct.pack("<H", number) + signature[number * width : (number + 1) * width]
            value = xxhash.xxh3_64_intdigest(band)
            hashes.append(value - 2**64 if value >= 2**63 else value)
    return hashes


def measure_similarity(one: Numbers, other: Numbers) -> Similarity:
    """Compare two sorted arrays of distinct shingles. Neither may be empty."""
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return Similarity(shared / (len(one) + len(other) - shared), shared / min(len(one), len(other)), shared)


def outlet_line(outlet: str, line: str) -> int:
    """Return the identity of a line of an outlet, as a signed 64-bit integer."""
    # NFKC doesn't change ASCII.
    folded = line if line.isascii() else unicodedata.normalize("NFKC", line)
    value = xxhash.xxh3_64_intdigest(f"{outlet}\0{' '.join(folded.split()).casefold()}".encode())
    return value - 2**64 if value >= 2**63 else value


def split_lines(outlet: str, text: str) -> dict[int, str]:
    """Return the distinct lines of a text by their identity, in order."""
    lines: dict[int, str] = {}
    for line in text.splitlines():
        lines.setdefault(outlet_line(outlet, line), line)
    return lines


def without_lines(outlet: str, text: str, left_out: frozenset[int]) -> str:
    """Return the text without these lines. left_out: identities of the lines."""
    if not left_out:
        return text
    return "\n".join(line for line in text.splitlines() if outlet_line(outlet, line) not in left_out)


def components(nodes: Iterable[Key], edges: Iterable[tuple[Key, Key]]) -> list[list[Key]]:
    """Return the connected components of a graph, each sorted. A node without edges is a component of one."""
    parents = {node: node for node in nodes}

    def find(node: Key) -> Key:
        root = node
        while parents[root] != root:
            root = parents[root]
        while parents[node] != root:
            parents[node], node = root, parents[node]
        return root

    for one, other in edges:
        a, b = sorted((find(one), find(other)))  # type: ignore[type-var]
        parents[b] = a
    groups: dict[Key, list[Key]] = {}
    for node in parents:
        groups.setdefault(find(node), []).append(node)
    return [sorted(members) for members in groups.values()]  # type: ignore[type-var]


def labels(groups: Sequence[Sequence[Key]]) -> dict[Key, Key]:
    """Return the label of each node in a component of at least two: the smallest node of the component."""
    return {node: group[0] for group in groups if len(group) > 1 for node in group}
