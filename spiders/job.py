"""The crawl process: `python -m spiders.job REQUEST_ID...`, started by the command line and by Airflow.

It is given the ids of crawl requests and nothing else. SIGTERM ends it gracefully: fetched pages are sealed, the other
candidates are `interrupted`. Progress goes to the file descriptor of --progress, one JSON object per line. The log goes
to stderr.
"""

from __future__ import annotations

import argparse
import os
import sys
from uuid import UUID

from pressmark.crawl.services import emit_to
from pressmark.errors import PressmarkError
from pressmark.extraction.parent_death import die_with_parent
from pressmark.logs import configure_logging
from spiders.runner import run


def main(arguments: list[str] | None = None) -> int:
    """Run the crawls. Returns the exit code: that of the first error, 1 if a crawl failed, else 0."""
    parser = argparse.ArgumentParser(prog="python -m spiders.job", description=__doc__)
    parser.add_argument("requests", nargs="+", type=UUID, metavar="REQUEST_ID")
    parser.add_argument("--progress", type=int, metavar="FD", help="file descriptor for progress events")
    parser.add_argument("--parent", type=int, metavar="PID", help="process to die with")
    options = parser.parse_args(arguments)
    if options.parent:
        die_with_parent(options.parent)
    if options.progress is not None:
        os.set_inheritable(options.progress, False)
    emit = emit_to(options.progress)
    configure_logging()
    try:
        return 0 if run(options.requests, emit) else 1
    except PressmarkError as error:
        emit({"event": "error", "message": str(error), "exit_code": error.exit_code})
        print(f"pressmark: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
