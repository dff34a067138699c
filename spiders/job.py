"""A crawl process: `python -m spiders.job REQUEST_ID...`. Started by the command line and by Airflow.

It is given the ids of crawl requests and nothing else. SIGTERM ends it gently: what is fetched is sealed, the
rest is `interrupted`. Progress goes to the file descriptor of --progress, a JSON object a line; the log goes to
stderr. What it needs is imported once the server of its extraction workers is at work: both take a second.
"""

from __future__ import annotations

import argparse
import os
import sys
from uuid import UUID

from pressmark.errors import PressmarkError
from pressmark.extraction.forkserver import start_forkserver
from pressmark.extraction.parent_death import die_with_parent


def main(arguments: list[str] | None = None) -> int:
    """Run the crawls; the exit code of the first error, 1 where a crawl failed, else 0."""
    parser = argparse.ArgumentParser(prog="python -m spiders.job", description=__doc__)
    parser.add_argument("requests", nargs="+", type=UUID, metavar="REQUEST_ID")
    parser.add_argument("--progress", type=int, metavar="FD", help="file descriptor for progress events")
    parser.add_argument("--parent", type=int, metavar="PID", help="process to die with")
    options = parser.parse_args(arguments)
    if options.parent:
        die_with_parent(options.parent)
    if options.progress is not None:
        os.set_inheritable(options.progress, False)
    start_forkserver()
    from pressmark.crawl.services import emit_to
    from pressmark.logs import configure_logging
    from spiders.runner import run

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
