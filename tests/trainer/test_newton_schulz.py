"""Singular values near 1, of narrow and wide matrices, in both types."""

from __future__ import annotations

import pytest
import torch

from tinyml.trainer.newton_schulz import QUINTIC, STEPS, orthogonalized


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", [(3, 8, 20), (2, 20, 8), (1, 16, 16), (2, 80, 500), (2, 500, 80), (1, 100, 160)])
def test_singular_values_come_near_one(shape: tuple[int, int, int], dtype: torch.dtype) -> None:
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    result = orthogonalized(matrices, dtype)
    assert result.dtype == matrices.dtype
    values = torch.linalg.svdvals(result)
    assert 0.5 < float(values.min()) <= float(values.max()) < 1.3


@pytest.mark.parametrize("decay", [0.0, 1.0, 3.0])
@pytest.mark.parametrize(("dtype", "allowed"), [(torch.float32, 1e-3), (torch.bfloat16, 0.05)])
def test_wide_matrices_come_to_what_the_iteration_gives(decay: float, dtype: torch.dtype, allowed: float) -> None:
    drawn = torch.Generator().manual_seed(0)
    left = torch.linalg.qr(torch.randn(80, 80, generator=drawn))[0]
    right = torch.linalg.qr(torch.randn(720, 80, generator=drawn))[0]
    matrix = (left * torch.arange(1.0, 81.0) ** -decay) @ right.T
    x = (matrix / matrix.norm()).double()
    a, b, c = QUINTIC
    for _ in range(STEPS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    values = left.double().T @ x @ right.double()  # each direction's own, which bfloat16 has down to its last bit only
    result = left.T @ orthogonalized(matrix[None], dtype)[0] @ right
    kept = torch.arange(1.0, 81.0) ** -decay > 0.01
    torch.testing.assert_close(result.diagonal()[kept].double(), values.diagonal()[kept], rtol=0, atol=allowed)
    assert float(torch.linalg.svdvals(result).max()) < 1.35


def test_together_is_as_one_by_one() -> None:
    matrices = torch.randn(4, 6, 9, generator=torch.Generator().manual_seed(0))
    alone = torch.cat([orthogonalized(matrix[None]) for matrix in matrices])
    torch.testing.assert_close(orthogonalized(matrices), alone, rtol=1e-4, atol=1e-5)
