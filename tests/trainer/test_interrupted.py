"""A training in a process of its own, killed and interrupted for real, and resumed."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tinyml.schema import History
from tinyml.store import read_json
from tinyml.trainer.data import Dataset

from .processes import finish, start

RUN = "runs/reference-1"
FEWEST_KILLS, MOST_KILLS = 6, 24


def begin(folder: Path, colors: Dataset, *options: str) -> subprocess.Popen[str]:
    """A training that draws random numbers in each step, and is slow enough to be hit between two."""
    return start(folder, colors, "--epochs", "4", *options, dropout=0.2, pause=0.05)


def wait_for(process: subprocess.Popen[str], path: Path, epochs: int) -> None:
    """Until `epochs` epochs are recorded."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if path.exists() and len(read_json(path, History).epochs) >= epochs:
            return
        time.sleep(0.02)
    pytest.fail(f"no {epochs} epochs: {finish(process)}")


def trace(path: Path) -> list[tuple[float, float, float]]:
    return [(r.train_loss, r.val_loss, r.val_accuracy) for r in read_json(path, History).epochs]


def test_killed_and_interrupted_and_resumed_is_uninterrupted(colors: Dataset, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    uninterrupted = begin(tmp_path, colors, "--results", str(whole))

    killed = begin(tmp_path, colors, "--results", str(parts))
    history = parts / "tiny" / RUN / "history.json"
    wait_for(killed, history, 1)
    time.sleep(0.1)
    killed.kill()
    assert finish(killed)[0] == -signal.SIGKILL
    assert not list(parts.rglob("*.tmp"))

    interrupted = begin(tmp_path, colors, "--results", str(parts), "--resume")
    wait_for(interrupted, history, 2)
    time.sleep(0.12)  # some steps into the third epoch
    interrupted.send_signal(signal.SIGINT)
    code, out, err = finish(interrupted)
    assert code == 130, err
    command = re.search(r"to go on: tinyml (train tiny --run reference-1 --resume --results \S+)", out)
    assert command is not None, out
    assert "Traceback" not in err

    resumed = begin(tmp_path, colors, *command[1].split()[2:])
    code, out, err = finish(resumed)
    assert (code, "Traceback" in err) == (0, False), err
    assert "next: tinyml export --results" in out

    assert finish(uninterrupted)[0] == 0
    assert trace(history) == trace(whole / "tiny" / RUN / "history.json")
    weights = [folder / "tiny" / RUN / "checkpoints" / "last.safetensors" for folder in (whole, parts)]
    assert weights[0].read_bytes() == weights[1].read_bytes()


@pytest.mark.slow
def test_killed_dozens_of_times_is_uninterrupted(
    colors: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str], record_property: Callable[[str, object], None]
) -> None:
    """Killed at any time after its first step: between steps, in the middle of a save, in validation.

    How often depends on how fast the machine is; it is shown, and kept with the test's result.
    """
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    longer = ("--epochs", "12", "--save-every", "1")
    assert finish(begin(tmp_path, colors, "--results", str(whole), *longer))[0] == 0
    random, kills, resumptions, resumed = Random(0), 0, 0, False  # noqa: S311
    folder = parts / "tiny" / RUN
    while kills < MOST_KILLS:
        command = ("--resume", *longer) if resumed else ("--run", folder.name, *longer)
        process = begin(tmp_path, colors, "--results", str(parts), *command)
        # A killed one leaves its lock file; the next holder writes its own number into it.
        while process.poll() is None and str(process.pid) not in told(folder / ".training.lock"):
            time.sleep(0.005)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(random.uniform(0.0, 1.2))
        if process.poll() is not None:
            break
        process.kill()
        finish(process)
        kills, resumptions = kills + 1, resumptions + resumed
        resumed = (folder / "checkpoints" / "resume.safetensors").exists()
    command = ("--resume", *longer) if resumed else ("--run", folder.name, *longer)
    code, _, err = finish(begin(tmp_path, colors, "--results", str(parts), *command))
    assert code == 0 or "this training is complete" in err, err
    record_property("kills", kills)
    with capsys.disabled():
        print(f"\nkilled {kills} times, {resumptions} of them when it had resumed")  # noqa: T201
    assert FEWEST_KILLS <= kills <= MOST_KILLS
    assert resumptions >= FEWEST_KILLS // 2
    assert trace(folder / "history.json") == trace(whole / "tiny" / RUN / "history.json")
    for name in ("last", "best", "epoch-012"):
        one, other = (where / "tiny" / RUN / "checkpoints" / f"{name}.safetensors" for where in (whole, parts))
        assert one.read_bytes() == other.read_bytes()
    assert [path for path in parts.rglob(".*") if path.is_file()] == []


def told(path: Path) -> str:
    return path.read_text() if path.exists() else ""
