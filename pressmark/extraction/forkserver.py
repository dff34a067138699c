"""The fork server of extraction workers: a process that has everything imported that a worker needs."""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext

PARENT_PID = "PRESSMARK_CRAWL_PID"


def start_forkserver() -> ForkServerContext:
    """Start the fork server unless it is running, without waiting for it.

    The kernel ties it to the calling thread: it ends when that thread ends.
    """
    os.environ[PARENT_PID] = str(os.getpid())
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # threads do not survive a fork
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pressmark.extraction.forkserver_preload"])
    forkserver.ensure_running()
    return context
