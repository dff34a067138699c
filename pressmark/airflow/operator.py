"""Operators of the DAGs: crawl a job, load its segments, run the chunks of a backfill.

Heavy imports are inside the methods, because DAG files import this module.
"""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from airflow.sdk import BaseOperator, BaseOperatorLink, ExceptionRetryPolicy, RetryAction, RetryRule

logger = logging.getLogger(__name__)


class TaskFailed(SystemExit):
    """Ends a task after its error was logged. Airflow logs a traceback for every exception but SystemExit."""


class TaskFailedForGood(TaskFailed):
    """The same, and a retry within minutes would fail again."""


RETRY_POLICY = ExceptionRetryPolicy([
    RetryRule(TaskFailedForGood, RetryAction.FAIL, reason="a retry within minutes would not help"),
])  # fmt: skip
"""For all tasks that use `expected_errors`: Airflow retries only errors of this installation."""


@contextmanager
def expected_errors() -> Iterator[None]:
    """Log an error whose message is written for users as one line, and end the task.

    Raises TaskFailedForGood for a wrong setting, for outlets that gave nothing, for a host that refuses us and for a
    run over its failure budget, and otherwise TaskFailed.
    """
    from pressmark.errors import ConfigError, HostRefuses, OutletsFailed, PressmarkError, RunFailed

    try:
        yield
    except PressmarkError as error:
        for_good = isinstance(error, (ConfigError, HostRefuses, OutletsFailed, RunFailed))
        logger.error("%s", error)
        if not for_good:
            _keep_name_while_waiting()
        raise (TaskFailedForGood if for_good else TaskFailed)(1) from None


def _keep_name_while_waiting() -> None:
    """Keep the name of a mapped task while it waits for its retry. Airflow would show its number (docs/upstream.md)."""
    from airflow.sdk import get_current_context
    from airflow.sdk.execution_time import task_runner
    from airflow.sdk.execution_time.comms import RetryTask

    try:
        name = get_current_context()["ti"].rendered_map_index
    except (RuntimeError, AttributeError, KeyError):  # not in a task process
        return

    class NamedRetryTask(RetryTask):
        """The message of a retry with the name of its task."""

        def __init__(self, **values: Any) -> None:
            super().__init__(**{"rendered_map_index": name, **values})

    task_runner.RetryTask = NamedRetryTask  # type: ignore[attr-defined]


class CrawlsLink(BaseOperatorLink):
    """Link from a task to the crawls of its run."""

    name = "Crawls"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the path of the run's Crawls page inside Airflow's UI."""
        from urllib.parse import quote

        from pressmark.airflow.alerts import PAGES

        return f"{PAGES}/crawls?dag_id={quote(ti_key.dag_id)}&run_id={quote(ti_key.run_id, safe='')}"


class _ProcessOperator(BaseOperator):
    """Base of operators that run a job in a subprocess. The subprocess ends when Airflow ends the task."""

    template_fields: Sequence[str] = ("job",)
    ui_color = "#dfeaf4"

    def __init__(self, *, job: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job = job
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False

    def on_kill(self) -> None:
        """Terminate the subprocess. It has five seconds to seal the fetched pages before Airflow kills the task."""
        self._killed = True
        if self._process is not None:
            self._process.terminate()

    def _remember(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process


class CrawlOperator(_ProcessOperator):
    """Run the crawls of one job: `{"name", "requests", "outlets"}`, as returned by `plan`.

    The crawl process has its own session and dies with the task. Its log lines go to the task's log. The ledger decides
    whether each crawl succeeded, not the exit code. A retry runs only the crawls that failed because of this
    installation. If the previous attempt is still exiting, the retry waits for the lock of each outlet.
    """

    operator_extra_links = (CrawlsLink(),)

    def execute(self, context: Any) -> dict[str, Any]:
        """Crawl. Return counts only. Fails with the outlets that failed and the reasons in its log."""
        from pressmark.airflow.crawl_tasks import crawl_job

        ti = context["ti"]
        # Clearing a task raises max_tries. The first attempt after that crawls everything again; a retry does not.
        is_retry = ti.max_tries - ti.try_number + 1 < self.retries
        with expected_errors():
            return crawl_job(self.job, is_retry=is_retry, on_start=self._remember, map_index=ti.map_index)


class LoadOperator(BaseOperator):
    """Load the segments that the crawls of one job committed, including failed crawls."""

    template_fields: Sequence[str] = ("job",)
    ui_color = "#e4f1e1"

    def __init__(self, *, job: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job = job

    def execute(self, context: Any) -> dict[str, int]:
        """Load. Return counts only. Fails with the segments that could not be loaded in its log."""
        from pressmark.airflow.crawl_tasks import load_job

        with expected_errors():
            return load_job(self.job)


def _run_for(context: Any) -> dict[str, Any]:
    """Return the ids of this task, to be stored with its crawls."""
    run, ti = context["dag_run"], context["ti"]
    return {"dag_id": run.dag_id, "run_id": run.run_id, "map_index": ti.map_index}


class ChunksOperator(_ProcessOperator):
    """Crawl and load the chunks of a backfill's job, one after the other.

    The job is `{"name", "outlets", "backfill_id", "chunks"}`, as returned by `plan_backfill`. A retry skips finished
    chunks.
    """

    def execute(self, context: Any) -> dict[str, int]:
        """Crawl and load. Return counts only. Fails if a chunk failed."""
        from pressmark.airflow.backfill_tasks import crawl_chunks

        with expected_errors():
            return crawl_chunks(
                self.job, on_start=self._remember, run=_run_for(context), is_killed=lambda: self._killed
            )
