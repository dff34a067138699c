"""Fingerprints of texts: hashes for equality, MinHash signatures for copies.

The constants are frozen under SIG_VERSION; signatures of libraries changed between their releases.
MinHash by multiply-shift over xxh3_64 of word 3-grams; languages without spaces between words use
character 5-grams. Broder 1997, doi:10.1109/SEQUEN.1997.666900.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass

import numpy as np
import xxhash

from pressmark.text import comparable

SIG_VERSION = 1
BODY_HASHES = 128
LEAD_HASHES = 32
LEAD_WORDS = 120
MIN_WORDS = 50
_WORD_SHINGLE = 3
_CHARACTER_SHINGLE = 5
_CHUNK = 4096

_WORD = re.compile(r"\w+")
# Scripts written without spaces between words: Han, kana, Thai, Lao, Khmer, Myanmar.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")


@dataclass(frozen=True, slots=True)
class Signatures:
    """MinHash of the whole text and of its beginning, as little-endian uint32."""

    body: bytes
    lead: bytes


def text_hash(text: str) -> bytes:
    """sha256 of the text in UTF-8."""
    return hashlib.sha256(text.encode("utf-8")).digest()


def comparable_hash(text: str | None) -> int:
    """xxh3_64 of the comparable form, as a signed 64-bit number for Postgres."""
    value = xxhash.xxh3_64_intdigest(comparable(text).encode("utf-8"))
    return value - 2**64 if value >= 2**63 else value


def count_words(text: str) -> int:
    """Words; each character of a script without spaces counts as one."""
    unspaced = len(_UNSPACED.findall(text))
    return unspaced + len(_WORD.findall(_UNSPACED.sub(" ", text) if unspaced else text))


def signatures(text: str) -> Signatures | None:
    """Signatures of a text, or None where it is too short to tell copies by."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    if count_words(folded) < MIN_WORDS:
        return None
    if len(_UNSPACED.findall(folded)) * 2 > len(folded):
        letters = "".join(_WORD.findall(folded))
        body = _shingles(letters, _CHARACTER_SHINGLE)
        lead = _shingles(letters[: 2 * LEAD_WORDS], _CHARACTER_SHINGLE)
    else:
        words = _WORD.findall(folded)
        body = _word_shingles(words)
        lead = _word_shingles(words[:LEAD_WORDS])
    return Signatures(_minhash(body, BODY_HASHES), _minhash(lead, LEAD_HASHES))


def _word_shingles(words: list[str]) -> list[str]:
    return [" ".join(words[i : i + _WORD_SHINGLE]) for i in range(max(1, len(words) - _WORD_SHINGLE + 1))]


def _shingles(letters: str, size: int) -> list[str]:
    return [letters[i : i + size] for i in range(max(1, len(letters) - size + 1))]


def _minhash(shingles: list[str], hashes: int) -> bytes:
    values = np.fromiter((xxhash.xxh3_64_intdigest(s.encode()) for s in set(shingles)), dtype=np.uint64)
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
