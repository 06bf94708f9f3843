"""Ranges of 8-bit activations: what an image of hundreds does to all others, and what is left whole."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tinyml.export.encoding.ranges import SeenRange


def seen(values: Tensor) -> SeenRange:
    found = SeenRange()
    for part in torch.split(values, 8):
        found.see(part)
    return found


def error(values: Tensor, low: float, high: float) -> float:
    step = (high - low) / 255
    return float((values - (values.clamp(low, high) / step).round() * step).square().mean())


def test_one_loud_image_does_not_coarsen_the_steps_of_all_others() -> None:
    torch.manual_seed(0)
    values = torch.randn(64, 4, 16, 16)
    values[5] *= 40
    quiet = values[6:]
    low, high = seen(values).within(100, symmetric=False)
    whole = error(quiet, float(values.min()), float(values.max()))
    assert error(quiet, low, high) < 0.05 * whole
    assert low < -3
    assert high > 3


@pytest.mark.parametrize("symmetric", [False, True])
def test_evenly_spread_values_keep_their_whole_range(symmetric: bool) -> None:
    torch.manual_seed(0)
    values = torch.rand(32, 4, 16, 16) * 5 - 2
    low, high = seen(values).within(100, symmetric=symmetric)
    assert low == float(values.min())
    assert high == float(values.max())


def test_zero_is_always_within() -> None:
    assert seen(torch.linspace(2, 3, 64).reshape(8, 8)).within(100, symmetric=False)[0] == 0
    assert seen(torch.zeros(8, 8)).within(100, symmetric=False) == (0, 0)


def test_a_single_number_is_one_image_of_one_value() -> None:
    found = SeenRange()
    for value in (1.0, -2.0, 3.0):
        found.see(torch.tensor(value))
    low, high = found.within(100, symmetric=False)
    assert (low, high) == (-2, 3)


def test_a_percentile_is_of_absolute_values() -> None:
    values = torch.arange(-20.0, 80.0).reshape(10, 10)
    low, high = seen(values).within(90, symmetric=False)
    assert low == -20
    assert 65 < high < 75


def test_values_in_every_column_are_seen_where_there_are_many() -> None:
    values = torch.zeros(4, 8, 64, 64)
    values[..., 1::2] = 1
    values[..., 3] = 8
    low, high = seen(values).within(99, symmetric=False)
    assert (low, high) == (0, 8)
