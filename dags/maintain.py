"""The daily care: partitions ahead, staging purged, retention, small archive files joined, files that no row
knows staged again and loaded; then sizes (an alert where the disk fills up) and the health of every outlet.

All tasks may be cleared at any time. `pressmark maintain` and `pressmark doctor` are the same by hand.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable, TriggerRule, task

from pressmark.airflow.alerts import AlertNotifier
from pressmark.airflow.dag_building import complete
from pressmark.airflow.operator import without_retry
from pressmark.airflow.pools import LOAD_POOL


def make_maintain() -> DAG:
    """The DAG of the daily care."""
    with DAG(
        "maintain",
        schedule=CronDataIntervalTimetable("41 2 * * *", timezone="UTC"),
        start_date=datetime(2026, 1, 1),
        catchup=False,
        max_active_runs=1,
        doc_md=__doc__,
        tags=["pressmark", "daily"],
        on_failure_callback=AlertNotifier(),
        default_args={"retries": 1},
    ) as dag:

        @task(execution_timeout=timedelta(hours=6))
        def run() -> dict[str, int]:
            from pressmark.airflow.maintenance_tasks import maintain

            with without_retry():
                return maintain()

        @task(trigger_rule=TriggerRule.ALL_DONE, pool=LOAD_POOL, execution_timeout=timedelta(hours=2))
        def load() -> dict[str, int]:
            from pressmark.airflow.maintenance_tasks import load_after_maintain

            with without_retry():
                return load_after_maintain()

        @task(trigger_rule=TriggerRule.ALL_DONE, execution_timeout=timedelta(minutes=30))
        def health() -> dict[str, int]:
            from pressmark.airflow.health_tasks import check_outlet_health

            with without_retry():
                return check_outlet_health()

        done = [run(), load(), health()]
        done[0] >> done[1] >> done[2]
        done >> complete()
    return dag


maintain = make_maintain()
