"""End a process when its parent ends, so that a killed crawl leaves no workers (Linux prctl(2), PR_SET_PDEATHSIG)."""

from __future__ import annotations

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int | None = None, number: int = signal.SIGKILL) -> None:
    """Have the kernel send signal `number` to this process when the thread that started it ends.

    parent: expected pid of the parent. If the parent has another pid, the expected one has already died, and this
    process gets the signal immediately.
    """
    try:
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    except (OSError, AttributeError):  # not Linux: only the pid check below works
        pass
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), number)
