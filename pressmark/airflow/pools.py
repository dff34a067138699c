"""The pools of the DAGs. A task whose pool does not exist never starts and never says why, so they are made on
start, and a test compares them with what the DAGs name.
"""

CRAWL_POOL = "pressmark_crawl"
LOAD_POOL = "pressmark_load"
BACKFILL_POOL = "pressmark_backfill"
REEXTRACT_POOL = "pressmark_reextract"

POOLS = {
    CRAWL_POOL: {"slots": 4, "description": "Crawl processes at once; each has its own extraction workers."},
    LOAD_POOL: {"slots": 2, "description": "Loads at once; they take turns in the warehouse anyway."},
    BACKFILL_POOL: {
        "slots": 2,
        "description": "Outlets of backfills at once: they take hours, scheduled crawls go on.",
    },
    REEXTRACT_POOL: {"slots": 1, "description": "Outlets read again at once; loads go on beside it."},
}
"""In the form that `airflow pools import` reads."""
