"""`pressmark demo`: the whole line over the sample newsstand."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pressmark.airflow.client import END_STATES, AirflowClient, Run
from pressmark.airflow.service import USER, AirflowService, free_port
from pressmark.cli.crawl import crawl_report, print_report
from pressmark.cli.output import err, fail, friendly, out
from pressmark.cli.service import wait_until_ready
from pressmark.errors import ConfigError
from pressmark.newsstand import OUTLETS
from pressmark.newsstand.edge_case_pages import EDGE_CASES
from pressmark.newsstand.server import Newsstand, running
from pressmark.newsstand.sites import FIRST_FOUR, SEED_URL
from pressmark.settings import PROJECT_ROOT, SQL_ROOT, Settings
from pressmark.warehouse.connection import Warehouse, dict_rows, transaction
from pressmark.warehouse.queries import queries
from pressmark.warehouse.url_history import read_article, read_url_history

DAG_ID = "crawl_hourly"  # four outlets
BROAD_DAG_ID = "crawl_daily"  # five more: an agency, a magazine, two foreign papers, a cabinet of odd pages
_RUN_SECONDS = 180
_FOLDER = ".pressmark-demo"
_MARK = "This folder was made by `pressmark demo`, which empties it each time.\n"


@friendly
def demo(
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of its Airflow on 127.0.0.1 [default: a free one].")
    ] = None,
    home: Annotated[
        Path | None, typer.Option(help=f"Folder of the demo's own state [default: {_FOLDER} beside the project].")
    ] = None,
) -> None:
    """Crawl the sample newsstand by Airflow, let it advance, crawl again, and show what the warehouse knows.

    Everything is real but the news: Airflow and its DAGs, HTTP on loopback, an embedded Postgres, WARC
    files. It uses a home of its own and leaves yours alone.

    Example:

      pressmark demo
    """
    started = time.monotonic()
    place = (home or PROJECT_ROOT / _FOLDER).absolute()
    if os.environ.get("PRESSMARK_DATABASE_URL"):
        raise ConfigError("The demo uses an embedded server: unset PRESSMARK_DATABASE_URL for it.")
    for name in [name for name in os.environ if name.startswith("AIRFLOW")]:
        del os.environ[name]  # somebody's own Airflow is not the demo's
    _empty(place)
    with running(place / "newsstand" / "access.log") as newsstand:
        os.environ.update(demo_environment(place, newsstand))
        settings = Settings.from_env()
        service = AirflowService(settings)
        _say("Starting Postgres and Airflow")
        try:
            wait_until_ready(service, service.launch(port or free_port(), die_with_us=True))
            with AirflowClient(service) as airflow:
                out.print(f"Airflow:  {airflow.url} (login {USER}, password in {service.password_file})")
                # Airflow starts the run of the last full hour by itself.
                first = _crawl(settings, airflow, None, "First run of the DAG: the newsstand's four outlets")
                newsstand.advance()
                time.sleep(1.1)  # La Plaza is due a second after its first visit
                _say("The newsstand advances: one article changes, one disappears, one is new")
                requests_before = len(newsstand.requests())
                second = _crawl(settings, airflow, airflow.trigger(DAG_ID), "Second run, triggered")
                title = "The daily DAG: five more outlets, one of them a cabinet of odd pages"
                broad = _crawl(settings, airflow, None, title, BROAD_DAG_ID)
        finally:
            with err.status("Ending Airflow") if err.is_terminal else contextlib.nullcontext():
                service.stop()
        hosts = {site.host for site in FIRST_FOUR}
        asked = [
            r
            for r in newsstand.requests()[requests_before:]
            if r["host"] in hosts and r["path"] not in ("/robots.txt", "/.well-known/tdmrep.json")
        ]
    _show_requests(asked, len(newsstand.requests()))
    _show_copies(settings)
    _show_seed(settings)
    problems = check_demo(first, second, broad, asked)
    for problem in problems:
        err.print(f"[red]{problem}[/red]")
    out.print(f"\nDone in {time.monotonic() - started:.0f} s. Go on asking:\n")
    out.print(f"  export PRESSMARK_HOME={place} PRESSMARK_OUTLETS={OUTLETS}")
    program = _program()
    out.print(f"  {program} psql -c 'TABLE mart.outlet_freshness'")
    out.print(f"  {program} psql -f {SQL_ROOT / 'examples' / '09-why-not-an-article.sql'}")
    out.print(f"  {program} why {SEED_URL}")
    out.print(f"  {program} show {SEED_URL}")
    out.print(f"  {program} up      # Airflow again, with both runs; the newsstand itself is closed")
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


def check_demo(
    first: dict[str, Any], second: dict[str, Any], broad: dict[str, Any], asked: list[dict[str, Any]]
) -> list[str]:
    """What did not come out as it should; empty where all is well."""
    problems = []
    if not (first["ledger_ok"] and second["ledger_ok"] and broad["ledger_ok"]):
        problems.append("A ledger does not add up.")
    odd: dict[str, int] = next((row["outcomes"] for row in broad["crawls"] if row["outlet"] == "odd-lot"), {})
    if odd != dict(Counter(edge_case.outcome for edge_case in EDGE_CASES if edge_case.outcome)):
        problems.append(f"The specimens of the Odd Lot did not end as they say: {odd}")
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
        for site in FIRST_FOUR
        if site.host != "laplaza.newsstand.example"
        for article in site.articles(1)
        if article in site.articles(2)
    }


def _crawl(
    settings: Settings, airflow: AirflowClient, run: Run | None, title: str, dag_id: str = DAG_ID
) -> dict[str, Any]:
    """Wait for a run (None: the one that Airflow starts) with a progress display; its report from the ledger."""
    _say(title)
    deadline = time.monotonic() + _RUN_SECONDS
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=err, disable=not err.is_terminal, transient=True,
    ) as progress:  # fmt: skip
        bar = progress.add_task("waiting for the scheduler", total=None)
        while run is None or not run.has_ended:
            if time.monotonic() > deadline:
                fail(f"The run did not end within {_RUN_SECONDS} s; look at {airflow.url}/dags/{dag_id}")
            time.sleep(0.5)
            if run is None:
                run = next(iter(airflow.runs(dag_id)), None)
                continue
            tasks = airflow.tasks(run)
            working = sorted({task["task_id"] for task in tasks if task["state"] == "running"})
            done = sum(task["state"] in END_STATES for task in tasks)
            progress.update(bar, description=", ".join(working) or "waiting", total=len(tasks), completed=done)
            run = airflow.run(dag_id, run.run_id)
    out.print(f"{run.run_id}: {run.state}, {airflow.url}/dags/{dag_id}/runs/{run.run_id}")
    # Where the hour's own run came in between, its crawls count with the triggered one's.
    runs = [run] if run.run_type == "scheduled" else airflow.runs(dag_id)[1:]
    report = crawl_report(Warehouse(settings), [request for each in runs for request in _requests_for(settings, each)])
    print_report(report)
    if run.state != "success":
        fail(f"The run {run.run_id} did not succeed; its task logs are under {settings.home / 'airflow' / 'logs'}.")
    return report


def _requests_for(settings: Settings, run: Run) -> list[UUID]:
    connection = Warehouse(settings).connect("loader", "pressmark demo")
    with contextlib.closing(connection), transaction(connection) as cursor:
        cursor.execute(queries("plan")["planned"], {"requests": [], "dag_id": run.dag_id, "run_id": run.run_id})
        return [row["request_id"] for row in dict_rows(cursor)]


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


def _show_copies(settings: Settings) -> None:
    connection = Warehouse(settings).connect("maintainer", "pressmark demo")
    with contextlib.closing(connection), transaction(connection) as cursor:
        cursor.execute((SQL_ROOT / "examples" / "06-copied-articles.sql").read_text(encoding="utf-8"))
        rows = dict_rows(cursor)
        cursor.execute("SELECT (SELECT count(*) FROM mart.article), (SELECT count(*) FROM mart.article_deduplicated)")
        articles, unique = cursor.fetchone() or (0, 0)
    out.print(f"\n[bold]{articles} articles, {unique} without copies; texts that several outlets have[/bold]")
    for row in rows:
        out.print(f"  {escape(row['headline'])}: {', '.join(row['outlet_list'])}")


def _show_seed(settings: Settings) -> None:
    connection = Warehouse(settings).connect("loader", "pressmark demo")
    with contextlib.closing(connection), transaction(connection) as cursor:
        article = read_article(cursor, read_url_history(cursor, SEED_URL).articles)
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
        AirflowService(Settings.from_env({"PRESSMARK_HOME": str(place)})).stop()
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
