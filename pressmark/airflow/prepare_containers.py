"""Prepare an installation of docker-compose.yml: `python -m pressmark.airflow.prepare_containers`.

Runs before the services start, with the superuser's PRESSMARK_DATABASE_URL. Migrates the warehouse, creates the logins
of crawlers, Airflow and an analyst with the passwords of .env, creates the archive's bucket, and migrates Airflow's
metadata. Idempotent: a password that was changed in .env is changed in the server.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from urllib.parse import unquote, urlsplit

import psycopg2
from psycopg2.extensions import make_dsn

from pressmark.airflow import bootstrap
from pressmark.airflow.metadata import connect, create_metadata_database, take_over_tables
from pressmark.airflow.service import METADATA
from pressmark.errors import ArchiveError, PressmarkError
from pressmark.logs import configure_logging
from pressmark.settings import Settings
from pressmark.warehouse.connection import Warehouse, first_line
from pressmark.warehouse.migrations import migrate
from pressmark.warehouse.roles import grant_reader, grant_runner

ANALYST, CRAWLER = "analyst", "crawler"

logger = logging.getLogger("pressmark.prepare")


def prepare(settings: Settings) -> None:
    """Prepare everything. Raises PressmarkError."""
    warehouse = Warehouse(settings)
    logger.info("migrating the warehouse")
    migrate(warehouse)
    grant_runner(warehouse, CRAWLER, os.environ["PRESSMARK_CRAWLER_PASSWORD"])
    grant_reader(warehouse, ANALYST, "analyst", os.environ["PRESSMARK_ANALYST_PASSWORD"])
    metadata = urlsplit(os.environ[METADATA])
    database, login = metadata.path.lstrip("/"), metadata.username or ""
    with contextlib.closing(connect(make_dsn(**warehouse.parameters))) as admin:
        create_metadata_database(admin, database, login, unquote(metadata.password or ""))
    with contextlib.closing(connect(make_dsn(**{**warehouse.parameters, "dbname": database}))) as admin:
        take_over_tables(admin, login)
    if settings.archive.startswith("s3://") and os.environ.get("AWS_ENDPOINT_URL"):
        create_bucket(settings.archive)
    logger.info("preparing Airflow's metadata")
    bootstrap.main()


def create_bucket(archive: str) -> None:
    """Create the bucket of an S3 URL if it is missing. Only for stores with an AWS_ENDPOINT_URL."""
    import s3fs

    bucket = archive.removeprefix("s3://").partition("/")[0]
    files = s3fs.S3FileSystem(use_listings_cache=False)
    try:
        if not files.exists(bucket):
            logger.info("creating the bucket %s", bucket)
            files.mkdir(bucket)
    except Exception as error:  # of botocore, aiohttp or s3fs
        raise ArchiveError(f"The bucket {bucket} cannot be created: {error}") from error


def main() -> int:
    """Prepare everything. Returns the exit code."""
    configure_logging()
    try:
        prepare(Settings.from_env())
    except PressmarkError as error:
        logger.error("%s", error)
        return error.exit_code
    except KeyError as error:
        logger.error("%s is not set. Run `make env`.", error)
        return 2
    except psycopg2.Error as error:
        logger.error("Postgres: %s", first_line(error))
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
