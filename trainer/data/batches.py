"""Batches from a memory-mapped split. No worker processes: gathering from the map outruns every training step."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tinyml.schema import Preprocess, TrainConfig

from ..pace import Counted, Pace
from ..resolution import size_at
from .augment import Augment
from .dataset import Split
from .mixing import Mixing


def steps_an_epoch(images: int, config: TrainConfig) -> int:
    """Batches an epoch of a split of so many images: all of one size, the rest is dropped."""
    used = _images(images, config)
    return used // min(config.batch_size, used)


def _images(images: int, config: TrainConfig) -> int:
    return min(images, config.limit or images)


class TrainBatches:
    """The shuffled, augmented batches of every epoch of a training run.

    What a step of epoch `n` yields depends on the seed, `n`, the step and the place in the schedule alone, so a resumed
    run repeats what an unbroken one would have seen, and begins in the middle of an epoch at once. All batches have
    `batch_size` images, the rest of an epoch is dropped; a split smaller than that is one batch.
    """

    def __init__(
        self, split: Split, config: TrainConfig, preprocess: Preprocess, classes: int, device: torch.device
    ) -> None:
        self._split = split
        self._config = config
        self._preprocess = preprocess
        self._classes = classes
        self._device = device
        self._augment = Augment.of(config)
        self._mixing = Mixing.of(config)
        # Jordan, 2024 (https://arxiv.org/abs/2404.00498): two epochs show both sides of every image.
        self._first_mirrored = np.random.default_rng(config.seed).random(len(split)) < 0.5
        self._images = _images(len(split), config)
        self.batch_size = min(config.batch_size, self._images)

    def __len__(self) -> int:
        """Batches an epoch."""
        return steps_an_epoch(len(self._split), self._config)

    def mixes(self, place: float) -> bool:
        """Whether images are mixed after `place` epochs of the schedule; in its last `mix_off_epochs` they are not."""
        last = (self._config.total_epochs or self._config.epochs) - self._config.mix_off_epochs
        return self._mixing.active and place < last

    def epoch(self, n: int, start: int = 0, pace: Pace | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches of epoch `n`, counted from 1, from step `start` on, on the device.

        Yields images, float32 [B, 3, size, size], normalized, and targets: int64 [B], or where images are mixed float32
        [B, classes]. With a limit every epoch takes another part of the split. The place in the schedule is `pace`'s;
        None: that of the step.
        """
        steps, seed = len(self), self._config.seed
        pace = pace or Counted(self._config, steps)
        total = self._config.total_epochs or self._config.epochs
        order = torch.randperm(len(self._split), generator=seeded(seed, n)).numpy()
        for step in range(start, steps):
            place = pace.at((n - 1) * steps + step) / steps
            generator = seeded(seed, n, step)
            chosen = order[step * self.batch_size : (step + 1) * self.batch_size]
            labels = torch.from_numpy(self._split.labels[chosen]).to(self._device)
            images = self._augment(
                to_tensor(self._split.images[chosen], self._device),
                self._preprocess,
                generator,
                size=size_at(self._config, place / total),
                mirrored=self._mirrored(chosen, n),
            )
            if self.mixes(place):
                yield self._mixing(images, labels, self._classes, generator)
            else:
                yield images, labels

    def _mirrored(self, chosen: npt.NDArray[np.int64], n: int) -> Tensor | None:
        """Which of the images are mirrored in epoch `n`, bool [B], where they take turns."""
        if not (self._config.flip and self._config.alternate_flip):
            return None
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
