"""The two operators of a job: CrawlOperator runs its crawls in a process, LoadOperator loads what they committed.

Imports nothing heavy: DAG files import this module.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from airflow.sdk import BaseOperator, BaseOperatorLink
from airflow.sdk.exceptions import AirflowFailException


@contextmanager
def without_retry() -> Iterator[None]:
    """A wrong setting fails a task at once, and so does a host that refuses: waiting a little does not mend it."""
    from pressmark.errors import ConfigError, HostRefuses

    try:
        yield
    except (ConfigError, HostRefuses) as error:
        raise AirflowFailException(str(error)) from error


class CrawlsLink(BaseOperatorLink):
    """A button from a task to the crawls that it ran, by outlet and outcome."""

    name = "Crawls"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """The page of this run's crawls (`plugin`), on this very server."""
        from urllib.parse import quote

        return f"/pressmark/crawls?dag_id={quote(ti_key.dag_id)}&run_id={quote(ti_key.run_id, safe='')}"


class _ProcessOperator(BaseOperator):
    """A job that runs in a process of its own, which has to end when Airflow ends the task."""

    template_fields: Sequence[str] = ("job",)
    ui_color = "#dfeaf4"

    def __init__(self, *, job: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job = job
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False

    def on_kill(self) -> None:
        """Airflow ends the task, five seconds before it kills it: enough to seal what is fetched."""
        self._killed = True
        if self._process is not None:
            self._process.terminate()

    def _remember(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process


class CrawlOperator(_ProcessOperator):
    """Runs the crawls of one job: `{"name", "requests", "outlets"}` as `plan` made it.

    The crawl process has a session of its own and dies with the task; its log lines come into the task's
    log. It is judged by what the ledger says of each crawl, not by its exit code. A retry crawls only what
    has not ended well, and waits for a predecessor that is still dying on the lock of each outlet.
    """

    operator_extra_links = (CrawlsLink(),)

    def execute(self, context: Any) -> dict[str, Any]:
        """Crawl; returns counts only. Raises PressmarkError naming the outlets that failed and why."""
        from pressmark.airflow.crawl_tasks import crawl_job

        ti = context["ti"]
        # Clearing a task raises max_tries: its first attempt crawls everything again, a retry does not.
        is_retry = ti.max_tries - ti.try_number + 1 < self.retries
        with without_retry():
            return crawl_job(self.job, is_retry=is_retry, on_start=self._remember, map_index=ti.map_index)


class LoadOperator(BaseOperator):
    """Loads what the crawls of one job have committed, also where they failed."""

    template_fields: Sequence[str] = ("job",)
    ui_color = "#e4f1e1"

    def __init__(self, *, job: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job = job

    def execute(self, context: Any) -> dict[str, int]:
        """Load; returns counts only. Raises LoadError naming the segments that could not be loaded."""
        from pressmark.airflow.crawl_tasks import load_job

        with without_retry():
            return load_job(self.job)


def _run_for(context: Any) -> dict[str, Any]:
    """Which task this is, for the rows of its crawls."""
    run, ti = context["dag_run"], context["ti"]
    return {"dag_id": run.dag_id, "run_id": run.run_id, "map_index": ti.map_index}


class ChunksOperator(_ProcessOperator):
    """Crawls and loads the chunks of one outlet of a backfill, one after the other: `{"name", "outlets", "backfill_id",
    "chunks"}` as `plan_backfill` made it. What is done is not done again by a retry.
    """

    def execute(self, context: Any) -> dict[str, int]:
        """Crawl and load; returns counts only. Raises PressmarkError where a chunk failed."""
        from pressmark.airflow.backfill_tasks import crawl_chunks

        with without_retry():
            return crawl_chunks(
                self.job, on_start=self._remember, run=_run_for(context), is_killed=lambda: self._killed
            )
