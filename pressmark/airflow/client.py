"""Airflow's public REST API, as far as Pressmark needs it: runs of a DAG, their tasks, triggering one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

import httpx

from pressmark.airflow.service import USER, AirflowService
from pressmark.errors import ServerError

END_STATES = frozenset({"success", "failed"})


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a DAG. state: queued, running, success or failed."""

    dag_id: str
    run_id: str
    state: str
    run_type: str

    @property
    def has_ended(self) -> bool:
        """Whether it will not change by itself."""
        return self.state in END_STATES


class AirflowClient:
    """Logged in to the Airflow of a home; to be used as a context manager."""

    def __init__(self, service: AirflowService) -> None:
        state = service.state()
        if state is None or not service.is_running():
            raise ServerError("Airflow does not run here: `pressmark up` starts it.")
        self.url = state.url
        self._http = httpx.Client(base_url=state.url, timeout=30, transport=httpx.HTTPTransport(retries=3))
        self._password = service.password()

    def __enter__(self) -> Self:
        token = self._ask("POST", "/auth/token", json={"username": USER, "password": self._password})["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def runs(self, dag_id: str) -> list[Run]:
        """The runs of a DAG, oldest first; none where Airflow has not read its file yet."""
        found = self._ask(
            "GET", f"/api/v2/dags/{dag_id}/dagRuns", params={"limit": 100, "order_by": "run_after"}, missing={}
        )
        return [_run(row) for row in found.get("dag_runs", ())]

    def run(self, dag_id: str, run_id: str) -> Run:
        """One run as it is now."""
        return _run(self._ask("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}"))

    def seconds(self, run: Run) -> float:
        """How long a run took that has ended, from its start."""
        return float(self._ask("GET", f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}")["duration"])

    def trigger(self, dag_id: str, form: dict[str, Any] | None = None) -> Run:
        """Start a run now, without a logical date of its own. form: its params."""
        body = {"logical_date": None, "run_after": datetime.now(UTC).isoformat(), "conf": form or {}}
        return _run(self._ask("POST", f"/api/v2/dags/{dag_id}/dagRuns", json=body))

    def tasks(self, run: Run) -> list[dict[str, Any]]:
        """Task instances of a run: task_id, map_index, rendered_map_index, state, duration and more."""
        path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances"
        rows: list[dict[str, Any]] = []
        while True:  # 100 at a time is what Airflow gives
            found = self._ask("GET", path, params={"limit": 100, "offset": len(rows), "order_by": "id"})
            rows += found["task_instances"]
            if len(rows) >= found["total_entries"] or not found["task_instances"]:
                return rows

    def log(self, run: Run, task_id: str, map_index: int = -1, attempt: int = 1) -> str:
        """What a task instance logged, a line an event; of an exception its words too."""
        path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task_id}/logs/{attempt}"
        content = self._ask("GET", path, params={"map_index": map_index, "full_content": True})["content"]
        lines: list[str] = []
        for event in content:
            if isinstance(event, str):
                lines.append(event)
                continue
            lines.append(str(event.get("event", "")))
            lines += [f"{e.get('exc_type')}: {e.get('exc_value')}" for e in event.get("error_detail") or ()]
        return "\n".join(lines)

    def xcom(self, run: Run, task_id: str, map_index: int = -1) -> Any:
        """What a task instance returned."""
        path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task_id}/xcomEntries/return_value"
        return self._ask("GET", path, params={"map_index": map_index, "deserialize": True})["value"]

    def links(self, run: Run, task_id: str, map_index: int = -1) -> dict[str, str]:
        """The buttons of a task instance: address by name."""
        path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task_id}/links"
        found: dict[str, str] = self._ask("GET", path, params={"map_index": map_index})["extra_links"]
        return found

    def page(self, path: str) -> str:
        """A page of this server, as the logged-in user sees it."""
        answer = self._http.get(path)
        if answer.is_error:
            raise ServerError(f"Airflow answered {answer.status_code} to {path}: {answer.text[:300]}")
        return answer.text

    def asset_events(self, name: str, dag_id: str) -> list[dict[str, Any]]:
        """What the runs of a DAG emitted with an asset, newest last."""
        asked = {"name_pattern": name, "source_dag_id": dag_id, "order_by": "timestamp"}
        found = self._ask("GET", "/api/v2/assets/events", params=asked)
        return [event["extra"] for event in found["asset_events"]]

    def set_state(self, run: Run, task_id: str, map_index: int, state: str) -> None:
        """Mark a task instance, as the buttons of the UI do."""
        path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task_id}/{map_index}"
        self._ask("PATCH", path, json={"new_state": state})

    def clear(self, run: Run) -> None:
        """Clear all tasks of a run: it runs again."""
        self._ask("POST", f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/clear", json={"dry_run": False})

    def _ask(self, method: str, path: str, missing: Any = None, **options: Any) -> Any:
        try:
            answer = self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            raise ServerError(f"Airflow at {self.url} did not answer: {error}") from error
        if answer.status_code == httpx.codes.NOT_FOUND and missing is not None:
            return missing
        if answer.is_error:
            raise ServerError(f"Airflow answered {answer.status_code} to {method} {path}: {answer.text[:300]}")
        return answer.json()


def _run(row: dict[str, Any]) -> Run:
    return Run(row["dag_id"], row["dag_run_id"], row["state"], row["run_type"])
