"""Run a crawl process from the command line or Airflow, and follow its progress.

A separate process isolates Twisted's reactor, the memory that hostile pages take, and kills. It dies with its parent
process. SIGTERM ends it gracefully.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from pressmark.settings import PROJECT_ROOT

Event = dict[str, Any]
_TERMINATE_TIMEOUT = 120  # seconds
# Keys and passwords of Airflow, and the passwords of logins. A crawl needs none of them.
_WITHHELD = (
    "AIRFLOW__", "AIRFLOW_CONN_", "AIRFLOW_VAR_", "PRESSMARK_ADMIN_PASSWORD", "PRESSMARK_ANALYST_PASSWORD",
    "PRESSMARK_CRAWLER_PASSWORD", "PRESSMARK_METRICS_TOKEN",
)  # fmt: skip


@dataclass(slots=True)
class CrawlRun:
    """The result of a crawl process. closed: the last event of each crawl, by outlet."""

    exit_code: int = 0
    error: str | None = None
    closed: dict[str, Event] = field(default_factory=dict)


def run_crawls(
    request_ids: Sequence[UUID],
    log: Path | None,
    on_event: Callable[[Event], None] | None = None,
    environment: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] | None = None,
    on_start: Callable[[subprocess.Popen[bytes]], None] | None = None,
) -> CrawlRun:
    """Run the crawls of these requests in one process and wait for it.

    log: file to append the crawl log to; None writes it to stderr. on_line: called with each line of the log, which
    then goes neither to the file nor to stderr. on_start: called with the process, which SIGTERM ends gracefully.

    KeyboardInterrupt ends the process gracefully and is raised again after the process has ended.
    """
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "spiders.job", "--progress", str(writing), "--parent", str(os.getpid())]
    with contextlib.ExitStack() as stack:
        stderr = None
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
            stderr = stack.enter_context(log.open("ab"))
        process = subprocess.Popen(  # noqa: S603 - our own module
            [*command, *map(str, request_ids)],
            cwd=PROJECT_ROOT,
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith(_WITHHELD)},
                **(environment or {}),
            },
            pass_fds=(writing,),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if on_line else stderr or sys.stderr,
            stderr=subprocess.STDOUT if on_line else stderr,
            start_new_session=True,  # Ctrl-C reaches only us; we end the process
        )
        os.close(writing)
        if on_start:
            on_start(process)
        run = CrawlRun()
        reader = None
        if on_line and process.stdout:
            reader = threading.Thread(target=_forward_lines, args=(process.stdout, on_line), daemon=True)
            reader.start()
        with os.fdopen(reading, encoding="utf-8", errors="replace") as events:
            try:
                _follow(events, run, on_event)
                run.exit_code = process.wait()
                if reader:
                    reader.join(10)
            except BaseException:
                events.close()  # a full pipe that nobody reads would block the process
                _terminate(process)
                raise
    if run.exit_code and run.error is None and not run.closed:
        ended = f"by signal {-run.exit_code}" if run.exit_code < 0 else f"with exit code {run.exit_code}"
        run.error = f"The crawl process ended {ended}." + (f" Its log is {log}." if log else "")
    return run


def _follow(events: Any, run: CrawlRun, on_event: Callable[[Event], None] | None) -> None:
    for line in events:
        try:
            event = json.loads(line)
        except ValueError:  # a kill can cut a line short
            continue
        if event.get("event") == "closed":
            run.closed[event["outlet"]] = event
        elif event.get("event") == "error":
            run.error = event["message"]
        if on_event:
            on_event(event)


def _forward_lines(lines: IO[bytes], on_line: Callable[[str], None]) -> None:
    for line in lines:
        on_line(line.decode("utf-8", "replace").rstrip())


def _terminate(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_TERMINATE_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
