"""What is kept of a network goes with its weights."""

from __future__ import annotations

import gc

import torch
from torch import nn

from tinyml.export.remembered import Remembered


def test_a_thing_is_made_once_a_key_until_a_weight_changes() -> None:
    network, made = nn.BatchNorm1d(3), list[str]()
    remembered: Remembered[int] = Remembered()

    def get(key: str) -> int:
        return remembered.get(network, key, lambda: made.append(key) or len(made))  # type: ignore[func-returns-value]

    assert [get("a"), get("b"), get("a")] == [1, 2, 1]
    with torch.no_grad():
        network.weight.data[0] = 5
    assert get("a") == 3
    network.running_mean.data[2] = 1  # type: ignore[union-attr]
    assert get("a") == 4
    assert get("a") == 4
    network.eval()
    assert get("a") == 5


def test_nothing_is_kept_of_a_network_that_has_gone() -> None:
    network: nn.Module | None = nn.Linear(2, 2)
    remembered: Remembered[object] = Remembered()
    assert network is not None
    remembered.get(network, "a", object)
    assert len(remembered._kept) == 1
    network = None
    gc.collect()
    assert len(remembered._kept) == 0
