"""Pressmark's pages inside Airflow. Loaded by Airflow's API server (entry point `airflow.plugins`).

Every page asks for Airflow's own login. They read `mart` as the analyst, with a short time limit; whatever
comes from a page of an outlet is escaped.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from airflow.api_fastapi.core_api.security import get_user
from airflow.plugins_manager import AirflowPlugin
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pressmark.errors import PressmarkError
from pressmark.settings import Settings
from pressmark.warehouse.connection import Warehouse, dict_rows, transaction
from pressmark.warehouse.queries import queries

_SECONDS = 5

app = FastAPI(title="Pressmark", dependencies=[Depends(get_user)], docs_url=None, redoc_url=None, openapi_url=None)
_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
)


@app.get("/crawls", response_class=HTMLResponse)
def crawls(dag_id: str, run_id: str) -> str:
    """The crawls of one run of a DAG."""
    rows = _read("crawls_of_run", dag_id=dag_id, run_id=run_id)
    return _templates.get_template("crawls.html").render(dag_id=dag_id, run_id=run_id, rows=rows)


def _read(statement: str, **values: Any) -> list[dict[str, Any]]:
    try:
        connection = Warehouse(Settings.from_env()).connect("analyst", "pressmark page")
        with contextlib.closing(connection), transaction(connection) as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", (f"{_SECONDS}s",))
            cursor.execute(queries("page")[statement], values)
            return dict_rows(cursor)
    except PressmarkError as error:
        raise HTTPException(503, str(error)) from error


class PressmarkPlugin(AirflowPlugin):
    """Registers the pages."""

    name = "pressmark"
    fastapi_apps = [{"app": app, "url_prefix": "/pressmark", "name": "Pressmark"}]  # noqa: RUF012 - Airflow's way
