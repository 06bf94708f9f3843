"""Images kept on the device: the same as those mapped from disk, and there only where it serves."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tinyml.trainer.data import Split
from tinyml.trainer.data import resident as module
from tinyml.trainer.data.resident import Mapped, Resident, pixels

CPU = torch.device("cpu")


@pytest.fixture
def split() -> Split:
    random = np.random.default_rng(0)
    return Split(images=random.integers(0, 256, (10, 4, 4, 3), dtype=np.uint8), labels=np.arange(10))


def test_they_are_the_same_images(split: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 3)
    chosen = np.array([7, 0, 9])
    there, here = Resident(split, CPU).of(chosen), Mapped(split, CPU).of(chosen)
    assert there.shape == (3, 3, 4, 4)
    for images in (there, here):  # as on disk, a pixel's channels together
        assert images.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(there, here)
    assert there[0, 1, 2, 3] == split.images[7, 2, 3, 1]


def test_only_where_it_serves(split: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[torch.device] = []
    monkeypatch.setattr(module, "Resident", lambda _, device: made.append(device))
    cuda, free = torch.device("cuda"), {"bytes": 4 * split.images.nbytes}
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (free["bytes"], 10**12))
    for device in (CPU, torch.device("mps")):
        assert isinstance(pixels(split, device, shown=100), Mapped)
    assert isinstance(pixels(split, cuda, shown=9), Mapped)  # a first look shows a part of them
    pixels(split, cuda, shown=10)
    assert made == [cuda]
    free["bytes"] -= 1
    assert isinstance(pixels(split, cuda, shown=100), Mapped)
