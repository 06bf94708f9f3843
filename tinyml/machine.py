"""What this process may use of the machine, and how much memory it took."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path


def usable_cores() -> int:
    """The CPU cores that this process may use, fewer than the machine has where an affinity is set."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def peak_memory_bytes() -> int:
    """The largest resident set that this process has had.

    On Linux `VmHWM`, not `ru_maxrss`: the latter also covers the process that this one was forked from, because exec
    carries it over (`exec_mmap` in fs/exec.c). On macOS `ru_maxrss` is in bytes and starts anew.
    """
    if sys.platform == "linux":
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def process_began() -> float:
    """When this process began, on the clock of `time.monotonic`."""
    import psutil

    age: float = time.time() - psutil.Process().create_time()
    return time.monotonic() - max(0.0, age)
