"""The notebooks run from top to bottom on what a small training, export and measurement leave, and draw pictures.

Their cells are executed as they stand, each notebook in a process of its own; a kernel would add nothing but its size.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinyml.cli import run

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
PICTURES = {"data": 4, "dynamics": 2, "errors": 3, "results": 3}
"""At least so many figures each."""

EXECUTE = """
import json, sys
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
def show():
    for number in plt.get_fignums():
        plt.figure(number).savefig(f"{sys.argv[2]}-{show.count}.png", dpi=60, bbox_inches="tight")
        show.count += 1
    plt.close("all")
show.count = 0
plt.show = show
names = {"__name__": "__main__"}
for cell in json.load(open(sys.argv[1]))["cells"]:
    if cell["cell_type"] == "code":
        exec(compile("".join(cell["source"]), sys.argv[1], "exec"), names)
"""


@pytest.fixture(scope="module")
def results(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notebooks") / "results"
    to = ["--results", str(folder)]
    look = ["--data", "shapes", "--recipe", "demo", "--epochs", "2", "--limit", "200", "--device", "cpu"]
    assert run(["train", "resnet20", *look, *to]) == 0
    assert run(["eval", "--limit", "100", "--device", "cpu", *to]) == 0
    assert run(["explain", "--limit", "60", "--device", "cpu", *to]) == 0
    # So short a training misses the floor of accuracy or not; the files are what counts here.
    variants = ["--variant", "coreml-fp16", "--variant", "onnx-fp32"]
    assert run(["export", *variants, "--images", "20", *to]) == 0
    assert run(["bench", "--quick", "--no-accuracy", *to]) == 0
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
def test_a_notebook_runs_from_top_to_bottom(name: str, results: Path, cache: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", EXECUTE, str(NOTEBOOKS / f"{name}.ipynb"), str(tmp_path / name)],
        env={**os.environ, "TINYML_RESULTS": str(results), "TINYML_DATA": "shapes", "TINYML_CACHE": str(cache)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    drawn = sorted(tmp_path.glob("*.png"))
    assert len(drawn) >= PICTURES[name]
    for path in drawn:
        assert np.asarray(Image.open(path).convert("L")).std() > 5, path.name  # something is on it
    if keep := os.environ.get("TINYML_KEEP_PICTURES"):
        for path in drawn:
            path.rename(Path(keep) / path.name)


def test_they_are_all_executed_and_hold_no_output() -> None:
    assert {path.stem for path in NOTEBOOKS.glob("*.ipynb")} == set(PICTURES)
    for path in NOTEBOOKS.glob("*.ipynb"):
        document = json.loads(path.read_text(encoding="utf-8"))
        assert (document["nbformat"], document["cells"][0]["cell_type"]) == (4, "markdown")
        code = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
        assert [cell for cell in code if cell["outputs"] or cell["execution_count"]] == []
