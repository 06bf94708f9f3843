"""The estimate before the first epoch ends, on a clock of the test's own."""

from pathlib import Path

import pytest
import torch

from tinyml.progress import Silent
from tinyml.schema import TrainConfig
from tinyml.trainer import estimate
from tinyml.trainer.data import Dataset
from tinyml.trainer.estimate import FirstEstimate
from tinyml.trainer.loop import train
from tinyml.workspace import Workspace

from .conftest import config


def said(watching: FirstEstimate, first_s: float, step_s: float, steps: int) -> list[tuple[int, str]]:
    told = [(step, watching.after(step, first_s + (step - 1) * step_s)) for step in range(1, steps + 1)]
    return [(step, line) for step, line in told if line is not None]


def test_it_says_once_what_the_steps_promise() -> None:
    # 3 epochs of 1,000 steps and 300 batches of validation at a third: 3,300 steps of 2 s, but for the 6 done.
    watching = FirstEstimate(config(epochs=3), steps=1000, batch_size=16, validated=16 * 300)
    lines = said(watching, first_s=60.0, step_s=2.0, steps=40)
    assert lines == [(6, f"about {6588 // 3600} h {6588 % 3600 // 60} min to go for 3 epochs at 8 images/s")]


def test_a_resumed_epoch_counts_its_own_steps_only() -> None:
    watching = FirstEstimate(config(epochs=1), steps=100, batch_size=16, validated=0)
    assert watching.after(50, 500.0) is None
    line = watching.after(60, 520.0)
    assert line == "about 1 min 20 s to go for 1 epoch at 8 images/s"


def test_growing_images_are_spoken_of() -> None:
    growing: TrainConfig = config(epochs=2).model_copy(update={"resolution": "32:64"})
    ((_, line),) = said(FirstEstimate(growing, 100, 16, 0), 1.0, 20.0, 5)
    assert line.endswith(", more as the images grow")


class Heard(Silent):
    """Keeps the first words of the lines that are said."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def say(self, line: str) -> None:
        self.words.append(line.partition(" ")[0])


@pytest.mark.usefixtures("tiny")
def test_a_training_says_it_before_its_first_epoch_ends(
    colors: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate, "AFTER_S", 0.0)
    heard = Heard()
    train(config(epochs=2), colors, Workspace(tmp_path / "r"), device=torch.device("cpu"), progress=heard)
    assert heard.words == ["about", "epoch", "epoch"]
