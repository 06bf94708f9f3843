"""What an epoch counts while it runs."""

from __future__ import annotations

import time

import torch
from torch import Tensor

from .data import Batch
from .state import Position, Tensors
from .team import ALONE, Team


class Tally:
    """The steps, images and time of the current epoch, and its sums of losses and right answers.

    The sums lie on the device, so that counting does not make the CPU wait for it.
    """

    def __init__(self, device: torch.device, team: Team = ALONE) -> None:
        self._team = team
        self._sums = torch.zeros(2, device=device)  # over this process's images: loss, and how many were right
        self.begin()

    def begin(self) -> None:
        """Begins an epoch."""
        self.step = self.images = 0
        self._by_size: dict[int, int] = {}
        self.mixed = False
        self._seconds = 0.0
        self._sums.zero_()
        self.start_clock()

    def start_clock(self) -> None:
        """Counts the time from now on."""
        self._since = time.monotonic()

    @property
    def seconds(self) -> float:
        """The time that the epoch has taken so far."""
        return self._seconds + time.monotonic() - self._since

    @torch.no_grad()
    def add(self, loss: Tensor, logits: Tensor, batch: Batch) -> None:
        """Counts a step: its mean loss, the logits [B, classes], and this process's part of the batch."""
        targets, shown, size = batch.targets, len(batch) * self._team.size, batch.images.shape[-2]
        self.step += 1
        self.images += shown
        self._by_size[size] = self._by_size.get(size, 0) + shown
        self._sums[0] += loss * len(logits)
        if targets.is_floating_point():
            self.mixed = True
        else:
            self._sums[1] += (logits.argmax(1) == targets).sum()

    @property
    def loss(self) -> float:
        """The mean over this process's images so far, or after `gather` over all; makes the CPU wait for the device."""
        return float(self._sums[0]) * self._team.size / self.images

    @property
    def accuracy(self) -> float | None:
        """The share of right answers; None where images were mixed, whose classes are nobody's to guess."""
        return None if self.mixed else float(self._sums[1]) * self._team.size / self.images

    @property
    def images_by_size(self) -> dict[int, int]:
        """How many images were shown in which size, the height in pixels; less than all where that was not kept."""
        return dict(self._by_size)

    def gather(self) -> None:
        """Gives every process of the team the same sums, their mean."""
        if self._team.size > 1:
            sums = self._team.sums(self._sums.double().tolist())
            self._sums.copy_(torch.tensor(sums, dtype=torch.float64) / self._team.size)

    @property
    def finite(self) -> bool:
        """Whether every loss so far was a finite number."""
        return bool(torch.isfinite(self._sums).all())

    def tensors(self) -> Tensors:
        """The sums; the rest is in the state's record."""
        return {"totals": self._sums}

    def load(self, tensors: Tensors, _origin: str) -> None:
        """Puts back what `tensors` gave."""
        self._sums.copy_(tensors["totals"])

    def resume(self, position: Position) -> None:
        """Goes on with an epoch that has come so far."""
        self.step, self.images, self._by_size = position.step, position.images, dict(position.images_by_size)
        self.mixed, self._seconds = position.mixed, position.seconds
        self.start_clock()
