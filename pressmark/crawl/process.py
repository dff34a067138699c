"""Running a crawl process from the command line or from Airflow, and hearing of its progress.

The process is of its own, so that Twisted's reactor, the memory of hostile pages and a kill stay with
it. It dies with its starter, and is told to end gently by SIGTERM.
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
_GENTLE_SECONDS = 120


@dataclass(slots=True)
class CrawlRun:
    """How a crawl process ended. `closed`: the last event of each crawl, by outlet."""

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

    log: file that its log is appended to; None for our own stderr. on_line: given each line of the log
    instead, as it comes. on_start: given the process, which SIGTERM ends gently.
    KeyboardInterrupt ends it gently and is raised again when it is down.
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
            env={**os.environ, **(environment or {})},
            pass_fds=(writing,),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if on_line else stderr or sys.stderr,
            stderr=subprocess.STDOUT if on_line else stderr,
            start_new_session=True,  # Ctrl-C is ours to pass on
        )
        os.close(writing)
        if on_start:
            on_start(process)
        run = CrawlRun()
        reader = None
        if on_line and process.stdout:
            reader = threading.Thread(target=_pass_on, args=(process.stdout, on_line), daemon=True)
            reader.start()
        with os.fdopen(reading, encoding="utf-8", errors="replace") as events:
            try:
                _follow(events, run, on_event)
                run.exit_code = process.wait()
                if reader:
                    reader.join(10)
            except BaseException:
                events.close()  # a full pipe that nobody reads would hold the process up
                _end_gently(process)
                raise
    if run.exit_code and run.error is None and not run.closed:
        ended = f"by signal {-run.exit_code}" if run.exit_code < 0 else f"with exit code {run.exit_code}"
        run.error = f"The crawl process ended {ended}." + (f" Its log is {log}." if log else "")
    return run


def _follow(events: Any, run: CrawlRun, on_event: Callable[[Event], None] | None) -> None:
    for line in events:
        try:
            event = json.loads(line)
        except ValueError:  # a kill tears a line
            continue
        if event.get("event") == "closed":
            run.closed[event["outlet"]] = event
        elif event.get("event") == "error":
            run.error = event["message"]
        if on_event:
            on_event(event)


def _pass_on(lines: IO[bytes], on_line: Callable[[str], None]) -> None:
    for line in lines:
        on_line(line.decode("utf-8", "replace").rstrip())


def _end_gently(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_GENTLE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
