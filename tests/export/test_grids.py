"""Grids of equal steps: what lies on one stays, and lengths follow the weights."""

from __future__ import annotations

import pytest
import torch

from tinyml.export.encoding.grids import steps

KINDS = [
    (bits, symmetric, blocks, clipped)
    for bits in (2, 4, 8)
    for symmetric in (True, False)
    for blocks in (1, 2)
    for clipped in ((False, True) if bits < 8 else (False,))
]


@pytest.mark.parametrize(("bits", "symmetric", "blocks", "clipped"), KINDS)
def test_weights_of_equal_steps_stay_as_they_are(bits: int, symmetric: bool, blocks: int, clipped: bool) -> None:
    """Whatever levels they use, so that what was trained to be rounded is stored as it was trained."""
    torch.manual_seed(0)
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if symmetric else (0, 2**bits - 1)
    if symmetric and bits > 2:
        low = -high
    levels = torch.randint(low, high + 1, (64, 8, 9))
    levels[:8] = levels[:8].clamp(max=low + (high - low) // 2 + 1)  # few that use all
    if bits == 8:
        levels[:, ::4, 0], levels[:, ::4, 1] = high, low
    offset = 0 if symmetric else torch.randint(0, high + 1, (64, blocks)).repeat_interleave(8 // blocks, 1)[..., None]
    scale = (torch.rand(64, blocks) + 0.1).half().float().repeat_interleave(8 // blocks, 1)[..., None]
    cells = (levels - offset) * scale
    evenly = torch.ones(8, 9) if clipped else None
    grid = steps(cells, bits, symmetric=symmetric, blocks=(64, blocks), half=True, importance=evenly)
    assert torch.allclose(grid.rounded(cells), cells, atol=1e-6)


@pytest.mark.parametrize("symmetric", [True, False])
def test_lengths_follow_weights_that_move_a_little(symmetric: bool) -> None:
    torch.manual_seed(0)
    cells = torch.randint(-2, 2, (32, 16, 9)) * (torch.rand(32, 1, 1) + 0.5)
    before = steps(cells, 2, symmetric=symmetric, blocks=(32, 1), half=False, importance=torch.ones(16, 9))
    moved = cells + 0.05 * torch.randn(cells.shape)
    found = steps(moved, 2, symmetric=symmetric, blocks=(32, 1), half=False, importance=torch.ones(16, 9))
    even = before.followed(moved, half=False)

    def far(grid_scale: torch.Tensor) -> float:
        return float((grid_scale.abs() / before.scale.abs() - 1).abs().mean())

    assert far(even.scale) < 0.02
    assert far(even.scale) < 0.5 * far(found.scale)
    error = [float((grid.rounded(moved) - moved).square().sum()) for grid in (found, even)]
    assert error[1] < error[0]
