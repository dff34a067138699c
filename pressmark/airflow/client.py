"""Client for the parts of Airflow's REST API that Pressmark uses: DAG runs, task instances, logs, triggers."""

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
    """A DAG run. state: queued, running, success or failed."""

    dag_id: str
    run_id: str
    state: str
    run_type: str

    @property
    def has_ended(self) -> bool:
        """Whether the run is over."""
        return self.state in END_STATES


class AirflowClient:
    """Context manager: a client logged in to the Airflow of a home.

    Methods raise ServerError if Airflow is not running, does not respond or responds with an error.
    """

    def __init__(self, service: AirflowService) -> None:
        state = service.state()
        if state is None or not service.is_running():
            raise ServerError("Airflow is not running. Start it with `pressmark up`.")
        self.url = state.url
        self._http = httpx.Client(base_url=state.url, timeout=30, transport=httpx.HTTPTransport(retries=3))
        self._password = service.password()

    def __enter__(self) -> Self:
        token = self._request("POST", "/auth/token", json={"username": USER, "password": self._password})[
            "access_token"
        ]
        self._http.headers["Authorization"] = f"Bearer {token}"
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def runs(self, dag_id: str) -> list[Run]:
        """Return the runs of a DAG, oldest first. Empty if Airflow has not parsed the DAG's file yet."""
        body = self._request(
            "GET", f"/api/v2/dags/{dag_id}/dagRuns", params={"limit": 100, "order_by": "run_after"}, missing={}
        )
        return [_run(row) for row in body.get("dag_runs", ())]

    def run(self, dag_id: str, run_id: str) -> Run:
        """Return the current state of a run."""
        return _run(self._request("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}"))

    def seconds(self, run: Run) -> float:
        """Return the duration of a finished run in seconds."""
        return float(self._request("GET", f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}")["duration"])

    def trigger(self, dag_id: str, form: dict[str, Any] | None = None) -> Run:
        """Trigger a run now, without a logical date. form: its params."""
        body = {"logical_date": None, "run_after": datetime.now(UTC).isoformat(), "conf": form or {}}
        return _run(self._request("POST", f"/api/v2/dags/{dag_id}/dagRuns", json=body))

    def tasks(self, run: Run) -> list[dict[str, Any]]:
        """Return the task instances of a run: task_id, map_index, rendered_map_index, state, duration and more."""
        path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances"
        rows: list[dict[str, Any]] = []
        while True:  # Airflow returns at most 100 at a time
            body = self._request("GET", path, params={"limit": 100, "offset": len(rows), "order_by": "id"})
            rows += body["task_instances"]
            if len(rows) >= body["total_entries"] or not body["task_instances"]:
                return rows

    def log(self, run: Run, task_id: str, map_index: int = -1, attempt: int = 1) -> str:
        """Return the log of a task instance: one line per event, with the text of exceptions."""
        path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task_id}/logs/{attempt}"
        content = self._request("GET", path, params={"map_index": map_index, "full_content": True})["content"]
        lines: list[str] = []
        for event in content:
            if isinstance(event, str):
                lines.append(event)
                continue
            lines.append(str(event.get("event", "")))
            lines += [f"{e.get('exc_type')}: {e.get('exc_value')}" for e in event.get("error_detail") or ()]
        return "\n".join(lines)

    def xcom(self, run: Run, task_id: str, map_index: int = -1) -> Any:
        """Return the return value of a task instance."""
        path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task_id}/xcomEntries/return_value"
        return self._request("GET", path, params={"map_index": map_index, "deserialize": True})["value"]

    def links(self, run: Run, task_id: str, map_index: int = -1) -> dict[str, str]:
        """Return the extra links of a task instance: URL by name."""
        path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task_id}/links"
        links: dict[str, str] = self._request("GET", path, params={"map_index": map_index})["extra_links"]
        return links

    def page(self, path: str) -> str:
        """Return a page of this server as the logged-in user sees it."""
        response = self._http.get(path)
        if response.is_error:
            raise ServerError(f"Airflow responded with {response.status_code} to {path}: {response.text[:300]}")
        return response.text

    def asset_events(self, name: str, dag_id: str) -> list[dict[str, Any]]:
        """Return the extras of the asset events that a DAG emitted, newest last."""
        params = {"name_pattern": name, "source_dag_id": dag_id, "order_by": "timestamp"}
        body = self._request("GET", "/api/v2/assets/events", params=params)
        return [event["extra"] for event in body["asset_events"]]

    def set_state(self, run: Run, task_id: str, map_index: int, state: str) -> None:
        """Set the state of a task instance, as the UI does."""
        path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task_id}/{map_index}"
        self._request("PATCH", path, json={"new_state": state})

    def clear(self, run: Run) -> None:
        """Clear all tasks of a run, so that it runs again."""
        self._request("POST", f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/clear", json={"dry_run": False})

    def _request(self, method: str, path: str, missing: Any = None, **options: Any) -> Any:
        try:
            response = self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            raise ServerError(f"Airflow at {self.url} does not respond: {error}") from error
        if response.status_code == httpx.codes.NOT_FOUND and missing is not None:
            return missing
        if response.is_error:
            raise ServerError(
                f"Airflow responded with {response.status_code} to {method} {path}: {response.text[:300]}"
            )
        return response.json()


def _run(row: dict[str, Any]) -> Run:
    return Run(row["dag_id"], row["dag_run_id"], row["state"], row["run_type"])
