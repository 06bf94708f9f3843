"""Batches from a memory-mapped split. No worker processes: gathering from the map outruns every training step."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tinyml.schema import Preprocess, TrainConfig

from ..device import memory_format, sent
from ..pace import Counted, Pace
from ..resolution import size_at
from .ahead import made_ahead
from .augment import Augment
from .batch import Batch
from .dataset import Split
from .mixing import Mixing
from .resident import Pixels
from .resident import pixels as pixels_of
from .shots import trained_images


class Answers(Protocol):
    """What a teacher said of the images of a split, each as it is and mirrored."""

    def of(self, images: npt.NDArray[np.int64], mirrored: Tensor) -> Tensor:
        """The logits, float32 [B, classes] on the CPU, of the images with these indices; `mirrored` is bool [B]."""


def steps_an_epoch(split: Split, config: TrainConfig) -> int:
    """Batches an epoch of a training split: all of one size, the rest is dropped."""
    used = images_an_epoch(split, config)
    return used // min(config.batch_size, used)


def images_an_epoch(split: Split, config: TrainConfig) -> int:
    """How many images an epoch may show, before the rest that fills no batch is dropped."""
    images = len(trained_images(split, config))
    return min(images, config.limit or images)


class TrainBatches:
    """The shuffled, augmented batches of every epoch of a training run.

    What a step of epoch `n` yields depends on the seed, `n`, the step and the place in the schedule alone, so a resumed
    run repeats what an unbroken one would have seen, and begins in the middle of an epoch at once. All batches have
    `batch_size` images, the rest of an epoch is dropped; a split smaller than that is one batch.

    Args:
        split: What is shown.
        config: In which size, order and disguise.
        preprocess: The mean and standard deviation.
        classes: How many there are.
        device: Where batches are needed.
        answers: A teacher's, where they are stored.
        pixels: Where the images are taken from; None: from wherever suits the device.
    """

    def __init__(
        self,
        split: Split,
        config: TrainConfig,
        preprocess: Preprocess,
        classes: int,
        device: torch.device,
        *,
        answers: Answers | None = None,
        pixels: Pixels | None = None,
    ) -> None:
        self._answers = answers
        self._labels = split.labels
        self._config = config
        self._preprocess = preprocess
        self._classes = classes
        self._device = device
        self._augment = Augment.of(config)
        self._mixing = Mixing.of(config)
        # Jordan, 2024 (https://arxiv.org/abs/2404.00498): two epochs show both sides of every image.
        self._first_mirrored = np.random.default_rng(config.seed).random(len(split)) < 0.5
        self._trained = trained_images(split, config)
        self._images = images_an_epoch(split, config)
        shown = self._images * (config.total_epochs or config.epochs)
        self._pixels = pixels_of(split, device, shown=shown) if pixels is None else pixels
        self.batch_size = min(config.batch_size, self._images)

    def __len__(self) -> int:
        """Batches an epoch."""
        return self._images // self.batch_size

    def mixes(self, place: float) -> bool:
        """Whether images are mixed after `place` epochs of the schedule; in its last `mix_off_epochs` they are not."""
        last = (self._config.total_epochs or self._config.epochs) - self._config.mix_off_epochs
        return self._mixing.active and place < last

    def epoch(self, n: int, start: int = 0, pace: Pace | None = None) -> Iterator[Batch]:
        """The batches of epoch `n`, counted from 1, from step `start` on, on the device.

        With a limit every epoch takes another part of the split. The place in the schedule is `pace`'s, asked for one
        step ahead where batches are made ahead; None: that of the step.
        """
        pace = pace or Counted(self._config, len(self))
        return made_ahead(self.jobs(n, start, pace), self._device)

    def jobs(self, n: int, start: int, pace: Pace) -> Iterator[Callable[[], Batch]]:
        """What makes each batch that `epoch` gives; its place in the schedule is settled when it is asked for."""
        steps = len(self)
        order = self._trained[torch.randperm(len(self._trained), generator=seeded(self._config.seed, n)).numpy()]
        for step in range(start, steps):
            chosen = order[step * self.batch_size : (step + 1) * self.batch_size]
            yield partial(self._batch, n, step, chosen, pace.at((n - 1) * steps + step) / steps)

    def _batch(self, n: int, step: int, chosen: npt.NDArray[np.int64], place: float) -> Batch:
        """The images `chosen`, after `place` epochs of the schedule."""
        generator = seeded(self._config.seed, n, step)
        labels = sent(torch.from_numpy(self._labels[chosen]), self._device)
        mirrored = self._mirrored(chosen, n, generator)
        images = self._augment(
            self._pixels.of(chosen),
            self._preprocess,
            generator,
            size=size_at(self._config, place / (self._config.total_epochs or self._config.epochs)),
            mirrored=mirrored,
        )
        targets, taught = labels, None
        if self.mixes(place):
            images, targets = self._mixing(images, labels, self._classes, generator)
        elif self._answers is not None:
            taught = sent(self._answers.of(chosen, mirrored), self._device)
        # Not left to the step: on the CPU another thread makes the batch.
        return Batch(images.contiguous(memory_format=memory_format(self._device)), targets, taught)

    def _mirrored(self, chosen: npt.NDArray[np.int64], n: int, generator: torch.Generator) -> Tensor:
        """Which of the images are mirrored in epoch `n`, bool [B]: they take turns, or it is left to chance."""
        if not (self._config.flip and self._config.alternate_flip):
            return self._augment.mirrored(len(chosen), generator)
        return torch.from_numpy(self._first_mirrored[chosen] ^ bool(n % 2))


def eval_batches(
    split: Split, indices: npt.NDArray[np.int64] | None, batch_size: int
) -> Iterator[tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]]:
    """The images `indices` of a split (None: all), in that order: uint8 [B, H, W, 3] and labels int64 [B].

    The last batch may be smaller.
    """
    chosen = np.arange(len(split)) if indices is None else indices
    for start in range(0, len(chosen), batch_size):
        part = chosen[start : start + batch_size]
        yield split.images[part], split.labels[part]


def seeded(seed: int, *place: int) -> torch.Generator:
    """A CPU generator for an epoch, or a step of one: unrelated streams for all of them."""
    digest = hashlib.sha256("/".join(map(str, (seed, *place))).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
