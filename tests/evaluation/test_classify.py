"""What is said of image files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinyml.accuracy import Images, Scores
from tinyml.evaluation.classify import as_csv, classify
from tinyml.schema import ModelSpec, Preprocess


class Fixed:
    """A Predictor that answers every image alike."""

    spec = ModelSpec(architecture="resnet", parameters=1, labels=("cat", "dog"), preprocess=Preprocess())

    def __init__(self, *row: float) -> None:
        self._row = np.array(row, np.float32)

    def logits(self, images: Images) -> Scores | None:
        return None

    def probabilities(self, images: Images) -> Scores:
        return np.tile(self._row, (len(images), 1))


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_half_precision_may_round_a_little_above_one(picture: Path) -> None:
    (answer,) = classify(Fixed(0.0, 1.0004), [picture], top_k=1)
    assert [(guess.label, guess.probability) for guess in answer.classes] == [("dog", 1.0)]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_no_number_is_no_probability(picture: Path, bad: float) -> None:
    (answer,) = classify(Fixed(bad, 0.5), [picture], top_k=1)
    assert answer.classes == ()
    assert answer.problem == "the model's probabilities are no numbers: it overflows, or has diverged"
    assert answer.problem in as_csv([answer])
