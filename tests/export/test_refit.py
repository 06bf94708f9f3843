"""Grids fitted to the outputs once every weight has its level."""

from __future__ import annotations

import pytest
import torch

from tinyml.export.encoding.compensate import compensated
from tinyml.export.encoding.grids import Grid, palettes, steps
from tinyml.export.encoding.statistics import hessian


@pytest.mark.parametrize("kind", ["palette1", "palette2", "palette3 of groups", "w2", "w4", "w4z", "w2 of blocks"])
def test_a_fitted_grid_is_nearer_to_the_outputs_and_keeps_the_levels(kind: str) -> None:
    torch.manual_seed(0)
    inputs = torch.randn(300, 36) @ (torch.randn(36, 36) * torch.linspace(0.1, 2, 36))
    cells = torch.randn(8, 4, 9)
    products = hessian("linear", {"x": inputs})
    assert products is not None
    if kind.startswith("palette"):
        grid: Grid = palettes(cells, int(kind[7]), blocks=2 if "groups" in kind else 1, half=True)
    else:
        blocks = (8, 2 if "blocks" in kind else 1)
        grid = steps(cells, int(kind[1]), symmetric=kind[-1] != "z", blocks=blocks, half=True)
    found = compensated(cells, products, grid.nearest)
    fitted, after = grid.refitted(found, cells, products.times, half=True)
    assert torch.equal(fitted.rounded(after), after)
    assert torch.equal(after, after.half().float()) or kind.startswith("w")
    for row, fit in zip(found.flatten(1), after.flatten(1), strict=True):
        assert len(set(fit.tolist())) <= len(set(row.tolist()))
    lost = [float(((each - cells).flatten(1) @ inputs.T).square().mean()) for each in (found, after)]
    assert lost[1] < 0.999 * lost[0]
