"""Energy while something runs, where the system measures it and lets this process read it.

Linux: the counters of RAPL under /sys/class/powercap (microjoules; Documentation/power/powercap/powercap.rst), which
most systems let only root read. macOS: `powermetrics`, which only root may run; it prints one property list a sample,
parted by NUL, with `elapsed_ns` and, below `processor`, `combined_power` in milliwatts on Apple silicon. Both cover the
whole package, not this process alone.
"""

from __future__ import annotations

import contextlib
import os
import plistlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Protocol
from xml.parsers.expat import ExpatError

RAPL = Path("/sys/class/powercap")
_SAMPLE_MS = 100


class EnergyMeter(Protocol):
    """Counts from `start` to `stop`."""

    def start(self) -> None:
        """Begins."""

    def stop(self) -> int | None:
        """Microjoules since `start`; None where they are not known."""


def energy_meter() -> EnergyMeter:
    """The meter of this system; one that knows nothing where there is none, or it may not be read."""
    if sys.platform == "linux":
        return RaplMeter(RAPL)
    if sys.platform == "darwin" and os.geteuid() == 0 and (command := shutil.which("powermetrics")):
        return PowermetricsMeter(command)
    return NoMeter()


class NoMeter:
    """Knows nothing."""

    def start(self) -> None:
        """Nothing."""

    def stop(self) -> int | None:
        """None."""
        return None


class RaplMeter:
    """The packages' counters, which wrap around at `max_energy_range_uj`."""

    def __init__(self, folder: Path) -> None:
        # Other zones lie inside a package, or, as "psys", around it.
        self._zones = [zone for zone in sorted(folder.glob("intel-rapl:*")) if _is_package(zone)]
        self._before: list[int] | None = None

    def start(self) -> None:
        """Reads the counters."""
        self._before = self._read("energy_uj")

    def stop(self) -> int | None:
        """What the counters went up by."""
        after, ranges = self._read("energy_uj"), self._read("max_energy_range_uj")
        if self._before is None or after is None or ranges is None:
            return None
        return sum((b - a) % (top + 1) for a, b, top in zip(self._before, after, ranges, strict=True))

    def _read(self, name: str) -> list[int] | None:
        try:
            return [int((zone / name).read_text(encoding="ascii")) for zone in self._zones] or None
        except (OSError, ValueError):  # not permitted, or gone
            return None


def _is_package(zone: Path) -> bool:
    try:
        return (zone / "name").read_text(encoding="ascii").startswith("package")
    except (OSError, ValueError):
        return False


class PowermetricsMeter:
    """A `powermetrics` beside the measurement."""

    def __init__(self, command: str) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    def start(self) -> None:
        """Starts it."""
        # A pipe would be full after a second or two, and hold it up.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 (it lives until `stop`)
        self._process = subprocess.Popen(  # noqa: S603
            [self._command, "--samplers", "cpu_power", "--sample-rate", str(_SAMPLE_MS), "--format", "plist"],
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.DEVNULL,
        )

    def stop(self) -> int | None:
        """Ends it and adds up its samples."""
        if self._process is None or self._output is None:
            return None
        self._process.terminate()
        self._process.wait()
        with self._output as output:
            output.seek(0)
            return energy_of(output.read())


def energy_of(output: bytes) -> int | None:
    """Microjoules in the samples of `powermetrics`; None without a whole one."""
    total, seen = 0.0, False
    for part in output.split(b"\0"):
        # The last sample is torn where the process was ended in the middle of it.
        with contextlib.suppress(plistlib.InvalidFileException, ExpatError, ValueError, KeyError, TypeError):
            sample = plistlib.loads(part.strip())
            total += (
                sample["processor"]["combined_power"] * sample["elapsed_ns"] / 1e6
            )  # a milliwatt for a nanosecond: 1e-12 J
            seen = True
    return round(total) if seen else None
