"""Matrices with all their singular values brought near 1 by products alone, for Muon.

Jordan et al., 2024 (https://kellerjordan.github.io/posts/muon/): five steps of a polynomial of fifth order, which is
steep at 0. Each multiplies a matrix X from the left by a polynomial of X Xᵀ. Where a matrix is wide, as that of 3x3
filters is, only the small squares X Xᵀ go through the steps, and X is multiplied by all factors at once (Gram
Newton-Schulz, https://dao-lab.ai/blog/2026/gram-newton-schulz).
"""

from __future__ import annotations

import torch
from torch import Tensor

QUINTIC = (3.4445, -4.7750, 2.0315)
STEPS = 5
WIDE = 2.0
"""Columns a row, from which on the squares are cheaper."""
FEW = 64
"""Up to so many rows float32 is as quick on a CPU as bfloat16, or twice as quick."""
BOUTS = {torch.float32: (5,), torch.bfloat16: (2, 3)}
"""Steps from one square made of X itself to the next: rounding errors grow in it, in bfloat16 beyond all bounds."""


def orthogonalized(matrices: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Matrices [N, rows, columns] with all their singular values near 1 (0.7 to 1.2), the vectors kept.

    Args:
        matrices: What to orthogonalize.
        dtype: To compute in; float32 or bfloat16, which matrices of few rows do without.
    """
    wide = matrices.shape[1] <= matrices.shape[2]
    x = matrices if wide else matrices.mT
    dtype = torch.float32 if x.shape[1] <= FEW else dtype
    x = (x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)).to(dtype)
    if x.shape[2] >= WIDE * x.shape[1]:
        for steps in BOUTS[dtype]:
            x = _factors(x @ x.mT, steps) @ x
    else:
        for _ in range(STEPS):
            x = torch.baddbmm(x, _higher_terms(x @ x.mT), x, beta=QUINTIC[0])
    result: Tensor = (x if wide else x.mT).to(matrices.dtype)
    return result


def _factors(square: Tensor, steps: int) -> Tensor:
    """The product of what `steps` steps multiply X by, whose X Xᵀ is `square`."""
    product = factor = _factor(square)
    for _ in range(steps - 1):
        square = factor @ square @ factor
        factor = _factor(square)
        product = factor @ product
    return product


def _factor(square: Tensor) -> Tensor:
    factor = _higher_terms(square)
    factor.diagonal(dim1=1, dim2=2).add_(QUINTIC[0])
    return factor


def _higher_terms(square: Tensor) -> Tensor:
    """A step's polynomial without its constant term."""
    _, b, c = QUINTIC
    return torch.baddbmm(square, square, square, beta=b, alpha=c)
