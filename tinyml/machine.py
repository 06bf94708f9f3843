"""What this process may use of the machine, and how much memory it took."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4


def usable_cores() -> int:
    """The CPU cores that this process may use, fewer than the machine has where an affinity is set."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def cpu_name() -> str:
    """What the processor calls itself, as "Apple M4" or "AMD EPYC"; what kind it is where it does not say."""
    if sys.platform == "darwin":
        words = ("sysctl", "-n", "machdep.cpu.brand_string")
        return subprocess.run(words, capture_output=True, text=True, check=True, timeout=10).stdout.strip()  # noqa: S603
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


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


_GROUPS = Path("/sys/fs/cgroup")
_VERSIONS = (
    ("0::", "", "memory.max", "memory.current", "inactive_file"),
    (":memory:", "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
"""Of control groups, 2 and 1: the line of /proc/self/cgroup, the folder, the files of limit and use, the key of pages
of files that are given up where memory is short."""


def available_memory_bytes(groups: Path = _GROUPS) -> int:
    """What can still be taken without swapping: of the machine, and of the container that this process is in.

    A container's limit is that of its control group or of one above it.

    Args:
        groups: Where the control groups lie.
    """
    import psutil

    return min([int(psutil.virtual_memory().available), *_left_in_groups(groups)])


def _left_in_groups(root: Path) -> list[int]:
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    found = []
    for mark, folder, limit, used, files in _VERSIONS:
        own = next((line.split(mark, 1)[1].strip("/") for line in lines if mark in line), "")
        top = root / folder
        for group in (top / own, *(top / own).parents):
            if group.is_relative_to(top) and (group / limit).is_file():
                text = (group / limit).read_text(encoding="ascii").strip()
                facts = dict(line.split() for line in (group / "memory.stat").read_text(encoding="ascii").splitlines())
                taken = int((group / used).read_text(encoding="ascii")) - int(facts.get(files, 0))
                found += [] if text == "max" else [max(0, int(text) - taken)]
    return found


def process_began() -> float:
    """When this process began, on the clock of `time.monotonic`."""
    import psutil

    age: float = time.time() - psutil.Process().create_time()
    return time.monotonic() - max(0.0, age)


def keep_freed_memory() -> bool:
    """Has glibc keep freed memory for the next batch, instead of handing it back and zeroing it again.

    Whoever computes batch after batch on the CPU frees and allocates the same large arrays over and over; by default
    each of them is a fresh mapping whose pages the kernel clears one fault at a time. The price is that the process
    keeps its peak until it ends. Returns whether it could be done: with another C library nothing happens.
    """
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:
        return False
    return bool(mallopt(_M_MMAP_MAX, 0)) and bool(mallopt(_M_TRIM_THRESHOLD, -1))
