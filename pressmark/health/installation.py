"""Problems of this machine's settings: an archive that cannot be written, the wrong key of erasures."""

from __future__ import annotations

import contextlib

from pressmark.archive.store import ArchiveStore
from pressmark.errors import PressmarkError
from pressmark.removal.erasure import check_erasure_key
from pressmark.warehouse.connection import Warehouse, transaction

OLD_VERSIONS = (
    "The bucket of the archive keeps old versions of overwritten and deleted files, so erased pages can still be read "
    "there. Delete noncurrent versions with a lifecycle rule (docs/scale.md)."
)


def installation_problems(warehouse: Warehouse) -> list[str]:
    """Return what is wrong on this machine, one sentence each."""
    problems = []
    try:
        store = ArchiveStore(warehouse.settings.archive)
        store.check_writable()
        if store.keeps_versions():
            problems.append(OLD_VERSIONS)
    except PressmarkError as error:
        problems.append(str(error))
    try:
        with contextlib.closing(warehouse.connect("loader", "pressmark doctor")) as connection:
            with transaction(connection) as cursor:
                check_erasure_key(cursor, warehouse.settings)
    except PressmarkError as error:
        problems.append(str(error))
    return problems
