"""The language of an article as a BCP 47 tag, detected from the text if it is long enough and otherwise declared."""

from __future__ import annotations

import re

from py3langid.langid import MODEL_FILE, LanguageIdentifier

_MIN_CHARS = 200  # shorter texts are not classified
_MAX_CHARS = 800  # more characters take time and don't change the result
_CONFIRM_CHARS = 300  # enough to confirm the declared language
_MIN_CONFIDENCE = 0.9
_TAG = re.compile(r"^([a-z]{2,3})(?:[-_]([a-z]{4}))?(?:[-_]([a-z]{2}|\d{3}))?\b", re.IGNORECASE)
# Codes that pages use by mistake: countries, and codes that were replaced.
_MISTAKEN = {
    "jp": "ja", "cn": "zh", "kr": "ko", "gr": "el", "cz": "cs", "dk": "da", "ua": "uk", "iw": "he", "in": "id",
    "ji": "yi", "gb": "en", "us": "en", "at": "de",
}  # fmt: skip
# Languages that the model confuses. A declared one is kept if the model detects another of the same group.
_NEAR = ("no nb nn da", "hr sr bs sh cnr", "id ms", "fa prs", "gl pt", "tl fil", "af nl", "ur hi")
_NEAR_GROUPS = [frozenset(group.split()) for group in _NEAR]
_identifier: LanguageIdentifier | None = None


def identifier() -> LanguageIdentifier:
    """Return the model, which is loaded once per process (about 0.3 s)."""
    global _identifier
    if _identifier is None:
        _identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    return _identifier


def find_language(text: str, declared: str | None, outlet_languages: tuple[str, ...]) -> tuple[str | None, str | None]:
    """Return (BCP 47 tag, source: text, html or outlet).

    A declared tag that agrees with the text keeps its region: `en-GB`.
    """
    tag = normal_tag(declared)
    if len(text) >= _MIN_CHARS:
        if tag and identifier().classify(text[:_CONFIRM_CHARS])[0] == _primary(tag):
            return tag, "text"
        language, confidence = identifier().classify(text[:_MAX_CHARS])
        if tag and _agree(_primary(tag), str(language)):
            return tag, "text"
        if float(confidence) >= _MIN_CONFIDENCE:
            return str(language), "text"
    if tag:
        return tag, "html"
    return (outlet_languages[0], "outlet") if outlet_languages else (None, None)


def normal_tag(declared: str | None) -> str | None:
    """Normalise a language tag: `en_us` becomes `en-US`. Returns None if it isn't a language tag."""
    match = _TAG.match((declared or "").strip())
    if not match:
        return None
    language, script, region = match.groups()
    if language.lower() in _MISTAKEN and (region is None or language.upper() == region.upper()):
        language = _MISTAKEN[language.lower()]
    parts = [language.lower()]
    if script:
        parts.append(script.title())
    if region:
        parts.append(region.upper())
    return "-".join(parts)


def _agree(declared: str, detected: str) -> bool:
    return declared == detected or any({declared, detected} <= group for group in _NEAR_GROUPS)


def _primary(tag: str) -> str:
    return tag.partition("-")[0]
