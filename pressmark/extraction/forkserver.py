"""The process that extraction workers are forked from, with all that they need imported. Light to import itself."""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext

PARENT_PID = "PRESSMARK_CRAWL_PID"


def start_forkserver() -> ForkServerContext:
    """Start it unless it runs, and do not wait for it. In the main thread: the kernel ties it to its starter."""
    os.environ[PARENT_PID] = str(os.getpid())
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # threads do not survive a fork
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pressmark.extraction.forkserver_preload"])
    forkserver.ensure_running()
    return context
