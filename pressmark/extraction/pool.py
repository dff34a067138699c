"""The pool of extraction workers. They are processes with limits on time and memory that end with their crawl.

Pages are not sent to workers. A worker reads the page at its pointer in the spool and returns the fields, or an outcome
with a reason. Trafilatura and lxml can hang or exhaust memory on hostile pages, so a worker that exceeds its time limit
is killed. This module doesn't import any extraction code. A crawl that fetches nothing never starts the pool.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import TimeoutError as FutureTimeout
from concurrent.futures.process import BrokenProcessPool

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from pressmark.archive.spool import SpoolPointer
from pressmark.extraction.fields import ExtractionConfig, PageExtraction
from pressmark.extraction.forkserver import start_forkserver
from pressmark.outcomes import Outcome

EXTRACTION_TIMEOUT = 30.0
_ATTEMPTS = 3
_TASKS_PER_WORKER = 1000  # a worker is replaced after this many pages, because the caches of libxml2 and regex grow

logger = logging.getLogger(__name__)

# Raised by pebble if the worker of a task ended, or if the pool is broken (immediately or on the next use).
_WORKER_LOST = (ProcessExpired, BrokenProcessPool, RuntimeError)
_ALL_WORKERS_LOST = PageExtraction(
    None, Outcome.QUARANTINED, "extract", f"{_ATTEMPTS} workers ended while extracting the page"
)


class ExtractionPool:
    """The extraction workers of one process. They start when the first page needs them.

    Can be used from asyncio or from threads. The kernel ties the workers to the thread that starts them, so that thread
    must live as long as the pool is used.
    """

    def __init__(self, workers: int, timeout: float = EXTRACTION_TIMEOUT) -> None:
        """timeout: seconds per page."""
        self._workers = workers
        self._timeout = timeout
        self._starting = threading.Lock()
        self._pool: ProcessPool | None = None

    def warm_up(self) -> None:
        """Start the workers now, so that they are ready when the first page arrives. Can be called repeatedly."""
        self._started()

    async def extract(self, pointer: SpoolPointer, config: ExtractionConfig, size_limit: int) -> PageExtraction:
        """Extract a page in a worker. If the worker is killed from outside, the page is retried in another one."""
        for _ in range(_ATTEMPTS):
            pool = self._started()
            try:
                result: PageExtraction = await asyncio.wrap_future(self._schedule(pool, pointer, config, size_limit))
                return result
            except FutureTimeout:
                return self._timed_out()
            except _WORKER_LOST as error:
                self._replace(pool, error)
        return _ALL_WORKERS_LOST

    def extract_now(self, pointer: SpoolPointer, config: ExtractionConfig, size_limit: int) -> PageExtraction:
        """Extract a page in a worker like `extract`, but block until it is done."""
        for _ in range(_ATTEMPTS):
            pool = self._started()
            try:
                result: PageExtraction = self._schedule(pool, pointer, config, size_limit).result()
                return result
            except FutureTimeout:
                return self._timed_out()
            except _WORKER_LOST as error:
                self._replace(pool, error)
        return _ALL_WORKERS_LOST

    def close(self) -> None:
        """End the workers, including those that are busy."""
        with self._starting:
            pool, self._pool = self._pool, None
        if pool:
            _stop(pool)

    def _started(self) -> ProcessPool:
        with self._starting:
            if self._pool is None:
                self._pool = self._new_pool()
            return self._pool

    def _new_pool(self) -> ProcessPool:
        pool = ProcessPool(
            max_workers=self._workers,
            max_tasks=_TASKS_PER_WORKER,
            initializer=_begin_worker,
            context=start_forkserver(),
        )
        for _ in range(self._workers):  # starts the workers before the first page arrives
            pool.schedule(_do_nothing)
        return pool

    def _schedule(
        self, pool: ProcessPool, pointer: SpoolPointer, config: ExtractionConfig, size_limit: int
    ) -> ProcessFuture[PageExtraction]:
        return pool.schedule(_extract_page, args=(pointer, config, size_limit), timeout=self._timeout)

    def _replace(self, pool: ProcessPool, error: BaseException) -> None:
        """Replace the pool if pebble can no longer use it.

        pebble replaces a busy worker that dies, but its pool breaks if an idle worker dies.
        """
        logger.warning("An extraction worker ended: %s", error)
        if isinstance(error, ProcessExpired):
            return
        with self._starting:
            if pool is not self._pool:
                return
            self._pool = None
        _stop(pool)

    def _timed_out(self) -> PageExtraction:
        return PageExtraction(
            None, Outcome.EXTRACTION_TIMEOUT, "extract", f"not finished within {self._timeout:g} seconds"
        )


def _stop(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]
    pool.join()


# The following functions run in workers, which have already imported `worker`.


def _begin_worker() -> None:
    from pressmark.extraction.worker import begin_worker

    begin_worker()


def _do_nothing() -> None:
    """Do nothing. A worker that has run this is ready."""


def _extract_page(pointer: SpoolPointer, config: ExtractionConfig, size_limit: int) -> PageExtraction:
    from pressmark.extraction.worker import extract_page

    return extract_page(pointer, config, size_limit)
