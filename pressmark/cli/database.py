"""`pressmark db`, `psql` and `status`."""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import Annotated

import typer

from pressmark.airflow.service import AirflowService, read_health
from pressmark.cli.output import friendly, out, print_json, short_time, table
from pressmark.errors import ConfigError
from pressmark.settings import Settings
from pressmark.warehouse.connection import Role, Warehouse, dict_rows, transaction
from pressmark.warehouse.embedded import wheel_binaries
from pressmark.warehouse.fingerprint import fingerprint as content_fingerprint
from pressmark.warehouse.migrations import ensure_ready, migrate, state
from pressmark.warehouse.queries import queries

app = typer.Typer(help="The warehouse's database: migrate, status, fingerprint.", no_args_is_help=True)


@app.command("migrate")
@friendly
def db_migrate() -> None:
    """Bring the database to this version: roles, migrations, views.

    Example:

      pressmark db migrate
    """
    before = migrate(Warehouse(Settings.from_env()))
    done = f"applied {', '.join(before.pending)}" if before.pending else "nothing was pending"
    out.print(f"The warehouse is at {[*before.applied, *before.pending][-1]} ({done}); its views are made.")


@app.command("status")
@friendly
def db_status() -> None:
    """Where the database is and which migrations it has; exit code 1 where some are missing.

    Example:

      pressmark db status
    """
    settings = Settings.from_env()
    warehouse = Warehouse(settings)
    server = warehouse.embedded
    if server is not None and not server.is_created():
        out.print(f"No database yet in {settings.home}. `pressmark db migrate` makes it.")
        raise typer.Exit(1)
    result = state(warehouse)
    out.print("server:   " + (f"embedded, in {settings.home}" if server else "PRESSMARK_DATABASE_URL"))
    out.print(f"applied:  {', '.join(result.applied) or 'nothing'}")
    out.print(f"pending:  {', '.join(result.pending) or 'nothing'}")
    out.print(f"views:    {'as in this version' if result.mart_current else 'of another version'}")
    if not result.up_to_date:
        out.print("Run `pressmark db migrate`.")
        raise typer.Exit(1)


@app.command("fingerprint")
@friendly
def db_fingerprint() -> None:
    """One line that is the same wherever the content is the same.

    Example:

      pressmark db fingerprint
    """
    warehouse = Warehouse(Settings.from_env())
    ensure_ready(warehouse)
    print(content_fingerprint(warehouse))


@friendly
def psql(context: typer.Context) -> None:
    """A psql session as the analyst (reads mart); all options are psql's own.

    Examples:

      pressmark psql

      pressmark psql -At -c "SELECT count(*) FROM mart.article"

      pressmark psql -f questions.sql

      pressmark psql --comments -c "SELECT comment_body FROM mart.comment"

    With --comments before all else the login is the one that may read readers' comments.
    """
    settings = Settings.from_env()
    warehouse = Warehouse(settings)
    ensure_ready(warehouse)
    bundled = wheel_binaries() / "psql"
    path = str(bundled) if bundled.exists() else shutil.which("psql")
    if path is None:
        raise ConfigError("No psql program was found; install PostgreSQL's client.")
    arguments = list(context.args)
    role: Role = "analyst"
    if arguments[:1] == ["--comments"]:
        role = "comments"
        del arguments[0]
    os.execv(path, ["psql", "-X", warehouse.reader_url(role), *arguments])  # noqa: S606 - psql itself


@friendly
def status(as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False) -> None:
    """What runs, and how fresh every outlet is.

    Example:

      pressmark status
    """
    settings = Settings.from_env()
    warehouse = Warehouse(settings)
    server = warehouse.embedded
    airflow = airflow_state(settings)
    if server is not None and not server.is_running():
        if as_json:
            print_json({"home": str(settings.home), "server": "down", "airflow": airflow, "outlets": []})
        else:
            out.print(f"home: {settings.home}\nserver: down (any command that needs it starts it)")
            out.print(f"airflow: {airflow['state']}")
        return
    connection = warehouse.connect("loader", "pressmark status")
    with contextlib.closing(connection), transaction(connection) as cursor:
        cursor.execute(queries("lookup")["status"])
        rows = dict_rows(cursor)
    if as_json:
        print_json({"home": str(settings.home), "server": "up", "airflow": airflow, "outlets": rows})
        return
    out.print(f"home: {settings.home}\nserver: up" + ("" if server else " (PRESSMARK_DATABASE_URL)"))
    out.print("airflow: " + " ".join(filter(None, (airflow["state"], airflow["url"], airflow["parts"]))))
    made = table("outlet", "#articles", "#new in 24 h", "last new", "last crawl", "its end", "#to load")
    for row in rows:
        made.add_row(
            row["outlet"], str(row["articles"] or 0), str(row["new_24h"] or 0), short_time(row["last_new_article_at"]),
            short_time(row["last_crawl_at"]), row["last_finish_reason"] or "-", str(row["to_load"]),
        )  # fmt: skip
    out.print(made)


def airflow_state(settings: Settings) -> dict[str, str | None]:
    """state: down, ready or what it is doing; url; parts: those that are not healthy, in words."""
    service = AirflowService(settings)
    state = service.state()
    if not service.is_running() or state is None:
        left = len(service.processes())
        return {
            "state": f"down, but {left} processes are left (`pressmark down`)" if left else "down",
            "url": None,
            "parts": None,
        }
    try:
        ill = {name: health for name, health in read_health(state.port).items() if health != "healthy"}
    except OSError as error:
        ill = {"api-server": str(error)}
    parts = "; ".join(f"{name}: {health}" for name, health in ill.items()) if state.ready else None
    return {"state": state.stage, "url": state.url, "parts": parts or None}
