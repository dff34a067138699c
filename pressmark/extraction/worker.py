"""What an extraction worker does: extract one page, and decide whether it is an article.

Only worker processes import this module: Trafilatura and what it needs take half a second to import. See `pool` for
the side of the crawl process.
"""

from __future__ import annotations

import logging
import resource
from datetime import datetime

from pressmark.archive.spool import SpoolPointer, read_spooled
from pressmark.content_encoding import IncompleteBody, TooLarge, remove_content_encoding
from pressmark.errors import ArchiveError, ExtractionError
from pressmark.extraction.extract import extract
from pressmark.extraction.fields import Extraction, ExtractionConfig, PageExtraction
from pressmark.extraction.page import NotHtml
from pressmark.extraction.parent_death import die_with_parent
from pressmark.outcomes import Outcome
from pressmark.plausibility import MIN_WORDS, implausible_text
from pressmark.text import plural

MEMORY_BYTES = 2**30
REPLACEMENT = "\ufffd"
_MAX_LOST = 3  # characters that could not be decoded
_MAX_LOST_SHARE = 0.005


def extract_page(pointer: SpoolPointer, config: ExtractionConfig, size_limit: int) -> PageExtraction:
    """Extract the page at a pointer. Never raises because of the page's content."""
    try:
        response = read_spooled(pointer)
    except ArchiveError as error:  # a record that was overwritten is not a response any more
        return PageExtraction(None, Outcome.QUARANTINED, "decode", str(error))
    return extract_document(response.body, response.url, response.headers, response.observed_at, config, size_limit)


def extract_document(
    body: bytes,
    url: str,
    headers: tuple[tuple[str, str], ...],
    observed_at: datetime,
    config: ExtractionConfig,
    size_limit: int,
) -> PageExtraction:
    """Extract a response. Never raises because of its content.

    body: bytes as received, with their content encoding. url: the final URL. size_limit: bytes.
    """
    content_encoding = ", ".join(value for name, value in headers if name.lower() == "content-encoding")
    try:
        document = remove_content_encoding(body, content_encoding, size_limit)
    except TooLarge as error:
        return PageExtraction(None, Outcome.TOO_LARGE, "decode", str(error))
    except IncompleteBody as error:
        return PageExtraction(None, Outcome.NETWORK_ERROR, "decode", str(error))
    except ExtractionError as error:
        return PageExtraction(None, Outcome.QUARANTINED, "decode", str(error))
    try:
        extraction = extract(document, url, headers, observed_at, config)
    except NotHtml as error:
        return PageExtraction(None, Outcome.NOT_HTML, "decode", str(error))
    except MemoryError:
        reason = f"needs more than {MEMORY_BYTES // 2**20} MiB of memory"
        return PageExtraction(None, Outcome.QUARANTINED, "extract", reason)
    except RecursionError:
        reason = "its elements are nested too deeply; a part of the page would be lost"
        return PageExtraction(None, Outcome.QUARANTINED, "extract", reason)
    except Exception as error:  # whatever lxml, Trafilatura or htmldate raise for this page
        return PageExtraction(None, Outcome.QUARANTINED, "extract", f"{type(error).__name__}: {error}"[:500])
    return classify(extraction)


def classify(extraction: Extraction) -> PageExtraction:
    """Whether the fields make an article."""
    non_article = extraction.non_article
    if non_article is not None:
        return PageExtraction(extraction, non_article.outcome, "classify", non_article.reason)
    lost = extraction.article_body.count(REPLACEMENT)
    if lost > max(_MAX_LOST, extraction.char_count * _MAX_LOST_SHARE):
        reason = f"{plural(lost, 'character')} of the text could not be decoded as {extraction.encoding}"
        return PageExtraction(extraction, Outcome.QUARANTINED, "decode", reason)
    if extraction.word_count < MIN_WORDS:
        reason = f"{plural(extraction.word_count, 'word')} of main text; an article has at least {MIN_WORDS}"
        return PageExtraction(extraction, Outcome.EXTRACTION_EMPTY, "classify", reason)
    implausible = implausible_text(extraction)
    if implausible:
        return PageExtraction(extraction, Outcome.IMPLAUSIBLE_TEXT, "classify", implausible)
    return PageExtraction(extraction)


def begin_worker() -> None:
    """Set up a worker process: it dies with its parent and has a memory limit."""
    die_with_parent()
    # Trafilatura's warnings are not useful here: a page that fails gets an outcome with a reason.
    logging.disable(logging.WARNING)
    limit = _address_space() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _address_space() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * resource.getpagesize()
