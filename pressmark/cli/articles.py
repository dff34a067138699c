"""`pressmark why` and `pressmark show`."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import asdict
from typing import Annotated, Any, NoReturn
from uuid import UUID

import typer
from rich.markup import escape

from pressmark.cli.output import fail, friendly, out, print_json
from pressmark.removal.erasure import read_removals
from pressmark.settings import Settings
from pressmark.text import clean_text, plural
from pressmark.times import short_time
from pressmark.warehouse.connection import Warehouse, transaction
from pressmark.warehouse.migrations import ensure_ready
from pressmark.warehouse.url_history import UrlHistory, read_article, read_markdown, read_url_history

_Url = Annotated[str, typer.Argument(metavar="URL", help="Absolute http(s) URL.")]
_MAX_COPIES = 10
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object to stdout.")]


@friendly
def why(url: _Url, as_json: _Json = False) -> None:
    """Explain what happened to a URL.

    Shows the endpoints that listed it, its outcome in every crawl, its captures
    and their place in the archive.

    Example:

      pressmark why https://southfront.press/some-article/
    """
    settings = Settings.from_env()
    history = _read_history(settings, url)[0]
    if as_json:
        print_json(asdict(history))
    elif history.is_known:
        _print_history(history, settings)
    if not history.is_known:
        _fail_unknown(history, settings)


@friendly
def show(
    url: _Url,
    as_json: _Json = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print headline and text as Markdown.")] = False,
) -> None:
    """Show the article at a URL with its full text.

    Prints the article as it was last captured.

    Examples:

      pressmark show https://southfront.press/some-article/

      pressmark show https://southfront.press/some-article/ --json

      pressmark show https://southfront.press/some-article/ --markdown > article.md
    """
    settings = Settings.from_env()
    history, article = _read_history(settings, url)
    if article is None:
        if not history.is_known:
            _fail_unknown(history, settings)
        last = f"last outcome: {history.outcomes[-1]['outcome']}" if history.outcomes else "no outcome yet"
        fail(f"{history.url} is known, but it is not an article ({last}). `pressmark why` shows its history.")
    if as_json:
        print_json(article)
        return
    if markdown:
        sys.stdout.write(_read_markdown(Settings.from_env(), UUID(article["article_uid"])))
        return
    out.print(f"[bold]{plain(article['headline'] or '(no headline)')}[/bold]")
    for name in (
        "outlet", "url", "canonical_url", "standfirst", "authors", "date_published", "date_published_raw",
        "date_published_source",
        "date_published_precision", "date_modified", "in_language", "article_section", "keywords", "main_image",
        "is_accessible_for_free", "first_seen_at", "last_seen_at", "gone_at", "revision_count", "discovered_via",
        "archive_file", "archive_offset", "archive_length", "extractor", "extraction_confidence", "word_count",
        "article_uid",
    ):  # fmt: skip
        value = article[name]
        if value not in (None, []):
            out.print(f"  {name}: {plain(', '.join(value) if isinstance(value, list) else str(value))}")
    out.print()
    for paragraph in (article["article_body"] or "").splitlines():
        out.print(plain(paragraph) + "\n")


def _read_history(settings: Settings, url: str) -> tuple[UrlHistory, dict[str, Any] | None]:
    warehouse = Warehouse(settings)
    ensure_ready(warehouse)
    connection = warehouse.connect("loader", "pressmark why")
    with contextlib.closing(connection), transaction(connection) as cursor:
        history = read_url_history(cursor, url)
        return history, read_article(cursor, history.articles)


def _read_markdown(settings: Settings, article_uid: UUID) -> str:
    connection = Warehouse(settings).connect("loader", "pressmark show")
    with contextlib.closing(connection), transaction(connection) as cursor:
        return read_markdown(cursor, article_uid)


def _fail_unknown(history: UrlHistory, settings: Settings) -> NoReturn:
    connection = Warehouse(settings).connect("maintainer", "pressmark why")
    with contextlib.closing(connection), transaction(connection) as cursor:
        for outlet, uid in zip(history.outlets, history.uids, strict=True):
            for removal in read_removals(cursor, settings, outlet):
                if removal.action == "erase" and removal.covers(history.url, uid):
                    fail(
                        f"{history.url} was erased on request (removal {removal.removal_id}). It is not crawled again."
                    )
    if history.outlets:
        fail(f"{history.url} has never been discovered at {', '.join(history.outlets)}.")
    fail(f"{history.url} is not in a domain of any crawled outlet. `pressmark outlet list` lists the outlets.")


def _print_history(history: UrlHistory, settings: Settings) -> None:
    out.print(f"[bold]{plain(history.url)}[/bold]")
    for row in history.frontier:
        due = short_time(row["next_due_at"]) if row["next_due_at"] else "only if a listing reports a change"
        out.print(f"  outlet: {row['outlet']}   first listed: {short_time(row['first_listed_at'])}   next fetch: {due}")
    for row in history.removals:
        out.print(
            f"  [red]removal[/red] ({row['action']}) of {row['target']} {plain(row['value'])}: {plain(row['reason'])}"
        )
    if history.rights:
        out.print(f"  {_site_policy(history.rights)}")
    out.print("[bold]Listed by[/bold]")
    for row in history.url_listings:
        listed = f"{short_time(row['first_listed_at'])} to {short_time(row['last_listed_at'])}"
        out.print(f"  {row['method']}  {plain(row['endpoint'])}  {listed}")
    if not history.url_listings:
        out.print("  no endpoint; another URL led to it")
    out.print("[bold]Crawls[/bold] (crawls that listed the URL again without a reason to fetch it are not shown)")
    for row in history.outcomes:
        reason = f" ({plain(row['reason'])})" if row["reason"] else ""
        out.print(f"  {short_time(row['decided_at'])}  [bold]{row['outcome']}[/bold]{reason}: {row['meaning']}")
        variant = f" as {plain(row['url'])}" if row["url"] != history.url else ""
        out.print(f"    crawl {row['crawl_id']}, {row['mode']}, by {row['discovered_via']}{variant}")
    out.print("[bold]Captures[/bold]")
    for row in history.captures:
        revision = ""
        if row["revision"]:
            changed = f" changed: {', '.join(row['changed_parts'])}" if row["changed_parts"] else ""
            revision = f"  revision {row['revision']}{changed}"
        out.print(f"  {short_time(row['observed_at'])}  {row['http_status']}  {plain(row['url'])}{revision}")
        out.print(f"    {_archive_place(row, settings)}")
        rights = {name: value for name, value in (row["rights"] or {}).items() if name != "site"}
        if rights:
            out.print(f"    rights signals: {plain('; '.join(f'{name} {value}' for name, value in rights.items()))}")
    for row in history.quarantine:
        out.print(
            f"  {short_time(row['created_at'])}  {row['outcome']}, detected at {row['stage']}: {plain(row['reason'])}"
        )
        out.print(f"    {_archive_place(row, settings)}")
    if not history.captures and not history.quarantine:
        out.print("  none")
    if history.copies:
        out.print("[bold]Copies of its text[/bold]")
    for row in history.copies[:_MAX_COPIES]:
        out.print(f"  {row['outlet']}  {plain(row['url'])}  {row['similarity']:.0%} similar")
    if len(history.copies) > _MAX_COPIES:
        out.print(f"  and {len(history.copies) - _MAX_COPIES} more in mart.syndication_edge")


def _site_policy(rights: dict[str, Any]) -> str:
    """Describe in one line what robots.txt and tdmrep.json of the host declare for the URL."""
    verdict = rights.get("robots", "not fetched")
    reason = f" ({plain(rights['reason'])})" if "reason" in rights else ""
    checked = f", checked {short_time(rights['checked_at'])}" if "checked_at" in rights else ""
    signals = [f"{name} {value}" for name, value in rights.items() if name not in ("robots", "reason", "checked_at")]
    return f"robots.txt: {verdict}{reason}{checked}" + "".join(f"; {plain(signal)}" for signal in signals)


def _archive_place(row: dict[str, Any], settings: Settings) -> str:
    if not row["archive_file"]:
        return "not archived"
    path = f"{settings.archive}/{row['archive_file']}"
    return f"archived in {path} at byte {row['archive_offset']}, {plural(row['archive_length'], 'byte')}"


def plain(text: str) -> str:
    """Make text from a page safe to print: Rich markup is escaped, control characters are removed."""
    return escape(clean_text(text))
