"""`pressmark why` and `pressmark show`."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.markup import escape

from pressmark.cli.output import fail, friendly, out, print_json
from pressmark.settings import Settings
from pressmark.text import clean_text
from pressmark.times import short_time
from pressmark.warehouse.connection import Warehouse, transaction
from pressmark.warehouse.migrations import ensure_ready
from pressmark.warehouse.url_history import UrlHistory, read_article, read_url_history

_Url = Annotated[str, typer.Argument(metavar="URL")]
_MAX_COPIES = 10
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


@friendly
def why(url: _Url, as_json: _Json = False) -> None:
    """What became of an address: how it was found, how every crawl ended it, its visits, where they are archived.

    Example:

      pressmark why https://southfront.press/some-article/
    """
    settings = Settings.from_env()
    history = _read(settings, url)[0]
    if as_json:
        print_json(asdict(history))
    elif history.is_known:
        _print_history(history, settings)
    if not history.is_known:
        _unknown(history)


@friendly
def show(url: _Url, as_json: _Json = False) -> None:
    """The article behind an address, as it was last seen, with its full text.

    Example:

      pressmark show https://southfront.press/some-article/ --json

    """
    history, article = _read(Settings.from_env(), url)
    if article is None:
        if not history.is_known:
            _unknown(history)
        last = history.outcomes[-1]["outcome"] if history.outcomes else "not decided on yet"
        fail(f"{history.url} is known, but no article came of it ({last}). `pressmark why` tells more.")
    if as_json:
        print_json(article)
        return
    out.print(f"[bold]{plain(article['headline'] or '(no headline)')}[/bold]")
    for name in (
        "outlet", "url", "canonical_url", "authors", "date_published", "date_published_raw", "date_published_source",
        "date_published_precision", "date_modified", "in_language", "article_section", "keywords", "main_image",
        "is_accessible_for_free", "first_seen_at", "last_seen_at", "gone_at", "revision_count", "discovered_via",
        "archive_file", "archive_offset", "archive_length", "extractor", "word_count", "article_uid",
    ):  # fmt: skip
        value = article[name]
        if value not in (None, []):
            out.print(f"  {name}: {plain(', '.join(value) if isinstance(value, list) else str(value))}")
    out.print()
    for paragraph in (article["article_body"] or "").splitlines():
        out.print(plain(paragraph) + "\n")


def _read(settings: Settings, url: str) -> tuple[UrlHistory, dict[str, Any] | None]:
    warehouse = Warehouse(settings)
    ensure_ready(warehouse)
    connection = warehouse.connect("loader", "pressmark why")
    with contextlib.closing(connection), transaction(connection) as cursor:
        history = read_url_history(cursor, url)
        return history, read_article(cursor, history.articles)


def _unknown(history: UrlHistory) -> None:
    if history.outlets:
        fail(f"{history.url} has never been discovered at {', '.join(history.outlets)}.")
    fail(f"{history.url} is on no domain of an outlet that was ever crawled. See `pressmark outlet list`.")


def _print_history(history: UrlHistory, settings: Settings) -> None:
    out.print(f"[bold]{plain(history.url)}[/bold]")
    for row in history.frontier:
        due = short_time(row["next_due_at"]) if row["next_due_at"] else "only when a listing says that it changed"
        out.print(f"  outlet: {row['outlet']}   first met: {short_time(row['first_listed_at'])}   next visit: {due}")
    for row in history.removals:
        out.print(
            f"  [red]removal[/red] ({row['action']}) of {row['target']} {plain(row['value'])}: {plain(row['reason'])}"
        )
    if history.rights:
        host = {k: v for k, v in history.rights.items() if k not in ("robots", "reason", "checked_at")}
        told = "; ".join(f"{name} {value}" for name, value in host.items())
        verdict = history.rights.get("robots", "not asked for")
        reason = f" ({plain(history.rights['reason'])})" if "reason" in history.rights else ""
        seen = f", seen {short_time(history.rights['checked_at'])}" if "checked_at" in history.rights else ""
        out.print(f"  robots.txt: {verdict}{reason}{seen}{'; ' + plain(told) if told else ''}")
    out.print("[bold]Found by[/bold]")
    for row in history.url_listings:
        seen = f"{short_time(row['first_listed_at'])} to {short_time(row['last_listed_at'])}"
        out.print(f"  {row['method']}  {plain(row['endpoint'])}  {seen}")
    if not history.url_listings:
        out.print("  no endpoint; another address led to it")
    out.print("[bold]Crawls[/bold] (crawls that merely met it again and had no reason to ask are counted, not listed)")
    for row in history.outcomes:
        reason = f" ({plain(row['reason'])})" if row["reason"] else ""
        out.print(f"  {short_time(row['decided_at'])}  [bold]{row['outcome']}[/bold]{reason}: {row['meaning']}")
        under = f" as {plain(row['url'])}" if row["url"] != history.url else ""
        out.print(f"    crawl {row['crawl_id']}, {row['mode']}, by {row['discovered_via']}{under}")
    out.print("[bold]Visits[/bold]")
    for row in history.captures:
        version = ""
        if row["revision"]:
            changed = f" changed: {', '.join(row['changed_parts'])}" if row["changed_parts"] else ""
            version = f"  version {row['revision']}{changed}"
        out.print(f"  {short_time(row['observed_at'])}  {row['http_status']}  {plain(row['url'])}{version}")
        out.print(f"    {_place(row, settings)}")
        stated = {name: value for name, value in (row["rights"] or {}).items() if name != "site"}
        if stated:
            out.print(f"    rights stated: {plain('; '.join(f'{name} {value}' for name, value in stated.items()))}")
    for row in history.quarantine:
        out.print(
            f"  {short_time(row['created_at'])}  {row['outcome']}, found out at {row['stage']}: {plain(row['reason'])}"
        )
        out.print(f"    {_place(row, settings)}")
    if not history.captures and not history.quarantine:
        out.print("  none")
    if history.copies:
        out.print("[bold]Copies of its text[/bold]")
    for row in history.copies[:_MAX_COPIES]:
        out.print(f"  {row['outlet']}  {plain(row['url'])}  {row['similarity']:.0%} alike")
    if len(history.copies) > _MAX_COPIES:
        out.print(f"  and {len(history.copies) - _MAX_COPIES} more: see mart.syndication_edge")


def _place(row: dict[str, Any], settings: Settings) -> str:
    if not row["archive_file"]:
        return "not archived"
    place = f"{settings.archive}/{row['archive_file']}"
    return f"archived in {place} at byte {row['archive_offset']}, {row['archive_length']} bytes"


def plain(text: str) -> str:
    """Text of others: brackets in it are no markup, control characters no commands to the terminal."""
    return escape(clean_text(text))
