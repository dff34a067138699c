"""`pressmark up` and `pressmark down`: start and stop the Postgres and Airflow of this home."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from typing import Annotated

import typer

from pressmark.airflow.service import DEFAULT_PORT, USER, AirflowService, State
from pressmark.cli.newsstand import unserved
from pressmark.cli.output import err, fail, friendly, out
from pressmark.errors import ServerError
from pressmark.registry import load_registry
from pressmark.settings import Settings
from pressmark.text import plural
from pressmark.warehouse.embedded import EmbeddedServer

_START_TIMEOUT = 900  # seconds; covers a long crash recovery on a slow disk
# pressmark.airflow.plugin inside Airflow's UI, which asks for the login; /pressmark/outlets answers 401 without one.
_PAGE = "/plugin/pressmark"


@friendly
def up(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port for Airflow on 127.0.0.1.")] = DEFAULT_PORT,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Return once Airflow is ready. Stop it with `pressmark down`.")
    ] = False,
) -> None:
    """Start Postgres and Airflow.

    They listen only on this machine. Airflow's scheduler, DAG processor, API
    server and triggerer run until you press Ctrl-C. With --detach they run
    until `pressmark down`. Airflow metadata and task logs older than 30 days
    are deleted at the start.

    Examples:

      pressmark up

      pressmark up --detach --port 8090
    """
    settings = Settings.from_env()
    service = AirflowService(settings)
    _warn_about_unserved(settings)
    state = service.state()
    if service.is_running() and state is not None:
        out.print("Airflow is already running.")
        _print_access(service, state, first_time=False)
        return
    left = service.end_leftovers()
    if left:
        err.print(f"Stopped {plural(left, 'process', 'processes')} left over from a killed supervisor.")
    first_time = not service.password_file.exists()
    supervisor = service.launch(port, die_with_us=not detach)
    try:
        ready = wait_until_ready(service, supervisor)
        _print_access(service, ready, first_time)
        if detach:
            out.print("Run `pressmark down` to stop.")
            return
        out.print("Press Ctrl-C to stop.")
        supervisor.wait()
    except BaseException:
        with err.status("Stopping Airflow and Postgres; sealing running crawls"):
            supervisor.terminate()
            supervisor.wait()
            state = service.state()
            if state is None or state.pid == supervisor.pid:  # leave a supervisor alone that was started meanwhile
                end_all(settings)
        raise
    # The supervisor exited on its own, or because of `pressmark down` in another terminal.
    if supervisor.returncode:
        state = service.state()
        end_all(settings)
        log = service.logs / "supervisor.log"
        killed = f"The Airflow supervisor exited with code {supervisor.returncode}. See {log}."
        fail(state.error if state is not None and state.error else killed, ServerError.exit_code)


def _warn_about_unserved(settings: Settings) -> None:
    """Notice outlets of the newsstand that would fail within the hour because nothing serves their sites."""
    outlets = unserved(load_registry(settings).outlets.values(), settings)
    if outlets:
        err.print(
            f"[yellow]The sample sites of {', '.join(outlets)} are not served, so their crawls will fail.[/yellow]\n"
            "Run `pressmark newsstand` in another shell, with the same environment."
        )


@friendly
def down() -> None:
    """Stop Airflow and the embedded Postgres.

    Running crawls are sealed first.

    Example:

      pressmark down
    """
    settings = Settings.from_env()
    with err.status("Stopping"):
        stopped = end_all(settings)
    out.print(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")


def end_all(settings: Settings) -> list[str]:
    """Stop Airflow, then Postgres. Return the names of those that were running."""
    stopped = ["Airflow"] if AirflowService(settings).stop() else []
    return stopped + (["Postgres"] if EmbeddedServer(settings.home).stop() else [])


def wait_until_ready(service: AirflowService, supervisor: subprocess.Popen[bytes]) -> State:
    """Show the progress of the start until Airflow is ready. Raises ServerError with the reason if it fails."""
    deadline = time.monotonic() + _START_TIMEOUT
    shown = ""
    with err.status("Starting") if err.is_terminal else contextlib.nullcontext() as display:
        while True:
            state = service.state()
            if state is not None and state.ready:
                return state
            if state is not None and state.error:
                supervisor.wait()
                raise ServerError(f"{state.error} (logs: {service.logs})")
            if supervisor.poll() is not None:
                raise ServerError(f"The start was interrupted. See {service.logs / 'supervisor.log'}.")
            if time.monotonic() > deadline:
                raise ServerError(f"Airflow was not ready after {_START_TIMEOUT} s. See the logs in {service.logs}.")
            stage = state.stage if state is not None else "starting"
            if stage != shown:
                shown = stage
                if display is None:
                    err.print(f"  {stage}")
                else:
                    display.update(f"{stage} ...")
            time.sleep(0.2)


def _print_access(service: AirflowService, state: State, first_time: bool) -> None:
    out.print(f"Airflow:  {state.url}")
    out.print(f"Pages:    {state.url}{_PAGE}")
    # The password is printed only when it is created.
    password = f"password {service.password()}" if first_time else f"password in {service.password_file}"
    out.print(f"Login:    {USER}, {password}")
    if first_time:
        out.print(f"          (stored in {service.password_file}, readable only by you)")
    out.print(f"Logs:     {service.logs}")
    out.print("Data:     pressmark psql")


@friendly
def send_test_alert() -> None:
    """Send a test alert.

    Uses the Airflow connection `pressmark_alerts`, as alerts do: Slack, email
    or a webhook.

    Example:

      pressmark test-alert
    """
    environment = dict(os.environ)
    if "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN" not in environment:  # set in containers
        service = AirflowService(Settings.from_env())
        state = service.state()
        if state is None or not service.is_running():
            raise ServerError("Airflow is not running. Start it with `pressmark up`.")
        environment = service.environment(state.port)
    # Its connections are read as one of Airflow's own processes does, from its database too.
    environment["_AIRFLOW_PROCESS_CONTEXT"] = "server"
    done = subprocess.run(
        [sys.executable, "-m", "pressmark.airflow.alerts"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        fail(done.stderr.strip().splitlines()[-1].removeprefix("pressmark: "))
    out.print(done.stdout.strip().splitlines()[-1])
