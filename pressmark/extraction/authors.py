"""The authors of an article: JSON-LD first, then meta elements, then the visible byline.

A person from any source is preferred to an organisation. Agencies and newsrooms are kept apart from persons. By-words
and roles are removed from free bylines; the name of a structured Person is left as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from pressmark.extraction.bylines import find_byline
from pressmark.extraction.page import Page
from pressmark.extraction.structured import Node, StructuredData, flat, node_text, types
from pressmark.text import clean_line, fold_name

MAX_AUTHORS = 30
_META_NAMES = ("author", "article:author", "parsely-author", "sailthru.author", "byl", "dc.creator", "citation_author")
_ORGANISATION_TYPES = frozenset(
    "organization newsmediaorganization corporation ngo governmentorganization localbusiness "
    "educationalorganization".split()
)

# Words before a name in a free byline. Those that are also parts of names count in their own language only.
_BY = re.compile(
    r"^(?:(?:(?:view )?(?:all|more) (?:posts|articles|stories) by|(?:written|words|story|text|report(?:ed|ing|age)?|"
    r"posted|published|compiled|analysis|interview|photos?) by\b)|by\b|"
    r"authors?:|autor(?:en|es|a|in)?:|auteurs?:|text[eo]?:|door\b|przez\b|автор(?:ы)?:?\s|作者[:：]?|撰文[:：]?|記者[:：]?|"
    r"记者[:：]?|文[/／:：])[\s:]*",
    re.IGNORECASE,
)
_BY_IN_LANGUAGE = {
    "de": "von", "fr": "par", "es": "por", "pt": "por", "it": "di", "sv": "av", "no": "av", "nb": "av", "nn": "av",
    "da": "af", "ru": "от", "ro": "de", "ca": "per", "gl": "por", "pl": "przez",
}  # fmt: skip
_ALWAYS_SPLIT = re.compile(r"\s*[;|、，·•\n\t]\s*|\s+[/&+]\s+|\s*＆\s*")
_JOINED = re.compile(r"\s+(?:and|und|et|ed|och|og|en|with|mit|avec|и|та|ve|dan|és|và|y|e|i)\s+", re.IGNORECASE)
_NAME_CONJUNCTIONS = frozenset(
    "y e i en ed dan và ve és".split()
)  # also in names: "Ortega y Gasset", "Thomas Ed Smith"
_NAME_SUFFIX = re.compile(r"^(?:jr|sr|ii|iii|iv|phd|ph\.d|md|m\.d|esq|obe|cbe|mbe|mp)\.?$", re.IGNORECASE)

_MAX_NAME_WORDS = 6
_AGENCY_AFTER = re.compile(
    r"^(?P<name>\S+(?:\s+\S+){1,3}?),?\s+(?P<agency>(?:the\s+)?(?:associated press|canadian press|press association|"
    r"reuters|bloomberg(?: news)?|agence france-presse|afp|dpa|efe|ansa))$",
    re.IGNORECASE,
)
_CREDENTIALS = re.compile(r"(?:,?\s+(?:MS|MA|RDN?|LDN?|MPH|RN|CPT|CNS|NP|DO|MBA|JD))+\.?$")
_NAMED_BEFORE_CREDENTIALS = re.compile(r"^\S+\s+\S+")
_BUTTONS = re.compile(
    r"\s+(?:link copied!?|copy link|follow(?:ing)?|share|bookmark|e-?mail|see more|view (?:bio|profile)|bio|twitter|"
    r"opens in new window)\.?$",
    re.IGNORECASE,
)
_PUNCTUATION = " ,;:|-\u2013\u2014()/"
_DIGITS = re.compile(r"(?<=[A-Za-z])\d+\b")  # BR24
_PARENTHESIS = re.compile(r"\s*\([^)]*\)?$")
_ONE_NAME = re.compile(r"^[A-ZÀ-ÞĀ-Ž][\w'’-]*[^\W\d_]$")
_ADDRESS = re.compile(r"\(?\b(?:https?://|www\.)\S+|\S+@\S+|(?<!\w)@\w+", re.IGNORECASE)
_NOT_A_NAME = re.compile(
    r"\d|^\W*$|^(?:admin(?:istrator)?|editor(?:ial)?|user|author|anonymous|guest|unknown|none|null|undefined|n/?a|staff|"
    r"share|print|follow|subscribe|email|contact|advert\w*|sponsored|updated?|published|read more)$|"
    r"\b(?:min(?:ute)?s? read|view profile|email the author|follow on|click here|posted on|last updated)\b",
    re.IGNORECASE,
)
_ROLE_WORD = (
    r"(?:(?:chef|vize|sport|politik|wirtschafts|kultur|lokal|online|volontär)?(?:redakteur|reporter|korrespondent|autor|"
    r"volontär|journalist)(?:in)?|chief|senior|junior|deputy|managing|executive|assistant|associate|contributing|staff|"
    r"special|foreign|political|politics|business|economics?|sports?|science|health|education|environment|technology|tech|"
    r"culture|arts?|crime|city|local|national|international|world|news|video|data|digital|features?|opinion|investigations?|"
    r"editor(?:-in-chief)?|editors|reporter|reporters|correspondent|columnist|writer|journalist|producer|contributor|"
    r"officer|head|director|president|professor|founder|ceo|cto|fellow|economist|strategist|"
    r"photographer|fotograf(?:in)?|analyst|anchor|intern|freelance|freelancer|blogger|critic|"
    r"journaliste|correspondante?|envoyée?|spéciale?|rédact(?:eur|rice)|periodista|redactora?|corresponsal|giornalista|"
    r"inviato|verslaggever|redacteur|journalista|jornalista|repórter|dziennikarz|redaktor|корреспондент|журналист|"
    r"обозреватель|редактор|記者|编辑|編集委員)"
)
_ROLE = re.compile(
    rf"^(?:the\s+|our\s+)?{_ROLE_WORD}(?:[\s/-]+(?:of|at|for|and|de|du|la|the|{_ROLE_WORD}))*$", re.IGNORECASE
)
_ROLE_BEFORE = re.compile(rf"^(?:(?:[\w.&]+-)?{_ROLE_WORD}\b[\s:-]+)+(?=\S+\s+\S)", re.IGNORECASE)
_ROLE_AFTER = re.compile(
    rf"(?:[\s(–—-]+{_ROLE_WORD}\b)+\)?$|(?<=[\u3040-\u9fff])(?:記者|编辑|編集委員)$", re.IGNORECASE
)
_ROLE_PHRASE = re.compile(
    rf"^(?:\S+\s+){{0,4}}?{_ROLE_WORD}(?:\s+(?:of|at|for|in|de|du|von|der|des)\b.*)?$", re.IGNORECASE
)
_PLACE = re.compile(r"^(?:in|aus|à|en|from|at|reporting from)\s", re.IGNORECASE)
_PLACE_AFTER = re.compile(r"\s+(?:in|aus|à|en|da|from|at)\s+[A-ZÀ-Þ][\w\s.'’-]{1,40}$")
_AGENCY_INITIALS = frozenset(
    "afp dpa apa ansa efe pti ani ians tass xinhua kyodo jiji yonhap ap sda sid ritzau tt ntb belga anp pap tanjug ctk "
    "čtk".split()
)
_AGENCY = re.compile(
    r"\b(?:reuters|associated press|agence france[- ]presse|presse-?agentur|press (?:association|agency)|"
    r"interfax|bloomberg|"
    r"news ?desk|newsroom|news ?staff|web ?desk|redaktion|redacción|redacció|rédaction|redazione|redactie|redação|"
    r"redaktionen|"
    r"editorial (?:board|staff|team)|agenc(?:y|ies|e)|agentur(?:en)?)\b|-redaktion\b|新聞|通讯社|通信|新华社|日報|"
    r"\.(?:com?|de|at|ch|net|org|tv|fr|it|es|info)(?:\.\w\w)?$",
    re.IGNORECASE,
)
# Words of organisations that are also surnames, so they don't decide about the name of a structured Person.
_ORGANISATION = re.compile(
    r"\b(?:staff|team|desk|press|news|nachrichten|media|times|post|tribune|gazette|herald|courier|journal|magazine|network|"
    r"wire|bureau|radio|tv|online|digital)\b",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Byline:
    """persons and organisations that are named as authors, in page order, without duplicates.

    outlet: its own name. source: of the persons, or of the first organisation.
    """

    persons: list[str] = field(default_factory=list)
    organisations: list[str] = field(default_factory=list)
    outlet: list[str] = field(default_factory=list)
    source: str | None = None

    @property
    def authors(self) -> list[str]:
        """The persons. If there is none, the organisations; if there is none either, the outlet itself."""
        return self.persons or self.organisations or self.outlet[:1]


def find_authors(
    page: Page, article: Node, data: StructuredData, site_names: frozenset[str], languages: tuple[str, ...] = ()
) -> Byline:
    """Return the byline.

    site_names: folded names of the outlet, which is never its own author. languages: of the outlet.
    """
    byline = Byline()
    # A source is used only if the ones before it name no person.
    _add(byline, _from_json_ld(article, data, languages), site_names, "json_ld")
    if not byline.persons:
        _add(byline, _from_meta(page, languages), site_names, "meta")
    if not byline.persons:
        _add(byline, _from_byline(page, languages), site_names, "byline")
    return byline


def _from_json_ld(article: Node, data: StructuredData, languages: tuple[str, ...]) -> list[tuple[str, str]]:
    names: list[tuple[str, str]] = []
    for value in data.values(article.get("author")) or data.values(article.get("creator")):
        if isinstance(value, dict):
            kinds = types(value)
            kind = "organisation" if kinds & _ORGANISATION_TYPES else "person" if "person" in kinds else "free"
            for text in _node_names(value):
                parts = _split_joined(text) if kind == "person" and "," not in text else split_names(text, languages)
                names += [(part, kind) for part in ([text] if kind == "organisation" else parts)]
        elif isinstance(value, str):
            names += [(part, "free") for part in split_names(value, languages)]
    return names


def _node_names(person: dict[str, Any]) -> list[str]:
    names = [text for name in flat(person.get("name")) if (text := node_text(name, 300))]
    if names:
        return names
    parts = (node_text(person.get(key), 100) for key in ("givenName", "additionalName", "familyName"))
    joined = " ".join(part for part in parts if part)
    return [joined] if joined else []


def _from_meta(page: Page, languages: tuple[str, ...]) -> list[tuple[str, str]]:
    for name in _META_NAMES:
        contents = [text for content in page.meta.get(name, ()) if (text := clean_line(content, 600))]
        parts = [author for content in contents for author in split_names(content, languages)]
        if any(_name(part, languages) for part in parts):
            return [(part, "free") for part in parts]
    return []


def _from_byline(page: Page, languages: tuple[str, ...]) -> list[tuple[str, str]]:
    return [
        (part, "free")
        for text in find_byline(page.tree, page.article)
        for part in split_names(text, languages)
        if _is_like_name(part) or _is_organisation(part, "free")
    ]


def _is_like_name(text: str) -> bool:
    """Return whether a text of a byline may be a name: a few words that begin with capitals, or another script."""
    words = text.split()
    if not words or len(words) > _MAX_NAME_WORDS or _NOT_A_NAME.search(text):
        return False
    capitals = sum(1 for word in words if not word[0].islower())
    ends = (words[0][0], words[-1][0])
    return not any(map(str.islower, ends)) and capitals >= len(words) - 2 and not _ROLE_PHRASE.match(text)


def split_names(text: str, languages: tuple[str, ...] = ()) -> list[str]:
    """Split a free byline into names: `By A. Writer, B. Author and C. Third` gives three.

    Roles and places that follow a name after a comma are dropped, and `Writer, Ann` is reordered.
    """
    text = _without_by_word(clean_line(text, 600) or "", languages)
    with_agency = _AGENCY_AFTER.match(text)
    if with_agency and not _JOINED.search(text):
        return [with_agency["name"].rstrip(","), with_agency["agency"]]
    return [
        name
        for part in _ALWAYS_SPLIT.split(text)
        for group in _split_joined(part)
        for name in _split_at_commas(group, languages)
    ]


def _split_at_commas(text: str, languages: tuple[str, ...]) -> list[str]:
    parts: list[str] = []
    for part in (piece.strip() for piece in text.split(",")):
        if _NAME_SUFFIX.match(part) and parts:
            parts[-1] += f", {part}"
        elif part:
            parts.append(part)
    if len(parts) == 2 and all(_ONE_NAME.match(part) for part in parts):
        return [f"{parts[1]} {parts[0]}"]
    # Next to a full name, a single word is the name of a place.
    if any(len(part.split()) > 1 and not _ROLE_PHRASE.match(part) for part in parts):
        parts = [
            part for part in parts if len(part.split()) > 1 or not part.isalpha() or _is_organisation(part, "person")
        ]
    return parts


def _split_joined(text: str) -> list[str]:
    """Split at conjunctions. Those that occur in names count only between two full names."""
    parts: list[str] = []
    start = 0
    for match in _JOINED.finditer(text):
        word = match[0].strip()
        before, after = text[start : match.start()], text[match.end() :]
        following = _JOINED.split(after)[0]
        if word.casefold() in _NAME_CONJUNCTIONS and (len(before.split()) < 2 or len(following.split()) < 2):
            continue
        parts.append(before)
        start = match.end()
    return [part for part in (*parts, text[start:]) if part.strip()]


def _without_by_word(text: str, languages: tuple[str, ...]) -> str:
    stripped = _BY.sub("", text, count=1)
    if stripped != text:
        return stripped
    first, _, rest = text.partition(" ")
    words = {_BY_IN_LANGUAGE.get(tag.partition("-")[0]) for tag in languages}
    if first.casefold() in words and len(re.split(r"[,;]|\s(?:und|et|y|e|och|og)\s", rest)[0].split()) > 1:
        return rest
    return text


def _add(byline: Byline, names: list[tuple[str, str]], site_names: frozenset[str], source: str) -> None:
    known = {fold_name(name) for name in (*byline.persons, *byline.organisations, *byline.outlet)}
    only_persons = bool(known)
    for raw, kind in names:
        text = _name(raw, (), structured=kind != "free")
        folded = fold_name(text or "")
        if not text or folded in known:
            continue
        known.add(folded)
        if folded in site_names:
            chosen = byline.outlet
        elif kind == "organisation" or _is_organisation(text, kind) or _of_site(folded, site_names):
            chosen = byline.organisations
        else:
            # Next to other names, a single word is a place or an abbreviation.
            if kind == "free" and len(names) > 1 and text.isascii() and len(text.split()) == 1:
                continue
            chosen = byline.persons
        if len(chosen) < MAX_AUTHORS and not (only_persons and chosen is not byline.persons):
            chosen.append(text)
            if byline.source is None or chosen is byline.persons:
                byline.source = source


def _is_organisation(text: str, kind: str) -> bool:
    """Return whether a name is one of an agency or a newsroom. kind: person (declared as one) or free."""
    if _AGENCY.search(text) or text.casefold() in _AGENCY_INITIALS:
        return True
    if kind == "person":
        return False
    # Initials count in capitals, unless the whole byline is in capitals.
    initials = {word.casefold() for word in re.split(r"[\s/]+", text) if word.isupper()} & _AGENCY_INITIALS
    return bool(_ORGANISATION.search(text)) or (bool(initials) and not text.isupper())


def _of_site(folded: str, site_names: frozenset[str]) -> bool:
    return any(len(name) > 5 and name in folded for name in site_names)


def _name(raw: str, languages: tuple[str, ...], *, structured: bool = False) -> str | None:
    """Return a name without address, role and place, or None if no name is left.

    structured: the text is the name of a Person.
    """
    text = clean_line(re.sub(r"<[^>]{1,200}>", " ", raw), 200) or ""
    text = _PARENTHESIS.sub("", _ADDRESS.sub(" ", text)).strip(_PUNCTUATION)
    if not structured:
        text = _BUTTONS.sub("", _without_by_word(text, languages))
        if _PLACE.match(text) or _ROLE.match(text) or _ROLE_PHRASE.match(text):
            return None
        if _is_organisation(text, "free"):
            return None if _NOT_A_NAME.search(_DIGITS.sub("", text)) else text
        text = _ROLE_BEFORE.sub("", text)
        text = _PLACE_AFTER.sub("", text)
        text = _ROLE_AFTER.sub("", text).strip(_PUNCTUATION)
        bare = _CREDENTIALS.sub("", text)
        text = bare if _NAMED_BEFORE_CREDENTIALS.match(bare) else text
    text = " ".join(text.split())
    if (
        not text
        or len(text) > 120
        or len(text) < 2
        or _NOT_A_NAME.search(_DIGITS.sub("", text) if _is_organisation(text, "person") else text)
        or _ROLE.match(text)
        or (not structured and _PLACE.match(text))
    ):
        return None
    return text
