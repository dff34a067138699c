"""The pool of extraction workers: processes that can be killed, limited in time and memory, dying with their crawl.

Pages are not sent to workers. A worker reads the page at its pointer in the spool and returns the fields, or an outcome
with its reason. Trafilatura and lxml can hang or use up memory on hostile pages, so a worker that exceeds its time is
killed. Nothing that extracts is imported here: a crawl that fetches nothing never starts the pool.
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
_TASKS_PER_WORKER = 1000  # then it is replaced: the caches of libxml2 and regex grow

logger = logging.getLogger(__name__)

# Raised by pebble: for a task whose worker ended; for a pool that it has given up, immediately or on the next use.
_WORKER_LOST = (ProcessExpired, BrokenProcessPool, RuntimeError)
_ALL_WORKERS_LOST = PageExtraction(
    None, Outcome.QUARANTINED, "extract", f"{_ATTEMPTS} workers ended while extracting it"
)


class ExtractionPool:
    """Extraction workers of one process. They are started when the first page needs them.

    Use it from asyncio or from threads. The kernel ties the workers to the thread that starts them, so that thread must
    live as long as the pool is used.
    """

    def __init__(self, workers: int, timeout: float = EXTRACTION_TIMEOUT) -> None:
        """timeout: seconds for one page."""
        self._workers = workers
        self._timeout = timeout
        self._starting = threading.Lock()
        self._pool: ProcessPool | None = None

    def warm_up(self) -> None:
        """Start the workers now, so that they are ready when the first page arrives. May be repeated."""
        self._started()

    async def extract(self, pointer: SpoolPointer, config: ExtractionConfig, size_limit: int) -> PageExtraction:
        """Extract a page in a worker. A worker that is killed from outside is retried before the page is blamed."""
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
        """The same for a caller that blocks."""
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
        """End the workers, whatever they are doing."""
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
        for _ in range(self._workers):  # so that they start before the first page is there
            pool.schedule(_do_nothing)
        return pool

    def _schedule(
        self, pool: ProcessPool, pointer: SpoolPointer, config: ExtractionConfig, size_limit: int
    ) -> ProcessFuture[PageExtraction]:
        return pool.schedule(_extract_page, args=(pointer, config, size_limit), timeout=self._timeout)

    def _replace(self, pool: ProcessPool, error: BaseException) -> None:
        """After a worker's death: pebble replaces a busy worker itself, but gives up its pool if an idle one dies."""
        logger.warning("an extraction worker ended: %s", error)
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


# These run in workers, which have `worker` imported already.


def _begin_worker() -> None:
    from pressmark.extraction.worker import begin_worker

    begin_worker()


def _do_nothing() -> None:
    """A worker that has done this is ready."""


def _extract_page(pointer: SpoolPointer, config: ExtractionConfig, size_limit: int) -> PageExtraction:
    from pressmark.extraction.worker import extract_page

    return extract_page(pointer, config, size_limit)
