"""Sweeps: real trainings in real processes, resumed after a stop, with means and intervals by hand."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from tinyml.cli.app import run
from tinyml.errors import UnknownNameError, UsageError
from tinyml.schema import Provenance, Sweep, SweepTrial
from tinyml.store import read_json
from tinyml.trainer.sweep import rows, trials

LOOK = ("--data", "shapes", "--recipes", "demo", "--epochs", "1", "--limit", "4", "--device", "cpu")


def trial(accuracy: float | None, seed: int, model: str = "vgg") -> SweepTrial:
    failed = accuracy is None
    return SweepTrial(
        model=model,
        recipe="best",
        variant="",
        options=(),
        seed=seed,
        run=f"s{seed}",
        status="failed" if failed else "ok",
        reason="no memory" if failed else None,
        val_accuracy=accuracy,
    )


def test_means_and_intervals() -> None:
    made = Sweep(
        name="s",
        data="d",
        trials=(trial(0.5, 0), trial(0.6, 1), trial(0.7, 2), trial(None, 3), trial(0.1, 0, "vit")),
        provenance=Provenance(created_at="2026-01-01T00:00:00Z", command="pytest", tool_version="0"),
    )
    first, second = rows(made)
    # 4.303 is Student's t for two degrees of freedom, 0.1 the deviation of the three.
    assert first.mean == pytest.approx(0.6)
    assert (first.seeds, first.failed) == (3, 1)
    assert first.half_width == pytest.approx(4.3027 * 0.1 / 3**0.5, rel=1e-4)
    assert (second.model, second.mean, second.half_width) == ("vit", 0.1, None)


def test_every_combination_has_a_name_of_its_own() -> None:
    every = trials("s", ["vgg", "vit"], ["best", "demo"], {"": (), "wide": ("--lr", "1")}, 2)
    assert len({(t.model, t.run) for t in every}) == len(every) == 16
    assert every[2].run == "s-best-wide-s0"
    assert every[2].options == ("--lr", "1")


def test_a_variant_may_name_its_recipe() -> None:
    variants = {"plain": (), "old": ("--recipe", "reference", "--lr", "1"), "older": ("--recipe=demo",)}
    every = trials("s", ["vgg"], ["best", "demo"], variants, 1)
    assert [(t.recipe, t.variant, t.options) for t in every] == [
        ("best", "plain", ()),
        ("reference", "old", ("--lr", "1")),
        ("demo", "older", ()),
        ("demo", "plain", ()),
    ]
    with pytest.raises(UsageError, match="--recipe in a --variant lacks its value"):
        trials("s", ["vgg"], ["best"], {"none": ("--lr", "1", "--recipe")}, 1)
    with pytest.raises(UnknownNameError, match="bset"):
        trials("s", ["vgg"], ["best"], {"typo": ("--recipe", "bset")}, 1)


@pytest.mark.usefixtures("cache")
def test_a_sweep_that_was_stopped_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["sweep", "--models", "resnet20", "--seeds", "2", "--results", str(tmp_path), *LOOK]
    bad = ["--variant", "plain=", "--variant", "bad=--lr 1e30 --warmup-epochs 0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "tinyml", *command, *bad],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    kept = tmp_path / "sweeps" / "sweep" / "sweep.json"
    deadline = time.monotonic() + 300
    while not kept.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 143, err
    assert "Traceback" not in err
    before = read_json(kept, Sweep).trials
    assert 1 <= len(before) < 4

    assert run([*command, *bad, "--json"]) == 1  # one variant cannot be trained
    out, err = capsys.readouterr()
    made = json.loads(out)
    assert [(t["variant"], t["seed"], t["status"]) for t in made["trials"]] == [
        ("plain", 0, "ok"),
        ("plain", 1, "ok"),
        ("bad", 0, "failed"),
        ("bad", 1, "failed"),
    ]
    assert "not a finite number" in made["trials"][2]["reason"]
    assert "made before" in err
    assert made["trials"][0] == before[0].model_dump(mode="json")
    with Image.open(kept.with_suffix(".png")) as picture:
        assert picture.width > picture.height > 300


@pytest.mark.usefixtures("cache")
def test_what_was_made_or_begun_with_other_options_is_not_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["sweep", "--models", "resnet20", "--seeds", "1", "--results", str(tmp_path), *LOOK]
    assert run(command) == 0
    assert run(command) == 0
    assert "made before" in capsys.readouterr().err
    refused = "error: resnet20's training sweep-demo-s0 was made with other options: "
    assert run([*command, "--lr", "0.9"]) == 2
    assert capsys.readouterr().err.startswith(refused)
    kept = tmp_path / "sweeps" / "sweep" / "sweep.json"
    made = kept.read_text()
    kept.unlink()  # as if it had been stopped before the training was recorded
    assert run([*command, "--lr", "0.9"]) == 2
    assert capsys.readouterr().err.startswith(refused)
    assert run(command) == 0
    assert read_json(kept, Sweep).trials == Sweep.model_validate_json(made).trials


def test_a_variant_without_a_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sweep", "--models", "vgg", "--variant", "--lr 1"]) == 2
    told = capsys.readouterr().err
    assert "--variant lacks its name: '--lr 1'" in told
    words = shlex.split(told.rpartition(", as ")[2])  # what it offers can be typed
    assert words == ["--variant", "large=--lr 0.2"]


def test_a_variant_twice_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sweep", "--models", "vgg", "--variant", "a=--lr 0.1", "--variant", "a=--lr 0.2"]) == 2
    assert "--variant: a name given twice: 'a'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("my large=--lr 1", "--variant has a name that no folder can have: 'my large'"),
        ("large=--lr '1", "--variant has options that no shell takes (No closing quotation)"),
        (f"{'x' * 100}=--lr 1", "--run is no name for a folder"),
    ],
)
def test_a_variant_that_cannot_be_made_is_refused_before_the_first_training(
    given: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["sweep", "--models", "vgg", "--variant", "plain=", "--variant", given, "--results", str(tmp_path / "r")]
    assert run(command) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err
    assert list(tmp_path.iterdir()) == []
