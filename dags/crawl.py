"""The crawls of one tier: every enabled outlet whose file names this cadence.

**plan** writes a crawl request for each outlet and shares them out to jobs. **job.crawl** fetches, extracts
and archives; **job.load** brings what was committed into the warehouse, also after a crawl that failed.
**cluster** looks for copies of the new texts in other articles. **audit** reads the database: it names outlets
that failed, were silent or refused us, fails the run where more than a quarter failed, a ledger does not add up
or `cluster` failed, and emits the asset `news_articles` with the counts.

- *Clear* any task at any time: nothing is loaded twice. A cleared crawl looks again at everything listed now.
- *Trigger* for a crawl out of turn; it takes everything new or due.
- *Backfill* (Trigger > Backfill) crawls by date of publication within each interval, all outlets of the tier,
  and only sitemaps, archives by day and WordPress take part. One outlet and some dates:
  the DAG `backfill`, or `pressmark backfill ID --since DATE --until DATE`.
- Which outlets, and why one is not here: `pressmark outlet list`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Asset, CronDataIntervalTimetable, Metadata, TriggerRule, task, task_group

from pressmark.airflow.alerts import AlertNotifier
from pressmark.airflow.operator import CrawlOperator, LoadOperator, without_retry
from pressmark.airflow.pools import CRAWL_POOL, LOAD_POOL

TIERS = {"hourly": "7 * * * *", "six_hourly": "17 */6 * * *", "daily": "27 3 * * *"}
ARTICLES = Asset("news_articles")


def make_dag(tier: str, cron: str) -> DAG:
    """The DAG of a tier."""
    with DAG(
        f"crawl_{tier}",
        schedule=CronDataIntervalTimetable(cron, timezone="UTC"),
        start_date=datetime(2026, 1, 1),
        catchup=False,
        max_active_runs=1,
        doc_md=__doc__,
        tags=["pressmark", "crawl"],
        on_failure_callback=AlertNotifier(),
        # The first delay is the installation's: [core] default_task_retry_delay.
        default_args={"retries": 2, "retry_exponential_backoff": True, "max_retry_delay": timedelta(minutes=20)},
    ) as dag:

        @task(execution_timeout=timedelta(minutes=10))
        def plan(**context: Any) -> list[dict[str, Any]]:
            from pressmark.airflow.crawl_tasks import plan_tier

            with without_retry():
                return plan_tier(tier, context)

        @task_group
        def job(job: dict[str, Any]) -> None:
            named = "{{ task.job['name'] }}"
            crawl = CrawlOperator(
                task_id="crawl",
                job=job,
                pool=CRAWL_POOL,
                map_index_template=named,
                execution_timeout=timedelta(hours=3, minutes=30),
            )
            load = LoadOperator(
                task_id="load",
                job=job,
                pool=LOAD_POOL,
                trigger_rule=TriggerRule.ALL_DONE,
                map_index_template=named,
                execution_timeout=timedelta(minutes=30),
            )
            crawl >> load

        @task(trigger_rule=TriggerRule.ALL_DONE, execution_timeout=timedelta(hours=1))
        def cluster() -> dict[str, int]:
            from pressmark.airflow.crawl_tasks import cluster_loaded

            with without_retry():
                return cluster_loaded()

        @task(trigger_rule=TriggerRule.ALL_DONE, outlets=[ARTICLES], execution_timeout=timedelta(minutes=10))
        def audit(**context: Any) -> Any:
            from pressmark.airflow.crawl_tasks import audit_run

            # What they returned, if only an empty list: a task that failed has returned nothing.
            planned, clustered = (context["ti"].xcom_pull(task_ids=name) is not None for name in ("plan", "cluster"))
            with without_retry():
                counts = audit_run(context["dag_run"].dag_id, context["dag_run"].run_id, planned, clustered)
            yield Metadata(ARTICLES, counts)

        jobs = plan()
        judged = audit()
        job.expand(job=jobs) >> cluster() >> judged
        jobs >> judged
    return dag


for _tier, _cron in TIERS.items():
    globals()[f"crawl_{_tier}"] = make_dag(_tier, _cron)
