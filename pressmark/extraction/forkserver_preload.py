"""Imported once, by the fork server. Nothing else imports it.

It imports what every worker needs, so that a worker that was killed is replaced within milliseconds, and it ties the
fork server to the crawl process.
"""

import os

from pressmark.extraction import extract, language, worker  # noqa: F401 - for the workers
from pressmark.extraction.forkserver import PARENT_PID
from pressmark.extraction.parent_death import die_with_parent

die_with_parent(int(os.environ[PARENT_PID]))
language.identifier()

__all__ = ["extract"]
