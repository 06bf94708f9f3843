"""Learning-rate range tests: where the loss falls, where the test ends, and what is left on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tinyml.cli import run
from tinyml.errors import UsageError
from tinyml.schema import LrPoint, LrRange
from tinyml.store import read_json
from tinyml.trainer.data import Dataset
from tinyml.trainer.lr_range import lr_range, steepest
from tinyml.trainer.objective import CrossEntropy
from tinyml.trainer.start import Scratch

from .conftest import config

CPU = torch.device("cpu")


def test_the_steepest_place_by_hand() -> None:
    rates = np.geomspace(1e-4, 1, 60)
    losses = 2 - 1.5 / (1 + np.exp(-3 * (np.log(rates) - np.log(1e-2))))  # steepest at 1e-2
    points = [LrPoint(lr=r, loss=x, smoothed_loss=x) for r, x in zip(rates.tolist(), losses.tolist(), strict=True)]
    found = steepest(points)
    assert found is not None
    assert found == pytest.approx(1e-2, rel=0.2)
    assert steepest([LrPoint(lr=r, loss=1.0, smoothed_loss=1.0) for r in rates.tolist()]) is None
    assert steepest([]) is None


@pytest.mark.usefixtures("tiny")
def test_the_rate_grows_until_the_loss_does(colors: Dataset) -> None:
    found = lr_range(config(), colors, CPU, CrossEntropy(), Scratch(), first=1e-4, last=1e4, steps=60)
    rates = [point.lr for point in found.points]
    assert rates[0] == pytest.approx(1e-4)
    assert np.allclose(np.diff(np.log(rates)), np.log(1e8) / 59)
    assert 10 < len(rates) < 60  # it ended before the largest
    assert found.suggested_lr is not None
    assert 1e-3 < found.suggested_lr < 100
    again = lr_range(config(), colors, CPU, CrossEntropy(), Scratch(), first=1e-4, last=1e4, steps=60)
    assert again.points == found.points


@pytest.mark.usefixtures("tiny")
def test_a_whitening_first_layer_is_there_from_the_first_step(colors: Dataset) -> None:
    plain, whitened = (
        lr_range(config(whiten=whiten), colors, CPU, CrossEntropy(), Scratch(), first=1e-4, last=1.0, steps=20)
        for whiten in (False, True)
    )
    assert plain.points[0].loss != whitened.points[0].loss


@pytest.mark.parametrize(
    ("first", "last", "steps", "message"),
    [(1.0, 0.1, 50, "--from out of range"), (0.0, 1.0, 50, "--from out of range"), (0.1, 1.0, 19, "--steps out of")],
)
def test_ranges_that_are_none(colors: Dataset, first: float, last: float, steps: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        lr_range(config(), colors, CPU, CrossEntropy(), Scratch(), first=first, last=last, steps=steps)


@pytest.mark.usefixtures("cache")
def test_the_command_line(tiny: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["lr-range", tiny, "--steps", "20", "--device", "cpu", "--results", str(tmp_path)]
    options = ["--data", "shapes", "--recipe", "demo", "--batch-size", "8", "--optimizer", "adamw"]
    assert run([*command, *options]) == 0
    out = capsys.readouterr().out
    assert "the picture: " in out
    path = tmp_path / tiny / "lr-range" / "demo-1.json"
    found = read_json(path, LrRange)
    assert (found.config.optimizer, found.config.batch_size) == ("adamw", 8)
    with Image.open(path.with_suffix(".png")) as picture:
        assert picture.width > 500
    assert run([*command, *options, "--lr", "0.1"]) == 2
    assert "lr-range takes no --lr: 0.1" in capsys.readouterr().err
    assert run([*command, "--optimiser", "sgd"]) == 2
    assert "no such option: --optimiser; did you mean --optimizer?" in capsys.readouterr().err
    assert sorted(p.name for p in path.parent.iterdir()) == ["demo-1.json", "demo-1.png"]
