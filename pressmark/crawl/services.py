"""Shared resources of the crawls of one process: connections, workers, the archive, the progress channel."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from psycopg2.extensions import cursor as Cursor

from pressmark.archive.store import ArchiveStore
from pressmark.extraction.pool import ExtractionPool
from pressmark.settings import Settings
from pressmark.warehouse.connection import Warehouse
from pressmark.warehouse.lease import HostLeases
from pressmark.warehouse.locks import LeaseHolder
from pressmark.warehouse.pool import ConnectionPool

# With the one for locks, a crawl process has up to six connections: docs/scale.md counts with it.
_CONNECTIONS = 3
_LEASE_CONNECTIONS = 2

Result = TypeVar("Result")
Emit = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Services:
    """Connections, workers, the archive and the progress channel of one crawl process."""

    settings: Settings
    store: ArchiveStore
    database: ConnectionPool
    leases: HostLeases
    locks: LeaseHolder
    extraction: ExtractionPool
    emit: Emit
    _lease_pool: ConnectionPool

    @classmethod
    def open(cls, settings: Settings, emit: Emit) -> Services:
        """Open everything; nothing connects or starts before it is needed."""
        warehouse = Warehouse(settings)
        locks = LeaseHolder(warehouse)
        lease_pool = ConnectionPool(warehouse, _LEASE_CONNECTIONS, autocommit=True)
        return cls(
            settings=settings,
            store=ArchiveStore(settings.archive),
            database=ConnectionPool(warehouse, _CONNECTIONS),
            leases=HostLeases(lease_pool, locks),
            locks=locks,
            extraction=ExtractionPool(settings.workers),
            emit=emit,
            _lease_pool=lease_pool,
        )

    async def query(self, work: Callable[[Cursor], Result]) -> Result:
        """Run a function with a cursor in one transaction, in a thread."""
        return await asyncio.to_thread(self.database.run, work)

    def close(self) -> None:
        """End workers and connections."""
        self.extraction.close()
        self.locks.close()
        self.database.close()
        self._lease_pool.close()


def emit_to(descriptor: int | None) -> Emit:
    """A progress channel that writes one JSON object per line to a file descriptor; does nothing for None."""

    def emit(event: dict[str, Any]) -> None:
        nonlocal descriptor
        if descriptor is None:
            return
        try:
            os.write(descriptor, json.dumps(event, default=str).encode() + b"\n")
        except OSError:  # the reader is gone; the crawl continues
            descriptor = None

    return emit
