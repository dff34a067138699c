"""`pressmark db fingerprint`: one line that is equal wherever the content is.

Hashed: articles, texts, revisions, variants, comments and clusters by their natural keys. Not hashed:
times, crawls, visits, numbers given by the database, since another way to the same content (a crawl
that was killed and run again, loads in another order) has others.
"""

from __future__ import annotations

import hashlib
import json

from pressmark.warehouse.connection import Warehouse, transaction
from pressmark.warehouse.queries import queries

_ROWS_A_TIME = 2000


def fingerprint(warehouse: Warehouse, as_of: int | None = None) -> str:
    """`sha256:<hex>` over the content; rows are streamed, so that its size does not matter.

    as_of: a load_seq: of the state when that load was the last one.
    """
    area = "fingerprint" if as_of is None else "fingerprint_as_of"
    digest = hashlib.sha256()
    connection = warehouse.connect("maintainer", "pressmark fingerprint")
    try:
        # One snapshot for all tables.
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with transaction(connection):
            for name, statement in queries(area).items():
                digest.update(f"\n{name}\n".encode())
                with connection.cursor(name=f"fingerprint_{name}") as rows:
                    rows.itersize = _ROWS_A_TIME
                    rows.execute(statement, {"as_of": as_of})
                    for row in rows:
                        digest.update(json.dumps(row, ensure_ascii=False, default=str).encode() + b"\n")
    finally:
        connection.close()
    return f"sha256:{digest.hexdigest()}"
