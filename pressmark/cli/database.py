"""`pressmark db`, `psql` and `status`."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from pressmark.airflow.service import AirflowService, read_health, read_health_at
from pressmark.archive.store import ArchiveStore
from pressmark.cli import logins
from pressmark.cli.output import err, friendly, out, print_json, table
from pressmark.errors import ConfigError
from pressmark.registry import load_registry
from pressmark.removal.erasure import apply_pending_removals
from pressmark.settings import Settings
from pressmark.text import plural
from pressmark.times import short_time
from pressmark.warehouse.backup import create_database, is_empty, run_client, write_backup
from pressmark.warehouse.connection import Role, Warehouse, dict_rows, transaction
from pressmark.warehouse.embedded import wheel_binaries
from pressmark.warehouse.fingerprint import fingerprint as content_fingerprint
from pressmark.warehouse.migrations import ensure_ready, migrate, state
from pressmark.warehouse.partitions import months_to_split, split
from pressmark.warehouse.queries import queries

_HELP = """Manage the warehouse database.

The database is on the server of PRESSMARK_DATABASE_URL, or on the embedded
server if that is not set.

Examples:

  pressmark db status

  pressmark db backup /backups/pressmark-2026-11-25.dump
"""
app = typer.Typer(help=_HELP, no_args_is_help=True)
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object to stdout.")]
_NOT_RUNNING = "The embedded server is not running. Start it with `pressmark up` or any crawl."


@app.command("migrate")
@friendly
def db_migrate() -> None:
    """Upgrade the database to this version.

    Creates the roles, applies pending migrations and updates the views. Then
    it moves the search index of an older warehouse to monthly partitions,
    which takes about ten minutes per million articles. Crawls can run
    meanwhile. It is safe to interrupt and repeat.

    Example:

      pressmark db migrate
    """
    warehouse = Warehouse(Settings.from_env())
    before = migrate(warehouse)
    _split_into_months(warehouse)
    applied = f"applied {', '.join(before.pending)}" if before.pending else "no migration was pending"
    out.print(f"The warehouse is at {[*before.applied, *before.pending][-1]} ({applied}). Its views are up to date.")


def _split_into_months(warehouse: Warehouse) -> None:
    with contextlib.closing(warehouse.connect("maintainer", "pressmark db migrate")) as connection:
        months = months_to_split(connection)
        with Progress(console=err, disable=not err.is_terminal, transient=True) as progress:
            bars = {name: progress.add_task(f"core.{name}: months", total=n) for name, n in months.items() if n}
            split(connection, on_month=lambda name: progress.advance(bars[name]))


@app.command("status")
@friendly
def db_status() -> None:
    """Show the server and its migrations.

    Exits with code 1 if a migration is pending or the views are outdated.

    Example:

      pressmark db status
    """
    settings = Settings.from_env()
    warehouse = Warehouse(settings)
    server = warehouse.embedded
    if server is not None and not server.is_created():
        out.print(f"No database exists in {settings.home} yet. `pressmark db migrate` creates it.")
        raise typer.Exit(1)
    result = state(warehouse)
    out.print("server:   " + (f"embedded, in {settings.home}" if server else "external (PRESSMARK_DATABASE_URL)"))
    out.print(f"applied:  {', '.join(result.applied) or 'none'}")
    out.print(f"pending:  {', '.join(result.pending) or 'none'}")
    out.print(f"views:    {'up to date' if result.mart_current else 'outdated'}")
    if not result.up_to_date:
        out.print("Run `pressmark db migrate` to upgrade the database.")
        raise typer.Exit(1)


@app.command("fingerprint")
@friendly
def db_fingerprint() -> None:
    """Print a hash of the content.

    Two warehouses with the same content have the same fingerprint, whatever the
    order of their loads.

    Example:

      pressmark db fingerprint
    """
    warehouse = Warehouse(Settings.from_env())
    ensure_ready(warehouse)
    print(content_fingerprint(warehouse))


@app.command("backup")
@friendly
def db_backup(
    file: Annotated[Path, typer.Argument(help="File to write in pg_dump's custom format.", show_default=False)],
) -> None:
    """Write a backup of the database.

    Runs pg_dump. The backup does not contain the archive: copy its folder too.

    Example:

      pressmark db backup /backups/pressmark-2026-11-25.dump
    """
    warehouse = Warehouse(Settings.from_env())
    ensure_ready(warehouse)
    write_backup(warehouse, file)
    size = plural(file.stat().st_size, "byte")
    out.print(f"{file}: {size}. Keep it together with a copy of the archive, {warehouse.settings.archive}.")


@app.command("restore")
@friendly
def db_restore(
    file: Annotated[Path, typer.Argument(help="Backup from `pressmark db backup`.", exists=True, show_default=False)],
) -> None:
    """Restore a backup into an empty database.

    Removals recorded since the backup are applied again.

    Example:

      PRESSMARK_HOME=/srv/restored pressmark db restore /backups/pressmark-2026-11-25.dump
    """
    settings = Settings.from_env()
    warehouse = Warehouse(settings)
    create_database(warehouse)
    if not is_empty(warehouse):
        raise ConfigError(
            "This database already contains a warehouse. Restore into an empty one, such as a new PRESSMARK_HOME."
        )
    run_client(warehouse, "pg_restore", "--exit-on-error", "--single-transaction", str(file), database_option=True)
    migrate(warehouse)
    done = apply_pending_removals(warehouse, ArchiveStore(settings.archive))
    out.print(
        f"Restored {file}. {plural(done.articles, 'article')} removed again. "
        f"Fingerprint: {content_fingerprint(warehouse)}"
    )


@app.command("rebuild")
@friendly
def db_rebuild(
    from_archive: Annotated[bool, typer.Option("--from-archive", help="Read the WARC files of PRESSMARK_ARCHIVE.")],
    as_json: _Json = False,
) -> None:
    """Rebuild the warehouse from the archive.

    Stages and loads every archived segment that the warehouse does not know. It
    is safe to interrupt and repeat.

    Example:

      PRESSMARK_HOME=/srv/new PRESSMARK_ARCHIVE=/srv/old/archive pressmark db rebuild --from-archive
    """
    from pressmark.cli.crawl import cluster_with_progress, load_outlets
    from pressmark.crawl.rebuild import rebuild
    from pressmark.crawl.services import Services

    settings = Settings.from_env()
    warehouse = Warehouse(settings)
    ensure_ready(warehouse)
    if not from_archive:
        raise ConfigError("Add --from-archive. The archive is the only source a warehouse can be rebuilt from.")
    registry = load_registry(settings)
    apply_pending_removals(warehouse, ArchiveStore(settings.archive))
    with Progress(console=err, disable=not err.is_terminal, transient=True) as progress:
        bar = progress.add_task("archive files", total=None)
        services = Services.open(settings, lambda event: None)
        try:
            report = rebuild(
                services, registry.outlets, lambda done, total: progress.update(bar, completed=done, total=total)
            )
        finally:
            services.close()
    load_outlets(settings, registry, None)
    cluster_with_progress(warehouse)
    if as_json:
        counts = {"files": report.files, "segments": report.segments, "pages": report.pages}
        print_json({**counts, "left_out": report.left_out, "fingerprint": content_fingerprint(warehouse)})
        return
    out.print(
        f"Read {plural(report.files, 'archive file')}: staged {plural(report.segments, 'segment')} with "
        f"{plural(report.pages, 'page')}."
    )
    if report.left_out:
        out.print(f"Left out {plural(report.left_out, 'segment')} of outlets without a file in {settings.outlets}.")
    print(content_fingerprint(warehouse))


for _name, _command in (
    ("grant-analyst", logins.grant_analyst),
    ("grant-runner", logins.grant_runner),
    ("connect-info", logins.connect_info),
    ("listen", logins.listen),
):
    app.command(_name)(_command)


@friendly
def psql(context: typer.Context) -> None:
    """Open psql as the analyst.

    The analyst can read mart. All options are psql's own, except --comments: as
    the first option it logs in with the role that can also read reader
    comments.

    Examples:

      pressmark psql

      pressmark psql -At -c "SELECT count(*) FROM mart.article"

      pressmark psql -f questions.sql

      pressmark psql --comments -c "SELECT comment_body FROM mart.comment"
    """
    settings = Settings.from_env()
    warehouse = Warehouse(settings)
    ensure_ready(warehouse)
    bundled = wheel_binaries() / "psql"
    path = str(bundled) if bundled.exists() else shutil.which("psql")
    if path is None:
        raise ConfigError("psql was not found. Install the PostgreSQL client.")
    arguments = list(context.args)
    role: Role = "analyst"
    if arguments[:1] == ["--comments"]:
        role = "comments"
        del arguments[0]
    os.execv(path, ["psql", "-X", warehouse.reader_dsn(role), *arguments])  # noqa: S606 - replaces this process with psql


@friendly
def status(as_json: _Json = False) -> None:
    """Show services and the freshness of outlets.

    Does not start the embedded server. If it is not running, shows only the
    state of Airflow and the outlets that have a file.

    Examples:

      pressmark status

      pressmark status --json
    """
    settings = Settings.from_env()
    warehouse = Warehouse(settings)
    server = warehouse.embedded
    airflow = airflow_state(settings)
    if server is not None and not server.is_running():
        _print_offline_status(settings, airflow, as_json)
        return
    rows = read_status(warehouse)
    if as_json:
        print_json({
            "home": str(settings.home), "archive": settings.archive, "server": "up", "airflow": airflow,
            "outlets": rows,
        })  # fmt: skip
        return
    _print_services(settings, "running" if server else "external (PRESSMARK_DATABASE_URL)", airflow)
    outlets = table("outlet", "#articles", "#new in 24 h", "last new", "last crawl", "finished", "#to load")
    for row in rows:
        outlets.add_row(
            row["outlet"], str(row["articles"] or 0), str(row["new_24h"] or 0), short_time(row["last_new_article_at"]),
            short_time(row["last_crawl_at"]), row["last_finish_reason"] or "-", str(row["to_load"]),
        )  # fmt: skip
    out.print(outlets)


def read_status(warehouse: Warehouse) -> list[dict[str, Any]]:
    """Return the freshness of every outlet."""
    connection = warehouse.connect("loader", "pressmark status")
    with contextlib.closing(connection), transaction(connection) as cursor:
        cursor.execute(queries("url_history")["status"])
        return dict_rows(cursor)


def _print_offline_status(settings: Settings, airflow: dict[str, str | None], as_json: bool) -> None:
    """Print the status that is known without the embedded server: services, and the outlets that have files."""
    problem = None
    try:
        outlets = sorted(load_registry(settings).outlets.values(), key=lambda outlet: outlet.id)
    except ConfigError as error:
        outlets, problem = [], str(error)
    if as_json:
        print_json({
            "home": str(settings.home), "archive": settings.archive, "server": "down", "airflow": airflow,
            "outlets": [{"outlet": outlet.id, "enabled": outlet.enabled} for outlet in outlets],
            "message": _NOT_RUNNING,
        })  # fmt: skip
        return
    _print_services(settings, "not running", airflow)
    enabled = sum(outlet.enabled for outlet in outlets)
    out.print(f"outlets: {problem or f'{len(outlets)} in {settings.outlets}, {enabled} enabled'}")
    out.print(f"\n{_NOT_RUNNING}")


def _print_services(settings: Settings, server: str, airflow: dict[str, str | None]) -> None:
    out.print(f"home:    {settings.home}\narchive: {settings.archive}\nserver:  {server}")
    out.print("airflow: " + " ".join(filter(None, (airflow["state"], airflow["url"], airflow["parts"]))))


def _state_elsewhere(url: str) -> dict[str, str | None]:
    """Return the state of an Airflow whose processes run in containers or on other machines."""
    try:
        health = read_health_at(url)
    except OSError as error:
        return {"state": "down", "url": url, "parts": f"api-server: {error}"}
    unhealthy = [f"{name}: {state}" for name, state in health.items() if state != "healthy"]
    return {"state": "unhealthy" if unhealthy else "ready", "url": url, "parts": "; ".join(unhealthy) or None}


def airflow_state(settings: Settings) -> dict[str, str | None]:
    """Return the state of Airflow.

    Keys are state ("down", "ready" or the current step), url, and parts (the unhealthy components as text, or None).
    """
    service = AirflowService(settings)
    state = service.state()
    execution_api = os.environ.get("AIRFLOW__CORE__EXECUTION_API_SERVER_URL")
    if execution_api and not service.is_running():
        return _state_elsewhere(execution_api.removesuffix("/").removesuffix("/execution"))
    if not service.is_running() or state is None:
        left = len(service.processes())
        return {
            "state": f"down, but {plural(left, 'process', 'processes')} left; run `pressmark down`" if left else "down",
            "url": None,
            "parts": None,
        }
    try:
        unhealthy = {name: health for name, health in read_health(state.port).items() if health != "healthy"}
    except OSError as error:
        unhealthy = {"api-server": str(error)}
    parts = "; ".join(f"{name}: {health}" for name, health in unhealthy.items()) if state.ready else None
    return {"state": state.stage, "url": state.url, "parts": parts or None}
