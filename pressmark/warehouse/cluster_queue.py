"""The queue of articles whose copies have not been searched for. Light to import; `clusters` needs numpy."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from pressmark.warehouse.connection import Connection, Warehouse, transaction
from pressmark.warehouse.queries import queries

_SQL = queries("cluster")


@dataclass(slots=True)
class ClusterResult:
    """Articles checked, pairs found, articles whose cluster changed, and the sizes of large clusters by label."""

    articles: int = 0
    copies: int = 0
    changed: int = 0
    large: dict[UUID, int] = field(default_factory=dict)

    def add(self, other: ClusterResult) -> None:
        """Add the counts of another result."""
        self.articles += other.articles
        self.copies += other.copies
        self.changed += other.changed
        self.large |= other.large


def cluster_queued(warehouse: Warehouse, on_batch: Callable[[int, int], None] | None = None) -> ClusterResult:
    """Find the copies of all queued articles; see `clusters.cluster`. An empty queue costs one query."""
    with contextlib.closing(warehouse.connect("loader", "pressmark cluster")) as connection:
        with transaction(connection) as cursor:
            cursor.execute(_SQL["is_empty"])
            (is_empty,) = cursor.fetchone() or (False,)
    if is_empty:
        return ClusterResult()
    from pressmark.warehouse.clusters import cluster

    return cluster(warehouse, on_batch)


def articles_waiting(connection: Connection) -> int:
    """Return the approximate number of queue entries."""
    with transaction(connection) as cursor:
        cursor.execute(_SQL["waiting"])
        return int((cursor.fetchone() or (0,))[0])
