"""What an operator does on demand, and what is done daily."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, CronDataIntervalTimetable, Param, TriggerRule, task

from pressmark.airflow.alerts import AlertNotifier
from pressmark.airflow.operator import ChunksOperator, without_retry
from pressmark.airflow.pools import BACKFILL_POOL, LOAD_POOL, REEXTRACT_POOL

_OUTLETS = Path(os.environ.get("PRESSMARK_OUTLETS") or Path(__file__).resolve().parents[1] / "outlets")
_IDS = sorted(path.stem for path in _OUTLETS.glob("*.yaml"))  # names of files; what is in them is read by tasks

BACKFILL = """Fetches what outlets published on certain dates.

1. *Trigger*, choose outlets, **from** (included) and **to** (excluded) by date of publication, and leave **dry run**
   on. The log of `plan_backfill` then says for each outlet and day what is known, what its listings name, what is
   missing, and what it would cost: requests, and time at the outlet's delay. The page *Backfills* shows the same.
2. Trigger the same without **dry run**. A task for each outlet works off its months one after the other; `report` shows
   coverage before and after.

Only methods that reach the past take part: sitemaps, robots (their sitemaps), archives by day, WordPress. What is in
the warehouse is not fetched again unless you say **force refetch**. A backfill that was cancelled or failed goes on
with the months that are not done: clear its run, or trigger the same again. The command line has the same:
`pressmark backfill ID --since ... --until ...`.

For an interval of a tier that was lost to an outage, Airflow's own *Backfill* of that tier's DAG does it for all its
outlets; mind that its **to** date is *included*.
"""

REEXTRACT = """Reads archived pages again by the extractor of today, without asking any outlet for anything.

Each task of `extract` reads one outlet and tells in its log, field by field, how many pages differ, with samples.
Nothing counts until it is promoted: by the switch of the form, or afterwards by `pressmark reextract --promote ID`.
`pressmark reextract --keep ID` takes a promotion back. Pages that had given no text are read too, and become articles
by the promotion: that is how a layout change is mended by a hint in the outlet's file (`extraction.keep`, `prune`).
"""

MAINTAIN = """The daily care: partitions ahead, staging purged, retention, small archive files joined, files that no row
knows staged again and loaded; then sizes (an alert where the disk fills up) and the health of every outlet.

All tasks may be cleared at any time. `pressmark maintain` and `pressmark doctor` are the same by hand.
"""


@task(execution_timeout=timedelta(minutes=5))
def complete() -> None:
    """Succeeds where all before it has. The others run whatever came before, and a run is judged by its last task."""


def make_backfill() -> DAG:
    """The DAG of backfills."""
    with DAG(
        "backfill",
        schedule=None,
        start_date=datetime(2026, 1, 1),
        catchup=False,
        max_active_runs=1,
        doc_md=BACKFILL,
        tags=["pressmark", "on demand"],
        on_failure_callback=AlertNotifier(),
        default_args={"retries": 1},
        params={
            "outlets": Param(
                [], type="array", minItems=1, examples=_IDS, title="Outlets", items={"type": "string"},
                description="Those whose files name a sitemap, an archive or WordPress.",
            ),
            "since": Param(
                None, type="string", format="date", title="From", description="First day of publication (UTC).",
            ),
            "until": Param(
                None, type="string", format="date", title="To (excluded)", description="The day after the last one.",
            ),
            "methods": Param(
                [], type="array", title="Methods", examples=["sitemap", "robots", "archive", "wordpress"],
                items={"type": "string"}, description="Leave empty for all that the outlet has.",
            ),
            "page_budget": Param(
                None, type=["null", "integer"], minimum=1, title="Page budget",
                description="Most articles of each outlet and month; empty: the outlet's own.",
            ),
            "dry_run": Param(True, type="boolean", title="Dry run first", description="Plan only; fetch no article."),
            "force_refetch": Param(False, type="boolean", title="Force refetch", description="Fetch known pages too."),
        },
    ) as dag:  # fmt: skip

        @task(execution_timeout=timedelta(hours=2))
        def plan_backfill(**context: Any) -> list[dict[str, Any]]:
            from pressmark.airflow.desk import plan_backfill as plan

            run = context["dag_run"]
            with without_retry():
                return plan(dict(context["params"]), run.dag_id, run.run_id, f"Airflow {run.dag_id}")

        @task(trigger_rule=TriggerRule.ALL_DONE, execution_timeout=timedelta(hours=1))
        def cluster() -> dict[str, int]:
            from pressmark.airflow.tasks import cluster_loaded

            with without_retry():
                return cluster_loaded()

        @task(trigger_rule=TriggerRule.ALL_DONE, retries=0, execution_timeout=timedelta(minutes=10))
        def report(**context: Any) -> dict[str, Any]:
            from pressmark.airflow.desk import report_backfill

            with without_retry():
                return report_backfill(context["dag_run"].dag_id, context["dag_run"].run_id)

        jobs = plan_backfill()
        chunks = ChunksOperator.partial(
            task_id="crawl_and_load",
            pool=BACKFILL_POOL,
            map_index_template="{{ task.job['name'] }}",
            execution_timeout=timedelta(hours=48),
        ).expand(job=jobs)
        copies, told = cluster(), report()
        chunks >> copies >> told
        [copies, told] >> complete()
    return dag


def make_reextract() -> DAG:
    """The DAG of re-extraction."""
    with DAG(
        "reextract",
        schedule=None,
        start_date=datetime(2026, 1, 1),
        catchup=False,
        max_active_runs=1,
        doc_md=REEXTRACT,
        tags=["pressmark", "on demand"],
        on_failure_callback=AlertNotifier(),
        default_args={"retries": 1},
        params={
            "outlets": Param([], type="array", minItems=1, examples=_IDS, title="Outlets", items={"type": "string"}),
            "since": Param(None, type=["null", "string"], format="date", title="From", description="Day of the fetch."),
            "until": Param(None, type=["null", "string"], format="date", title="To (excluded)"),
            "promote": Param(False, type="boolean", title="Promote", description="Make the new fields count at once."),
        },
    ) as dag:

        @task(execution_timeout=timedelta(minutes=10))
        def plan(**context: Any) -> list[dict[str, Any]]:
            from pressmark.airflow.desk import plan_reextract

            with without_retry():
                return plan_reextract(dict(context["params"]))

        @task(
            pool=REEXTRACT_POOL,
            execution_timeout=timedelta(hours=24),
            map_index_template="{{ task.op_kwargs['job']['name'] }}",
        )
        def extract(job: dict[str, Any]) -> dict[str, Any]:
            from pressmark.airflow.desk import extract_again

            with without_retry():
                return extract_again(job)

        @task(execution_timeout=timedelta(minutes=10))
        def compare(read: Any) -> list[dict[str, Any]]:
            import logging

            rows = list(read)
            for row in rows:
                logging.getLogger(__name__).info("COMPARED %s", row)
            return rows

        @task(pool=REEXTRACT_POOL, execution_timeout=timedelta(hours=12))
        def promote(read: list[dict[str, Any]], **context: Any) -> dict[str, Any]:
            from pressmark.airflow.desk import promote_all

            with without_retry():
                return promote_all(read, bool(context["params"]["promote"]))

        promote(compare(extract.expand(job=plan())))
    return dag


def make_maintain() -> DAG:
    """The DAG of the daily care."""
    with DAG(
        "maintain",
        schedule=CronDataIntervalTimetable("41 2 * * *", timezone="UTC"),
        start_date=datetime(2026, 1, 1),
        catchup=False,
        max_active_runs=1,
        doc_md=MAINTAIN,
        tags=["pressmark", "daily"],
        on_failure_callback=AlertNotifier(),
        default_args={"retries": 1},
    ) as dag:

        @task(execution_timeout=timedelta(hours=6))
        def care() -> dict[str, int]:
            from pressmark.airflow.desk import maintain

            with without_retry():
                return maintain()

        @task(trigger_rule=TriggerRule.ALL_DONE, pool=LOAD_POOL, execution_timeout=timedelta(hours=2))
        def load() -> dict[str, int]:
            from pressmark.airflow.desk import load_after_maintain

            with without_retry():
                return load_after_maintain()

        @task(trigger_rule=TriggerRule.ALL_DONE, execution_timeout=timedelta(minutes=30))
        def health() -> dict[str, int]:
            from pressmark.airflow.desk import look_at_health

            with without_retry():
                return look_at_health()

        done = [care(), load(), health()]
        done[0] >> done[1] >> done[2]
        done >> complete()
    return dag


backfill = make_backfill()
reextract = make_reextract()
maintain = make_maintain()
