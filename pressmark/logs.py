"""Logging setup. Passwords are removed from every line."""

from __future__ import annotations

import logging
import re
import sys
import time

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s:]*:[^/@\s]+(?=@)")
_PASSWORD = re.compile(r"(password\s*=\s*)('[^']*'|\S+)", re.IGNORECASE)


def redact(text: str) -> str:
    """Replace the passwords of URLs and connection strings by `***`."""
    return _PASSWORD.sub(r"\1***", _CREDENTIALS.sub("***", text))


class _RedactingFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def configure_logging(level: int = logging.INFO) -> None:
    """Log to stderr, with times in UTC."""
    handler = logging.StreamHandler(sys.stderr)
    formatter = _RedactingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("asyncio").setLevel(logging.WARNING)


def quiet_scrapy() -> None:
    """Turn off Scrapy's dumps of settings, middlewares and counters. The counters are stored in ops.crawl.

    Call it after creating Scrapy's process, which resets the levels of its loggers.
    """
    for noisy in (
        "scrapy.core.engine",
        "scrapy.crawler",
        "scrapy.middleware",
        "scrapy.addons",
        "scrapy.utils.log",
        "scrapy.statscollectors",
        "scrapy.extensions.memusage",
    ):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # What became of a request is logged with its URL, in a sentence.
    logging.getLogger("scrapy.downloadermiddlewares.retry").setLevel(logging.CRITICAL)
