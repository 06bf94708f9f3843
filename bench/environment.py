"""The machine and its software, as far as they decide a measurement."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Literal

import psutil

from tinyml.schema import Environment

_SYSTEMS: dict[str, Literal["linux", "macos", "windows"]] = {"linux": "linux", "darwin": "macos", "win32": "windows"}


def describe(packages: Iterable[str]) -> Environment:
    """This machine; `packages` are the distributions whose versions are recorded where they are installed."""
    system = _SYSTEMS[sys.platform]
    cpu = _cpu()
    return Environment(
        machine=_sysctl("hw.model") if system == "macos" else cpu,
        os=system,
        os_version=_os_version(),
        os_build=_command("sw_vers", "-buildVersion") if system == "macos" else platform.release(),
        cpu=cpu,
        cores=usable_cores(),
        memory_bytes=psutil.virtual_memory().total,
        runtime=f"{platform.python_implementation().lower()} {platform.python_version()}",
        packages=versions(packages),
    )


def usable_cores() -> int:
    """The CPU cores that this process may use, fewer than the machine has where an affinity is set."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def versions(packages: Iterable[str]) -> dict[str, str]:
    """The installed ones among `packages`, with their versions."""
    found = {}
    for name in sorted(set(packages)):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # an optional one: its absence is what the record then says
    return found


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


def _cpu() -> str:
    if sys.platform == "darwin":
        return _sysctl("machdep.cpu.brand_string")
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _os_version() -> str:
    if sys.platform == "darwin":
        return platform.mac_ver()[0]
    if sys.platform == "linux":
        try:
            return platform.freedesktop_os_release()["PRETTY_NAME"]
        except (OSError, KeyError):
            return platform.release()
    return platform.version()


def _sysctl(name: str) -> str:
    return _command("sysctl", "-n", name)


def _command(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=10).stdout.strip()  # noqa: S603
