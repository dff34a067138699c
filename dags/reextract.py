"""Extract archived pages again with the current extractor. Makes no requests to outlets.

Use it after an upgrade of the extractor, or after a change of `extraction.keep` or `extraction.prune` in an outlet's
file, for example because the outlet changed its layout.

| task | does |
|---|---|
| `plan` | creates one job per outlet |
| `extract` | re-extracts the pages of one outlet; its log shows, for each field, how many pages differ, with samples |
| `compare` | logs the counts of all outlets |
| `promote` | promotes the results if **Promote** is on; otherwise logs the command that does |

Analysts see no change until a re-extraction is promoted. Rejected pages are extracted too. Those that are articles now
are added by the promotion. All tasks can be cleared.

Command line: `pressmark reextract ID`, then `--promote`, `--discard` or `--rollback` with the id of the re-extraction.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Param, task

from pressmark.airflow.alerts import AlertNotifier
from pressmark.airflow.dag_building import outlet_file_names
from pressmark.airflow.operator import RETRY_POLICY, expected_errors
from pressmark.airflow.pools import REEXTRACT_POOL


def make_reextract() -> DAG:
    """Build the DAG."""
    with DAG(
        "reextract",
        dag_display_name="Extract archived pages again",
        description="Extract archived pages again with the current extractor, without requests",
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
                [], type="array", minItems=1, examples=outlet_file_names(), title="Outlets", items={"type": "string"}
            ),
            "since": Param(
                None,
                type=["null", "string"],
                format="date",
                title="From",
                description="First day on which the pages were fetched. Empty: all.",
            ),
            "until": Param(
                None,
                type=["null", "string"],
                format="date",
                title="To (excluded)",
                description="Day after the last one. Empty: all.",
            ),
            "promote": Param(False, type="boolean", title="Promote", description="Use the new fields immediately."),
        },
    ) as dag:

        @task(execution_timeout=timedelta(minutes=10))
        def plan(**context: Any) -> list[dict[str, Any]]:
            from pressmark.airflow.crawl_tasks import requester
            from pressmark.airflow.reextract_tasks import plan_reextract

            with expected_errors():
                return plan_reextract(dict(context["params"]), requester(context["dag_run"]))

        @task(
            pool=REEXTRACT_POOL,
            execution_timeout=timedelta(hours=24),
            map_index_template="{{ task.op_kwargs['job']['name'] }}",
        )
        def extract(job: dict[str, Any]) -> list[dict[str, Any]]:
            from pressmark.airflow.reextract_tasks import reextract

            with expected_errors():
                return reextract(job)

        @task(execution_timeout=timedelta(minutes=10))
        def compare(results: Any) -> list[dict[str, Any]]:
            from pressmark.airflow.reextract_tasks import log_comparison

            rows = [row for job_rows in results for row in job_rows]
            log_comparison(rows)
            return rows

        @task(pool=REEXTRACT_POOL, execution_timeout=timedelta(hours=12))
        def promote(rows: list[dict[str, Any]], **context: Any) -> dict[str, Any]:
            from pressmark.airflow.reextract_tasks import promote_all

            with expected_errors():
                return promote_all(rows, bool(context["params"]["promote"]))

        promote(compare(extract.expand(job=plan())))
    return dag


reextract = make_reextract()
