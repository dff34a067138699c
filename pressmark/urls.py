"""The identity of a URL within its outlet. `frontier` decides whether a URL is fetched.

Two URLs are the same if they differ only in scheme, `www.`/`m.`/`amp.`, trailing slash, parameter order, fragment, or
parameters that are trackers by definition. Anything else that looks like a variant (`/print`, `?ref=`) is a URL of its
own: a load merges such pages if a canonical link or the same text proves it.

The rules are frozen under `URL_RULE`. A changed rule changes ids, so it needs a new number and a migration. Rule 1
removed more parameters and path endings. A URL whose key is the same under both rules keeps its id of rule 1
(docs/decisions/0018-url-rule-2.md).

The normalisers of courlan and w3lib are not used for the key. courlan strips parameters that are part of the identity
(`eid`, `cid`, `keyword`), w3lib strips no tracking parameters, and both may change with a release.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from urllib.parse import parse_qsl, quote, unquote_plus, unquote_to_bytes, urljoin, urlsplit, urlunsplit
from uuid import UUID

import idna

URL_RULE = 2

MAX_URL_LENGTH = 2048
MAX_PATH_DEPTH = 16
MAX_SEGMENT_REPEATS = 3

# Trackers by definition: click identifiers of advertising networks, mail systems and web analytics, and the campaign
# parameters whose names these systems reserve.
_TRACKING_PARAMETERS = frozenset(
    "fbclid gclid gclsrc dclid gbraid wbraid gad_source gad_campaignid srsltid mibextid rdt_cid epik sfnsn "
    "msclkid twclid ysclid yclid igshid igsh ttclid li_fat_id "
    "mc_cid mc_eid mkt_tok _ga _gl _hsenc _hsmi hsctatracking vero_id vero_conv oly_anon_id oly_enc_id "
    "cmpid intcmp ncid ocid s_cid smid smtyp spm wprov soc_src soc_trk ref_src ref_url traffic_source "
    "wt_zmc wt_mc xtor at_medium at_campaign at_custom1 at_custom2 at_custom3 at_custom4 at_campaign_type at_format "
    "at_link_id at_link_origin at_link_type at_ptr_name at_bbc_team fb_action_ids fb_action_types fb_source fb_ref "
    "action_object_map action_type_map action_ref_map __twitter_impression guccounter guce_referrer guce_referrer_sig "
    "amp_js_v amp_gsa usqp jsessionid phpsessid".split()
)
_CAMPAIGN_PARAMETER = re.compile(
    r"utm_.*|(?:mtm|pk|itm|stm)_(?:campaign|cid|content|group|keyword|kwd|medium|name|placement|source|term)|hsa_\w{2,3}"
)
# Rule 1 also removed these, by their look.
_RULE_1_PARAMETERS = frozenset(
    "cmp icid ito sref ref referrer referer amp outputtype sharetype share shared print printable sessionid".split()
)
_RULE_1_PREFIXES = ("at_", "wt.", "ga_", "mtm_", "pk_", "itm_", "hsa_", "stm_")
_HOST_PREFIX = re.compile(r"^(?:www\d?|m|mobile|amp)\.(?=[^.]+\.)")
_PATH_SESSION = re.compile(r";(?:jsessionid|phpsessid)=[^/]*", re.IGNORECASE)
_INDEX_PAGE = re.compile(r"/(?:index|default)\.(?:s?html?|php\d?|aspx?|jsp)$", re.IGNORECASE)
_AMP_ENDING = re.compile(r"(?:\.amp(?=\.html?$)|\.amp$)", re.IGNORECASE)
_AMP_OR_PRINT_SEGMENT = re.compile(r"(?<=[^/])/(?:amp|print)$", re.IGNORECASE)
_AMP_LEAD = re.compile(r"^/amp(?=/)", re.IGNORECASE)
_LINE_BREAK_OR_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_SPACE = re.compile(r"\s")
_PATH_SAFE = ":@!$&'()*+,;=~-._"


def absolute(url: str, base: str | None = None) -> str | None:
    """Return `url` as an absolute http(s) URL without fragment, or None if it isn't one.

    Relative references are resolved against `base`. As in a browser, line breaks are removed, spaces become `%20`, and
    a Unicode host name gets its ASCII form. Never raises.
    """
    try:
        text = _SPACE.sub(lambda m: quote(m[0]), _LINE_BREAK_OR_CONTROL.sub("", url.strip())) if url else ""
        if not text:
            return None  # an empty reference would resolve to the base
        if "\\" in text:  # a slash to browsers, outside of the query
            path, mark, query = text.partition("?")
            text = path.replace("\\", "/") + mark + query
        if base is not None:
            text = urljoin(base, text)
        parts = urlsplit(text)
        if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
            return None
        _ = parts.port  # raises ValueError if the port is not a number
        fragment = parts.fragment if parts.fragment.startswith("!") else ""  # a hashbang identifies a page
        netloc = parts.netloc
        if not netloc.isascii() and parts.hostname in netloc.lower():
            start = netloc.lower().index(parts.hostname)
            netloc = netloc[:start] + ascii_host(parts.hostname) + netloc[start + len(parts.hostname) :]
        return urlunsplit((parts.scheme.lower(), netloc, parts.path or "/", parts.query, fragment))
    except ValueError:
        return None


def url_key(url: str, keep_parameters: Collection[str] | None = None, rule: int = URL_RULE) -> str:
    """Return the normalised form that identifies a URL: `host/path?query`, without scheme.

    keep_parameters: the query parameters to keep, if the outlet file names them. All others are removed.
    Raises ValueError if `url` is not an absolute http(s) URL.
    """
    parts = urlsplit(url)
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        raise ValueError(f"not an http(s) URL: {url!r}")
    path, query_path = _normal_path(parts.path, rule), _normal_query(parts.query, keep_parameters, rule)
    key = _normal_host(parts.hostname, parts.port, parts.scheme.lower()) + path
    if query_path:
        key += "?" + query_path
    if parts.fragment.startswith("!"):
        key += "#" + parts.fragment
    return key


def without_trackers(url: str, keep_parameters: Collection[str] | None = None) -> str:
    """Return the URL without tracking parameters and fragment. Unlike the key, it can be requested."""
    parts = urlsplit(url)
    fragment = parts.fragment if parts.fragment.startswith("!") else ""
    query = "&".join(
        pair
        for pair in parts.query.split("&")
        if pair and _carries_identity(unquote_plus(pair.partition("=")[0]), keep_parameters, URL_RULE)
    )
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, fragment))


def url_uid(outlet: str, url: str, keep_parameters: Collection[str] | None = None) -> UUID:
    """Return the public identity of a URL of an outlet: 16 bytes of sha256(outlet, rule, key).

    The rule is the first one that gives this key, so an id changes only if the key has changed.
    """
    key = url_key(url, keep_parameters)
    first = url_key(url, keep_parameters, 1)
    return _hashed(outlet, 1 if key == first else URL_RULE, key)


def loose_uid(outlet: str, url: str, keep_parameters: Collection[str] | None = None) -> UUID:
    """Return the identity of a URL under rule 1, which pages that may be variants of each other share."""
    return _hashed(outlet, 1, url_key(url, keep_parameters, 1))


def _hashed(outlet: str, rule: int, key: str) -> UUID:
    material = f"{outlet}\0{rule}\0{key}"
    return UUID(bytes=hashlib.sha256(material.encode("utf-8", "surrogatepass")).digest()[:16])


def literal_key(text: str) -> UUID:
    """Return 16 bytes of a string's sha256: the lookup key of a literal URL, or of the parts of an endpoint."""
    return UUID(bytes=hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16])


def url_host(url: str) -> str:
    """Return the host name in lower case and in its ASCII form, without port. It is empty if there is none."""
    try:
        return ascii_host((urlsplit(url).hostname or "").lower().rstrip("."))
    except ValueError:
        return ""


def url_site(url: str) -> str:
    """Return the scheme, host and port of a URL, without credentials."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def url_path(url: str) -> str:
    """Return the path and query of a URL."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def on_domains(url: str, domains: Iterable[str]) -> bool:
    """Return whether the URL's host is one of `domains` or a subdomain of one."""
    host = url_host(url)
    return any(host == domain or host.endswith("." + domain) for domain in domains)


def is_homepage(url: str) -> bool:
    """Return whether a URL is the homepage of a site (no path, no query)."""
    key = url_key(url)
    return "/" not in key and "?" not in key


def trap_reason(url: str) -> str | None:
    """Return why a URL looks like a crawler trap, or None if it doesn't."""
    if len(url) > MAX_URL_LENGTH:
        return f"longer than {MAX_URL_LENGTH} characters"
    segments = [segment for segment in urlsplit(url).path.split("/") if segment]
    if len(segments) > MAX_PATH_DEPTH:
        return f"more than {MAX_PATH_DEPTH} path segments"
    for segment in set(segments):
        if segments.count(segment) >= MAX_SEGMENT_REPEATS:
            return f"path segment {segment[:40]!r} occurs {segments.count(segment)} times"
    return None


def _normal_host(host: str, port: int | None, scheme: str) -> str:
    name = ascii_host(host.lower().rstrip("."))
    if ":" in name:
        name = f"[{name}]"
    else:
        name = _HOST_PREFIX.sub("", name)
    default = {"http": 80, "https": 443}[scheme]
    return name if port in (None, default) else f"{name}:{port}"


def ascii_host(host: str) -> str:
    """Return the ASCII form (punycode) of a host name."""
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True, transitional=False).decode("ascii")
    except idna.IDNAError:
        return quote(host)


def _normal_path(path: str, rule: int) -> str:
    path = re.sub(r"/{2,}", "/", _PATH_SESSION.sub("", path))
    segments: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            if len(segments) > 1:
                segments.pop()
        elif segment != ".":
            segments.append(segment)
    # Segments are decoded and quoted separately, so that an encoded slash stays encoded.
    path = "/".join(quote(unquote_to_bytes(s.encode("utf-8", "surrogatepass")), safe=_PATH_SAFE) for s in segments)
    path = _INDEX_PAGE.sub("/", path).rstrip("/")
    if rule > 1:
        return path
    path = _AMP_OR_PRINT_SEGMENT.sub("", path)
    path = _AMP_LEAD.sub("", path)
    return _AMP_ENDING.sub("", path)


def _carries_identity(name: str, keep: Collection[str] | None, rule: int) -> bool:
    """Return whether a query parameter is part of a URL's identity."""
    if keep is not None:
        return name in keep
    lowered = name.lower()
    if rule == 1 and (lowered in _RULE_1_PARAMETERS or lowered.startswith(_RULE_1_PREFIXES)):
        return False
    return lowered not in _TRACKING_PARAMETERS and not _CAMPAIGN_PARAMETER.fullmatch(lowered)


def _normal_query(query: str, keep: Collection[str] | None, rule: int) -> str:
    if not query:
        return ""
    kept: list[tuple[str, str]] = []
    for name, value in parse_qsl(query, keep_blank_values=True, errors="surrogateescape"):
        if _carries_identity(name, keep, rule):
            kept.append((name, value))
    kept.sort()
    return "&".join(
        f"{quote(name, safe='', errors='surrogateescape')}={quote(value, safe='', errors='surrogateescape')}"
        for name, value in kept
    )
