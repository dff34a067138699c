"""The language of a text, as BCP 47: recognised from the text where there is enough, else declared."""

from __future__ import annotations

import re

from py3langid.langid import MODEL_FILE, LanguageIdentifier

_ENOUGH = 200
_TAKEN = 800  # more costs time and changes nothing
_FIRST_LOOK = 300  # enough to confirm what the page declares
_SURE = 0.9
_TAG = re.compile(r"^([a-z]{2,3})(?:[-_]([a-z]{4}))?(?:[-_]([a-z]{2}|\d{3}))?\b", re.IGNORECASE)
_identifier: LanguageIdentifier | None = None


def identifier() -> LanguageIdentifier:
    """The model, loaded once a process (about 0.3 s)."""
    global _identifier
    if _identifier is None:
        _identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    return _identifier


def find_language(text: str, declared: str | None, outlet_languages: tuple[str, ...]) -> tuple[str | None, str | None]:
    """(BCP 47 tag, source: text, html or outlet).

    A declared tag that agrees with the text is kept with its region: `en-GB`.
    """
    tag = normal_tag(declared)
    if len(text) >= _ENOUGH:
        if tag and identifier().classify(text[:_FIRST_LOOK])[0] == _primary(tag):
            return tag, "text"
        language, sureness = identifier().classify(text[:_TAKEN])
        if tag and _primary(tag) == language:
            return tag, "text"
        if float(sureness) >= _SURE:
            return str(language), "text"
    if tag:
        return tag, "html"
    return (outlet_languages[0], "outlet") if outlet_languages else (None, None)


def normal_tag(declared: str | None) -> str | None:
    """`en_us` as `en-US`; None for what is no language tag."""
    match = _TAG.match((declared or "").strip())
    if not match:
        return None
    language, script, region = match.groups()
    parts = [language.lower()]
    if script:
        parts.append(script.title())
    if region:
        parts.append(region.upper())
    return "-".join(parts)


def _primary(tag: str) -> str:
    return tag.partition("-")[0]
