"""What is read of the machine: real counters of real processes here, and files as the kernel writes them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tinyml.bench import watch
from tinyml.bench.energy import RaplMeter, energy_of
from tinyml.bench.environment import governor, low_power_mode

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")


@linux
def test_waiting_for_a_core_and_others_load_are_seen() -> None:
    # Two threads and another process on one core: each can have at most a half of it.
    code = """
import hashlib, json, os, subprocess, sys, threading, time
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from tinyml.bench.watch import meanwhile, moment
spin = [sys.executable, "-c", "while True: pass"]
other = subprocess.Popen(spin)
time.sleep(0.5)
data = bytes(1 << 20)
def work():
    end = time.monotonic() + 1.5
    while time.monotonic() < end: hashlib.sha256(data).digest()
threads = [threading.Thread(target=work) for _ in range(2)]
begin = moment()
for t in threads: t.start()
time.sleep(1)
end = moment()
for t in threads: t.join()
other.kill(); other.wait()
found = meanwhile(begin, end)
print(json.dumps([found.elapsed_ns, found.processor_ns, found.waited_ns, found.other_load]))
"""
    elapsed, processor, waited, other = __import__("json").loads(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    )
    assert elapsed > 0.9e9
    assert processor < elapsed
    # Two threads, of which at most one runs at any time, wait for at least as long as all of it together.
    assert waited > 0.3 * elapsed
    assert other > 0.1


def test_nothing_waits_where_nothing_runs() -> None:
    begin = watch.moment()
    event = threading.Event()
    event.wait(0.05)
    found = watch.meanwhile(begin, watch.moment())
    assert found.elapsed_ns >= 50_000_000
    assert found.processor_ns < found.elapsed_ns
    assert found.other_load >= 0


def test_known_work_is_a_hash_of_known_bytes() -> None:
    assert watch.known_work_ns() > 0
    assert hashlib.sha256(watch._WORK).hexdigest().startswith("fbbab289")


def files(folder: Path, content: dict[str, str]) -> Path:
    for name, text in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("content", "count"),
    [
        ({}, None),
        ({"devices/system/cpu/cpu0/thermal_throttle/core_throttle_count": "3\n"}, 3),
        (
            {
                "devices/system/cpu/cpu0/thermal_throttle/core_throttle_count": "3\n",
                "devices/system/cpu/cpu1/thermal_throttle/core_throttle_count": "4\n",
                "fs/cgroup/cpu.stat": "usage_usec 5\nnr_periods 9\nnr_throttled 10\nthrottled_usec 7\n",
            },
            17,
        ),
        ({"fs/cgroup/cpu.stat": "usage_usec 5\n"}, None),
    ],
)
def test_heat_and_quotas_are_counted_where_the_kernel_does(tmp_path: Path, content: Any, count: Any) -> None:
    assert watch._throttles(files(tmp_path, content)) == count


def test_the_governor_is_that_of_the_slowest_core(tmp_path: Path) -> None:
    place = "devices/system/cpu/cpu{}/cpufreq/scaling_governor"
    assert governor(tmp_path) is None
    assert governor(files(tmp_path, {place.format(0): "performance\n"})) == "performance"
    assert governor(files(tmp_path, {place.format(1): "powersave\n"})) == "powersave"


@pytest.mark.parametrize(
    ("line", "on"), [("lowpowermode         1", True), ("lowpowermode         0", False), ("sleep 1", None)]
)
def test_pmsets_settings(line: str, on: Any) -> None:
    assert low_power_mode(f"System-wide power settings:\nCurrently in use:\n standby  1\n {line}\n") is on


def test_rapls_counters_wrap_around(tmp_path: Path) -> None:
    zones = {
        "intel-rapl:0/name": "package-0\n",
        "intel-rapl:1/name": "package-1\n",
        "intel-rapl:2/name": "psys\n",  # all of them, and the screen
        "intel-rapl:2/energy_uj": "7\n",
        "intel-rapl:2/max_energy_range_uj": "99\n",
        "intel-rapl:0:0/name": "core\n",
        "intel-rapl:0/energy_uj": "90\n",
        "intel-rapl:0/max_energy_range_uj": "99\n",
        "intel-rapl:1/energy_uj": "5\n",
        "intel-rapl:1/max_energy_range_uj": "99\n",
        "intel-rapl:0:0/energy_uj": "1\n",  # a part of the first one
    }
    meter = RaplMeter(files(tmp_path, zones))
    meter.start()
    files(tmp_path, {f"intel-rapl:{n}/energy_uj": f"{value}\n" for n, value in enumerate((10, 25, 60))})
    assert meter.stop() == 20 + 20
    assert RaplMeter(tmp_path / "none").stop() is None


def test_powermetrics_samples_add_up_and_a_torn_one_is_left_out() -> None:
    import plistlib

    sample = plistlib.dumps({"elapsed_ns": 100_000_000, "processor": {"combined_power": 500.0}})
    # 500 mW for 0.1 s twice: 100 mJ.
    assert energy_of(sample + b"\0" + sample + b"\0" + sample[:40]) == 100_000
    assert energy_of(b"") is None
    assert energy_of(plistlib.dumps({"elapsed_ns": 1})) is None


@linux
def test_callers_in_threads_are_seen_waiting() -> None:
    # A thread that has ended takes its waiting with it.
    code = """
import hashlib, json, os, subprocess, sys, time
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from tinyml.bench.steady import measure_steady
from tinyml.schema import BenchCase
class Model:
    def predict(self, example): hashlib.sha256(example).digest()
case = BenchCase(model="m", variant="v", format="onnx", artifact_sha256="0" * 64, artifact_bytes=1, streams=2,
    backend="onnxruntime", requested_units="cpu", warmup=1, min_repeats=1, min_seconds=1.0, rounds=1)
other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
time.sleep(0.5)
found = measure_steady([Model(), Model()], [bytes(1 << 20)], case).round
other.kill(); other.wait()
print(json.dumps([found.elapsed_ns, found.waited_ns]))
"""
    elapsed, waited = __import__("json").loads(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    )
    assert waited > 0.3 * elapsed
