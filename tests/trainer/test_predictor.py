"""Accuracy: subsets, ranks and what is counted."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import log_loss, top_k_accuracy_score

from tinyml.accuracy import accuracy_on, subset
from tinyml.errors import DataError, InputError
from tinyml.numerics import ranks_of
from tinyml.schema import ModelSpec, Preprocess
from tinyml.trainer.architecture import build
from tinyml.trainer.data import Dataset, Split
from tinyml.trainer.predictor import ModulePredictor, network_input

SPEC = ModelSpec(architecture="x", parameters=1, labels=tuple("abcdefgh"), preprocess=Preprocess())


class Scripted:
    """Gives the rows of a table, whatever the images."""

    def __init__(self, scores: NDArray[np.float32], *, only_probabilities: bool = False) -> None:
        self.spec = SPEC
        self._scores, self._only = scores, only_probabilities
        self._next = 0

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32] | None:
        return None if self._only else self._rows(len(images))

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self._rows(len(images))

    def _rows(self, count: int) -> NDArray[np.float32]:
        self._next += count
        return self._scores[self._next - count : self._next]


def split(labels: NDArray[np.int64]) -> Split:
    return Split(images=np.zeros((len(labels), 64, 64, 3), np.uint8), labels=labels)


@pytest.mark.parametrize("only_probabilities", [False, True])
def test_counts_as_sklearn_does(only_probabilities: bool) -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 8, 300)
    logits = random.normal(size=(300, 8)).astype(np.float32)
    probabilities = torch.from_numpy(logits).softmax(1).numpy()
    exact = torch.from_numpy(logits).double().softmax(1).numpy()
    scores = probabilities if only_probabilities else logits
    metrics = accuracy_on(Scripted(scores, only_probabilities=only_probabilities), split(labels), "test")
    assert metrics.top1 == pytest.approx(top_k_accuracy_score(labels, logits, k=1, labels=range(8)))
    assert metrics.top5 == pytest.approx(top_k_accuracy_score(labels, logits, k=5, labels=range(8)))
    # Probabilities of float32 carry 1e-7 relative error into the logarithm.
    assert metrics.loss == pytest.approx(log_loss(labels, exact, labels=range(8)), abs=1e-5)
    assert (metrics.images, metrics.total, metrics.split) == (300, 300, "test")


def test_a_score_that_is_no_number_is_never_right() -> None:
    labels = np.zeros(3, np.int64)
    scores = np.full((3, 8), np.nan, np.float32)
    metrics = accuracy_on(Scripted(scores), split(labels), "val")
    assert (metrics.top1, metrics.top5, metrics.loss) == (0.0, 0.0, None)


def test_ties_go_to_the_smaller_number() -> None:
    assert ranks_of(np.zeros((3, 4)), np.array([0, 1, 3])).tolist() == [0, 1, 3]


def test_what_cannot_be_measured() -> None:
    with pytest.raises(DataError, match="no images"):
        accuracy_on(Scripted(np.zeros((0, 8), np.float32)), split(np.zeros(0, np.int64)), "test")
    with pytest.raises(DataError, match="more classes than the model: 9; allowed: at most 8"):
        accuracy_on(Scripted(np.zeros((1, 8), np.float32)), split(np.array([8])), "test")


@given(total=st.integers(1, 300), limit=st.integers(1, 300), classes=st.integers(1, 12), seed=st.integers(0, 3))
def test_subsets_are_balanced_prefixes(total: int, limit: int, classes: int, seed: int) -> None:
    labels = np.random.default_rng(seed).integers(0, classes, total)
    chosen = subset(total, limit, labels)
    assert len(chosen) == len(set(chosen.tolist())) == min(limit, total)
    if limit < total:
        assert subset(total, limit + 1, labels)[:limit].tolist() == chosen.tolist() or limit + 1 >= total
        taken, there = np.bincount(labels[chosen], minlength=classes), np.bincount(labels, minlength=classes)
        unfinished = taken[taken < there]
        assert len(unfinished) == 0 or (taken <= unfinished.min() + 1).all()
    assert np.array_equal(chosen, subset(total, limit, labels))


def test_all_images_keep_their_order() -> None:
    assert subset(5, None).tolist() == subset(5, 9).tolist() == [0, 1, 2, 3, 4]


def test_a_network_as_predictor(colors: Dataset, tiny: str) -> None:
    torch.manual_seed(0)
    model = build(tiny, 8)
    images = colors.split("val").images
    before = {name: value.clone() for name, value in model.state_dict().items()}
    predictor = ModulePredictor(model, SPEC, batch_size=5)
    logits = predictor.logits(images)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    mean, std = (np.array(v).reshape(3, 1, 1) for v in (SPEC.preprocess.mean, SPEC.preprocess.std))
    by_hand = (np.asarray(images).transpose(0, 3, 1, 2) / 255 - mean) / std
    # Oracle in float64; one rounding of float32 in each of three operations on values up to 3.
    np.testing.assert_allclose(network_input(images, SPEC.preprocess).numpy(), by_hand, atol=1e-6)
    with torch.no_grad():
        expected = model.eval()(torch.from_numpy(by_hand).float()).numpy()
    np.testing.assert_allclose(logits, expected, atol=1e-5)
    np.testing.assert_allclose(predictor.probabilities(images).sum(1), 1, atol=1e-6)
    assert predictor.logits(images[:0]).shape == (0, 8)


@pytest.mark.parametrize(
    "images",
    [np.zeros((1, 64, 64, 3), np.float32), np.zeros((64, 64, 3), np.uint8), np.zeros((1, 32, 32, 3), np.uint8)],
)
def test_images_that_do_not_fit(images: NDArray[np.uint8], tiny: str) -> None:
    with pytest.raises(InputError, match=r"allowed: uint8 \[N, 64, 64, 3\]"):
        ModulePredictor(build(tiny, 8), SPEC).logits(images)
