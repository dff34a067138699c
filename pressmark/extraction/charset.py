"""Decodes the bytes of a page. A declared encoding is verified, since many are wrong.

UTF-8 is recognised by its structure, with a tolerance of a few bad bytes. If nothing is declared, the encoding is
detected. Characters that cannot be decoded become U+FFFD and are counted later (`worker.classify`).
"""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes
from w3lib.encoding import http_content_type_encoding, read_bom, resolve_encoding

from pressmark.text import clean_text, text_encoding

_META = re.compile(
    rb"<meta\s[^>]{0,300}?charset\s{0,9}=\s{0,9}[\"']?\s{0,9}([A-Za-z0-9_:.-]{2,40})"
    rb"|<\?xml\s[^>]{0,200}?encoding\s{0,9}=\s{0,9}[\"']([A-Za-z0-9_:.-]{2,40})[\"']",
    re.IGNORECASE,
)
_COMMENT = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)
_LANG = re.compile(rb"<html\s[^>]{0,500}?lang\s{0,9}=\s{0,9}[\"']?([A-Za-z]{2,3})\b", re.IGNORECASE)
_TAGS = re.compile(
    rb"<(?:script|style)\b.*?(?:</(?:script|style)\s{0,9}>|\Z)|<[^<>]*>|[\x00-\x7f]{200,}", re.DOTALL | re.IGNORECASE
)
_CONTROL_BYTES = bytes([*range(9), 11, 12, *range(14, 32), 127])
_SAMPLED_BYTES = 400_000
_DETECTED_BYTES = 20_000
_HEAD_BYTES = 4096
_C1_REFERENCE = re.compile(r"&#(0*1[2-5]\d(?!\d)|[xX]0*[89][0-9a-fA-F](?![0-9a-fA-F]));?")
_C1 = re.compile("[\x80-\x9f]")
_C1_IN_UTF8 = re.compile(rb"\xc2[\x80-\x9f]")

_SYMBOL_IN_WORD = re.compile(r"(?<=[^\W\d_])[\x80-\xbf\u02d8-\u02dd\u2020-\u2022\u2039\u203a](?=[^\W\d_])")
_UNUSED = re.compile("[\ue000-\uf8ff\uff61-\uff9f]")
_CAPITAL_IN_WORD = re.compile("(?<=[\u0430-\u045f])[\u0400-\u042f]")

# Encodings that undeclared pages have, by the language of the page or the outlet.
_BY_LANGUAGE = {
    "ja": ("cp932", "euc_jp", "iso2022_jp"), "zh": ("gb18030", "big5hkscs"), "ko": ("cp949",),
    "ru": ("cp1251", "koi8_r"), "uk": ("cp1251", "koi8_u"), "bg": ("cp1251",), "sr": ("cp1251",), "mk": ("cp1251",),
    "be": ("cp1251",), "el": ("cp1253",), "tr": ("cp1254",), "az": ("cp1254",), "he": ("cp1255",), "ar": ("cp1256",),
    "fa": ("cp1256",), "ur": ("cp1256",), "lt": ("cp1257",), "lv": ("cp1257",), "et": ("cp1257",), "vi": ("cp1258",),
    "th": ("cp874",), **dict.fromkeys("pl cs sk hu sl hr ro bs sq".split(), ("cp1250", "iso8859_2")),
    **dict.fromkeys("en de fr es pt it nl sv no nb nn da fi is ca gl eu ga af id ms".split(), ("cp1252", "latin_1")),
}  # fmt: skip
_DETECTABLE = sorted({name for names in _BY_LANGUAGE.values() for name in names} | {"cp1252"})
# Supersets that browsers use for a declared name, beyond those that w3lib knows.
_SUPERSETS = {
    "shift_jis": "cp932", "gb2312": "gb18030", "gbk": "gb18030", "hz": "gb18030", "euc_kr": "cp949",
    "big5": "big5hkscs",
    "tis_620": "cp874", "iso8859_11": "cp874", "iso8859_9": "cp1254", "iso8859_1": "cp1252", "ascii": "cp1252",
}  # fmt: skip


def decode(document: bytes, content_type: str | None, languages: tuple[str, ...] = ()) -> tuple[str, str, str]:
    """Decode a document. Return (text, encoding, source of the encoding: bom, header, meta or guess).

    content_type: the header. languages: of the outlet, for pages that declare neither encoding nor language.
    """
    bom_encoding, bom = read_bom(document)
    if bom_encoding:
        return _text(document[len(bom or b"") :].decode(bom_encoding, "replace")), bom_encoding, "bom"
    declared = _declared(document, content_type)
    utf16 = _utf16_without_bom(document)
    if utf16:
        source = next((source for name, source in declared if name.startswith("utf-16")), "guess")
        return _text(document.decode(utf16, "replace")), utf16, source
    if _is_utf8(document):
        source = next((source for name, source in declared if name == "utf-8"), "guess")
        return _cleaned(document, document.decode("utf-8", "replace"), is_utf8=True), "utf-8", source
    for name, source in declared:
        if name == "utf-8" or name.startswith(("utf-16", "utf-32")):
            continue
        text = _decoded(document, name)
        if text is not None:
            return _cleaned(document, text), name, source
    name = _detected(document, languages)
    return _cleaned(document, document.decode(name, "replace")), name, "guess"


def _declared(document: bytes, content_type: str | None) -> list[tuple[str, str]]:
    """Return (Python name of the encoding, source) of each declaration that names a known encoding."""
    # Most declarations are at the beginning, the others after a long script. Commented ones don't count.
    match = _META.search(_COMMENT.sub(b"", document[:_HEAD_BYTES])) or _META.search(_COMMENT.sub(b"", document))
    label = (match[1] or match[2]).decode("ascii") if match else None
    found = []
    for name, source in ((http_content_type_encoding(content_type), "header"), (label, "meta")):
        codec = text_encoding((name and resolve_encoding(name)) or name)
        if codec:
            found.append((_SUPERSETS.get(codec.replace("-", "_"), codec), source))
    return found


def _is_utf8(document: bytes) -> bool:
    """Return whether the document is ASCII or UTF-8, apart from a few bad bytes.

    Text in another encoding has hardly any valid sequences. A page that was cut or assembled carelessly has hardly any
    invalid ones.
    """
    if document.isascii():
        return True
    try:
        document.decode("utf-8")
    except UnicodeDecodeError:
        text = document.decode("utf-8", "replace")
        bad = text.count("\ufffd")
        good = sum(1 for character in text if character > "\x7f") - bad
        return bad * 10 <= good or (bad <= 2 and good >= 3 * bad)
    return True


def _utf16_without_bom(document: bytes) -> str | None:
    """Return the byte order of UTF-16 text without a BOM, recognised by its first `<`; None if it is no UTF-16."""
    start = document.find(b"<")
    if start < 0 or document.count(0, 0, 2000) * 20 < min(len(document), 2000):
        return None
    if start % 2 == 0 and document[start + 1 : start + 2] == b"\x00":
        return "utf-16-le"
    return "utf-16-be" if start % 2 and document[start - 1] == 0 else None


def _decoded(document: bytes, name: str) -> str | None:
    """Decode with a declared encoding. Returns None if more than a few bytes don't belong to it."""
    text = document.decode(name, "replace")
    bad = text.count("\ufffd")
    others = sum(1 for byte in document if byte > 127)
    return text if bad * 50 <= others else None


def _detected(document: bytes, languages: tuple[str, ...]) -> str:
    match = _LANG.search(document[:4096])
    tags = ([match[1].decode("ascii").lower()] if match else []) + [tag.partition("-")[0] for tag in languages]
    for tag in tags:
        decoded = [(_oddities(text), name) for name in _BY_LANGUAGE.get(tag, ()) if (text := _strict(document, name))]
        if decoded:
            return min(decoded, key=lambda pair: pair[0])[1]
    sample = _TAGS.sub(b" ", document[:_SAMPLED_BYTES])[:_DETECTED_BYTES]
    best = from_bytes(sample, cp_isolation=_DETECTABLE, explain=False).best()
    return codecs.lookup(best.encoding).name if best else "cp1252"


def _strict(document: bytes, name: str) -> str | None:
    try:
        return document.decode(name)
    except UnicodeDecodeError:
        return None


def _oddities(text: str) -> int:
    """Count what a wrong encoding leaves in a text: symbols in words, capitals after small letters, private use."""
    return sum(len(pattern.findall(text)) for pattern in (_SYMBOL_IN_WORD, _CAPITAL_IN_WORD, _UNUSED))


def _cleaned(document: bytes, text: str, *, is_utf8: bool = False) -> str:
    """Return the text without unstorable characters. Most documents allow a faster check of the bytes."""
    if len(document.translate(None, _CONTROL_BYTES)) < len(document):
        return _text(text)
    if b"&#" in document:
        text = _with_c1_references(text)
    has_c1 = _C1_IN_UTF8.search(document) if is_utf8 else True
    return _with_c1(text) if has_c1 else text


def _text(text: str) -> str:
    return _with_c1(_with_c1_references(clean_text(text)))


def _with_c1_references(text: str) -> str:
    """Replace references to C1 control characters by those of windows-1252, which browsers show for `&#146;`."""
    return _C1_REFERENCE.sub(lambda match: _windows_1252(_code(match[1])) or match[0], text)


def _with_c1(text: str) -> str:
    """Replace C1 control characters by those of windows-1252."""
    return _C1.sub(lambda match: _windows_1252(ord(match[0])) or "", text)


def _code(digits: str) -> int:
    return int(digits[1:], 16) if digits[:1] in "xX" else int(digits)


def _windows_1252(code: int) -> str | None:
    if not 0x80 <= code <= 0x9F:
        return None
    return bytes([code]).decode("cp1252", "ignore") or None
