"""`pressmark demo`: the whole pipeline, run on the sample newsstand."""

from __future__ import annotations

import contextlib
import os
import shutil
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
from pressmark.cli.newsstand import write_environment
from pressmark.cli.output import err, fail, friendly, out
from pressmark.cli.service import wait_until_ready
from pressmark.errors import ConfigError
from pressmark.newsstand import OUTLETS
from pressmark.newsstand.edge_case_pages import EDGE_CASES
from pressmark.newsstand.server import Newsstand, running
from pressmark.newsstand.sites import FIRST_FOUR, SEED_URL
from pressmark.settings import IN_REPOSITORY, PROJECT_ROOT, SQL_ROOT, Settings
from pressmark.text import plural
from pressmark.warehouse.connection import Warehouse, dict_rows, transaction
from pressmark.warehouse.queries import queries
from pressmark.warehouse.url_history import read_article, read_url_history

DAG_ID = "crawl_hourly"  # four outlets
BROAD_DAG_ID = "crawl_daily"  # five more: an agency, a magazine, two foreign papers, a collection of edge cases
_RUN_TIMEOUT = 180  # seconds
_FIRST_ARTICLES = 40
_FOLDER = ".pressmark-demo"
_MARKER = "This folder was made by `pressmark demo`, which empties it each time.\n"


@friendly
def demo(
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port for Airflow on 127.0.0.1.", show_default="a free port")
    ] = None,
    home: Annotated[
        Path | None,
        typer.Option(help="Folder for the demo's data.", show_default=f"{_FOLDER} next to the project"),
    ] = None,
) -> None:
    """Run the pipeline on sample news sites.

    Starts Airflow and an embedded Postgres, crawls the sample sites on
    loopback, changes some of their articles, crawls again, and shows what the
    warehouse contains. Everything is real except the news. The demo uses its
    own home and does not touch yours.

    Examples:

      pressmark demo

      pressmark demo --port 8090
    """
    started = time.monotonic()
    demo_home = (home or (PROJECT_ROOT if IN_REPOSITORY else Path.cwd()) / _FOLDER).absolute()
    if os.environ.get("PRESSMARK_DATABASE_URL"):
        raise ConfigError("The demo uses an embedded server. Unset PRESSMARK_DATABASE_URL to run it.")
    for name in [name for name in os.environ if name.startswith("AIRFLOW")]:
        del os.environ[name]  # settings of another Airflow must not reach the demo's
    _empty(demo_home)
    with running(demo_home / "newsstand" / "access.log") as newsstand:
        os.environ.update(demo_environment(demo_home, newsstand))
        settings = Settings.from_env()
        service = AirflowService(settings)
        _print_title("Starting Postgres and Airflow")
        try:
            wait_until_ready(service, service.launch(port or free_port(), die_with_us=True))
            with AirflowClient(service) as airflow:
                out.print(f"Airflow:  {airflow.url} (login {USER}, password in {service.password_file})")
                # Airflow starts the run of the last full hour automatically.
                first = _crawl(settings, airflow, None, "First run of the hourly DAG: four outlets")
                newsstand.advance()
                time.sleep(1.1)  # La Plaza's articles are due again after a second
                _print_title("The sites publish: one article is revised, one is removed, one is new")
                requests_before = len(newsstand.requests())
                second = _crawl(settings, airflow, airflow.trigger(DAG_ID), "Second run of the hourly DAG, triggered")
                title = "Run of the daily DAG: five more outlets, one of them a collection of edge cases"
                broad = _crawl(settings, airflow, None, title, BROAD_DAG_ID)
        finally:
            with err.status("Stopping Airflow") if err.is_terminal else contextlib.nullcontext():
                service.stop()
        hosts = {site.host for site in FIRST_FOUR}
        second_requests = [
            r
            for r in newsstand.requests()[requests_before:]
            if r["host"] in hosts and r["path"] not in ("/robots.txt", "/.well-known/tdmrep.json")
        ]
    _show_requests(second_requests, len(newsstand.requests()))
    _show_copies(settings)
    _show_seed(settings)
    problems = check_demo(first, second, broad, second_requests)
    for problem in problems:
        err.print(f"[red]{problem}[/red]")
    environment = write_environment(demo_home)
    shown = os.path.relpath(environment)
    out.print(f"\nDone in {time.monotonic() - started:.0f} s. Explore the results:\n")
    out.print(f"  . {shown if not shown.startswith('..') else environment}")
    out.print("  pressmark psql -c 'TABLE mart.outlet_freshness'")
    out.print(f"  pressmark psql -f {SQL_ROOT / 'examples' / '09-why-not-an-article.sql'}")
    out.print(f"  pressmark why {SEED_URL}")
    out.print(f"  pressmark show {SEED_URL}")
    out.print("  pressmark newsstand      # in a second shell: serves the sample sites again")
    out.print("  pressmark up             # Airflow with these runs")
    out.print("  pressmark down")
    if problems:
        raise typer.Exit(1)


def demo_environment(home: Path, newsstand: Newsstand) -> dict[str, str]:
    """Return the environment variables that crawl the newsstand from this home."""
    return {
        "PRESSMARK_HOME": str(home),
        "PRESSMARK_OUTLETS": str(OUTLETS),
        "PRESSMARK_ARCHIVE": str(home / "archive"),
        "PRESSMARK_RESOLVE": newsstand.resolve,
    }


def check_demo(
    first: dict[str, Any], second: dict[str, Any], broad: dict[str, Any], second_requests: list[dict[str, Any]]
) -> list[str]:
    """List differences between the three reports and the expected results; empty if there are none."""
    problems = []
    if not (first["ledger_ok"] and second["ledger_ok"] and broad["ledger_ok"]):
        problems.append("A ledger does not add up.")
    edge_cases: dict[str, int] = next((row["outcomes"] for row in broad["crawls"] if row["outlet"] == "odd-lot"), {})
    if edge_cases != dict(Counter(edge_case.outcome for edge_case in EDGE_CASES if edge_case.outcome)):
        problems.append(f"The outcomes of the edge cases differ from the expected ones: {edge_cases}")
    totals: dict[str, int] = {}
    for row in second["crawls"]:
        for outcome, count in row["outcomes"].items():
            totals[outcome] = totals.get(outcome, 0) + count
    for outcome in ("revised", "gone", "new"):
        if totals.get(outcome, 0) != 1:
            problems.append(f"The second crawl reported {totals.get(outcome, 0)} {outcome} articles instead of 1.")
    new = sum(row["outcomes"].get("new", 0) for row in first["crawls"])
    if new != _FIRST_ARTICLES:
        problems.append(f"The first crawl reported {new} new articles instead of {_FIRST_ARTICLES}.")
    not_due = {f"http://{r['host']}{r['path']}" for r in second_requests} & _known_not_due()
    if not_due:
        problems.append(f"Pages were fetched that were not due: {', '.join(sorted(not_due))}")
    return problems


def _known_not_due() -> set[str]:
    """Return the URLs of the first edition that did not change and are not due: all but those of La Plaza."""
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
    """Wait for a run (None: the one that Airflow starts) with a progress display. Return its report."""
    _print_title(title)
    deadline = time.monotonic() + _RUN_TIMEOUT
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=err, disable=not err.is_terminal, transient=True,
    ) as progress:  # fmt: skip
        bar = progress.add_task("waiting for the scheduler", total=None)
        while run is None or not run.has_ended:
            if time.monotonic() > deadline:
                fail(f"The run of {dag_id} did not finish within {_RUN_TIMEOUT} s. See {airflow.url}/dags/{dag_id}")
            time.sleep(0.5)
            if run is None:
                run = next(iter(airflow.runs(dag_id)), None)
                continue
            tasks = airflow.tasks(run)
            running_tasks = sorted({task["task_id"] for task in tasks if task["state"] == "running"})
            done = sum(task["state"] in END_STATES for task in tasks)
            progress.update(bar, description=", ".join(running_tasks) or "waiting", total=len(tasks), completed=done)
            run = airflow.run(dag_id, run.run_id)
    out.print(f"{run.run_id}: {run.state}, {airflow.url}/dags/{dag_id}/runs/{run.run_id}")
    # If the hour's scheduled run started in between, its crawls count with the triggered run's.
    runs = [run] if run.run_type == "scheduled" else airflow.runs(dag_id)[1:]
    report = crawl_report(Warehouse(settings), [request for each in runs for request in _requests_for(settings, each)])
    print_report(report)
    if run.state != "success":
        fail(f"The run {run.run_id} failed. Its task logs are in {settings.home / 'airflow' / 'logs'}.")
    return report


def _requests_for(settings: Settings, run: Run) -> list[UUID]:
    connection = Warehouse(settings).connect("loader", "pressmark demo")
    with contextlib.closing(connection), transaction(connection) as cursor:
        cursor.execute(queries("plan")["planned"], {"requests": [], "dag_id": run.dag_id, "run_id": run.run_id})
        return [row["request_id"] for row in dict_rows(cursor)]


def _show_requests(second_requests: list[dict[str, Any]], total: int) -> None:
    count = plural(len(second_requests), "request")
    out.print(f"\n[bold]Access log of the sample sites during the second run[/bold] ({count} of {total} in total)")
    listings = [r for r in second_requests if r["path"].endswith((".xml", "/feed/"))]
    pages = [r for r in second_requests if r not in listings]
    out.print(
        f"  {plural(len(listings), 'listing')} and {plural(len(pages), 'page')}: those of La Plaza (due), one revised, "
        "one new"
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
    out.print(
        f"\n[bold]{plural(articles, 'article')}, {unique} without copies. Texts published by several outlets:[/bold]"
    )
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
        fail(f"The seed article {SEED_URL} is not in the warehouse.")
    paragraphs = article["article_body"].splitlines()
    out.print("\n[bold]The article that started Pressmark[/bold]")
    out.print(f"  headline:       {escape(article['headline'])}")
    published = datetime.fromisoformat(article["date_published"])
    out.print(f"  date_published: {published:%Y-%m-%d} (from its {article['date_published_source']})")
    out.print(f"  begins:         {escape(paragraphs[0])}")
    out.print(f"  ends:           {escape(paragraphs[-1])}")
    out.print(
        f"  {plural(len(paragraphs), 'paragraph')}, {plural(article['word_count'], 'word')}, "
        f"and {plural(comments, 'reader comment')} stored separately"
    )


def _empty(demo_home: Path) -> None:
    """Empty the demo's folder. Raises ConfigError for a non-empty folder that the demo did not create."""
    marker = demo_home / "README"
    if demo_home.exists() and any(demo_home.iterdir()) and (not marker.exists() or marker.read_text() != _MARKER):
        raise ConfigError(
            f"{demo_home} is not empty and was not created by the demo. Choose another folder with --home."
        )
    if demo_home.exists():
        AirflowService(Settings.from_env({"PRESSMARK_HOME": str(demo_home)})).stop()
        server = Warehouse(Settings.from_env({"PRESSMARK_HOME": str(demo_home)})).embedded
        if server is not None:
            server.remove()
        shutil.rmtree(demo_home)
    demo_home.mkdir(parents=True)
    marker.write_text(_MARKER)


def _print_title(text: str) -> None:
    out.print(f"\n[bold]{text}[/bold]")
