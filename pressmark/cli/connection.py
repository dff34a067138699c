"""The warehouse that a command uses."""

from __future__ import annotations

from pressmark.settings import Settings
from pressmark.warehouse.connection import Warehouse
from pressmark.warehouse.migrations import ensure_ready


def ready_warehouse() -> Warehouse:
    """Return the warehouse of the environment's settings, migrated to this version. Raises ServerError."""
    warehouse = Warehouse(Settings.from_env())
    ensure_ready(warehouse)
    return warehouse
