"""Full disks and killed processes: a sentence and nothing half-written, in real processes."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tinyml.errors import ArtifactError
from tinyml.trainer.data import open_dataset
from tinyml.trainer.data.room import new_array
from tinyml.workspace import Workspace

from ...small_disk import run_on_small_disk

Make = Callable[..., None]


def python(code: str, cache: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TINYML_CACHE": str(cache)}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120, check=False
    )


LIMITED = """
import resource, sys
from tinyml.cli.app import run
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
sys.exit(run(["data", "prepare", "--data", "shapes"]))
"""


@pytest.mark.parametrize("limit", [100, 1_000_000, 19_000_000])
def test_a_limit_of_file_sizes_is_a_sentence(tmp_path: Path, limit: int) -> None:
    done = python(LIMITED.format(limit=limit), tmp_path)
    assert done.returncode == 1, done.stderr
    last = done.stderr.splitlines()[-1]
    assert re.fullmatch(r"error: no room for .*\(File too large\): .* MB free in .*; make room, or .*", last)
    assert "Traceback" not in done.stderr
    assert [path.name for path in (tmp_path / "datasets").iterdir()] == [".shapes.lock"]


def test_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    # A memory map of blocks that are not there would end the process by SIGBUS.
    code = "import sys; from tinyml.cli.app import run; sys.exit(run(['data', 'prepare', '--data', 'shapes']))"
    done = run_on_small_disk(
        f'"{sys.executable}" -c "{code}"; code=$?; ls -A {small}/datasets; exit $code',
        folder=small,
        megabytes=8,
        environment={"TINYML_CACHE": str(small)},
        timeout=120,
    )
    assert done.returncode == 1, done.stderr
    assert "error: no room for train.npy (No space left on device): '19.7 MB needed, " in done.stderr
    assert done.stdout.split() == [".shapes.lock"]


def test_blocks_are_there_before_they_are_written(tmp_path: Path) -> None:
    array = new_array(tmp_path / "a.npy", (100, 64, 64, 3))
    assert (tmp_path / "a.npy").stat().st_blocks * 512 >= array.nbytes
    array[:] = 7
    array.flush()
    assert (np.load(tmp_path / "a.npy", allow_pickle=False) == 7).all()


KILLED = """
import os, time
from tinyml.trainer.data.sources import shapes
from tinyml.trainer.data import open_dataset
def slow(*arguments):
    os.write(1, b"drawing\\n")  # whole lines, though several threads draw
    time.sleep(60)
shapes.draw = slow
open_dataset("shapes")
"""


def test_what_a_killed_preparation_left_is_swept_by_the_next(cache: Path, tmp_path: Path, make_images: Make) -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "drawing\n"
        left = [path for path in (cache / "datasets").iterdir() if path.is_dir()]
        assert [path.name.partition("-")[0] for path in left] == [".shapes.tmp"]
        for name in ("ant", "bee"):
            make_images(tmp_path / "photos" / name, 10)
        other = open_dataset(str(tmp_path / "photos"))  # another set, while that one is at work: left alone
        assert left[0].exists()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert left[0].exists()
    os.utime(tmp_path / "photos" / "ant" / "image0.png", (1, 1))
    open_dataset(str(tmp_path / "photos"))  # any preparation sweeps
    assert [path for path in (cache / "datasets").iterdir() if path.is_dir()] == [other.path]


FILLS_A_FOLDER = """
import sys, time
from pathlib import Path
from tinyml.store import atomic_folder
with atomic_folder(Path(sys.argv[1])) as folder:
    (folder / "manifest.json").write_text("{}")
    print("there", flush=True)
    time.sleep(60)
"""


def test_an_export_that_was_killed_is_not_listed(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "results")
    target = workspace.export("alexnet", "coreml-fp16")
    with subprocess.Popen(
        [sys.executable, "-c", FILLS_A_FOLDER, str(target)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        assert len(list(target.parent.glob(".*/manifest.json"))) == 1
        with pytest.raises(ArtifactError):
            workspace.artifacts()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    with pytest.raises(ArtifactError):
        workspace.artifacts()
