"""`pressmark up` and `pressmark down`: Postgres and Airflow of this home."""

from __future__ import annotations

import contextlib
import subprocess
import time
from typing import Annotated

import typer

from pressmark.airflow.service import DEFAULT_PORT, USER, AirflowService, State
from pressmark.cli.output import err, fail, friendly, out
from pressmark.errors import ServerError
from pressmark.settings import Settings
from pressmark.warehouse.embedded import EmbeddedServer

_START_SECONDS = 900  # a long crash recovery and a slow disk


@friendly
def up(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of Airflow on 127.0.0.1.")] = DEFAULT_PORT,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Return once it is up; `pressmark down` ends it.")
    ] = False,
) -> None:
    """Start Postgres and Airflow on this machine, for this machine alone.

    Airflow's scheduler, DAG processor, API server and triggerer run until Ctrl-C, or until `pressmark down`
    with --detach. Metadata and task logs older than 30 days are taken out at the start.

    Examples:

      pressmark up

      pressmark up --detach --port 8090
    """
    settings = Settings.from_env()
    service = AirflowService(settings)
    state = service.state()
    if service.is_running() and state is not None:
        out.print(f"Airflow runs already: {state.url} (login {USER}, password in {service.password_file})")
        return
    left = service.end_leftovers()
    if left:
        err.print(f"Ended {left} processes that a killed supervisor had left.")
    first_time = not service.password_file.exists()
    supervisor = service.launch(port, die_with_us=not detach)
    try:
        ready = wait_until_ready(service, supervisor)
        _print_where(service, ready, first_time)
        if detach:
            out.print("`pressmark down` ends it.")
            return
        out.print("Ctrl-C ends it.")
        supervisor.wait()
    except BaseException:
        with err.status("Ending Airflow and Postgres; running crawls are sealed"):
            supervisor.terminate()
            supervisor.wait()
            ended = service.state()
            if ended is None or ended.pid == supervisor.pid:  # not one that somebody else has started meanwhile
                end_all(settings)
        raise
    # It ended by itself, or `pressmark down` in another terminal ended it.
    if supervisor.returncode:
        ended = service.state()
        end_all(settings)
        killed = f"Airflow's supervisor ended with {supervisor.returncode}; see {service.logs / 'supervisor.log'}."
        fail(ended.error if ended is not None and ended.error else killed, ServerError.exit_code)


@friendly
def down() -> None:
    """Stop Airflow and the embedded Postgres of this home. Running crawls are sealed first.

    Example:

      pressmark down
    """
    settings = Settings.from_env()
    with err.status("Ending"):
        stopped = end_all(settings)
    out.print(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")


def end_all(settings: Settings) -> list[str]:
    """Stop Airflow, then Postgres; returns what ran."""
    stopped = ["Airflow"] if AirflowService(settings).stop() else []
    return stopped + (["Postgres"] if EmbeddedServer(settings.home).stop() else [])


def wait_until_ready(service: AirflowService, supervisor: subprocess.Popen[bytes]) -> State:
    """Show how the start goes; raises ServerError with the reason where it fails."""
    deadline = time.monotonic() + _START_SECONDS
    shown = ""
    with err.status("starting") if err.is_terminal else contextlib.nullcontext() as display:
        while True:
            state = service.state()
            if state is not None and state.ready:
                return state
            if state is not None and state.error:
                supervisor.wait()
                raise ServerError(f"{state.error} (all logs: {service.logs})")
            if supervisor.poll() is not None:
                raise ServerError(f"The start was broken off; see {service.logs / 'supervisor.log'}.")
            if time.monotonic() > deadline:
                raise ServerError(f"Airflow did not come up in {_START_SECONDS} s; see {service.logs}.")
            stage = state.stage if state is not None else "starting"
            if stage != shown:
                shown = stage
                if display is None:
                    err.print(f"  {stage}")
                else:
                    display.update(f"{stage} ...")
            time.sleep(0.2)


def _print_where(service: AirflowService, state: State, first_time: bool) -> None:
    out.print(f"Airflow:  {state.url}")
    # Shown once, on the day it is made.
    shown = f"password {service.password()}" if first_time else f"password in {service.password_file}"
    out.print(f"Login:    {USER}, {shown}")
    if first_time:
        out.print(f"          (kept in {service.password_file}, for you alone)")
    out.print(f"Logs:     {service.logs}")
    out.print("Data:     pressmark psql")
