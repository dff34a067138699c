"""Running the look at a site in a process of its own, as crawls are run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from pressmark.errors import FetchError
from pressmark.settings import PROJECT_ROOT


def run_probe(known: dict[str, Any], on_event: Callable[[dict[str, Any]], None] | None = None) -> dict[str, Any]:
    """Look at a site: what it is, where its articles are listed, what they give.

    known: fields of an outlet's file as far as they are known; `home` at least.
    Raises FetchError where the site could not be looked at.
    """
    reading, writing = os.pipe()
    # Files, not pipes: nobody drains them while the progress is read.
    output, errors = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")
    process = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "spiders.probe", "--progress", str(writing), json.dumps(known)],
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
            told = [line.removeprefix("pressmark: ") for line in log.splitlines() if line.startswith("pressmark: ")]
            raise FetchError(told[-1] if told else f"The look at {known['home']} failed:\n{log[-2000:]}")
        found: dict[str, Any] = json.load(output)
        return found
