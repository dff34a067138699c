"""`pressmark extract`: all fields of one page with the source of each, and the outcome it would get."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from pressmark.archive.records import Headers, Response, body_digest, read_response
from pressmark.archive.store import ArchiveStore
from pressmark.capture import Capture
from pressmark.cli.articles import plain
from pressmark.cli.output import fail, friendly, out, print_json
from pressmark.dates import ParsedDate
from pressmark.extraction.fields import Extraction, ExtractionConfig, Image, PageExtraction
from pressmark.frontier import Candidate, CrawlScope
from pressmark.outcome_rules import resolve_page
from pressmark.outcomes import Outcome
from pressmark.outlet import Outlet
from pressmark.registry import Registry, load_registry
from pressmark.settings import Settings
from pressmark.text import plural
from pressmark.times import short_time
from pressmark.urls import absolute, on_domains, url_host, url_uid
from pressmark.warehouse.connection import Warehouse, transaction
from pressmark.warehouse.migrations import ensure_ready
from pressmark.warehouse.outlet_memory import read_memory
from pressmark.warehouse.url_history import read_url_history

_NO_URL = "http://page.invalid/"


@dataclass(frozen=True, slots=True)
class _Source:
    """A response and where it came from.

    outcome: that of a request without a page, or of an error status. repeated_lines: that the outlet repeats, for a
    page from the archive.
    """

    response: Response
    origin: str
    outcome: tuple[str, str] | None = None
    repeated_lines: tuple[str, ...] = ()


@friendly
def extract(
    page: Annotated[str, typer.Argument(metavar="FILE|URL", help="Saved page, or URL of a page.")],
    url: Annotated[str | None, typer.Option("--url", metavar="URL", help="URL of a saved page.")] = None,
    outlet_id: Annotated[
        str | None, typer.Option("--outlet", metavar="ID", help="Outlet of the page. Default: the one of its host.")
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="Fetch the page now instead of reading the archive.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object to stdout.")] = False,
) -> None:
    """Show the fields of a page and their sources.

    Extracts a saved file, or the last capture of a URL in the archive. With
    --live, fetches the page through the guards of a crawl: robots.txt, delays,
    rights and addresses. Nothing is stored.

    Examples:

      pressmark extract page.html --url https://southfront.press/some-article/

      pressmark extract https://southfront.press/some-article/

      pressmark extract https://southfront.press/some-article/ --live --json
    """
    settings = Settings.from_env()
    registry = load_registry(settings) if settings.outlets.is_dir() else Registry(settings.outlets)
    path = Path(page)
    if "://" not in page:
        if not path.is_file():
            fail(f"{page} is neither a file nor a URL. Write URLs with http:// or https://.", 2)
        source = _saved(path, url)
    else:
        address = absolute(page)
        if address is None:
            fail(f"{page!r} is not an http(s) URL.", 2)
        if url:
            fail("--url is for a saved file.", 2)
        owner = _outlet(registry, outlet_id, address)
        source = _fetched(address, owner) if live else _archived(settings, address)
    outlet = _outlet(registry, outlet_id, source.response.url)
    config = ExtractionConfig.for_outlet(outlet, source.repeated_lines) if outlet else _general(source.response.url)
    result = _extract(source, config, outlet)
    outcome, reason = source.outcome or _outcome(settings, source.response, result, outlet)
    if as_json:
        print_json(_as_json(source, result, outcome, reason, config))
        return
    _print(source, result, outcome, reason, outlet)


def _saved(path: Path, url: str | None) -> _Source:
    if url is not None and absolute(url) is None:
        fail(f"--url {url!r} is not an http(s) URL.", 2)
    changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return _Source(_response(path.read_bytes(), absolute(url or "") or _NO_URL, (), changed), f"file {path}")


def _fetched(url: str, outlet: Outlet | None) -> _Source:
    from pressmark.probe.process import fetch_page

    site = {"home": url, "domains": [url_host(url)]}
    known = outlet.model_dump(mode="json", exclude_unset=True, exclude_none=True) if outlet else site
    with tempfile.TemporaryDirectory(prefix="pressmark-extract-") as folder:
        body = Path(folder) / "body"
        fetched = fetch_page({**known, "enabled": True}, url, body)
        outcome = (fetched["outcome"], fetched["reason"]) if "outcome" in fetched else None
        if "url" not in fetched:
            return _Source(_response(b"", url, (), datetime.now(UTC)), "live request", outcome)
        headers = tuple((name, value) for name, value in fetched["headers"])
        observed = datetime.fromisoformat(fetched["observed_at"])
        response = _response(body.read_bytes(), fetched["url"], headers, observed, fetched["status"])
    return _Source(response, "live request", outcome)


def _archived(settings: Settings, url: str) -> _Source:
    warehouse = Warehouse(settings)
    ensure_ready(warehouse)
    with contextlib.closing(warehouse.connect("loader")) as connection, transaction(connection) as cursor:
        history = read_url_history(cursor, url)
        repeated = read_memory(cursor, history.outlets[0]) if history.outlets else ()
    kept = [row for row in (*history.quarantine, *history.captures) if row["archive_file"]]
    if not kept:
        known = "is known, but no archived copy of it is kept" if history.is_known else "was never captured"
        fail(f"{history.url} {known}. Add --live to fetch it now.")
    row = max(kept, key=lambda row: row.get("observed_at") or row["created_at"])
    record = ArchiveStore(settings.archive).read(row["archive_file"], row["archive_offset"], row["archive_length"])
    response = read_response(record)
    return _Source(response, f"archive, captured {short_time(response.observed_at)}", None, repeated)


def _response(body: bytes, url: str, headers: Headers, observed_at: datetime, status: int = 200) -> Response:
    return Response(uuid4(), url, observed_at, status, headers, body, body_digest(body))


def _outlet(registry: Registry, outlet_id: str | None, url: str) -> Outlet | None:
    if outlet_id:
        return registry.get(outlet_id)
    return next((outlet for outlet in registry.outlets.values() if on_domains(url, outlet.domains)), None)


def _general(url: str) -> ExtractionConfig:
    """The settings for a page of an unknown outlet."""
    host = url_host(url).removeprefix("www.")
    return ExtractionConfig(
        outlet="unknown", name=host, home=f"http://{host}/", domains=(host,), languages=(), timezone="UTC"
    )


def _extract(source: _Source, config: ExtractionConfig, outlet: Outlet | None) -> PageExtraction:
    from pressmark.extraction.worker import extract_document

    response = source.response
    limit = outlet.budgets.page_size if outlet else 10 * 2**20
    return extract_document(response.body, response.url, response.headers, response.observed_at, config, limit)


def _outcome(
    settings: Settings, response: Response, page: PageExtraction, outlet: Outlet | None
) -> tuple[str, str | None]:
    """The outcome that a crawl would give the page if it were new."""
    if outlet is None or response.url == _NO_URL:
        return (page.outcome or "article", page.reason)
    uid = url_uid(outlet.id, response.url, outlet.urls.parameters)
    capture = Capture(Candidate(response.url, uid, "feed"), response.without_body(), response.url)
    scope = CrawlScope("incremental", None, datetime.now(UTC))
    resolved = resolve_page(capture, page, scope, outlet, lambda _: None, settings.tdm_basis)
    return ("article" if resolved.outcome == Outcome.NEW else resolved.outcome, resolved.reason)


def _fields(x: Extraction) -> dict[str, tuple[Any, str | None]]:
    """(value, source) of each field, in the order of `pressmark show`."""
    where = x.sources
    return {
        "headline": (x.headline, where.get("headline")),
        "description": (x.description, where.get("description")),
        "standfirst": (x.standfirst, None),
        "authors": (x.authors, where.get("authors")),
        "author_organisations": (x.author_organisations, where.get("authors")),
        "date_published": (_date(x.published), x.published.source if x.published else None),
        "date_modified": (_date(x.modified), x.modified.source if x.modified else None),
        "in_language": (x.in_language, x.in_language_source),
        "article_section": (x.article_section, where.get("article_section")),
        "keywords": (x.keywords, None),
        "main_image": (x.main_image, None),
        "images": ([_image(image) for image in x.images], None),
        "is_live_blog": (x.is_live_blog or None, None),
        "is_accessible_for_free": (x.is_accessible_for_free, None),
        "canonical_url": (x.canonical_url, None),
        "encoding": (x.encoding, x.encoding_source),
        "rights": (x.rights.as_json(), None),
        "word_count": (x.word_count, None),
        "line_kinds": (x.line_kinds, None),
        "extraction_confidence": (x.confidence, None),
        "confidence_basis": (x.confidence_basis or None, None),
        "article_body": (x.article_body, where.get("article_body")),
    }


def _image(image: Image) -> dict[str, str]:
    return {name: value for name, value in asdict(image).items() if value}


def _date(date: ParsedDate | None) -> dict[str, Any] | None:
    if date is None:
        return None
    return {
        "value": date.value.isoformat() if date.value else None,
        "raw": date.raw,
        "precision": date.precision,
        "offset": date.offset,
        "flag": date.flag,
    }


def _as_json(
    source: _Source, page: PageExtraction, outcome: str, reason: str | None, config: ExtractionConfig
) -> dict[str, Any]:
    fields = _fields(page.extraction) if page.extraction else {}
    return {
        "url": source.response.url if source.response.url != _NO_URL else None,
        "read_from": source.origin,
        "status": source.response.status,
        "outlet": config.outlet,
        "outcome": outcome,
        "reason": reason,
        **{name: value for name, (value, _) in fields.items()},
        "sources": {name: found for name, (value, found) in fields.items() if found and value not in (None, [], "")},
    }


def _print(source: _Source, page: PageExtraction, outcome: str, reason: str | None, outlet: Outlet | None) -> None:
    out.print(f"[bold]{plain(source.response.url if source.response.url != _NO_URL else source.origin)}[/bold]")
    out.print(f"  read from: {plain(source.origin)}, {plural(len(source.response.body), 'byte')}")
    out.print(f"  outlet: {outlet.id if outlet else 'none matches; general settings are used (--outlet ID)'}")
    color = "green" if outcome == "article" else "yellow"
    out.print(f"  outcome: [{color}]{outcome}[/{color}]" + (f" ({plain(reason)})" if reason else ""))
    if page.extraction is None:
        return
    body = ""
    for name, (value, found) in _fields(page.extraction).items():
        if name == "article_body":
            body = value
            found = found or "no main text found"
            out.print(f"  {name}: \\[{found}]")
        elif value not in (None, [], ""):
            text = _date_line(value) if name.startswith("date_") else _text(value)
            out.print(f"  {name}: {plain(text)}" + (f"  [dim]\\[{plain(found)}][/dim]" if found else ""))
    out.print()
    for paragraph in body.splitlines():
        out.print(plain(paragraph) + "\n")


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(item if isinstance(item, str) else item["url"] for item in value)
    if isinstance(value, dict):
        return "; ".join(f"{name} {item}" for name, item in value.items())
    return str(value)


def _date_line(date: dict[str, Any]) -> str:
    value = date["value"] or "no date"
    details = [f"written {date['raw']!r}", date["precision"] and f"to the {date['precision']}", date["flag"]]
    return f"{value} ({', '.join(detail for detail in details if detail)})"
