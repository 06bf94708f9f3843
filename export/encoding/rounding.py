"""From a weight's values to what is stored: its kinds' zeros, scale and grid, and the rounding onto it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ..weights import Weight
from .cells import cells_of, restored
from .compensate import compensated, polished, pulled, saliency
from .forms import Form, Indices, Sparse, Values
from .statistics import Products

Kinds = Sequence[tuple[Any, Any]]
"""A weight's kinds of compression in order, each with the settings that hold for it."""

_WORK = 2e10
"""Multiplications of a layer's weights with the products of its inputs above which that would take minutes."""


@dataclass(frozen=True, kw_only=True)
class Rounded:
    """A weight as it is stored, and what the layer computes with from then on."""

    form: Form
    values: Values
    """In the weight's shape, an output scale included."""


def rounded(
    values: Values,
    weight: Weight,
    kinds: Kinds,
    *,
    half: bool,
    hessian: Products | None = None,
    turns: int = 3,
) -> Rounded | None:
    """`values` as `kinds` store them; None where none of them applies to this weight.

    Args:
        values: In the weight's shape.
        weight: What it is.
        kinds: What to do.
        half: Whether what is stored is of float16.
        hessian: Of the layer's inputs: the weights make up for each other's errors; None: each is rounded to the
            nearest.
        turns: How often levels are chosen once more for the values that were fitted to them.
    """
    cells = cells_of(values, weight)
    if hessian is not None:
        cells = pulled(cells, hessian)
    scale = next((s for kind, layer in kinds if (s := kind.output_scale(layer, weight, cells)) is not None), None)
    if scale is not None:
        scale = scale.half().float() if half else scale
        cells = cells / scale[:, None, None]
    importance = None
    if hessian is not None:
        diagonal = hessian.squares().reshape(hessian.groups, 1, *cells.shape[1:])
        importance = diagonal.expand(-1, len(cells) // hessian.groups, -1, -1).reshape(cells.shape)
        importance = importance / importance.mean().clamp(min=1e-30)
        if scale is not None:
            importance = importance * (scale**2)[:, None, None]
    kept: Tensor | None = None
    if any(kind.prunes(layer, weight) for kind, layer in kinds):
        matters = cells**2 if hessian is None else saliency(cells, hessian)
        kept = next(k for kind, layer in kinds if (k := kind.kept(layer, weight, matters)) is not None)
    shown = cells if kept is None else cells * kept
    grids = (kind.grid(layer, weight, shown, half=half, importance=importance, kept=kept) for kind, layer in kinds)
    grid = next((found for found in grids if found is not None), None)
    if kept is None and grid is None:
        return None
    if hessian is None:
        final = shown if grid is None else grid.rounded(shown)
    else:
        mask = None if kept is None else kept.reshape(len(kept), -1)

        def nearest(column: Tensor, place: int) -> Tensor:
            found = column if grid is None else grid.nearest(column, place)
            return found if mask is None else found * mask[:, place]

        final = compensated(cells, hessian, nearest)
        weigh, products = torch.ones(()) if scale is None else (scale**2)[:, None], hessian
        for turn in range(1 + turns * (hessian.work(len(cells)) <= _WORK)):
            if turn:
                final = polished(final, cells, hessian, nearest)
            if grid is not None:
                grid, final = grid.refitted(final, cells, lambda rows: weigh * products.times(rows), half=half)
    if grid is None and half:
        final = final.half().float()
    form = None if grid is None else grid.form(final, weight)
    if isinstance(form, Indices) and scale is not None:
        form = replace(form, output_scale=scale.numpy())
    if kept is not None:
        assert not isinstance(form, Sparse)  # noqa: S101 (for the type checker)
        form = Sparse(kept=restored(kept, weight), inner=form, values=restored(final, weight))
        final = torch.where(kept, final, torch.zeros(()))
    assert form is not None  # noqa: S101 (for the type checker)
    final = final if scale is None else final * scale[:, None, None]
    return Rounded(form=form, values=restored(final, weight))
