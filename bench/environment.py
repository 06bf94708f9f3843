"""The machine and its software, as far as they decide a measurement."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Literal

import psutil

from tinyml.machine import cpu_name, usable_cores
from tinyml.schema import Environment

_SYSTEMS: dict[str, Literal["linux", "macos", "windows"]] = {"linux": "linux", "darwin": "macos", "win32": "windows"}


def this_environment(packages: Iterable[str]) -> Environment:
    """This machine; `packages` are the distributions whose versions are recorded where they are installed."""
    system = _SYSTEMS[sys.platform]
    cpu = cpu_name()
    return Environment(
        machine=_command("sysctl", "-n", "hw.model") if system == "macos" else cpu,
        os=system,
        os_version=_os_version(),
        os_build=_command("sw_vers", "-buildVersion") if system == "macos" else platform.release(),
        cpu=cpu,
        cores=usable_cores(),
        memory_bytes=psutil.virtual_memory().total,
        runtime=f"{platform.python_implementation().lower()} {platform.python_version()}",
        packages=versions(packages),
        low_power_mode=low_power_mode(_command("pmset", "-g")) if system == "macos" else None,
        governor=governor(Path("/sys")) if system == "linux" else None,
        on_battery=_on_battery(),
    )


def governor(sys_folder: Path) -> str | None:
    """How Linux sets the clock of the slowest-set core ("powersave" where any is); None: the kernel does not say."""
    found = {
        path.read_text(encoding="ascii").strip()
        for path in sys_folder.glob("devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor")
    }
    return "powersave" if "powersave" in found else min(found, default=None)


def low_power_mode(settings: str) -> bool | None:
    """Whether macOS saves power, from what `pmset -g` prints; None: it has no such mode."""
    for line in settings.splitlines():
        words = line.split()
        if len(words) == 2 and words[0] == "lowpowermode":
            return words[1] == "1"
    return None


def _on_battery() -> bool | None:
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    return None if battery is None or battery.power_plugged is None else not battery.power_plugged


def versions(packages: Iterable[str]) -> dict[str, str]:
    """The installed ones among `packages`, with their versions."""
    found = {}
    for name in sorted(set(packages)):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # an optional one: its absence is what the record then says
    return found


def _os_version() -> str:
    if sys.platform == "darwin":
        return platform.mac_ver()[0]
    if sys.platform == "linux":
        try:
            return platform.freedesktop_os_release()["PRETTY_NAME"]
        except (OSError, KeyError):
            return platform.release()
    return platform.version()


def _command(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=10).stdout.strip()  # noqa: S603
