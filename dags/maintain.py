"""Run the daily maintenance.

**Tasks**

| task | does |
|---|---|
| `run` | maintains the database and the archive, then measures storage |
| `load` | loads archive files that were staged again |
| `health` | evaluates the health of every outlet and sends new alerts |

`run` creates partitions, purges staging, applies retention, joins small archive files and vacuums. It stages archive
files again that the database does not know. It opens an alert if the disk will be full within a week.

All tasks can be cleared at any time. On the command line, use
`pressmark maintain`, `pressmark load` and `pressmark doctor`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable, TriggerRule, task

from pressmark.airflow.alerts import AlertNotifier
from pressmark.airflow.dag_building import complete
from pressmark.airflow.operator import RETRY_POLICY, expected_errors
from pressmark.airflow.pools import LOAD_POOL


def make_maintain() -> DAG:
    """Build the DAG."""
    with DAG(
        "maintain",
        dag_display_name="Maintain the warehouse",
        description="Maintain the database and the archive, measure storage, evaluate the health of all outlets",
        schedule=CronDataIntervalTimetable("41 2 * * *", timezone="UTC"),
        start_date=datetime(2026, 1, 1),
        catchup=False,
        max_active_runs=1,
        doc_md=__doc__,
        tags=["pressmark", "daily"],
        on_failure_callback=AlertNotifier(),
        default_args={"retries": 1, "retry_policy": RETRY_POLICY, "owner": "pressmark"},
    ) as dag:

        @task(execution_timeout=timedelta(hours=6))
        def run() -> dict[str, int]:
            from pressmark.airflow.maintenance_tasks import maintain

            with expected_errors():
                return maintain()

        @task(trigger_rule=TriggerRule.ALL_DONE, pool=LOAD_POOL, execution_timeout=timedelta(hours=2))
        def load() -> dict[str, int]:
            from pressmark.airflow.maintenance_tasks import load_after_maintain

            with expected_errors():
                return load_after_maintain()

        @task(trigger_rule=TriggerRule.ALL_DONE, execution_timeout=timedelta(minutes=30))
        def health() -> dict[str, int]:
            from pressmark.airflow.health_tasks import check_outlet_health

            with expected_errors():
                return check_outlet_health()

        tasks = [run(), load(), health()]
        tasks[0] >> tasks[1] >> tasks[2]
        tasks >> complete()
    return dag


maintain = make_maintain()
