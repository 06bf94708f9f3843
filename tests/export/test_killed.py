"""Real processes that export into one folder: killed at any step, and two at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]

EXPORTER = """
import os, signal, sys, traceback
from pathlib import Path
import pytest
from tests.tiny import register_tiny, save_tiny
from tests.trainer.conftest import make_colors
from tinyml.errors import ArtifactError
from tinyml.export import original
from tinyml.export.formats import coreml, onnx
from tinyml.export.original import Original
from tinyml.export.pipeline import Exporter
from tinyml.export.variants import variants
from tinyml.progress import Silent
from tinyml.quiet import coremltools
from tinyml.workspace import ARTIFACT_MANIFEST, Workspace, checked_artifact

coremltools()
place = Path(sys.argv[1])
workspace = Workspace(place / "results")
colors = make_colors(place / "colors")
register_tiny(pytest.MonkeyPatch())
made = save_tiny(place, colors)
original.reopen = lambda *_, **__: colors
ROW = variants.get("coreml-w8")
folder = workspace.export("tiny", ROW.name)


class Waits(Silent):
    # Says on one pipe that it is at work, and waits for a word on another.
    def __init__(self, tell, heard):
        self.tell, self.heard = tell, heard

    def say(self, line):
        if "proven" in line:
            os.write(self.tell, b".")
            os.read(self.heard, 1)


def export(progress=None, *, stop=0, counted=None):
    # In a process of its own; how it ended. It kills itself before the `stop`th time that it touches its results.
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    seen = 0

    def touched(event, given):
        nonlocal seen
        if event == "open" or event.startswith(("os.", "shutil.")):
            if given and isinstance(given[0], (str, os.PathLike)) and str(given[0]).startswith(str(workspace.root)):
                seen += 1
                if seen == stop:
                    os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(touched)
    try:
        for failure in Exporter(Original(made, images=6, progress=progress), workspace).export([ROW]).failures.values():
            raise failure
        if counted is not None:
            os.write(counted, str(seen).encode())
        os._exit(0)
    except ArtifactError as error:
        print(error, file=sys.stderr)
        os._exit(3)
    except BaseException:
        traceback.print_exc()
        os._exit(4)


def whole():
    checked_artifact(folder / ARTIFACT_MANIFEST)
    return True
"""

KILLED = """
read, write = os.pipe()
codes = [export(counted=write)]
touches = int(os.read(read, 100))
sound = [whole()]
for number in range(POINTS):
    codes.append(export(stop=1 + number * touches // POINTS))
    sound.append(whole() if folder.exists() else None)
left = len(list(folder.parent.iterdir()))
codes.append(export())
print(json.dumps({"codes": codes, "sound": [*sound, whole()], "touches": touches, "left": left,
                  "files": sorted(path.name for path in folder.parent.iterdir())}))
"""

TWO = """
read, tell = os.pipe()
heard, go = os.pipe()
first = os.fork()
if not first:
    os._exit(export(Waits(tell, heard)))
os.read(read, 1)
second = export()
there = folder.exists()
os.write(go, b".")
code = os.waitstatus_to_exitcode(os.waitpid(first, 0)[1])
print(json.dumps({"codes": [code, second], "there": there, "whole": whole(),
                  "files": sorted(path.name for path in folder.parent.iterdir())}))
"""

POINTS = 10


def ran(script: str, place: Path) -> dict[str, Any]:
    code = f"import json\nPOINTS = {POINTS}\n{EXPORTER}{script}"
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    ended = subprocess.run(
        [sys.executable, "-c", code, str(place)], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1]) | {"told": ended.stderr}
    return found


def test_an_export_killed_anywhere_leaves_what_was_there_or_what_it_made(tmp_path: Path) -> None:
    found = ran(KILLED, tmp_path)
    assert found["codes"] == [0, *[-9] * POINTS, 0]
    assert found["touches"] > POINTS
    assert all(found["sound"])
    assert found["left"] > 2  # a killed process cannot tidy up: the next one does
    assert found["files"] == ["accuracy-size.png", "coreml-w8"]


def test_two_processes_that_export_at_once_do_not_meet(tmp_path: Path) -> None:
    found = ran(TWO, tmp_path)
    assert found["codes"] == [0, 3]
    assert "another process exports there" in found["told"]
    assert not found["there"]
    assert found["whole"]
    assert found["files"] == ["accuracy-size.png", "coreml-w8"]
