"""What the machine did while something was measured: the only way to tell a slow model from a busy machine.

Wall time says how long a prediction took, not why. A thread that is ready to run and has no core waits in a run queue;
Linux adds that up for each thread (the second number of /proc/PID/task/TID/schedstat, in nanoseconds; see
Documentation/scheduler/sched-stats.rst). Where the system does not tell, a figure is None, never zero.
"""

from __future__ import annotations

import contextlib
import hashlib
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

_WORK = bytes(range(256)) * 4096
"""A mebibyte: hashing it takes about a millisecond, of the processor alone."""
_WORK_TIMES = 9


@dataclass(frozen=True, kw_only=True)
class Moment:
    """The machine's counters at one moment."""

    wall_ns: int
    processor_ns: int
    waited_ns: dict[str, int] | None
    """By thread."""
    busy_s: float
    """Processor time of everything on the machine, what a hypervisor took away included."""
    throttles: int | None


@dataclass(frozen=True, kw_only=True)
class Meanwhile:
    """What happened between two moments; the fields are those of `tinyml.schema.Round`."""

    elapsed_ns: int
    processor_ns: int
    waited_ns: int | None
    other_load: float
    throttled: bool | None


def moment() -> Moment:
    """Now."""
    return Moment(
        wall_ns=time.perf_counter_ns(),
        processor_ns=time.process_time_ns(),
        waited_ns=_waited(Path("/proc/self/task")) if sys.platform == "linux" else None,
        busy_s=_busy(),
        throttles=_throttles(Path("/sys")) if sys.platform == "linux" else None,
    )


def meanwhile(begin: Moment, end: Moment) -> Meanwhile:
    """What happened from `begin` to `end`, two moments of this process."""
    elapsed = max(1, end.wall_ns - begin.wall_ns)
    processor = end.processor_ns - begin.processor_ns
    waited = None
    if begin.waited_ns is not None and end.waited_ns is not None:
        waited = sum(value - begin.waited_ns.get(thread, 0) for thread, value in end.waited_ns.items())
    other = (end.busy_s - begin.busy_s) - processor / 1e9
    return Meanwhile(
        elapsed_ns=elapsed,
        processor_ns=processor,
        waited_ns=waited,
        other_load=max(0.0, other / (elapsed / 1e9)),
        throttled=None if begin.throttles is None or end.throttles is None else end.throttles > begin.throttles,
    )


def known_work_ns() -> int:
    """The median wall time of a fixed piece of work on one core: what changes in it is the machine, not a model."""
    times = []
    for _ in range(_WORK_TIMES):
        begin = time.perf_counter_ns()
        hashlib.sha256(_WORK).digest()
        times.append(time.perf_counter_ns() - begin)
    return int(statistics.median(times))


def _waited(tasks: Path) -> dict[str, int] | None:
    """How long each thread has waited for a core; None where the kernel keeps no such statistics."""
    found = {}
    for task in tasks.iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):  # a thread that ends meanwhile
            found[task.name] = int((task / "schedstat").read_text(encoding="ascii").split()[1])
    return found or None


def _busy() -> float:
    times = psutil.cpu_times()._asdict()
    # Linux counts a guest's time in user and nice as well.
    return float(sum(value for name, value in times.items() if name not in ("idle", "iowait", "guest", "guest_nice")))


def _throttles(sys_folder: Path) -> int | None:
    """How often heat (by core) or a quota (of the control group) has held the processor back; None: not told."""
    counts = [
        int(path.read_text(encoding="ascii"))
        for path in sys_folder.glob("devices/system/cpu/cpu[0-9]*/thermal_throttle/core_throttle_count")
    ]
    with contextlib.suppress(OSError, ValueError):
        for line in (sys_folder / "fs/cgroup/cpu.stat").read_text(encoding="ascii").splitlines():
            name, _, value = line.partition(" ")
            if name == "nr_throttled":
                counts.append(int(value))
    return sum(counts) if counts else None
