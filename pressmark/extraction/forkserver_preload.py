"""Imported once, by the process that extraction workers are forked from. Nobody else imports it.

It loads what every worker needs, so that a worker that had to be killed is replaced within
milliseconds, and it ties that process to the crawl that started it.
"""

import os

from pressmark.extraction import extract, language, worker  # noqa: F401 - for the workers
from pressmark.extraction.forkserver import PARENT_PID
from pressmark.extraction.parent_death import die_with_parent

die_with_parent(int(os.environ[PARENT_PID]))
language.identifier()

__all__ = ["extract"]
