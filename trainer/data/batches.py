"""Batches from a memory-mapped split. No worker processes: gathering from the map outruns every training step."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tinyml.schema import Preprocess, TrainConfig

from .augment import Augment
from .dataset import Split
from .mixing import Mixing


class TrainBatches:
    """The shuffled, augmented batches of every epoch of a training run.

    What epoch `n` yields depends on the seed and `n` alone, so a resumed run repeats what an unbroken one would have
    seen. All batches have `batch_size` images, the rest of an epoch is dropped; a split smaller than that is one batch.
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
        self._images = min(len(split), config.limit or len(split))
        self.batch_size = min(config.batch_size, self._images)

    def __len__(self) -> int:
        """Batches an epoch."""
        return self._images // self.batch_size

    def mixes(self, epoch: int) -> bool:
        """Whether epoch `epoch`, counted from 1, mixes images; the last `mix_off_epochs` of the schedule do not."""
        last = (self._config.total_epochs or self._config.epochs) - self._config.mix_off_epochs
        return self._mixing.active and epoch <= last

    def epoch(self, n: int) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches of epoch `n`, counted from 1, on the device.

        Yields images, float32 [B, 3, H, W], normalized, and targets: int64 [B], or where the epoch mixes float32
        [B, classes]. With a limit every epoch takes another part of the split.
        """
        generator = epoch_generator(self._config.seed, n)
        order = torch.randperm(len(self._split), generator=generator).numpy()
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            chosen = order[start : start + self.batch_size]
            labels = torch.from_numpy(self._split.labels[chosen]).to(self._device)
            images = self._augment(to_tensor(self._split.images[chosen], self._device), self._preprocess, generator)
            if self.mixes(n):
                yield self._mixing(images, labels, self._classes, generator)
            else:
                yield images, labels


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


def epoch_generator(seed: int, epoch: int) -> torch.Generator:
    """The CPU generator of an epoch: unrelated streams for all pairs of seed and epoch."""
    digest = hashlib.sha256(f"{seed}/{epoch}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
