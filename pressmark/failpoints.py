"""Points at which a test may kill the process, to show that nothing is lost there.

Unset in production: `reach` costs one look into a dictionary that is empty. PRESSMARK_FAILPOINT names
one point, with `:N` for its N-th time; the process then ends by SIGKILL as if the machine had died.
"""

from __future__ import annotations

import os
import signal

POINTS = (
    "after_fetch",
    "within_warc_member",
    "archived_not_committed",
    "within_copy",
    "committed_not_loaded",
    "within_load",
    "within_cluster",
)


def _armed() -> dict[str, int]:
    text = os.environ.get("PRESSMARK_FAILPOINT", "")
    name, _, count = text.partition(":")
    return {name: int(count or 1)} if name else {}


_ARMED = _armed()


def reach(point: str) -> None:
    """Die here if this point is armed and has been reached often enough."""
    if point in _ARMED:
        _ARMED[point] -= 1
        if _ARMED[point] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


def armed(point: str) -> bool:
    """Whether this time of passing kills; for points in the middle of a single write."""
    left = _ARMED.get(point, 0)
    if left > 1:
        _ARMED[point] = left - 1
    return left == 1
