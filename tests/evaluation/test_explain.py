"""Mistakes, calibration, corruption and attack, on answers whose figures are known."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tinyml.cli import run
from tinyml.errors import UnavailableError
from tinyml.evaluation.attacks import ATTACKS, attacked
from tinyml.evaluation.attention import class_activation
from tinyml.evaluation.calibration import best_temperature, calibration, confidence_bins, expected_error
from tinyml.evaluation.corruptions import CORRUPTIONS, SEVERITIES, check_available, corrupted
from tinyml.evaluation.explain import explain
from tinyml.evaluation.mistakes import by_class, confused_pairs
from tinyml.evaluation.opening import open_model
from tinyml.schema import Preprocess
from tinyml.trainer.data import Dataset

from ..tiny import save_tiny

Monkey = pytest.MonkeyPatch


def test_classes_and_pairs_are_counted() -> None:
    truth = np.array([0, 0, 0, 1, 1, 2])
    answers = np.array([0, 1, 1, 1, 0, 2])
    rows = by_class(truth, answers, ("a", "b", "c", "never seen"))
    assert [(row.label, row.images, row.right) for row in rows] == [
        ("a", 3, 1),
        ("b", 2, 1),
        ("c", 1, 1),
        ("never seen", 0, 0),
    ]
    pairs = [(pair.truth, pair.answer, pair.images) for pair in confused_pairs(truth, answers)]
    assert pairs == [(0, 1, 2), (1, 0, 1)]
    assert confused_pairs(truth, truth) == []


def drawn(scale: float, count: int = 20_000, classes: int = 5) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Logits whose softmax is the true distribution of the classes, then multiplied by `scale`."""
    random = np.random.default_rng(0)
    logits = random.normal(size=(count, classes)) * 2
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    truth = (probabilities.cumsum(1) > random.random((count, 1))).argmax(1)
    return logits * scale, truth


def test_right_probabilities_have_no_calibration_error() -> None:
    found = calibration(*drawn(1.0))
    assert found.ece < 0.015  # of 20,000 draws; the error of a perfect one falls with their root
    assert found.temperature == pytest.approx(1.0, abs=0.05)
    assert sum(b.images for b in found.bins) == 20_000


@pytest.mark.parametrize("scale", [0.4, 3.0])
def test_the_temperature_undoes_a_scale(scale: float) -> None:
    found = calibration(*drawn(scale))
    assert found.temperature == pytest.approx(scale, rel=0.05)
    assert found.ece_before > 0.08
    assert found.ece_after < 0.02


def test_the_calibration_error_is_that_of_torchmetrics_definition() -> None:
    logits, truth = drawn(2.0, count=500)
    probabilities = torch.from_numpy(logits).softmax(1).numpy()
    confidence, right = probabilities.max(1), probabilities.argmax(1) == truth
    edges = np.linspace(0, 1, 16)
    expected = 0.0
    for low, high in pairwise(edges):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            expected += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    assert expected_error(confidence_bins(logits, truth)) == pytest.approx(expected)


def test_a_temperature_of_logarithms_of_probabilities_is_the_same() -> None:
    logits, truth = drawn(2.0, count=2_000)
    logarithms = torch.from_numpy(logits).log_softmax(1).numpy()
    assert best_temperature(logarithms, truth) == pytest.approx(best_temperature(logits, truth), rel=1e-3)


def images(count: int, size: int = 64) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (count, size, size, 3)).astype(np.uint8)


def test_every_corruption_comes_at_every_severity_and_is_repeated_exactly() -> None:
    clean = images(2)
    first = [(name, severity, changed.copy()) for name, severity, changed in corrupted(clean)]
    assert [(name, severity) for name, severity, _ in first] == [(n, s) for n in CORRUPTIONS for s in SEVERITIES]
    for (name, severity, a), (_, _, b) in zip(first, corrupted(clean), strict=True):
        assert a.shape == clean.shape, name
        assert a.dtype == np.uint8
        assert (a != clean).any(), (name, severity)
        assert (a == b).all(), (name, severity)


def test_too_small_images_are_refused_with_the_size() -> None:
    with pytest.raises(UnavailableError, match="16 px"):
        check_available(16)


class Brightness(nn.Module):
    """Tells bright images from dark ones by their mean."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(10.0))

    def forward(self, inputs: Tensor) -> Tensor:
        mean = inputs.mean((1, 2, 3)) * self.scale
        return torch.stack([-mean, mean], 1)


HALF = Preprocess(input_size=8, resize=8, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))


def test_attacks_stay_within_their_bound_and_go_uphill() -> None:
    clean = np.stack([np.full((8, 8, 3), value, np.uint8) for value in (127, 128, 0, 255)])
    truth = np.array([0, 1, 0, 1])
    network = Brightness().train()
    found = dict(attacked(network, HALF, clean, truth))
    assert {attack.name for attack in found} == {attack.name for attack in ATTACKS} == {"fgsm", "pgd"}
    for attack, changed in found.items():
        assert changed.dtype == np.uint8
        moved = changed.astype(int) - clean
        assert abs(moved).max() == attack.epsilon
        assert (moved[0] == 1).all()  # a dark image is made brighter, across the border
        assert (moved[1] == -1).all()
    assert network.training


class Located(nn.Module):
    """Class 0 by what is bright on the left, class 1 by what is bright on the right; a map of features between."""

    def __init__(self) -> None:
        super().__init__()
        self.map = nn.Conv2d(3, 1, 1)
        nn.init.ones_(self.map.weight)
        nn.init.zeros_(self.map.bias)  # type: ignore[arg-type]

    def forward(self, inputs: Tensor) -> Tensor:
        found = self.map(inputs)
        left, right = found[..., :4], found[..., 4:]
        return torch.stack([left.mean((1, 2, 3)), right.mean((1, 2, 3))], 1)


def test_what_spoke_for_an_answer_is_found() -> None:
    image = np.zeros((1, 8, 8, 3), np.uint8)
    image[0, 2:4, 1:3] = 255
    spoke = class_activation(Located(), HALF, image, np.array([0]))
    assert spoke.shape == (1, 8, 8)
    assert spoke.max() == 1
    assert spoke[0, 2:4, 1:3].min() == 1
    assert spoke[0, :, 5:].max() == 0


def test_top_5_of_three_classes_is_not_told(tiny: str, colors: Dataset, tmp_path: Path, monkeypatch: Monkey) -> None:
    monkeypatch.setattr("tinyml.evaluation.explain.reopen", lambda *_, **__: colors)
    model = open_model(save_tiny(tmp_path, colors), torch.device("cpu"))
    (found,) = explain([model])
    assert (found.explanation.metrics.top5, found.explanation.metrics.images) == (None, 12)


def test_accuracies_stand_with_their_interval_and_nothing_confused_with_a_sentence(
    tiny: str, colors: Dataset, tmp_path: Path, monkeypatch: Monkey, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tinyml.evaluation.explain.reopen", lambda *_, **__: colors)
    manifest = save_tiny(tmp_path, colors)
    assert run(["explain", str(manifest), "--results", str(tmp_path / "results")]) == 0
    shown = capsys.readouterr().out
    assert "top-1 (95% interval)\ttop-5\timages" in shown
    assert re.search(r"tiny\tcheckpoint\t\d+\.\d\d% \(\d+\.\d\d to \d+\.\d\d\)\t-\t12 of 12", shown)
    scores = np.eye(3)[colors.split("test").labels]
    monkeypatch.setattr("tinyml.evaluation.explain._ask", lambda *_: scores)
    assert run(["explain", str(manifest), "--results", str(tmp_path / "results")]) == 0
    shown = capsys.readouterr().out
    assert "tiny checkpoint: took no image for another class" in shown
    assert "taken for" not in shown
