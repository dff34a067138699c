"""Crawl all enabled outlets of one tier. A tier is a schedule class: hourly, six-hourly or daily.

**Tasks**

| task | does |
|---|---|
| `plan` | writes a crawl request for each outlet and groups the outlets into jobs |
| `job.crawl` | fetches, extracts and archives; one task per job, named after its outlets |
| `job.load` | loads committed segments into the warehouse, including those of failed crawls |
| `job.evaluate` | evaluates the health of the outlets and sends alerts, without waiting for the other jobs |
| `cluster` | finds copies of the new articles |
| `audit` | evaluates the run from the database and emits the asset `news_articles` with its counts |

`audit` lists the outlets that failed, listed nothing, forbid crawling or wait. It fails the run if more than a quarter
of the outlets failed, if a ledger does not add up, or if `cluster` failed. A red `job.crawl` in a green run means that
single outlets have a problem.

**Retries.** Airflow retries crawls that failed because of an error of this installation, such as a killed process or a
full disk. It does not retry outlets that cannot be reached. Their endpoints are polled again after a back-off, which is
never longer than the interval of the tier. Until then, the outlet is *waiting*.

**Slow outlets.** The next run starts even if this run is still crawling an outlet. It skips that outlet.

**Actions**

- *Clear* any task at any time. Nothing is loaded twice. A cleared `job.crawl` crawls again and fetches what is new or
  due now.
- *Trigger* to crawl now, without waiting for the schedule or for a back-off. **Outlets** limits the run to some
  outlets, of any tier.
- *Backfill* (Trigger > Backfill) to crawl by date of publication, one run per interval, for all outlets of the tier.
  Only sitemaps, daily archives and WordPress are used. For single outlets, use the DAG `backfill` or
  `pressmark backfill ID --since DATE --until DATE`.

`pressmark outlet list` shows all outlets, and why an outlet is not scheduled.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Asset, CronDataIntervalTimetable, Metadata, Param, TriggerRule, task, task_group

from pressmark.airflow.alerts import AlertNotifier
from pressmark.airflow.dag_building import outlet_file_names
from pressmark.airflow.operator import RETRY_POLICY, CrawlOperator, LoadOperator, expected_errors
from pressmark.airflow.pools import CRAWL_POOL, LOAD_POOL
from pressmark.scheduling import TIER_SCHEDULES

ARTICLES = Asset("news_articles")


def make_dag(tier: str, cron: str) -> DAG:
    """Build the DAG of a tier."""
    with DAG(
        f"crawl_{tier}",
        dag_display_name=f"Crawl {tier.replace('_', '-')} outlets",
        description=f"Crawl the outlets of the tier {tier}, load their articles and evaluate their health",
        schedule=CronDataIntervalTimetable(cron, timezone="UTC"),
        start_date=datetime(2026, 1, 1),
        catchup=False,
        # A job ends after 3.5 hours at the latest, so a fifth hourly run never has to wait for the first one.
        max_active_runs=4,
        doc_md=__doc__,
        tags=["pressmark", "crawl"],
        on_failure_callback=AlertNotifier(),
        # The first retry delay is an Airflow setting: [core] default_task_retry_delay.
        default_args={
            "retries": 2, "retry_exponential_backoff": True, "max_retry_delay": timedelta(minutes=20),
            "retry_policy": RETRY_POLICY, "owner": "pressmark",
        },
        params={
            "outlets": Param(
                [], type=["null", "array"], examples=outlet_file_names(), title="Outlets", items={"type": "string"},
                description="Crawl only these outlets, whatever their tier. Leave empty to crawl the whole tier.",
            ),
        },
    ) as dag:  # fmt: skip

        @task(execution_timeout=timedelta(minutes=10))
        def plan(**context: Any) -> list[dict[str, Any]]:
            from pressmark.airflow.crawl_tasks import plan_tier

            with expected_errors():
                return plan_tier(tier, context)

        @task_group
        def job(job: dict[str, Any]) -> None:
            name_template = "{{ task.job['name'] }}"
            crawl = CrawlOperator(
                task_id="crawl",
                job=job,
                pool=CRAWL_POOL,
                map_index_template=name_template,
                execution_timeout=timedelta(hours=3, minutes=30),
            )
            load = LoadOperator(
                task_id="load",
                job=job,
                pool=LOAD_POOL,
                trigger_rule=TriggerRule.ALL_DONE,
                map_index_template=name_template,
                execution_timeout=timedelta(minutes=30),
            )

            @task(
                trigger_rule=TriggerRule.ALL_DONE,
                execution_timeout=timedelta(minutes=10),
                map_index_template="{{ task.op_kwargs['job']['name'] }}",
            )
            def evaluate(job: dict[str, Any], **context: Any) -> None:
                from pressmark.airflow.crawl_tasks import evaluate_job

                with expected_errors():
                    evaluate_job(job, context["dag_run"].dag_id, context["dag_run"].run_id)

            crawl >> load >> evaluate(job=job)

        @task(trigger_rule=TriggerRule.ALL_DONE, execution_timeout=timedelta(hours=1))
        def cluster() -> dict[str, int]:
            from pressmark.airflow.crawl_tasks import cluster_loaded

            with expected_errors():
                return cluster_loaded()

        @task(trigger_rule=TriggerRule.ALL_DONE, outlets=[ARTICLES], execution_timeout=timedelta(minutes=10))
        def audit(**context: Any) -> Any:
            from pressmark.airflow.crawl_tasks import audit_run

            # A successful task returned a value, even if it is an empty list. A failed task returned none.
            planned, clustered = (context["ti"].xcom_pull(task_ids=name) is not None for name in ("plan", "cluster"))
            with expected_errors():
                counts = audit_run(context["dag_run"].dag_id, context["dag_run"].run_id, planned, clustered)
            yield Metadata(ARTICLES, counts)

        jobs = plan()
        evaluation = audit()
        job.expand(job=jobs) >> cluster() >> evaluation
        jobs >> evaluation
    return dag


for _tier, _cron in TIER_SCHEDULES.items():
    globals()[f"crawl_{_tier}"] = make_dag(_tier, _cron)
