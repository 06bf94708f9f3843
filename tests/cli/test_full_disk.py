"""A disk that is really full, under every verb that writes results: one line, exit code 1, the old files whole."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tinyml.cli import run

from ..small_disk import run_on_small_disk

# Runs in a mount name space of its own: for each case a copy of the results on a small file system, and so much room.
SCRIPT = """
import contextlib, hashlib, io, json, shutil, sys
from pathlib import Path
from tinyml.cli import run

small, results, cases = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])

def files():
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(small.rglob("*")) if p.is_file()}

for verb, left in cases:
    shutil.rmtree(small / "results", ignore_errors=True)
    (small / "fill").unlink(missing_ok=True)
    shutil.copytree(results, small / "results")
    with (small / "fill").open("wb") as file:
        free = shutil.disk_usage(small).free - (left << 10)
        while free > 0:
            free -= file.write(bytes(min(free, 1 << 20)))
    before, told, shown = files(), io.StringIO(), io.StringIO()
    with contextlib.redirect_stderr(told), contextlib.redirect_stdout(shown):
        code = run([*verb, "--results", str(small / "results")])
    changed = sorted(set(files().items()) ^ set(before.items()))
    answer = {"code": code, "changed": changed, "told": told.getvalue(), "shown": shown.getvalue()}
    print(json.dumps(answer))
"""

TRAIN = (
    *("train", "resnet20", "--data", "shapes", "--recipe", "demo"),
    *("--epochs", "1", "--limit", "16", "--device", "cpu"),
)
EXPORT = ("export", "--images", "10", "--variant")
BENCH = ("bench", "--quick", "--backend", "onnxruntime", "--seconds", "0.01", "--threads", "1", "--limit", "10")
CASES = (
    (TRAIN, 0),
    ((*EXPORT, "onnx-fp32"), 600),  # in the middle of it
    ((*EXPORT, "coreml-fp16"), 100),  # by coremltools, without Python
    (BENCH, 0),
    (("report",), 0),
    (("eval", "--device", "cpu", "--limit", "10"), 0),
    (("explain", "--device", "cpu", "--limit", "10"), 0),
    (("lr-range", "resnet20", "--data", "shapes", "--limit", "64", "--steps", "20", "--device", "cpu"), 0),
)
"""Each verb, and how many KiB are free."""
SHOWN = {"eval": "top-1 (95% interval)", "explain": "ECE with it", "lr-range": "smoothed loss"}
"""What is measured in minutes is shown although it cannot be kept: a column of each one's table."""


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_changes_nothing(cache: Path, tmp_path: Path) -> None:
    results, small = tmp_path / "results", tmp_path / "small"
    small.mkdir()
    assert run([*TRAIN, "--results", str(results)]) == 0
    assert run([*EXPORT, "onnx-fp32", "--results", str(results)]) == 0  # for the bench
    command = [sys.executable, "-c", SCRIPT, str(small), str(results), json.dumps(CASES)]
    done = run_on_small_disk(
        f'cd {small} && exec "$@"',
        *command,
        folder=small,
        megabytes=16,
        environment={"PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=900,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"code"')]
    assert len(answers) == len(CASES), done.stderr
    for case, answer in zip(CASES, answers, strict=True):
        last = answer["told"].splitlines()[-1]
        assert (answer["code"], answer["changed"]) == (1, []), (case, answer)
        assert last.startswith("error: no room for "), case
        assert "(No space left on device)" in last, case
        assert "Traceback" not in answer["told"], case
        assert SHOWN.get(case[0][0], "") in answer["shown"], case
