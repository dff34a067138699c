"""The pools of the DAGs. A task whose pool does not exist never starts and never says why, so they are made on
start, and a test compares them with what the DAGs name.
"""

CRAWL_POOL = "pressmark_crawl"
LOAD_POOL = "pressmark_load"

POOLS = {
    CRAWL_POOL: {"slots": 4, "description": "Crawl processes at once; each has its own extraction workers."},
    LOAD_POOL: {"slots": 2, "description": "Loads at once; they take turns in the warehouse anyway."},
}
"""In the form that `airflow pools import` reads."""
