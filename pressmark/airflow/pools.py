"""Airflow pools of the DAGs.

A task whose pool does not exist never starts and reports no error. `bootstrap` therefore creates the pools, and a test
compares them with those that the DAGs name.
"""

from typing import TypedDict


class Pool(TypedDict):
    """A pool of task slots."""

    slots: int
    description: str


CRAWL_POOL = "pressmark_crawl"
LOAD_POOL = "pressmark_load"
BACKFILL_POOL = "pressmark_backfill"
REEXTRACT_POOL = "pressmark_reextract"

POOLS: dict[str, Pool] = {
    CRAWL_POOL: {
        "slots": 4,
        "description": "Concurrent crawl processes. Each has its own extraction workers.",
    },
    LOAD_POOL: {
        "slots": 2,
        "description": "Concurrent loads. The warehouse runs them one at a time, so more slots do not help.",
    },
    BACKFILL_POOL: {
        "slots": 2,
        "description": "Concurrent outlets of backfills. Kept separate because a backfill can take hours.",
    },
    REEXTRACT_POOL: {"slots": 1, "description": "Concurrent re-extractions."},
}
"""Pools by name. The number of slots is that of a new installation; the operator may change it."""
