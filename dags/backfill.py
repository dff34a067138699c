"""Fetches what outlets published on certain dates.

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

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Param, TriggerRule, task

from pressmark.airflow.alerts import AlertNotifier
from pressmark.airflow.dag_building import complete, outlet_file_names
from pressmark.airflow.operator import ChunksOperator, without_retry
from pressmark.airflow.pools import BACKFILL_POOL


def make_backfill() -> DAG:
    """The DAG of backfills."""
    with DAG(
        "backfill",
        schedule=None,
        start_date=datetime(2026, 1, 1),
        catchup=False,
        max_active_runs=1,
        doc_md=__doc__,
        tags=["pressmark", "on demand"],
        on_failure_callback=AlertNotifier(),
        default_args={"retries": 1},
        params={
            "outlets": Param(
                [], type="array", minItems=1, examples=outlet_file_names(), title="Outlets", items={"type": "string"},
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
            from pressmark.airflow.backfill_tasks import plan_backfill as plan

            run = context["dag_run"]
            with without_retry():
                return plan(dict(context["params"]), run.dag_id, run.run_id, f"Airflow {run.dag_id}")

        @task(trigger_rule=TriggerRule.ALL_DONE, execution_timeout=timedelta(hours=1))
        def cluster() -> dict[str, int]:
            from pressmark.airflow.crawl_tasks import cluster_loaded

            with without_retry():
                return cluster_loaded()

        @task(trigger_rule=TriggerRule.ALL_DONE, retries=0, execution_timeout=timedelta(minutes=10))
        def report(**context: Any) -> dict[str, Any]:
            from pressmark.airflow.backfill_tasks import report_backfill

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


backfill = make_backfill()
