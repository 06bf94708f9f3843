"""What is minimized, how many images of each class, and when it ends: class weights, shots and patience."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from tinyml.errors import UsageError
from tinyml.schema import EpochRecord
from tinyml.trainer.data import (
    Batch,
    Dataset,
    Split,
    TrainBatches,
    images_an_epoch,
    steps_an_epoch,
    trained_images,
    trained_labels,
)
from tinyml.trainer.early_stopping import stopped_early
from tinyml.trainer.loop import train
from tinyml.trainer.objective import CrossEntropy, balanced_weights, objective_of
from tinyml.trainer.start import Resumed
from tinyml.trainer.state import read_state
from tinyml.workspace import Workspace

from .conftest import config

CPU = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("_no_plot")
IMAGES = torch.zeros(4, 3, 2, 2)


def test_rare_classes_weigh_more() -> None:
    labels = np.array([0] * 6 + [1] * 3 + [3])
    weights = balanced_weights(labels, 4)
    # As scikit-learn's "balanced" gives them for the classes that there are.
    torch.testing.assert_close(weights, torch.tensor([10 / 18, 10 / 9, 0.0, 10 / 3]))
    assert weights[labels].mean().item() == pytest.approx(1.0)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_weights_of_one_change_nothing(smoothing: float) -> None:
    torch.manual_seed(0)
    logits = torch.randn(4, 3)
    for targets in (torch.tensor([0, 2, 1, 1]), torch.softmax(torch.randn(4, 3), 1)):
        batch = Batch(IMAGES, targets)
        plain = CrossEntropy(label_smoothing=smoothing)(logits, batch)
        weighted = CrossEntropy(label_smoothing=smoothing, weights=torch.ones(3))(logits, batch)
        torch.testing.assert_close(weighted, plain)


def test_each_image_counts_as_its_class_weighs() -> None:
    torch.manual_seed(0)
    logits, targets, weights = torch.randn(4, 3), torch.tensor([0, 2, 1, 1]), torch.tensor([1.0, 2.0, 0.5])
    each = functional.cross_entropy(logits, targets, reduction="none")
    loss = CrossEntropy(weights=weights)
    torch.testing.assert_close(loss(logits, Batch(IMAGES, targets)), (weights[targets] * each).mean())
    parts = [loss(logits[:1], Batch(IMAGES[:1], targets[:1])), loss(logits[1:], Batch(IMAGES[1:], targets[1:]))]
    torch.testing.assert_close(loss(logits, Batch(IMAGES, targets)), parts[0] / 4 + parts[1] * 3 / 4)


def test_the_configuration_decides(colors: Dataset) -> None:
    labels = np.array([0, 0, 0, 1, 2, 2])
    balanced = objective_of(config(class_weights="balanced"), labels, 3)
    assert isinstance(balanced, CrossEntropy)
    assert balanced.weights is not None
    plain = objective_of(config(), labels, 3)
    assert isinstance(plain, CrossEntropy)
    assert plain.weights is None


class Uneven(Dataset):
    """10, 3 and 3 images of three classes."""

    def split(self, name: str) -> Split:
        return Split(images=np.zeros((16, 64, 64, 3), np.uint8), labels=np.repeat([0, 1, 2], [10, 3, 3]))


def test_so_many_shots_of_each_class() -> None:
    split = Split(images=np.zeros((30, 64, 64, 3), np.uint8), labels=np.arange(30) % 3)
    few = config(shots=4, batch_size=5)
    chosen = trained_images(split, few)
    assert np.bincount(split.labels[chosen]).tolist() == [4, 4, 4]
    assert np.array_equal(chosen, trained_images(split, few))
    assert not np.array_equal(chosen, trained_images(split, few.model_copy(update={"seed": 1})))
    assert (images_an_epoch(split, few), steps_an_epoch(split, few)) == (12, 2)
    with pytest.raises(UsageError, match="--shots: a class has fewer training images: 11; allowed: at most 10"):
        trained_images(split, few.model_copy(update={"shots": 11}))
    uneven = Split(images=np.zeros((16, 64, 64, 3), np.uint8), labels=np.repeat([0, 1, 2], [10, 3, 3]))
    with pytest.raises(UsageError, match="allowed: at most 3"):
        trained_images(uneven, few)


def test_classes_are_balanced_by_the_images_that_are_trained_on(colors: Dataset) -> None:
    uneven = Uneven(index=colors.index, path=colors.path, sha256=colors.sha256)
    weights = []
    for shots in (None, 3):
        wanted = config(class_weights="balanced", shots=shots)
        objective = objective_of(wanted, trained_labels(uneven, wanted), 3)
        assert isinstance(objective, CrossEntropy)
        assert objective.weights is not None
        weights.append([round(weight, 3) for weight in objective.weights.tolist()])
    assert weights == [[0.533, 1.778, 1.778], [1, 1, 1]]


def test_an_epoch_shows_the_shots_and_nothing_else(colors: Dataset) -> None:
    still = {"crop_padding": 0, "rotation_degrees": 0.0, "color_jitter": 0.0, "erasing": 0.0, "flip": False}
    few = config(shots=2, batch_size=6, **still)
    split, preprocess = colors.split("train"), colors.index.preprocess
    (batch,) = TrainBatches(split, few, preprocess, 3, CPU).epoch(1)
    assert sorted(batch.targets.tolist()) == [0, 0, 1, 1, 2, 2]
    everything = config(batch_size=48, **still)
    (whole,) = TrainBatches(split, everything, preprocess, 3, CPU).epoch(1)
    known = {image.numpy().tobytes() for image in whole.images}
    assert {image.numpy().tobytes() for image in batch.images} <= known


def record(epoch: int, accuracy: float) -> EpochRecord:
    return EpochRecord(
        epoch=epoch, lr=0.1, train_loss=1.0, train_accuracy=None, val_loss=1.0, val_accuracy=accuracy, seconds=1.0,
        images_per_second=1.0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("accuracies", "patience", "over"),
    [
        ([0.5, 0.4], None, False),
        ([0.5, 0.4], 2, False),
        ([0.5, 0.4, 0.5], 2, True),
        ([0.5, 0.4, 0.6], 2, False),
        ([0.1], 1, False),
        ([0.1, 0.1], 1, True),
    ],
)
def test_patience(accuracies: list[float], patience: int | None, over: bool) -> None:
    assert stopped_early([record(i + 1, a) for i, a in enumerate(accuracies)], patience) is over


def test_a_training_that_stands_still_ends_and_may_go_on(colors: Dataset, tiny: str, tmp_path: Path) -> None:
    still = config(lr=1e-12, warmup_epochs=0, epochs=9, patience=2, dropout=0.0)
    result = train(still, colors, Workspace(tmp_path), device=CPU)
    ended = len(result.history.epochs)
    assert ended < 9
    assert not result.interrupted
    with pytest.raises(UsageError, match=f"stopped early after {ended} epochs'; allowed: --patience above 2"):
        train(still, colors, Workspace(tmp_path), device=CPU, start=Resumed(read_state(result.state)))
    longer = still.model_copy(update={"patience": 3})
    more = train(longer, colors, Workspace(tmp_path), device=CPU, start=Resumed(read_state(result.state)))
    assert len(more.history.epochs) == ended + 1
