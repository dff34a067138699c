"""Re-extract an earlier page with the extractor of a later one, so that both are compared under one extractor.

Otherwise an extractor upgrade would look like an edit by the newsroom. A page that is not archived
cannot be re-extracted. Its comparison then has the cause `unknown`.
"""

from __future__ import annotations

import logging
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json, execute_values

from pressmark.archive.spool import SpoolPointer
from pressmark.archive.store import ArchiveStore
from pressmark.errors import ArchiveError
from pressmark.extraction.fields import EXTRACTOR_NAME, Extraction, ExtractionConfig, extractor_version
from pressmark.extraction.pool import ExtractionPool
from pressmark.registry import Registry
from pressmark.warehouse.queries import queries
from pressmark.warehouse.staging import text_columns

logger = logging.getLogger(__name__)


class ArchivedPageExtractor:
    """Adds the extractions that a comparison needs. Starts worker processes only on demand.

    Create it in the main thread.
    """

    def __init__(self, registry: Registry, store: ArchiveStore) -> None:
        self._registry = registry
        self.store = store
        self._pool: ExtractionPool | None = None

    def fill_in(self, cursor: Cursor, values: dict[str, Any]) -> None:
        """Add the missing extractions, in the load's transaction.

        values: segment_id, load_seq and articles of the load.
        """
        cursor.execute(queries("load")["extractors"], values)
        for extractor_id, name, version, config_hash, fields in cursor.fetchall():
            outlet = self._registry.find(fields.get("outlet", ""))
            if (name, version) != (EXTRACTOR_NAME, extractor_version()) or outlet is None:
                continue  # another extractor version, which this process cannot run
            config = ExtractionConfig.for_outlet(outlet, tuple(fields.get("repeated_lines", ())))
            if config.config_hash != bytes(config_hash):
                continue  # another configuration of the outlet
            cursor.execute(queries("load")["to_compare"], {**values, "extractor_id": extractor_id})
            for payload_hash, _, _, url, file, offset, length in cursor.fetchall():
                extraction = self.read(file, offset, length, config, outlet.budgets.page_size)
                if extraction is None or extraction.payload_hash != bytes(payload_hash):
                    logger.warning("%s could not be re-extracted; the cause of its change is unknown", url)
                    continue
                add_extraction(cursor, replace(extraction, comments=[]), extractor_id, values["load_seq"])

    def close(self) -> None:
        """Stop the worker processes, if any."""
        if self._pool:
            self._pool.close()
            self._pool = None

    def read(self, file: str, offset: int, length: int, config: ExtractionConfig, limit: int) -> Extraction | None:
        """Extract an archived page with this configuration. Returns None if it can't be read or is not an article."""
        try:
            member = self.store.read(file, offset, length)
        except ArchiveError as error:
            logger.warning("%s", error)
            return None
        self._pool = self._pool or ExtractionPool(1)
        with tempfile.TemporaryDirectory(prefix="pressmark-") as folder:
            path = Path(folder) / "page.warc.gz"
            path.write_bytes(member)
            page = self._pool.extract_now(SpoolPointer(str(path), 0, len(member)), config, limit)
        if page.outcome is not None:  # an earlier, better text stays in use
            logger.warning("%s: %s", page.outcome, page.reason)
            return None
        return page.extraction


def add_extraction(cursor: Cursor, x: Extraction, extractor_id: int, load_seq: int) -> None:
    """Store an extraction. Idempotent."""
    published, modified = x.published, x.modified
    if x.text_hash:
        execute_values(
            cursor,
            queries("load")["add_reread_text"],
            [(x.text_hash, x.article_body, x.word_count, x.char_count, load_seq)],
        )
    row = (
        x.payload_hash, extractor_id, x.headline, x.description, x.authors, x.author_organisations,
        published.value if published else None, published.raw if published else None,
        published.source if published else None, published.precision if published else None,
        published.offset if published else None, published.flag if published else None,
        modified.value if modified else None, modified.raw if modified else None,
        modified.source if modified else None, x.in_language, x.in_language_source, x.article_section, x.keywords,
        x.main_image, x.is_accessible_for_free, x.canonical_url, x.encoding, x.encoding_source, x.text_hash,
        x.headline_hash, x.description_hash, x.authors_hash, x.body_hash, load_seq, x.links, *text_columns(x, Json),
    )  # fmt: skip
    execute_values(cursor, queries("load")["add_reread_extraction"], [row])
