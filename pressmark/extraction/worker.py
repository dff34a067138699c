"""Extraction in worker processes that may be killed: bounded in time and memory, dying with their crawl.

A page is never sent to a worker: the worker reads it at its pointer in the spool. What comes back is
the fields, or an outcome with its reason. Trafilatura and lxml can hang or eat memory on hostile
pages, so nothing here is trusted to end by itself.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import threading
from concurrent.futures import TimeoutError as FutureTimeout
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from pressmark.archive.spool import SpoolPointer, read_spooled
from pressmark.errors import ArchiveError, ExtractionError
from pressmark.extraction.extract import Extraction, ExtractionConfig, extract
from pressmark.extraction.forkserver import start_forkserver
from pressmark.extraction.page import NotHtml, TooLarge, remove_content_encoding
from pressmark.extraction.parent_death import die_with_parent

EXTRACTION_SECONDS = 30.0
MEMORY_BYTES = 2**30
MIN_WORDS = 8
_ATTEMPTS = 3
_TASKS_A_WORKER = 1000  # then it is replaced: libxml2 and regex caches grow

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PageExtraction:
    """What came of reading one page.

    extraction: the fields; also given with some outcomes, so that `why` can show them.
    outcome: None for an article, else how it ended, with the stage and the reason.
    """

    extraction: Extraction | None
    outcome: str | None = None
    stage: str | None = None
    reason: str | None = None


def extract_page(pointer: SpoolPointer, config: ExtractionConfig, size_limit: int) -> PageExtraction:
    """Read and extract the page at a pointer; never raises for what is in the page."""
    try:
        response = read_spooled(pointer)
        document = remove_content_encoding(response.body, response.header("Content-Encoding"), size_limit)
    except TooLarge as error:
        return PageExtraction(None, "too_large", "decode", str(error))
    except (ArchiveError, ExtractionError) as error:  # a record that was overwritten is no response
        return PageExtraction(None, "quarantined", "decode", str(error))
    try:
        extraction = extract(document, response.url, response.headers, response.observed_at, config)
    except NotHtml as error:
        return PageExtraction(None, "not_html", "decode", str(error))
    except MemoryError:
        return PageExtraction(None, "quarantined", "extract", f"needs more than {MEMORY_BYTES // 2**20} MiB of memory")
    except Exception as error:  # whatever lxml, Trafilatura or htmldate raise for this page
        return PageExtraction(None, "quarantined", "extract", f"{type(error).__name__}: {error}"[:500])
    return classify(extraction)


def classify(extraction: Extraction) -> PageExtraction:
    """Whether the fields make an article."""
    if extraction.non_article is not None:
        return PageExtraction(extraction, extraction.non_article.outcome, "classify", extraction.non_article.reason)
    if extraction.word_count < MIN_WORDS:
        reason = f"{extraction.word_count} words of main text; an article has at least {MIN_WORDS}"
        return PageExtraction(extraction, "extraction_empty", "classify", reason)
    return PageExtraction(extraction)


# What pebble raises: for a task whose worker ended; for a pool that it has given up, at once or when it is used.
_WORKER_LOST = (ProcessExpired, BrokenProcessPool, RuntimeError)
_WORKERS_ENDED = PageExtraction(None, "quarantined", "extract", f"{_ATTEMPTS} workers ended while reading it")


class ExtractionPool:
    """Worker processes for one crawl process. Make it in the main thread; use it from any, or from asyncio."""

    def __init__(self, workers: int, seconds: float = EXTRACTION_SECONDS) -> None:
        self._context = start_forkserver()
        self._workers = workers
        self._seconds = seconds
        self._renewing = threading.Lock()
        self._pool = self._new_pool()

    async def read(self, pointer: SpoolPointer, config: ExtractionConfig, size_limit: int) -> PageExtraction:
        """Read a page in a worker; a worker killed from outside is tried again before the page is blamed."""
        for _ in range(_ATTEMPTS):
            pool = self._pool
            try:
                future = self._schedule(pool, pointer, config, size_limit)
                result: PageExtraction = await asyncio.wrap_future(future)
                return result
            except FutureTimeout:
                return self._too_slow()
            except _WORKER_LOST as error:
                self._replace(pool, error)
        return _WORKERS_ENDED

    def read_now(self, pointer: SpoolPointer, config: ExtractionConfig, size_limit: int) -> PageExtraction:
        """The same for a caller that waits."""
        for _ in range(_ATTEMPTS):
            pool = self._pool
            try:
                result: PageExtraction = self._schedule(pool, pointer, config, size_limit).result()
                return result
            except FutureTimeout:
                return self._too_slow()
            except _WORKER_LOST as error:
                self._replace(pool, error)
        return _WORKERS_ENDED

    def close(self) -> None:
        """End the workers, whatever they are doing."""
        _stop(self._pool)

    def _new_pool(self) -> ProcessPool:
        pool = ProcessPool(
            max_workers=self._workers,
            max_tasks=_TASKS_A_WORKER,
            initializer=_begin_worker,
            context=self._context,
        )
        for _ in range(self._workers):  # they start while the crawl opens its books
            pool.schedule(_warm_up)
        return pool

    def _schedule(
        self, pool: ProcessPool, pointer: SpoolPointer, config: ExtractionConfig, size_limit: int
    ) -> ProcessFuture[PageExtraction]:
        return pool.schedule(extract_page, args=(pointer, config, size_limit), timeout=self._seconds)

    def _replace(self, pool: ProcessPool, error: BaseException) -> None:
        """After a worker's death: pebble replaces one that was at work, but gives up where an idle one dies."""
        logger.warning("an extraction worker ended: %s", error)
        if isinstance(error, ProcessExpired):
            return
        with self._renewing:
            if pool is self._pool:
                self._pool = self._new_pool()
                _stop(pool)

    def _too_slow(self) -> PageExtraction:
        return PageExtraction(None, "extraction_timeout", "extract", f"not done within {self._seconds:g} s")


def _stop(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]
    pool.join()


def _warm_up() -> None:
    """Nothing: a worker that has done it is ready."""


def _begin_worker() -> None:
    die_with_parent()
    # Nobody reads Trafilatura's warnings here: a page that fails is an outcome with a reason.
    logging.disable(logging.WARNING)
    limit = _address_space() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _address_space() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * resource.getpagesize()
