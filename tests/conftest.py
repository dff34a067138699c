"""Shared fixtures: a session's embedded Postgres, the newsstand, and the command line as a process."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
from psycopg2 import sql
from xdist.scheduler import LoadScopeScheduling

from pressmark.newsstand.server import Newsstand, running
from pressmark.settings import PROJECT_ROOT, Settings
from pressmark.warehouse.connection import Warehouse, transaction
from pressmark.warehouse.migrations import migrate
from tests.site import WebSite

SHARED = PROJECT_ROOT.parent / "shared"
# Modules whose tests share an expensive fixture: they stay on one worker. All other tests are balanced one by one.
SHARING_MODULES = {
    "tests/airflow/test_running_airflow.py",
    "tests/acceptance/test_archive_life.py",
    "tests/acceptance/test_examples.py",
    "tests/acceptance/test_external_server.py",
    "tests/acceptance/test_kills.py",
    "tests/acceptance/test_machines.py",
    "tests/acceptance/test_outcomes.py",
    "tests/integration/test_extraction_pool.py",
}
KEPT_TABLES = ("core.outcome", "ops.migration_checksum", "ops.mart_version")


class BalancedScheduling(LoadScopeScheduling):
    """Distributes single tests, but keeps each module of SHARING_MODULES on one worker."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return module if module in SHARING_MODULES else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> BalancedScheduling:
    return BalancedScheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the slowest tests first, so that none is still running alone at the end."""
    items.sort(key=lambda item: "tests/airflow/" not in item.nodeid)


def process_command(process: psutil.Process) -> list[str]:
    """Return the command line of a process, or [] if it has ended."""
    with contextlib.suppress(psutil.Error):
        return process.cmdline()
    return []


@dataclass
class Installation:
    """A home with a warehouse, and the command line for it."""

    home: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        return Settings.from_env({"PRESSMARK_HOME": str(self.home), **self.env})

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.settings)

    def environment(self, **more: str) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("PRESSMARK_")}
        return {**inherited, "PRESSMARK_HOME": str(self.home), "PRESSMARK_WORKERS": "2", **self.env, **more}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "pressmark.cli", *arguments]

    def run(
        self, *arguments: str, check: bool = True, timeout: float = 120, **env: str
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.command(*arguments), env=self.environment(**env), capture_output=True, text=True, timeout=timeout,
            cwd=PROJECT_ROOT, check=False,
        )  # fmt: skip
        if check and done.returncode != 0:
            log = self.home / "logs" / "crawl.log"
            tail = log.read_text()[-3000:] if log.exists() else ""
            raise AssertionError(f"{arguments} ended with {done.returncode}\n{done.stdout}\n{done.stderr}\n{tail}")
        return done

    def crawl(self, *outlets: str, **env: str) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self.run("crawl", *outlets, "--json", **env).stdout)
        assert report["ledger_ok"], report
        return report

    def outcomes(self, *outlets: str, **env: str) -> dict[str, int]:
        total: dict[str, int] = {}
        for row in self.crawl(*outlets, **env)["crawls"]:
            for outcome, count in row["outcomes"].items():
                total[outcome] = total.get(outcome, 0) + count
        return total

    def query(self, statement: str, values: Any = None, role: str = "maintainer") -> list[tuple[Any, ...]]:
        connection = self.warehouse.connect(role, "pressmark test")  # type: ignore[arg-type]
        with contextlib.closing(connection), transaction(connection) as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall()) if cursor.description else []

    def fingerprint(self) -> str:
        return self.run("db", "fingerprint").stdout.strip()

    def drop_database(self) -> None:
        """Drop the warehouse; the server, the archive and the logs stay."""
        with contextlib.closing(self.warehouse.connect_admin("postgres")) as admin:
            admin.autocommit = True
            admin.cursor().execute("DROP DATABASE pressmark WITH (FORCE)")

    def empty(self) -> None:
        """Remove all content; roles, tables and views stay."""
        self.empty_database()
        self.remove_files()

    def remove_files(self) -> None:
        """Remove the archive, the spool and the logs."""
        for folder in ("archive", "spool", "logs"):
            shutil.rmtree(self.home / folder, ignore_errors=True)

    def empty_database(self) -> None:
        """Remove all rows. Only tables with rows are truncated: each truncated table costs several files."""
        migrate(self.warehouse)  # a test may have dropped the database
        connection = self.warehouse.connect_admin()
        with contextlib.closing(connection), transaction(connection) as cursor:
            # Partitions, not the tables that they belong to: emptying one of those recreates the files of all partitions.
            cursor.execute(
                "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                "WHERE n.nspname IN ('core', 'ops', 'staging') AND c.relkind = 'r'"
            )
            tables = [sql.Identifier(*name) for name in cursor.fetchall() if ".".join(name) not in KEPT_TABLES]
            has_rows = sql.SQL("SELECT EXISTS (SELECT 1 FROM {})")
            cursor.execute(sql.SQL(" UNION ALL ").join(has_rows.format(table) for table in tables))
            filled = [table for table, (full,) in zip(tables, cursor.fetchall(), strict=True) if full]
            if filled:
                cursor.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(filled)))
            cursor.execute("SELECT count(*) FROM core.outcome")
            assert cursor.fetchone()[0] > 0  # type: ignore[index]

    def save(self, name: str, folder: Path) -> None:
        """Save the current state under a name: the database as a template, the archive and the logs as copies."""
        with contextlib.closing(self.warehouse.connect_admin("postgres")) as admin:
            admin.autocommit = True
            admin.cursor().execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE pressmark STRATEGY FILE_COPY").format(sql.Identifier(name))
            )
        for kept in ("archive", "logs"):
            shutil.copytree(self.home / kept, folder / kept)

    def restore(self, name: str, folder: Path) -> None:
        """Restore a saved state."""
        with contextlib.closing(self.warehouse.connect_admin("postgres")) as admin:
            admin.autocommit = True
            admin.cursor().execute("DROP DATABASE IF EXISTS pressmark WITH (FORCE)")
            admin.cursor().execute(
                sql.SQL("CREATE DATABASE pressmark TEMPLATE {} STRATEGY FILE_COPY").format(sql.Identifier(name))
            )
        self.remove_files()
        for kept in ("archive", "logs"):
            shutil.copytree(folder / kept, self.home / kept)


@pytest.fixture(scope="session")
def session_installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    installation = Installation(tmp_path_factory.mktemp("home"))
    migrate(installation.warehouse)
    with contextlib.closing(installation.warehouse.connect_admin()) as admin:
        admin.autocommit = True
        # Without fsync, only a crash of the machine loses data. A killed process does not.
        admin.cursor().execute("ALTER SYSTEM SET fsync = off")
        admin.cursor().execute("SELECT pg_reload_conf()")
    yield installation
    server = installation.warehouse.embedded
    assert server is not None
    server.remove()


@pytest.fixture
def installation(session_installation: Installation) -> Iterator[Installation]:
    """An installation with an empty warehouse. Whatever a test does, the numbers of articles must stay exact."""
    session_installation.env = {}
    session_installation.empty()
    yield session_installation
    check_article_counts(session_installation)


def check_article_counts(installation: Installation) -> None:
    """Check the derived columns of articles and their numbers against the captures and extractions."""
    try:
        connection = installation.warehouse.connect_admin()
    except Exception:  # the test has removed the server or the database
        return
    with contextlib.closing(connection), transaction(connection) as cursor:
        cursor.execute("SELECT to_regclass('core.article_count') IS NOT NULL")
        if cursor.fetchone() != (True,):
            return
        cursor.execute("SELECT count(*) FROM ops.segment WHERE state = 'loaded'")
        if cursor.fetchone() == (0,):
            return  # the test has inserted its own rows
        cursor.execute(WRONG_COUNTS)
        assert cursor.fetchall() == []


WRONG_COUNTS = """
WITH published AS (
    SELECT a.outlet, x.in_language, t.word_count, a.first_seen_at,
           CASE WHEN listed.preferred THEN listed.listed_published ELSE x.date_published END AS at,
           CASE WHEN listed.preferred THEN listed.listed_published_offset ELSE x.date_published_offset END AS minutes
    FROM core.article a
    JOIN core.extraction x ON x.payload_hash = a.payload_hash AND x.extractor_id = a.extractor_id
    LEFT JOIN core.text t ON t.text_hash = x.text_hash
    LEFT JOIN LATERAL (
        SELECT c.listed_published, c.listed_published_offset,
               core.prefers_listed(x.date_published, x.date_published_source, x.date_published_precision,
                   c.listed_published, c.listed_published_source, c.listed_published_precision) AS preferred
        FROM core.capture c WHERE c.article_uid = a.article_uid AND c.listed_published IS NOT NULL
        ORDER BY c.observed_at, c.capture_id LIMIT 1) listed ON true
    WHERE a.merged_into IS NULL AND a.hidden_seq IS NULL
)
SELECT * FROM (
    SELECT outlet, (COALESCE(at, first_seen_at) AT TIME ZONE 'UTC')::date AS published_on,
           COALESCE((at AT TIME ZONE 'UTC' + make_interval(mins => COALESCE(minutes, 0)))::date, '-infinity')
               AS date_published_day,
           COALESCE(in_language, '') AS in_language, count(*) AS articles, COALESCE(sum(word_count), 0) AS words
    FROM published GROUP BY 1, 2, 3, 4
) counted
FULL JOIN (SELECT * FROM core.article_count WHERE articles <> 0) kept
    USING (outlet, published_on, date_published_day, in_language, articles, words)
WHERE counted IS NULL OR kept IS NULL
"""


class SavedStates:
    """Saved states of the session's installation. Each is created once and restored for every test that starts from it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._saved: set[str] = set()

    def provide(self, installation: Installation, name: str, make: Callable[[], object]) -> None:
        """Bring the installation into a named state. `make` creates it from an empty warehouse the first time."""
        folder = self._folder / name
        if name in self._saved:
            installation.restore(f"saved_{name}", folder)
            return
        make()
        installation.save(f"saved_{name}", folder)
        self._saved.add(name)


@pytest.fixture(scope="session")
def saved_states(session_installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> SavedStates:
    return SavedStates(tmp_path_factory.mktemp("states"))


def fingerprints_of_editions(installation: Installation, outlets: Sequence[str], access_log: Path) -> dict[int, str]:
    """Crawl both editions of the newsstand into an empty warehouse. Return the fingerprint after each."""
    from pressmark.newsstand import OUTLETS

    with running(access_log) as stand:
        installation.env = {"PRESSMARK_OUTLETS": str(OUTLETS), "PRESSMARK_RESOLVE": stand.resolve}
        installation.crawl(*outlets)
        first = installation.fingerprint()
        stand.advance()
        time.sleep(1.1)
        installation.crawl(*outlets)
        return {1: first, 2: installation.fingerprint()}


@pytest.fixture
def newsstand(installation: Installation, tmp_path: Path) -> Iterator[Newsstand]:
    """A running newsstand. `installation` is configured to crawl it."""
    from pressmark.newsstand import OUTLETS

    with running(tmp_path / "access.log") as stand:
        installation.env = {"PRESSMARK_OUTLETS": str(OUTLETS), "PRESSMARK_RESOLVE": stand.resolve}
        yield stand


@pytest.fixture
def site() -> Iterator[WebSite]:
    web = WebSite()
    yield web
    web.close()


def write_outlet_file(
    folder: Path, outlet: str, host: str, *lines: str, endpoints: tuple[tuple[str, str], ...] = (("feed", "/feed"),)
) -> Path:
    """Write the file of an outlet into a folder, with additional lines of YAML. Return the folder."""
    folder.mkdir(exist_ok=True)
    listed = "".join(
        f"  - {{method: {method}, url: 'http://{host}{path}', source: a test}}\n" for method, path in endpoints
    )
    text = (
        f"id: {outlet}\nname: {outlet}\nhome: http://{host}/\ndomains: [{host}]\nlanguages: [en]\ntimezone: UTC\n"
        f"enabled: true\nendpoints:\n{listed}"
    )
    if not any(line.startswith("politeness") for line in lines):
        text += "politeness: {delay: 0, timeout: 5}\n"
    (folder / f"{outlet}.yaml").write_text(text + "\n".join(lines) + "\n")
    return folder


@pytest.fixture
def outlet_file(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes an outlet's file into the test's own folder and returns the folder."""
    return partial(write_outlet_file, tmp_path / "outlets")


@pytest.fixture
def serve(installation: Installation, site: WebSite, outlet_file: Callable[..., Path]) -> Callable[..., WebSite]:
    """A function that configures `installation` to crawl one outlet, `test`, at test.example on the site."""

    def begin(*lines: str, hosts: tuple[str, ...] = (), **more: Any) -> WebSite:
        folder = outlet_file("test", "test.example", *lines, **more)
        installation.env = {
            "PRESSMARK_OUTLETS": str(folder),
            "PRESSMARK_RESOLVE": site.resolve("test.example", "www.test.example", *hosts),
        }
        return site

    return begin


def shared_folder(name: str) -> Path:
    """Return a folder of material outside the project. Skip the test if the folder is missing."""
    folder = SHARED / name
    if not folder.exists():
        pytest.skip(f"{folder} is missing; it is not part of the project")
    return folder
