"""Which weights are kept when the others become zero."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def largest(saliency: Tensor, sparsity: float) -> Tensor:
    """True for all but the `sparsity` share of the cells with the least saliency; of equals the first are zero."""
    kept = torch.ones(saliency.numel(), dtype=torch.bool)
    kept[saliency.flatten().argsort(stable=True)[: round(sparsity * saliency.numel())]] = False
    return kept.reshape(saliency.shape)


def patterned(saliency: Tensor, zeros: int, of: int) -> Tensor:
    """True for all but the `zeros` least of every `of` neighboring input channels; saliency [outputs, inputs, ...]."""
    moved = saliency.movedim(1, -1)
    padded = functional.pad(moved, (0, -moved.shape[-1] % of), value=torch.inf)
    groups = padded.reshape(-1, of)
    kept = torch.ones_like(groups, dtype=torch.bool)
    kept.scatter_(1, groups.argsort(dim=1, stable=True)[:, :zeros], False)
    return kept.reshape(padded.shape)[..., : moved.shape[-1]].movedim(-1, 1).contiguous()
