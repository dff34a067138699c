"""Fingerprints of texts: hashes for equality, MinHash signatures for near-duplicates.

The constants are frozen under SIG_VERSION. MinHash libraries have changed their signatures between releases, so none
is used. The algorithm is MinHash (Broder 1997, doi:10.1109/SEQUEN.1997.666900) with multiply-shift hashing. Shingles
are word 3-grams, each hashed from the xxh3_64 of its words. Scripts without spaces between words use character 5-grams.
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
_CHUNK = 256  # shingles per block, 1 KiB each, so that a block fits into the CPU cache
_STEP = np.uint64(0x9E3779B97F4A7C15)  # odd; derived from the golden ratio (Knuth 1973, 6.4)

_WORD = re.compile(r"\w+")
# Scripts without spaces between words: Han, kana, Thai, Lao, Khmer, Myanmar.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")


Numbers = np.ndarray[Any, np.dtype[np.uint64]]


def text_hash(text: str) -> bytes:
    """Return the sha256 of the text in UTF-8."""
    return hashlib.sha256(text.encode("utf-8")).digest()


def comparable_hash(text: str | None) -> int:
    """Return the xxh3_64 of the comparable form (see `comparable`), as a signed 64-bit integer for Postgres."""
    value = xxhash.xxh3_64_intdigest(comparable(text).encode("utf-8"))
    return value - 2**64 if value >= 2**63 else value


def count_words(text: str) -> int:
    """Count words. In scripts without spaces between words, each character counts as one."""
    unspaced = 0 if text.isascii() else len(_UNSPACED.findall(text))
    return unspaced + len(_WORD.findall(_UNSPACED.sub(" ", text) if unspaced else text))


def signatures(text: str) -> Signatures | None:
    """Return the MinHash signatures of a text. Returns None if it is too short to detect copies."""
    tokens = _tokens(text)
    if tokens is None:
        return None
    hashes, size, lead = tokens
    body = _shingles(hashes, size)
    return Signatures(_minhash(body, BODY_HASHES), _minhash(body[: max(1, lead - size + 1)], LEAD_HASHES))


def shingles(text: str) -> Numbers | None:
    """Return the sorted, distinct shingle hashes of a text. Returns None if it is too short."""
    tokens = _tokens(text)
    return np.unique(_shingles(tokens[0], tokens[1])) if tokens else None


def _tokens(text: str) -> tuple[Numbers, int, int] | None:
    """Return (token hashes, tokens per shingle, tokens in the lead), or None for fewer than MIN_WORDS words."""
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
    digests: dict[str, int] = {token: xxhash.xxh3_64_intdigest(token.encode()) for token in set(tokens)}
    return np.fromiter((digests[token] for token in tokens), dtype=np.uint64, count=len(tokens)), size, lead


def _shingles(hashes: Numbers, size: int) -> Numbers:
    """Return one hash per run of `size` tokens: a mixed polynomial of the token hashes."""
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
    """Generate constants by splitmix64 (Steele et al. 2014), which doesn't depend on numpy's generators."""
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
