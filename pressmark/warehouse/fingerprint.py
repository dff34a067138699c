"""Content fingerprint of the warehouse (`pressmark db fingerprint`). Equal content gives an equal fingerprint.

The hash covers articles, texts, revisions, variants, comments and clusters by their natural keys. It leaves
out times, crawls, captures and generated numbers. These differ if the same content was loaded in another way,
for example after a killed crawl or in another order.
"""

from __future__ import annotations

import hashlib
import json

from pressmark.warehouse.connection import Warehouse, transaction
from pressmark.warehouse.queries import queries

_BATCH_SIZE = 2000


def fingerprint(warehouse: Warehouse, as_of: int | None = None) -> str:
    """Return `sha256:<hex>` of the content. Rows are streamed, so memory use is constant.

    as_of: a load_seq. Hash the state after that load.
    """
    area = "fingerprint" if as_of is None else "fingerprint_as_of"
    digest = hashlib.sha256()
    connection = warehouse.connect("maintainer", "pressmark fingerprint")
    try:
        # One transaction snapshot for all tables.
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with transaction(connection):
            for name, statement in queries(area).items():
                digest.update(f"\n{name}\n".encode())
                with connection.cursor(name=f"fingerprint_{name}") as rows:
                    rows.itersize = _BATCH_SIZE
                    rows.execute(statement, {"as_of": as_of})
                    for row in rows:
                        digest.update(json.dumps(row, ensure_ascii=False, default=str).encode() + b"\n")
    finally:
        connection.close()
    return f"sha256:{digest.hexdigest()}"
