"""`pressmark demo`: the whole line over the sample newsstand."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from pressmark.cli.crawling import crawl_report, load_outlets, plan_requests, print_report, run_with_progress
from pressmark.cli.output import err, fail, friendly, out
from pressmark.errors import ConfigError
from pressmark.newsstand import OUTLETS
from pressmark.newsstand.server import Newsstand, running
from pressmark.newsstand.sites import SEED_URL, SITES
from pressmark.registry import load_registry
from pressmark.settings import PROJECT_ROOT, Settings
from pressmark.warehouse.connection import Warehouse, transaction
from pressmark.warehouse.lookup import look_up, read_article
from pressmark.warehouse.migrations import ensure_ready

_FOLDER = ".pressmark-demo"
_MARK = "This folder was made by `pressmark demo`, which empties it each time.\n"


@friendly
def demo(
    home: Annotated[
        Path | None, typer.Option(help=f"Folder of the demo's own state [default: {_FOLDER} beside the project].")
    ] = None,
) -> None:
    """Crawl the sample newsstand, let it advance, crawl again, and show what the warehouse knows.

    Everything is real but the news: HTTP on loopback, an embedded Postgres, WARC files. It uses a home
    of its own and leaves yours alone.

    Example:

      pressmark demo
    """
    started = time.monotonic()
    place = (home or PROJECT_ROOT / _FOLDER).absolute()
    if os.environ.get("PRESSMARK_DATABASE_URL"):
        raise ConfigError("The demo uses an embedded server: unset PRESSMARK_DATABASE_URL for it.")
    _empty(place)
    with running(place / "newsstand" / "access.log") as newsstand:
        os.environ.update(demo_environment(place, newsstand))
        settings = Settings.from_env()
        _say("Starting Postgres")
        ensure_ready(Warehouse(settings))
        first = _crawl(settings, "First crawl of the newsstand's four outlets")
        newsstand.advance()
        time.sleep(1.1)  # La Plaza is due a second after its first visit
        _say("The newsstand advances: one article changes, one disappears, one is new")
        requests_before = len(newsstand.requests())
        second = _crawl(settings, "Second crawl")
        asked = [r for r in newsstand.requests()[requests_before:] if r["path"] != "/robots.txt"]
    _show_requests(asked, len(newsstand.requests()))
    _show_seed(settings)
    problems = check_demo(first, second, asked)
    for problem in problems:
        err.print(f"[red]{problem}[/red]")
    out.print(f"\nDone in {time.monotonic() - started:.0f} s. Go on asking:\n")
    out.print(f"  export PRESSMARK_HOME={place} PRESSMARK_OUTLETS={OUTLETS}")
    program = _program()
    out.print(f"  {program} psql -c 'TABLE mart.outlet_freshness'")
    out.print(f"  {program} why {SEED_URL}")
    out.print(f"  {program} show {SEED_URL}")
    out.print(f"  {program} down")
    if problems:
        raise typer.Exit(1)


def demo_environment(home: Path, newsstand: Newsstand) -> dict[str, str]:
    """The settings with which the newsstand is crawled."""
    return {
        "PRESSMARK_HOME": str(home),
        "PRESSMARK_OUTLETS": str(OUTLETS),
        "PRESSMARK_ARCHIVE": str(home / "archive"),
        "PRESSMARK_RESOLVE": newsstand.resolve,
    }


def check_demo(first: dict[str, Any], second: dict[str, Any], asked: list[dict[str, Any]]) -> list[str]:
    """What did not come out as it should; empty where all is well."""
    problems = []
    if not (first["ledger_ok"] and second["ledger_ok"]):
        problems.append("A ledger does not add up.")
    totals: dict[str, int] = {}
    for row in second["crawls"]:
        for outcome, count in row["outcomes"].items():
            totals[outcome] = totals.get(outcome, 0) + count
    for outcome in ("revised", "gone", "new"):
        if totals.get(outcome, 0) != 1:
            problems.append(f"The second crawl should report one {outcome}, not {totals.get(outcome, 0)}.")
    if sum(row["outcomes"].get("new", 0) for row in first["crawls"]) != 40:
        problems.append("The first crawl should report 40 new articles.")
    not_due = {f"http://{r['host']}{r['path']}" for r in asked} & _known_not_due()
    if not_due:
        problems.append(f"Known pages that were not due were fetched: {', '.join(sorted(not_due))}")
    return problems


def _known_not_due() -> set[str]:
    """Pages of the first edition that neither changed nor belong to the outlet with the short schedule."""
    return {
        f"http://{site.host}{article.path}"
        for site in SITES
        if site.host != "laplaza.newsstand.example"
        for article in site.articles(1)
        if article in site.articles(2)
    }


def _crawl(settings: Settings, title: str) -> dict[str, Any]:
    registry = load_registry(settings.outlets)
    outlets = list(registry.outlets.values())
    warehouse = Warehouse(settings)
    _say(title)
    requests = plan_requests(warehouse, outlets, None, None, False, None)
    run = run_with_progress(settings, requests)
    if run.error:
        fail(run.error)
    load_outlets(settings, registry, list(registry.outlets))
    report = crawl_report(warehouse, [request.request_id for request in requests])
    print_report(report)
    return report


def _show_requests(asked: list[dict[str, Any]], total: int) -> None:
    out.print(f"\n[bold]The newsstand's own log of the second crawl[/bold] ({len(asked)} requests of {total} in all)")
    listings = [r for r in asked if r["path"].endswith((".xml", "/feed/"))]
    pages = [r for r in asked if r not in listings]
    out.print(
        f"  {len(listings)} listings; {len(pages)} pages: those of La Plaza (due), one that changed, one that is new"
    )
    for request in pages:
        if request["host"] != "laplaza.newsstand.example" or request["status"] != 200:
            out.print(f"  {request['status']} http://{request['host']}{request['path']}")


def _show_seed(settings: Settings) -> None:
    connection = Warehouse(settings).connect("loader", "pressmark demo")
    with contextlib.closing(connection), transaction(connection) as cursor:
        article = read_article(cursor, look_up(cursor, SEED_URL).articles)
        cursor.execute(
            "SELECT count(*) FROM mart.comment WHERE article_uid = %s", (article and article["article_uid"],)
        )
        (comments,) = cursor.fetchone() or (0,)
    if article is None:
        fail("The article that Pressmark began with is not in the warehouse.")
    paragraphs = article["article_body"].splitlines()
    out.print("\n[bold]The article that Pressmark began with[/bold]")
    out.print(f"  headline:       {escape(article['headline'])}")
    published = datetime.fromisoformat(article["date_published"])
    out.print(f"  date_published: {published:%Y-%m-%d} (from its {article['date_published_source']})")
    out.print(f"  begins:         {escape(paragraphs[0])}")
    out.print(f"  ends:           {escape(paragraphs[-1])}")
    out.print(
        f"  {len(paragraphs)} paragraphs, {article['word_count']} words; apart from them {comments} readers' comments"
    )


def _empty(place: Path) -> None:
    """Begin anew, but never in a folder that is not the demo's."""
    mark = place / "README"
    if place.exists() and any(place.iterdir()) and (not mark.exists() or mark.read_text() != _MARK):
        raise ConfigError(f"{place} was not made by the demo and is not empty; give another folder with --home.")
    if place.exists():
        server = Warehouse(Settings.from_env({"PRESSMARK_HOME": str(place)})).embedded
        if server is not None:
            server.remove()
        shutil.rmtree(place)
    place.mkdir(parents=True)
    mark.write_text(_MARK)


def _program() -> str:
    """How this command was called."""
    return sys.argv[0] if "/" in sys.argv[0] and not sys.argv[0].endswith("__main__.py") else "pressmark"


def _say(text: str) -> None:
    out.print(f"\n[bold]{text}[/bold]")
