"""Each verb for real, ended in its middle, by SIGTERM and Ctrl-C in turn: one word, its exit code, nothing half.

All run as children of one process that has imported what they need, so that a signal meets their work and not their
imports, which have a test of their own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ..conftest import TrainedResults

SCRIPT = """
import contextlib, json, os, re, shutil, signal, sys, time
from pathlib import Path

import coremltools, onnx, onnxruntime, torch
import tinyml.export.pipeline, tinyml.evaluation.opening, tinyml.trainer.loop
from tinyml.cli import run

here, start, cases = Path.cwd(), Path(sys.argv[1]), json.loads(sys.argv[2])
ENDS = {signal.SIGTERM: [143, "error: terminated"], signal.SIGINT: [130, "error: interrupted"]}
torch.set_num_threads(1)


def files():
    found = (str(path.relative_to(here)) for path in here.rglob("*") if path.is_file())
    return {re.sub(r"[0-9a-f]{12}|[0-9]{8}T[0-9]{6}Z-[0-9a-f]+", "N", name) for name in found if name != "told"}


def child(words):
    shutil.rmtree(here, ignore_errors=True)
    shutil.copytree(start, here)
    os.chdir(here)
    begin, number = time.monotonic(), os.fork()
    if number == 0:
        os.setsid()
        handle = os.open("told", os.O_CREAT | os.O_WRONLY)
        os.dup2(handle, 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.stderr = os.fdopen(2, "w")
        sys.stdout = os.fdopen(1, "w")
        code = run(words)
        sys.stderr.flush()
        os._exit(code)
    return number, begin


def ended(number):
    code = os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
    time.sleep(0.1)
    try:
        os.killpg(number, signal.SIGKILL)
        alone = False
    except ProcessLookupError:
        alone = True
    return code, Path("told").read_text(errors="replace"), files(), alone


for turn, (name, words) in enumerate(cases.items()):
    number, begin = child(words)
    code, told, whole, alone = ended(number)
    took = time.monotonic() - begin
    sign, share = list(ENDS)[turn % 2], 0.6
    answer = {"verb": name, "whole": [code, told[-1000:], alone], "signal": sign.name}
    for _ in range(5 if code == 0 else 0):
        number, _ = child(words)
        before = files()
        time.sleep(took * share)
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, sign)
        code, told, now, alone = ended(number)
        answer |= {
            "as expected": [code, told.splitlines()[-1:]] == [ENDS[sign][0], [ENDS[sign][1]]],
            "ended": [code, told[-1000:]],
            "half": sorted(now - whole - before),
            "lost": sorted(before - now),
            "alone": alone,
        }
        if code != 0:
            break
        share /= 2  # it was faster than before, and than the signal
    print(json.dumps(answer), flush=True)
"""

FP16 = "results/resnet20/exports/coreml-fp16/resnet20-coreml-fp16.mlpackage"
W8 = "results/resnet20/exports/coreml-w8/resnet20-coreml-w8.mlpackage"
SHORT = ("--data", "shapes", "--recipe", "demo", "--epochs", "1", "--limit", "64", "--device", "cpu")
CASES: dict[str, tuple[str, ...]] = {
    "train": ("train", "resnet20", *SHORT),
    "eval": ("eval", "--limit", "200", "--device", "cpu"),
    "halve": ("halve", "results/resnet20/runs/best-1/checkpoints/best.json", "--output", "half"),
    "export": ("export", "--variant", "onnx-fp32", "--images", "20"),
    "verify": ("verify", "--images", "20"),
    "compress": ("compress", FP16, "--quantize", "palette4", "--rounding", "nearest", "--output", "small.mlpackage"),
    "convert": ("convert", FP16, "--to", "onnx", "--output", "again.onnx"),
    "predict": ("predict", "pictures", "--csv", "answers.csv"),
    "run": ("run", FP16, "--output", "arrays.npz"),
    "diff": ("diff", FP16, W8, "--plot", "parts.png"),
    "explain": ("explain", "--limit", "40", "--device", "cpu"),
    "bench": (
        *("bench", "--quick", "--backend", "onnxruntime", "--seconds", "0.01"),
        *("--threads", "1", "--limit", "10", "--variant", "onnx-fp32"),
    ),
    "report": ("report",),
    "data explore": ("data", "explore", "--data", "photos"),
    "data prepare": ("data", "prepare", "--data", "photos"),
    "lr-range": ("lr-range", "resnet20", "--data", "shapes", "--recipe", "demo", "--device", "cpu"),
    "sweep": ("sweep", "--models", "resnet20", "--recipes", "demo", "--seeds", "1", *SHORT[:2], *SHORT[4:]),
    "tune": ("tune", "resnet20", "--trials", "1", "--recipe", "demo", *SHORT[:2], *SHORT[4:]),
}


@pytest.mark.slow
def test_every_verb_ends_with_a_word_and_leaves_nothing_half(trained_results: TrainedResults, tmp_path: Path) -> None:
    start, here = tmp_path / "start", tmp_path / "here"
    shutil.copytree(trained_results.workspace.root, start / "results")
    shutil.copytree(trained_results.cache, start / "cache", ignore=lambda _, names: {n for n in names if n[0] == "."})
    (start / "temporary").mkdir()
    random = np.random.default_rng(0)
    for n in range(60):
        for folder in (start / "pictures", start / "photos" / ("ant", "bee")[n % 2]):
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.integers(0, 256, (200, 200, 3), np.uint8)).save(folder / f"{n}.png")
    here.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(start), json.dumps(CASES)],
        cwd=here,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "TINYML_CACHE": str(here / "cache"),
            "TMPDIR": str(here / "temporary"),
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"verb"')]
    assert [answer["verb"] for answer in answers] == list(CASES), done.stderr[-2000:]
    for answer in answers:
        code, _, alone = answer["whole"]
        assert (code, alone) == (0, True), answer
        facts = {key: answer[key] for key in ("as expected", "half", "lost", "alone")}
        assert facts == {"as expected": True, "half": [], "lost": [], "alone": True}, answer
        assert "Traceback" not in answer["ended"][1], answer
