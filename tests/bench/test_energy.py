"""`powermetrics`, faked as a program that keeps to its documented contract (`man powermetrics`)."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from tinyml.bench.energy import NoMeter, PowermetricsMeter, energy_meter

FAKE = f"""#!{sys.executable}
import plistlib, signal, sys, time
options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
if options != {{"--samplers": "cpu_power", "--sample-rate": "100", "--format": "plist"}}:
    sys.exit(f"powermetrics: unrecognized option in {{sys.argv[1:]}}")
sample = plistlib.dumps({{"elapsed_ns": 100_000_000, "processor": {{"combined_power": 800.0}}}})
out = sys.stdout.buffer
# It ends in the middle of a sample when it is told to.
signal.signal(signal.SIGTERM, lambda *_: (out.write(sample[:60]), out.flush(), sys.exit(0)))
for number in range(3):
    out.write(sample + b"\\0")
    out.flush()
open(sys.argv[0] + ".ready", "w").close()
time.sleep(60)
"""


@pytest.fixture
def powermetrics(tmp_path: Path) -> Path:
    file = tmp_path / "powermetrics"
    file.write_text(FAKE)
    file.chmod(0o755)
    return file


def wait_for(file: Path) -> None:
    until = time.monotonic() + 30
    while not file.exists():
        assert time.monotonic() < until, "it never started"
        time.sleep(0.01)


def test_what_it_says_between_start_and_stop_adds_up(powermetrics: Path) -> None:
    meter = PowermetricsMeter(str(powermetrics))
    meter.start()
    wait_for(Path(f"{powermetrics}.ready"))
    assert meter.stop() == 3 * 80_000  # 800 mW for 0.1 s, three times; the torn sample is none


def test_it_is_ended_with_the_measurement(powermetrics: Path) -> None:
    meter = PowermetricsMeter(str(powermetrics))
    assert meter.stop() is None
    meter.start()
    wait_for(Path(f"{powermetrics}.ready"))
    meter.stop()
    assert meter._process is not None
    assert meter._process.returncode == 0


def test_one_that_refuses_leaves_the_energy_unknown(powermetrics: Path) -> None:
    powermetrics.write_text("#!/bin/sh\necho 'powermetrics must be invoked as the superuser' >&2\nexit 1\n")
    meter = PowermetricsMeter(str(powermetrics))
    meter.start()
    assert meter.stop() is None


@pytest.mark.parametrize(("user", "kind"), [(0, PowermetricsMeter), (501, NoMeter)])
def test_only_root_may_run_it(powermetrics: Path, user: int, kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(shutil, "which", lambda name: str(powermetrics) if name == "powermetrics" else None)
    meter = energy_meter()
    assert type(meter) is kind
