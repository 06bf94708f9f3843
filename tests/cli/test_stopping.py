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

# The command, signaled while it first looks for a module.
IMPORTING = """
import os, runpy, sys

module, number, *arguments = sys.argv[1:]

class Signal:
    def find_spec(self, name, *_):
        if name == module:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), int(number))

sys.meta_path.insert(0, Signal())
sys.argv = ["tinyml", *arguments]
runpy.run_module("tinyml", run_name="__main__")
"""

# A signal that meets a finalizer, as at the end of a module's lock, where Python reports an exception and goes on.
LOST = """
import os, signal, time, weakref
from tinyml.cli import app, main

class Thing:
    pass

@app.command()
def lose() -> None:
    thing = Thing()
    reference = weakref.ref(thing, lambda _: (os.kill(os.getpid(), signal.SIGTERM), time.sleep(0.01)))
    del thing
    time.sleep(60)

main(["lose"])
"""

# A signal that comes when the command has ended and Python takes its modules apart.
ENDING = """
import builtins, os, signal, sys
from tinyml.__main__ import main

class Last:
    def __del__(self, kill=os.kill, process=os.getpid(), number=int(sys.argv.pop(1))):
        kill(process, number)

builtins.last = Last()
main()
"""

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

# A command that runs another one, as `tinyml reproduce` does.
WITHIN = """
import sys
from pathlib import Path
from tinyml.child import run
from tinyml.cli import app, main

@app.command()
def outer() -> None:
    run([sys.executable, "-c", sys.argv[1]], cwd=Path.cwd())

main(["outer"])
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


@pytest.mark.parametrize(
    ("module", "number", "arguments"),
    [
        ("tinyml.cli", signal.SIGINT, ["models"]),
        ("typer", signal.SIGTERM, ["models"]),
        ("tinyml.cli.verbs.bench", signal.SIGHUP, ["bench"]),
        ("pydantic", signal.SIGINT, ["bench", "show"]),
        ("torch", signal.SIGINT, ["train", "resnet20", "--data", "shapes"]),
        ("numpy", signal.SIGTERM, ["models"]),  # C code imports it and does without
    ],
    ids=lambda value: value.name if isinstance(value, signal.Signals) else None,
)
def test_an_import_is_ended_by_a_word(
    module: str, number: signal.Signals, arguments: list[str], tmp_path: Path
) -> None:
    process = started(IMPORTING, tmp_path, module, str(int(number)), *arguments)
    out, err = process.communicate(timeout=60)
    code, word = ENDS[number]
    assert (process.returncode, out, err.count("\n")) == (code, "", 1), err
    assert err.startswith(f"error: {word}")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_signal_is_not_lost_where_nobody_waits_for_it(tmp_path: Path) -> None:
    process = started(LOST, tmp_path)
    out, err = process.communicate(timeout=50)
    assert (process.returncode, out, err) == (143, "", "error: terminated\n")


@pytest.mark.parametrize("number", ENDS, ids=lambda number: number.name)
def test_a_command_that_has_ended_keeps_its_code(number: signal.Signals, tmp_path: Path) -> None:
    process = started(ENDING, tmp_path, str(int(number)), "--version")
    out, err = process.communicate(timeout=50)
    assert (process.returncode, out.split()[0], err) == (0, "tinyml", "")


def test_a_command_within_a_command_cleans_up_too(tmp_path: Path) -> None:
    process = started(WITHIN, tmp_path, WRITING)
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    process.terminate()
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, set(err.splitlines())) == (143, "", {"error: terminated"})
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


def test_a_signal_that_came_just_before_a_wait_ends_it() -> None:
    began = time.monotonic()
    with stoppable() as stop, pytest.raises(KeyboardInterrupt):
        # What the system's handler does, without what would end the wait at once.
        told = signal.set_wakeup_fd(-1)
        signal.set_wakeup_fd(told)
        os.write(told, bytes([signal.SIGTERM]))
        time.sleep(60)
    assert stop.number == signal.SIGTERM
    assert time.monotonic() - began < 30


def test_a_signal_to_a_forked_child_is_not_its_parents() -> None:
    with stoppable() as stop:
        if (child := os.fork()) == 0:
            try:
                signal.raise_signal(signal.SIGTERM)
            except KeyboardInterrupt:
                os._exit(stop.code)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        time.sleep(0.2)
    assert (os.waitstatus_to_exitcode(status), stop.number) == (143, None)


def test_a_signal_that_another_handler_hears_is_not_sent_again() -> None:
    came: list[int] = []
    with stoppable() as stop:
        before = signal.signal(signal.SIGTERM, lambda number, _: came.append(number))
        try:
            signal.raise_signal(signal.SIGTERM)
            time.sleep(0.2)
        finally:
            signal.signal(signal.SIGTERM, before)
        time.sleep(0.2)
    assert (came, stop.number) == ([signal.SIGTERM], None)
