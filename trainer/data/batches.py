"""Batches from a memory-mapped split. No worker processes: gathering from the map outruns every training step."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tinyml.schema import Preprocess, TrainConfig

from ..pace import Counted, Pace
from ..resolution import size_at
from .augment import Augment
from .batch import Batch
from .dataset import Split
from .mixing import Mixing
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
    ) -> None:
        self._answers = answers
        self._split = split
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

        With a limit every epoch takes another part of the split. The place in the schedule is `pace`'s; None: that of
        the step.
        """
        steps, seed = len(self), self._config.seed
        pace = pace or Counted(self._config, steps)
        total = self._config.total_epochs or self._config.epochs
        order = self._trained[torch.randperm(len(self._trained), generator=seeded(seed, n)).numpy()]
        for step in range(start, steps):
            place = pace.at((n - 1) * steps + step) / steps
            generator = seeded(seed, n, step)
            chosen = order[step * self.batch_size : (step + 1) * self.batch_size]
            labels = torch.from_numpy(self._split.labels[chosen]).to(self._device)
            mirrored = self._mirrored(chosen, n, generator)
            images = self._augment(
                to_tensor(self._split.images[chosen], self._device),
                self._preprocess,
                generator,
                size=size_at(self._config, place / total),
                mirrored=mirrored,
            )
            if self.mixes(place):
                yield Batch(*self._mixing(images, labels, self._classes, generator))
            else:
                taught = None if self._answers is None else self._answers.of(chosen, mirrored).to(self._device)
                yield Batch(images, labels, taught)

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


def to_tensor(images: npt.NDArray[np.uint8], device: torch.device) -> Tensor:
    """Images uint8 [B, H, W, 3] as a tensor uint8 [B, 3, H, W] on `device`."""
    return torch.from_numpy(np.ascontiguousarray(images)).to(device).permute(0, 3, 1, 2).contiguous()


def seeded(seed: int, *place: int) -> torch.Generator:
    """A CPU generator for an epoch, or a step of one: unrelated streams for all of them."""
    digest = hashlib.sha256("/".join(map(str, (seed, *place))).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
