"""What operators do on the pages besides starting DAGs: pause, resume and check an outlet, mute alerts.

DAG runs are started by the page's script through Airflow's own API, as the logged-in user.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import get_user, requires_access_dag
from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, Field

from pressmark.errors import ConfigError, PressmarkError
from pressmark.health.monitor import add_mute, override_outlet, remove_mutes
from pressmark.registry import load_registry
from pressmark.settings import Settings
from pressmark.times import parse_time
from pressmark.warehouse.connection import Warehouse


def _is_json(request: Request) -> None:
    # A form of another site cannot send JSON without the browser asking us first.
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise HTTPException(415, "Send JSON.")


_CHECK_TIMEOUT = 120  # seconds

router = APIRouter(
    prefix="/actions",
    # Who may start crawls may also stop them.
    dependencies=[Depends(_is_json), Depends(requires_access_dag("POST", DagAccessEntity.RUN, "crawl_hourly"))],
)
_User = Annotated[Any, Depends(get_user)]


class _Pause(BaseModel):
    outlet: str
    reason: str = Field(min_length=1)
    until: str | None = None


class _Resume(BaseModel):
    outlet: str
    reason: str = "resumed"


class _Mute(BaseModel):
    outlet: str | None = None
    cause: str | None = None
    until: str | None = None
    reference: str | None = None


@router.post("/pause")
def pause(body: _Pause, user: _User) -> dict[str, str]:
    """Pause scheduled crawls of an outlet."""
    return _run(
        lambda w: override_outlet(w, body.outlet, "paused", body.reason, user.get_name(), _end(body.until)), body
    )


@router.post("/resume")
def resume(body: _Resume, user: _User) -> dict[str, str]:
    """Resume a paused outlet."""
    return _run(lambda w: override_outlet(w, body.outlet, "running", body.reason, user.get_name(), None), body)


@router.post("/mute")
def mute(body: _Mute, user: _User) -> dict[str, str]:
    """Mute alerts of an outlet or a cause, until a time or while a ticket is open."""
    end = _end(body.until)
    if end is None and not body.reference:
        raise HTTPException(422, "Give the end of the mute, or a ticket.")
    return _run(lambda w: add_mute(w, user.get_name(), body.outlet, body.cause, end, body.reference or None), body)


@router.post("/unmute")
def unmute(body: _Mute) -> dict[str, str]:
    """End the mutes of an outlet or a cause."""
    return _run(lambda w: remove_mutes(w, body.outlet, body.cause), body)


class _Check(BaseModel):
    outlet: str


@router.post("/check")
def check_live(body: _Check) -> dict[str, str]:
    """Probe the site of an outlet and compare it with its file. Takes up to two minutes."""
    try:
        outlet = load_registry(Settings.from_env()).get(body.outlet)
    except ConfigError as error:
        raise HTTPException(422, str(error)) from error
    command = [sys.executable, "-m", "pressmark.cli", "outlet", "check", outlet.id, "--live"]
    try:
        done = subprocess.run(  # noqa: S603 - our own command, with the id of a known outlet
            command, capture_output=True, text=True, timeout=_CHECK_TIMEOUT, check=False,
            env={**os.environ, "COLUMNS": "120"},
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise HTTPException(504, f"{outlet.id}: the check did not end within {_CHECK_TIMEOUT} seconds.") from error
    return {"text": (done.stdout + done.stderr).strip()}


def _end(text: str | None) -> datetime | None:
    """Return the end that the form gives. Raises HTTPException 422 if it is no time, or in the past."""
    try:
        end = parse_time(text or None, "Until")
    except ConfigError as error:
        raise HTTPException(422, str(error)) from error
    if end is not None and end <= datetime.now(UTC):
        raise HTTPException(422, f"{text} is in the past.")
    return end


def _run(action: Any, body: Any) -> dict[str, str]:
    try:
        settings = Settings.from_env()
        if body.outlet:
            load_registry(settings).get(body.outlet)
        action(Warehouse(settings))
    except ConfigError as error:
        raise HTTPException(422, str(error)) from error
    except PressmarkError as error:
        raise HTTPException(503, str(error)) from error
    return {"state": "done"}
