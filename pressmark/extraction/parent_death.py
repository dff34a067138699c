"""Dying with one's parent: a killed crawl leaves no worker behind (Linux prctl(2), PR_SET_PDEATHSIG)."""

from __future__ import annotations

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int | None = None, number: int = signal.SIGKILL) -> None:
    """Have the kernel send this process a signal when the thread that started it ends.

    parent: pid that must be the parent still; where it is not, the parent died in between, and so
    does this process, at once.
    """
    try:
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    except (OSError, AttributeError):  # not Linux: the pid check below is what remains
        pass
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), number)
