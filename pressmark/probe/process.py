"""Runs the probe of a site, or fetches one page, in a separate process, like a crawl."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pressmark.errors import FetchError
from pressmark.settings import PROJECT_ROOT


def run_probe(known: dict[str, Any], on_event: Callable[[dict[str, Any]], None] | None = None) -> dict[str, Any]:
    """Probe a site for its metadata, its endpoints and a sample of its articles.

    known: known fields of the outlet file, at least `home`. on_event: called with each progress event.
    Raises FetchError if the probe fails.
    """
    return _run([json.dumps(known)], f"The probe of {known['home']}", on_event)


def fetch_page(known: dict[str, Any], url: str, body: Path) -> dict[str, Any]:
    """Fetch one page through the guards of a crawl, and write its body as received to a file.

    known: fields of the outlet file, at least `home` and `domains`. Returns url, status, headers, observed_at; without
    a page, outcome and reason. Raises FetchError if the process fails.
    """
    return _run(["--page", url, "--body", str(body), json.dumps(known)], f"The request of {url}", None)


def _run(arguments: list[str], task: str, on_event: Callable[[dict[str, Any]], None] | None) -> dict[str, Any]:
    reading, writing = os.pipe()
    # Temporary files instead of pipes, because nothing reads them while progress events arrive.
    output, errors = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")
    process = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "spiders.probe", "--progress", str(writing), *arguments],
        cwd=PROJECT_ROOT,
        pass_fds=(writing,),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
    )
    os.close(writing)
    try:
        with os.fdopen(reading, encoding="utf-8", errors="replace") as events:
            for line in events:
                if on_event:
                    on_event(json.loads(line))
        process.wait()
    except BaseException:
        process.kill()
        process.wait()
        raise
    with output, errors:
        output.seek(0)
        errors.seek(0)
        if process.returncode != 0:
            log = errors.read()
            messages = [line.removeprefix("pressmark: ") for line in log.splitlines() if line.startswith("pressmark: ")]
            raise FetchError(messages[-1] if messages else f"{task} failed:\n{log[-2000:]}")
        result: dict[str, Any] = json.load(output)
        return result
