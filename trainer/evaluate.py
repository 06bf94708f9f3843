"""Accuracy: what every trained or exported classifier can be asked, and how its answers are counted."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tinyml.errors import DataError, InputError
from tinyml.progress import Progress, Silent
from tinyml.schema import Metrics, ModelSpec, Preprocess

from .checkpoint import LoadedCheckpoint, load
from .data import Split
from .data.augment import normalized
from .data.batches import to_tensor

Images = NDArray[np.uint8]
Scores = NDArray[np.float32]

BATCH = 128
SUBSET_SEED = 0


class Predictor(Protocol):
    """A classifier of uint8 RGB images, whatever executes it."""

    @property
    def spec(self) -> ModelSpec:
        """What it is: labels, preprocessing."""

    def probabilities(self, images: Images) -> Scores:
        """Images [N, H, W, 3] of the size in `spec.preprocess` to probabilities [N, classes]."""

    def logits(self, images: Images) -> Scores | None:
        """Images [N, H, W, 3] to logits [N, classes]; None where only the probabilities can be had."""


class ModulePredictor:
    """A network as a Predictor; it is used as it is, in evaluation mode, `batch_size` images at a time."""

    def __init__(
        self, model: nn.Module, spec: ModelSpec, device: torch.device | str = "cpu", *, batch_size: int = BATCH
    ) -> None:
        self.spec = spec
        self._device = torch.device(device)
        self._model = model.to(self._device)
        self._batch_size = batch_size

    def logits(self, images: Images) -> Scores:
        """Images [N, H, W, 3] to logits [N, classes]."""
        check_images(images, self.spec.preprocess)
        training = self._model.training
        self._model.eval()
        try:
            with torch.inference_mode():
                parts = [
                    self._model(normalised(images[i : i + self._batch_size], self.spec.preprocess, self._device))
                    for i in range(0, len(images), self._batch_size)
                ]
        finally:
            self._model.train(training)
        if not parts:
            return np.zeros((0, self.spec.classes), np.float32)
        scores: Scores = torch.cat(parts).float().cpu().numpy()
        return scores

    def probabilities(self, images: Images) -> Scores:
        """Images [N, H, W, 3] to probabilities [N, classes]."""
        scores: Scores = torch.from_numpy(self.logits(images)).softmax(1).numpy()
        return scores


class CheckpointPredictor(ModulePredictor):
    """A trained checkpoint as a Predictor."""

    def __init__(
        self, loaded: LoadedCheckpoint | Path, device: torch.device | str = "cpu", *, batch_size: int = BATCH
    ) -> None:
        self.loaded = load(loaded) if isinstance(loaded, Path) else loaded
        super().__init__(self.loaded.model, self.loaded.checkpoint.spec, device, batch_size=batch_size)


def normalised(images: Images, preprocess: Preprocess, device: torch.device | str = "cpu") -> Tensor:
    """uint8 images [N, H, W, 3] to a network's float32 input [N, 3, H, W], `(value / 255 - mean) / std`."""
    writable = np.array(images)  # torch warns of arrays mapped read-only
    return normalized(to_tensor(writable, torch.device(device)).float().div_(255.0), preprocess)


def check_images(images: Images, preprocess: Preprocess) -> None:
    """Raises InputError unless `images` is uint8 [N, H, W, 3] of the input size."""
    size = preprocess.input_size
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != (size, size, 3):
        raise InputError(
            "images do not fit the model",
            value=f"{images.dtype} {images.shape}",
            allowed=f"uint8 [N, {size}, {size}, 3]",
        )


def subset(total: int, limit: int | None, labels: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """Which of `total` images stand for all of them: the first `limit` of one fixed random order.

    Args:
        total: The number of images.
        limit: How many to take; None, or as many as there are: all, in their own order.
        labels: Their classes [total]. When given, the order deals the classes out in rounds, one image of each a round,
            so that every class is as often in the subset as any other, give or take one (as far as there are images).

    Returns:
        Distinct indices [min(limit, total)]; a smaller limit gives a prefix of a larger one's.
    """
    if limit is None or limit >= total:
        return np.arange(total, dtype=np.int64)
    order = np.random.default_rng(SUBSET_SEED).permutation(total).astype(np.int64)
    if labels is not None:
        seen = np.zeros(int(labels.max()) + 1, np.int64)
        rounds = np.empty(total, np.int64)
        for place, index in enumerate(order):
            rounds[place] = seen[labels[index]]
            seen[labels[index]] += 1
        order = order[np.argsort(rounds, kind="stable")]
    return order[:limit]


def measure(
    predictor: Predictor,
    split: Split,
    split_name: Literal["train", "val", "test"],
    *,
    limit: int | None = None,
    progress: Progress | None = None,
) -> Metrics:
    """Top-1 and top-5 accuracy and mean cross-entropy of `predictor` on a split, or on `limit` images of it.

    A class counts as ranked above another only if its score is larger, or equal with a smaller number; a score that is
    not a number is never right. With fewer than five classes, top-5 is 1 for every finite answer.

    Raises:
        DataError: The split is empty, or has classes that the predictor does not know.
    """
    labels = np.asarray(split.labels)
    if not len(labels):
        raise DataError(f"the {split_name} split has no images", hint="measure on another split")
    if int(labels.max()) >= predictor.spec.classes:
        raise DataError(
            f"the {split_name} split has more classes than the model",
            value=int(labels.max()) + 1,
            allowed=f"at most {predictor.spec.classes}",
        )
    progress = progress or Silent()
    chosen = subset(len(labels), limit, labels)
    right1 = right5 = 0
    loss = 0.0
    progress.start(f"evaluating on {split_name}", len(chosen), "images")
    for begin in range(0, len(chosen), BATCH):
        indices = chosen[begin : begin + BATCH]
        images, truth = np.asarray(split.images[indices]), labels[indices]
        scores = predictor.logits(images)
        log_probabilities = (
            _log_softmax(scores)
            if scores is not None
            else np.log(np.maximum(predictor.probabilities(images).astype(np.float64), np.finfo(np.float32).tiny))
        )
        ranks = ranks_of(log_probabilities if scores is None else scores, truth)
        right1 += int((ranks < 1).sum())
        right5 += int((ranks < 5).sum())
        loss -= float(log_probabilities[np.arange(len(truth)), truth].sum())
        progress.advance(len(indices))
    progress.finish()
    return Metrics(
        split=split_name,
        top1=right1 / len(chosen),
        top5=right5 / len(chosen),
        images=len(chosen),
        total=len(labels),
        loss=loss / len(chosen) if np.isfinite(loss) else None,
    )


def ranks_of(scores: NDArray[np.floating], truth: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many classes stand above the true one in `scores` [N, classes]; all of them where a score is no number."""
    own = np.take_along_axis(scores, truth[:, None], 1)
    earlier = np.arange(scores.shape[1])[None, :] < truth[:, None]
    ranks = ((scores > own) | ((scores == own) & earlier)).sum(1)
    return np.where(np.isnan(scores).any(1), max(scores.shape[1], 5), ranks).astype(np.int64)


def _log_softmax(logits: Scores) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):  # an infinite logit gives a loss that is no number, and None above
        shifted = logits.astype(np.float64) - logits.max(1, keepdims=True)
        result: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return result
