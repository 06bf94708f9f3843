"""The images of a split on the device that trains on them, where there is room: then no batch is copied there."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..device import sent
from .dataset import Split

SHARE = 0.25
"""Of the device's free memory, that the images may take."""
AT_ONCE = 4096
"""Images that are copied together."""


class Pixels(Protocol):
    """Where images are taken from."""

    def of(self, chosen: npt.NDArray[np.int64]) -> Tensor:
        """The images with these indices, uint8 [B, 3, H, W] on the device, a pixel's channels together in memory."""


class Mapped:
    """The memory map on disk, of which each batch is copied to the device."""

    def __init__(self, split: Split, device: torch.device) -> None:
        self._images, self._device = split.images, device

    def of(self, chosen: npt.NDArray[np.int64]) -> Tensor:
        """See Pixels."""
        return to_tensor(self._images[chosen], self._device)


class Resident:
    """A copy of all images on the device."""

    def __init__(self, split: Split, device: torch.device) -> None:
        self._images = torch.empty(split.images.shape, dtype=torch.uint8, device=device)
        for start in range(0, len(split), AT_ONCE):
            part = np.array(split.images[start : start + AT_ONCE])  # torch warns of arrays mapped read-only
            self._images[start : start + len(part)].copy_(torch.from_numpy(part))

    def of(self, chosen: npt.NDArray[np.int64]) -> Tensor:
        """See Pixels."""
        return self._images[sent(torch.from_numpy(chosen), self._images.device)].permute(0, 3, 1, 2)


def pixels(split: Split, device: torch.device, *, shown: int) -> Pixels:
    """The images, on the device where it has memory of its own and room there, and each is shown at least once.

    Args:
        split: Whose images.
        device: Where they are needed; on the CPU they are mapped, and MPS shares the CPU's memory.
        shown: How many a training shows in all.
    """
    worth_it = device.type == "cuda" and shown >= len(split)
    fits = worth_it and split.images.nbytes <= SHARE * torch.cuda.mem_get_info(device)[0]
    return Resident(split, device) if fits else Mapped(split, device)


def to_tensor(images: npt.NDArray[np.uint8], device: torch.device) -> Tensor:
    """Images uint8 [B, H, W, 3] as a tensor uint8 [B, 3, H, W] on `device`, which lies in memory as they do."""
    return sent(torch.from_numpy(np.ascontiguousarray(images)), device).permute(0, 3, 1, 2)
