"""`pressmark db`, `psql` and `status`."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from pressmark.airflow.service import AirflowService, read_health
from pressmark.archive.store import ArchiveStore
from pressmark.cli.output import err, friendly, out, print_json, table
from pressmark.errors import ConfigError
from pressmark.removal.erasure import apply_pending_removals
from pressmark.settings import Settings
from pressmark.times import short_time
from pressmark.warehouse.backup import create_database, is_empty, run_client
from pressmark.warehouse.connection import Role, Warehouse, dict_rows, transaction
from pressmark.warehouse.embedded import wheel_binaries
from pressmark.warehouse.fingerprint import fingerprint as content_fingerprint
from pressmark.warehouse.migrations import ensure_ready, migrate, state
from pressmark.warehouse.queries import queries
from pressmark.warehouse.roles import grant_reader

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


@app.command("backup")
@friendly
def db_backup(
    file: Annotated[Path, typer.Argument(help="File to write, in pg_dump's custom format.", show_default=False)],
) -> None:
    """Write a backup of the warehouse (pg_dump). The archive is a folder of its own: copy it too.

    Example:

      pressmark db backup /backups/pressmark-2026-11-25.dump
    """
    warehouse = Warehouse(Settings.from_env())
    ensure_ready(warehouse)
    part = file.with_name(file.name + ".part")
    run_client(warehouse, "pg_dump", "--format=custom", f"--file={part}")
    part.rename(file)
    out.print(f"{file}: {file.stat().st_size} bytes. Keep it with a copy of {warehouse.settings.archive}.")


@app.command("restore")
@friendly
def db_restore(
    file: Annotated[Path, typer.Argument(help="A backup of `pressmark db backup`.", exists=True, show_default=False)],
) -> None:
    """Restore a backup into an empty database; removals entered since it was made are carried out again.

    Example:

      PRESSMARK_HOME=/srv/restored pressmark db restore /backups/pressmark-2026-11-25.dump
    """
    settings = Settings.from_env()
    warehouse = Warehouse(settings)
    create_database(warehouse)
    if not is_empty(warehouse):
        raise ConfigError("There is a warehouse in this database already; restore into an empty one.")
    run_client(warehouse, "pg_restore", "--exit-on-error", "--single-transaction", str(file), database_option=True)
    migrate(warehouse)
    done = apply_pending_removals(warehouse, ArchiveStore(settings.archive))
    out.print(f"Restored; {done.articles} articles were removed again. {content_fingerprint(warehouse)}")


@app.command("rebuild")
@friendly
def db_rebuild(
    from_archive: Annotated[bool, typer.Option("--from-archive", help="From the WARC files of PRESSMARK_ARCHIVE.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Fill the warehouse from the archive: every segment that it does not know is staged and loaded.

    Example:

      PRESSMARK_HOME=/srv/new PRESSMARK_ARCHIVE=/srv/old/archive pressmark db rebuild --from-archive
    """
    from pressmark.cli.crawl import cluster_with_progress, load_outlets
    from pressmark.crawl.rebuild import rebuild
    from pressmark.crawl.services import Services
    from pressmark.registry import load_registry

    settings = Settings.from_env()
    warehouse = Warehouse(settings)
    ensure_ready(warehouse)
    if not from_archive:
        raise ConfigError("Say --from-archive: it is the only source there is.")
    registry = load_registry(settings.outlets)
    apply_pending_removals(warehouse, ArchiveStore(settings.archive))
    with Progress(console=err, disable=not err.is_terminal, transient=True) as progress:
        bar = progress.add_task("archive files", total=None)
        services = Services.open(settings, lambda event: None)
        try:
            found = rebuild(
                services, registry.outlets, lambda done, total: progress.update(bar, completed=done, total=total)
            )
        finally:
            services.close()
    load_outlets(settings, registry, None)
    cluster_with_progress(warehouse)
    told = {"files": found.files, "segments": found.segments, "pages": found.pages, "left_out": found.left_out}
    if as_json:
        print_json({**told, "fingerprint": content_fingerprint(warehouse)})
        return
    out.print(", ".join(f"{count} {name.replace('_', ' ')}" for name, count in told.items()))
    print(content_fingerprint(warehouse))


@app.command("grant-analyst")
@friendly
def db_grant_analyst(
    name: Annotated[str, typer.Argument(help="Login to make or to give these rights.", show_default=False)],
    comments: Annotated[bool, typer.Option("--comments", help="May read readers' comments too.")] = False,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input instead of asking.")
    ] = False,
) -> None:
    """Make a login that reads mart and nothing else, with the analysts' time limit.

    The password is asked for, or read from standard input; only its SCRAM verifier is sent to the server.

    Example:

      pressmark db grant-analyst jane
    """
    warehouse = Warehouse(Settings.from_env())
    ensure_ready(warehouse)
    password = sys.stdin.readline().rstrip("\n") if password_stdin else None
    if password is None and sys.stdin.isatty():
        password = typer.prompt("Password (empty for none)", hide_input=True, default="", confirmation_prompt=True)
    grant_reader(warehouse, name, "comments" if comments else "analyst", password or None)
    out.print(f"{name} may read mart{' with comments' if comments else ''}.")


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
        cursor.execute(queries("url_history")["status"])
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
