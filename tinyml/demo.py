"""The whole job on images drawn on the spot, by the three commands that anybody would type; what is done stays done.

A step is done again only if something that decides its outcome has changed: its command, the step before it, the
versions of the libraries, or a source file of a package that it runs. Sources count by their contents, so that neither
a checkout nor an edit elsewhere (of a test, a page or the app) makes it train again.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

from tinyml.commands import FIRST_LOOK, FIRST_MODEL
from tinyml.steps import Outcome, Runner, Step, do

VARIANTS = ("coreml-fp16", "coreml-w8", "coreml-w4g32", "onnx-fp32")
"""Float16, int8 weights and 4-bit weights for Core ML, and what onnxruntime is measured with."""

GROUND = ("", "schema")
"""The folders of the package that every step runs; a folder counts with those below it, "" only with its own files."""
LIBRARIES = ("coremltools", "numpy", "onnx", "onnxruntime", "torch")

DONE = "demo.json"
PACKAGE = Path(__file__).parent

ANNOUNCEMENT = (
    "Trains a small network (ResNet-20) on 1,600 images drawn on the spot, exports it to Core ML (float16, int8 and "
    "4-bit weights) and ONNX, proves each file against the network on 400 images, and measures them: about a minute "
    "and a half on two slow cores, seconds where nothing has changed since the last time. Nothing is fetched."
)


STEPS = (
    Step(
        name="train",
        words=("train", FIRST_MODEL, *FIRST_LOOK),
        runs=("trainer",),
        makes=(f"results/{FIRST_MODEL}/**/best.json",),
    ),
    Step(
        name="export",
        words=("export", *(word for name in VARIANTS for word in ("--variant", name))),
        runs=("trainer", "evaluation", "coreml", "export"),
        makes=tuple(f"results/{FIRST_MODEL}/**/{name}/manifest.json" for name in VARIANTS),
    ),
    Step(
        name="bench",
        words=("bench", "--quick", "--no-accuracy"),
        runs=("trainer", "evaluation", "coreml", "export", "bench"),
        makes=("results/bench/*/index.html",),
    ),
    Step(name="report", words=("report",), runs=("trainer", "export", "bench"), makes=("results/report.html",)),
)


def demonstrate(
    folder: Path,
    say: Callable[[str], None],
    *,
    runner: Runner,
    steps: Sequence[Step] = STEPS,
    package: Path = PACKAGE,
) -> Outcome:
    """Runs the steps that are not done yet in `folder`; see `steps.do`.

    Args:
        folder: Where results go; made where it lacks.
        say: Told each command before it runs, and what is left out.
        runner: Runs each command. One process for all imports torch once, which takes as long as an epoch of training.
        steps: What to do, in order.
        package: Where the sources lie.
    """
    return do(
        steps,
        folder,
        say,
        record=DONE,
        fingerprint=lambda step, before: _fingerprint(step, before, package),
        runner=runner,
    )


def _fingerprint(step: Step, before: str, package: Path) -> str:
    whole = hashlib.sha256()
    versions = [f"{name} {metadata.version(name)}" for name in LIBRARIES]
    for line in (before, *step.words, sys.version, *versions):
        whole.update(f"{line}\0".encode())
    for part in (*GROUND, *step.runs):
        files = (package / part).glob("*.py") if part == "" else (package / part).resolve().rglob("*.py")
        for file in sorted(files):
            whole.update(f"{part}/{file.name}\0".encode())
            whole.update(hashlib.sha256(file.read_bytes()).digest())
    return whole.hexdigest()
