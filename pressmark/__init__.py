"""Pressmark: news articles in a warehouse, each with the mark that tells where it came from.

This package holds what happens to a page and to the warehouse. The Scrapy project lives in
`spiders/`, the Airflow DAGs in `dags/`, every SQL statement in `sql/`.
"""

__version__ = "0.1.0"
