"""Imported once, by the fork server. Nothing else imports it.

It imports what every worker needs, so that a worker that was killed is replaced within milliseconds, and it ties the
fork server to the crawl process.
"""

import gc
import os

from pressmark.extraction import extract, language, worker  # noqa: F401 - for the workers
from pressmark.extraction.forkserver import PARENT_PID
from pressmark.extraction.parent_death import die_with_parent

die_with_parent(int(os.environ[PARENT_PID]))
language.identifier()
# What is imported stays. Frozen, it is neither examined by the workers' garbage collection nor copied by it.
gc.collect()
gc.freeze()

__all__ = ["extract"]
