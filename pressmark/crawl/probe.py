"""Running the look at a site in a process of its own, as crawls are run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
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
    process = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "spiders.probe", "--progress", str(writing), json.dumps(known)],
        cwd=PROJECT_ROOT,
        pass_fds=(writing,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writing)
    try:
        with os.fdopen(reading, encoding="utf-8", errors="replace") as events:
            for line in events:
                if on_event:
                    on_event(json.loads(line))
        output, errors = process.communicate()
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.returncode != 0:
        told = [line.removeprefix("pressmark: ") for line in errors.splitlines() if line.startswith("pressmark: ")]
        raise FetchError(told[-1] if told else f"The look at {known['home']} failed:\n{errors[-2000:]}")
    found: dict[str, Any] = json.loads(output)
    return found
