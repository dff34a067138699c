"""Fetch what outlets published in a date range.

**Run a backfill**

1. *Trigger* the DAG. Choose the outlets, **From** (first day of publication) and **To** (the day after the last one).
   Leave **Dry run** on.
2. Read the plan in the log of `plan_backfill` or on the *Backfills* page. For each outlet and day, it shows how many
   articles are known, how many the listings contain and how many are missing. It also estimates requests and time.
3. *Trigger* the DAG again with the same form and **Dry run** off.

**Tasks**

| task | does |
|---|---|
| `plan_backfill` | polls the listings and splits the backfill into chunks of one outlet and one month |
| `crawl_and_load` | one task per outlet: crawls and loads its chunks, one after the other |
| `cluster` | finds copies of the new articles |
| `report` | shows coverage before and after; fails if chunks are not done |

Only methods that reach the past are used: `sitemap`, `robots` (the sitemaps it names), `archive` and `wordpress`. Pages
that are already in the warehouse are not fetched again, unless you set **Force refetch**.

**Resume.** To resume a failed or stopped backfill, *Clear* its run or trigger the same form again. Finished chunks are
skipped. Any task can be cleared.

**Outages.** To repeat the intervals of a whole tier after an outage, use Airflow's own *Backfill* of the tier's DAG.
Its **To** date is *included*.

Command line: `pressmark backfill ID --since DATE --until DATE --dry-run`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Param, TriggerRule, task

from pressmark.airflow.alerts import AlertNotifier
from pressmark.airflow.dag_building import complete, outlet_file_names
from pressmark.airflow.operator import RETRY_POLICY, ChunksOperator, expected_errors
from pressmark.airflow.pools import BACKFILL_POOL


def make_backfill() -> DAG:
    """Build the DAG."""
    with DAG(
        "backfill",
        dag_display_name="Fetch the past of outlets",
        description="Fetch what outlets published in a date range",
        schedule=None,
        start_date=datetime(2026, 1, 1),
        catchup=False,
        max_active_runs=1,
        doc_md=__doc__,
        tags=["pressmark", "on demand"],
        on_failure_callback=AlertNotifier(),
        default_args={"retries": 1, "retry_policy": RETRY_POLICY, "owner": "pressmark"},
        params={
            "outlets": Param(
                [], type="array", minItems=1, examples=["all", "hourly", "six_hourly", "daily", *outlet_file_names()],
                title="Outlets", items={"type": "string"},
                description="Outlets whose file has a sitemap, a daily archive or WordPress. A tier or `all` stands "
                "for its enabled outlets.",
            ),
            "since": Param(
                None, type="string", format="date", title="From", description="First day of publication (UTC).",
            ),
            "until": Param(
                None, type="string", format="date", title="To (excluded)",
                description="Day after the last day of publication (UTC).",
            ),
            "methods": Param(
                [], type=["null", "array"], title="Methods", examples=["sitemap", "robots", "archive", "wordpress"],
                items={"type": "string"}, description="Leave empty to use all methods in the outlet's file.",
            ),
            "page_budget": Param(
                None, type=["null", "integer"], minimum=1, title="Page budget",
                description="Maximum articles per outlet and month. Leave empty to use the outlet's own budget.",
            ),
            "dry_run": Param(True, type="boolean", title="Dry run", description="Plan only. Fetch no articles."),
            "force_refetch": Param(
                False, type="boolean", title="Force refetch", description="Fetch known pages again.",
            ),
        },
    ) as dag:  # fmt: skip

        @task(execution_timeout=timedelta(hours=2))
        def plan_backfill(**context: Any) -> list[dict[str, Any]]:
            from pressmark.airflow.backfill_tasks import plan_backfill as plan
            from pressmark.airflow.crawl_tasks import requester

            run = context["dag_run"]
            with expected_errors():
                return plan(dict(context["params"]), run.dag_id, run.run_id, requester(run))

        @task(trigger_rule=TriggerRule.ALL_DONE, execution_timeout=timedelta(hours=1))
        def cluster() -> dict[str, int]:
            from pressmark.airflow.crawl_tasks import cluster_loaded

            with expected_errors():
                return cluster_loaded()

        @task(trigger_rule=TriggerRule.ALL_DONE, retries=0, execution_timeout=timedelta(minutes=10))
        def report(**context: Any) -> dict[str, Any]:
            from pressmark.airflow.backfill_tasks import report_backfill

            with expected_errors():
                return report_backfill(context["dag_run"].dag_id, context["dag_run"].run_id)

        jobs = plan_backfill()
        chunks = ChunksOperator.partial(
            task_id="crawl_and_load",
            pool=BACKFILL_POOL,
            map_index_template="{{ task.job['name'] }}",
            execution_timeout=timedelta(hours=48),
        ).expand(job=jobs)
        copies, summary = cluster(), report()
        chunks >> copies >> summary
        [copies, summary] >> complete()
    return dag


backfill = make_backfill()
