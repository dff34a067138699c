"""Failpoints: places at which a test can kill the process, to check that no data is lost.

PRESSMARK_FAILPOINT names one of POINTS, with `:N` to select its N-th pass. The process then kills itself
with SIGKILL, as if the machine had crashed. In production the variable is unset and `reach` only checks
an empty dictionary.
"""

from __future__ import annotations

import os
import signal

POINTS = (
    "after_fetch",
    "within_warc_member",
    "sealed_not_archived",
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
    """Kill the process if this point is armed and this is the selected pass."""
    if point in _ARMED:
        _ARMED[point] -= 1
        if _ARMED[point] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


def armed(point: str) -> bool:
    """Return whether this pass is the one to kill. For points in the middle of a single write."""
    left = _ARMED.get(point, 0)
    if left > 1:
        _ARMED[point] = left - 1
    return left == 1
