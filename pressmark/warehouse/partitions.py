"""Monthly partitions of core.search_document and core.lsh_band.

Loads and clustering create the partitions that they need. Maintenance creates those of the next months. The migration
that introduced partitions left the rows of a warehouse in one partition for all months: `split` moves them out of it,
one month per transaction, while everything else goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Literal

import psycopg2

from pressmark.errors import ServerError
from pressmark.warehouse.connection import Connection, transaction
from pressmark.warehouse.locks import take_turn
from pressmark.warehouse.queries import queries

_ATTEMPTS = 5
_PATIENCE = "10s"  # how long a month waits for the table, and new queries wait behind it
_SQL = queries("partitions")
# The partitioned tables, with the turn that keeps other writers of a table out.
_LOCKS: Mapping[str, Literal["load", "cluster"]] = MappingProxyType({"search_document": "load", "lsh_band": "cluster"})


def create_ahead(connection: Connection) -> int:
    """Create the partitions from this month to three months ahead. Return how many were missing."""
    created = 0
    for parent in _LOCKS:
        # One transaction each: a load creates partitions of one table and clustering those of the other, and clustering
        # waits for loads. Holding both locks could end in a deadlock.
        with transaction(connection) as cursor:
            cursor.execute(_SQL["ensure"], {"parent": parent})
            created += (cursor.fetchone() or (0,))[0]
    return created


def months_to_split(connection: Connection) -> dict[str, int]:
    """Return about how many months `split` has to move, by table."""
    months = {}
    for parent in _LOCKS:
        with transaction(connection) as cursor:
            cursor.execute(_SQL["months_to_split"], {"parent": parent})
            months[parent] = (cursor.fetchone() or (0,))[0]
    return months


def split(connection: Connection, on_month: Callable[[str], None] | None = None) -> int:
    """Move the rows that an upgrade left in one partition to monthly partitions. Return the number of months moved.

    It may be killed at any time and continues where it stopped. Loads wait while a month of search documents is moved,
    clustering while a month of bands is. Searches only wait for the last moment of a month.

    on_month: called with the table after each month.
    Raises ServerError if queries of others keep a table locked for minutes.
    """
    moved = 0
    for parent in (name for name, months in months_to_split(connection).items() if months):
        attempts = 0
        month: date | None = date.max
        while month is not None:
            try:
                with transaction(connection) as cursor:
                    take_turn(cursor, _LOCKS[parent])
                    cursor.execute(_SQL["wait_for_readers"], {"patience": _PATIENCE})
                    cursor.execute(_SQL["split"], {"parent": parent})
                    (month,) = cursor.fetchone() or (None,)
            except psycopg2.errors.LockNotAvailable as error:
                attempts += 1
                if attempts == _ATTEMPTS:
                    raise ServerError(
                        f"core.{parent} was not split into months: other queries kept it locked. Wait until they end "
                        "(see pg_stat_activity) and run `pressmark db migrate` again. Nothing is lost, and everything "
                        "works meanwhile."
                    ) from error
                continue
            attempts = 0
            if month is not None:
                moved += 1
                if on_month:
                    on_month(parent)
    return moved
