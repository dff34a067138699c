"""Reads archived pages again by the extractor of today, without asking any outlet for anything.

Each task of `extract` reads one outlet and tells in its log, field by field, how many pages differ, with samples.
Nothing counts until it is promoted: by the switch of the form, or afterwards by `pressmark reextract --promote ID`.
`pressmark reextract --keep ID` takes a promotion back. Pages that had given no text are read too, and become articles
by the promotion: that is how a layout change is mended by a hint in the outlet's file (`extraction.keep`, `prune`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Param, task

from pressmark.airflow.alerts import AlertNotifier
from pressmark.airflow.dag_building import outlet_file_names
from pressmark.airflow.operator import without_retry
from pressmark.airflow.pools import REEXTRACT_POOL


def make_reextract() -> DAG:
    """The DAG of re-extraction."""
    with DAG(
        "reextract",
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
                [], type="array", minItems=1, examples=outlet_file_names(), title="Outlets", items={"type": "string"}
            ),
            "since": Param(None, type=["null", "string"], format="date", title="From", description="Day of the fetch."),
            "until": Param(None, type=["null", "string"], format="date", title="To (excluded)"),
            "promote": Param(False, type="boolean", title="Promote", description="Make the new fields count at once."),
        },
    ) as dag:

        @task(execution_timeout=timedelta(minutes=10))
        def plan(**context: Any) -> list[dict[str, Any]]:
            from pressmark.airflow.reextract_tasks import plan_reextract

            with without_retry():
                return plan_reextract(dict(context["params"]))

        @task(
            pool=REEXTRACT_POOL,
            execution_timeout=timedelta(hours=24),
            map_index_template="{{ task.op_kwargs['job']['name'] }}",
        )
        def extract(job: dict[str, Any]) -> dict[str, Any]:
            from pressmark.airflow.reextract_tasks import reextract

            with without_retry():
                return reextract(job)

        @task(execution_timeout=timedelta(minutes=10))
        def compare(read: Any) -> list[dict[str, Any]]:
            import logging

            rows = list(read)
            for row in rows:
                logging.getLogger(__name__).info("COMPARED %s", row)
            return rows

        @task(pool=REEXTRACT_POOL, execution_timeout=timedelta(hours=12))
        def promote(read: list[dict[str, Any]], **context: Any) -> dict[str, Any]:
            from pressmark.airflow.reextract_tasks import promote_all

            with without_retry():
                return promote_all(read, bool(context["params"]["promote"]))

        promote(compare(extract.expand(job=plan())))
    return dag


reextract = make_reextract()
