"""Real processes of several commands, signaled for real: each ends with a word, its exit code, and no leftovers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tinyml.cli.stopping import stoppable

# A verb that is in the middle of writing a folder and a file; the real ones write with the same two functions.
WRITING = """
import sys, time
from pathlib import Path
from tinyml.cli import app, main
from tinyml.store import atomic_file, atomic_folder

@app.command()
def write() -> None:
    with atomic_folder(Path("folder")) as folder, atomic_file(Path("file.json")) as file:
        (folder / "part").write_text("half")
        file.write_text("half")
        print("writing", flush=True)
        time.sleep(60)

main(["write"])
"""

ENDS = {signal.SIGINT: (130, "interrupted"), signal.SIGTERM: (143, "terminated"), signal.SIGHUP: (129, "the terminal")}


def started(code: str, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env={**os.environ, "TINYML_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", ENDS, ids=lambda number: number.name)
def test_a_command_that_writes_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    process = started(WRITING, tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    code, word = ENDS[number]
    assert (process.returncode, out) == (code, "")
    assert err.startswith(f"error: {word}")
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_data_prepare_leaves_nothing_half(tmp_path: Path, number: signal.Signals) -> None:
    code = "from tinyml.cli import main; main()"
    process = started(code, tmp_path, "data", "prepare", "--data", "shapes")
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None and not list((tmp_path / "cache").rglob("*.npy")):
        time.sleep(0.01)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    if process.returncode == 0:
        pytest.skip("it was faster than the signal")
    assert (process.returncode, err.splitlines()[-1]) == (ENDS[number][0], f"error: {ENDS[number][1]}")
    assert "Traceback" not in err
    # The lock that keeps two preparations apart is a file of its own and stays.
    left = [path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert left == [".shapes.lock"]


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stoppable() as stop:
            signal.raise_signal(signal.SIGHUP)
        assert stop.number is None
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_what_cleans_up_is_not_disturbed() -> None:
    cleaned = []
    with stoppable() as stop:
        with pytest.raises(KeyboardInterrupt):
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                signal.raise_signal(signal.SIGTERM)
                signal.raise_signal(signal.SIGINT)
                cleaned.append(1)
        assert (stop.code, stop.word, cleaned) == (143, "terminated", [1])
