"""Fingerprints of texts: hashes for equality, MinHash signatures for copies.

The constants are frozen under SIG_VERSION; signatures of libraries changed between their releases.
MinHash by multiply-shift over word 3-grams, each hashed from the xxh3_64 of its words; languages
without spaces between words use character 5-grams. Broder 1997, doi:10.1109/SEQUEN.1997.666900.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Any

import numpy as np
import xxhash

from pressmark.extraction.fields import Signatures
from pressmark.text import comparable

BODY_HASHES = 128
LEAD_HASHES = 32
LEAD_WORDS = 120
MIN_WORDS = 50
WORD_SHINGLE = 3
CHARACTER_SHINGLE = 5
_CHUNK = 256  # rows of 1 KiB that stay in the cache
_STEP = np.uint64(0x9E3779B97F4A7C15)  # odd, from the golden ratio (Knuth 1973, 6.4)

_WORD = re.compile(r"\w+")
# Scripts written without spaces between words: Han, kana, Thai, Lao, Khmer, Myanmar.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")


Numbers = np.ndarray[Any, np.dtype[np.uint64]]


def text_hash(text: str) -> bytes:
    """sha256 of the text in UTF-8."""
    return hashlib.sha256(text.encode("utf-8")).digest()


def comparable_hash(text: str | None) -> int:
    """xxh3_64 of the comparable form, as a signed 64-bit number for Postgres."""
    value = xxhash.xxh3_64_intdigest(comparable(text).encode("utf-8"))
    return value - 2**64 if value >= 2**63 else value


def count_words(text: str) -> int:
    """Words; each character of a script without spaces counts as one."""
    unspaced = 0 if text.isascii() else len(_UNSPACED.findall(text))
    return unspaced + len(_WORD.findall(_UNSPACED.sub(" ", text) if unspaced else text))


def signatures(text: str) -> Signatures | None:
    """Signatures of a text, or None where it is too short to tell copies by."""
    found = _tokens(text)
    if found is None:
        return None
    hashes, size, lead = found
    body = _shingles(hashes, size)
    return Signatures(_minhash(body, BODY_HASHES), _minhash(body[: max(1, lead - size + 1)], LEAD_HASHES))


def shingles(text: str) -> Numbers | None:
    """Sorted hashes of the different shingles of a text, or None where it is too short."""
    found = _tokens(text)
    return np.unique(_shingles(found[0], found[1])) if found else None


def _tokens(text: str) -> tuple[Numbers, int, int] | None:
    """(hashes of the tokens, tokens of a shingle, tokens of the lead); None for less than MIN_WORDS."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    words = _WORD.findall(folded)
    unspaced = 0 if folded.isascii() else len(_UNSPACED.findall(folded))
    if len(words) + unspaced < MIN_WORDS:
        return None
    if unspaced * 2 > len(folded):
        tokens, size, lead = list("".join(words)), CHARACTER_SHINGLE, 2 * LEAD_WORDS
    else:
        tokens, size, lead = words, WORD_SHINGLE, LEAD_WORDS
    if len(tokens) < size:
        return None
    known: dict[str, int] = {token: xxhash.xxh3_64_intdigest(token.encode()) for token in set(tokens)}
    return np.fromiter((known[token] for token in tokens), dtype=np.uint64, count=len(tokens)), size, lead


def _shingles(hashes: Numbers, size: int) -> Numbers:
    """A hash for each run of `size` tokens: a polynomial of theirs, mixed."""
    count = len(hashes) - size + 1
    values = hashes[:count].copy()
    for offset in range(1, size):
        values = (values ^ (values >> np.uint64(29))) * _STEP + hashes[offset : offset + count]
    values = (values ^ (values >> np.uint64(32))) * _STEP
    return values ^ (values >> np.uint64(29))


def _minhash(values: Numbers, hashes: int) -> bytes:
    values = np.unique(values)
    lowest = np.full(hashes, np.iinfo(np.uint64).max, dtype=np.uint64)
    multipliers, addends = _MULTIPLIERS[:hashes], _ADDENDS[:hashes]
    for start in range(0, len(values), _CHUNK):
        block = values[start : start + _CHUNK, None] * multipliers + addends
        np.minimum(lowest, block.min(axis=0), out=lowest)
    return (lowest >> np.uint64(32)).astype("<u4").tobytes()


def _constants(seed: int, count: int) -> list[int]:
    """splitmix64 (Steele et al. 2014): fixed numbers that do not depend on numpy's generators."""
    numbers = []
    state = seed
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        z = state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        numbers.append(z ^ (z >> 31))
    return numbers


_MULTIPLIERS = np.array([number | 1 for number in _constants(0x50726573736D6172, BODY_HASHES)], dtype=np.uint64)
_ADDENDS = np.array(_constants(0x6B5F6D696E686173, BODY_HASHES), dtype=np.uint64)
