"""Rounding that makes up for its own error: what one weight gains or loses, those not yet rounded give back.

After Frantar et al., Optimal Brain Compression, 2022 (https://arxiv.org/abs/2208.11580) and GPTQ, 2022
(https://arxiv.org/abs/2210.17323): the columns of a layer's weights are rounded one after the other, the most used
inputs first, and the error of each is spread over the rest so that the layer's output on the inputs that were seen
changes least. Grouped convolutions have a matrix of inputs for each group; of layers with very many inputs each part
makes up for its own errors.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .statistics import Products

_BLOCK = 128
_DAMPING = 0.01


def pulled(cells: Tensor, products: Products) -> Tensor:
    """`cells`, changed so that on inputs that rounding in front has moved the layer's outputs are what they were.

    By least squares: what the layer answered before, fitted to the inputs as they are now, which is in closed form what
    Li et al., GPTAQ, 2025 (https://arxiv.org/abs/2504.02692) call asymmetric calibration. `cells` themselves where
    nothing moved, and where there are fewer samples than inputs: they can be fitted exactly and tell nothing of others.
    """
    if products.drifts is None or products.samples < products.parts[0].shape[-1]:
        return cells
    found = []
    for part, matrix, drift in zip(products.split(cells.flatten(1)), products.parts, products.drifts, strict=True):
        root = inverse_root(matrix)
        found.append(part + part @ drift @ root.mT @ root)
    return torch.cat(found, 2).reshape(cells.shape)


def polished(found: Tensor, cells: Tensor, products: Products, nearest: Callable[[Tensor, int], Tensor]) -> Tensor:
    """`found`, each column rounded once more given what all the others became; the outputs' error only falls.

    Args:
        found: Cells [outputs, inputs, positions] as they are stored.
        cells: What they shall stand for.
        products: Of the layer's inputs.
        nearest: As for `compensated`.
    """
    parts, begin = [], 0
    wanted = products.split(cells.flatten(1))
    for rows, target, matrix in zip(products.split(found.flatten(1)), wanted, products.parts, strict=True):
        parts.append(_polished(rows.clone(), target, matrix, nearest, begin))
        begin += matrix.shape[-1]
    return torch.cat(parts, 2).reshape(cells.shape)


def _polished(
    rows: Tensor, target: Tensor, matrix: Tensor, nearest: Callable[[Tensor, int], Tensor], first: int
) -> Tensor:
    """As `polished`, of one part [groups, outputs, columns] whose first column has the place `first`."""
    size = matrix.shape[-1]
    own = matrix.diagonal(dim1=1, dim2=2).clamp(min=1e-20)
    slope = (target - rows) @ matrix
    for begin in range(0, size, _BLOCK):
        end = min(begin + _BLOCK, size)
        block = matrix[:, begin:end, begin:end]
        near = slope[:, :, begin:end].clone()
        moves = torch.zeros_like(near)
        for column in range(begin, end):
            place = column - begin
            values = rows[:, :, column] + near[:, :, place] / own[:, column, None]
            best = nearest(values.reshape(-1), column + first).reshape(values.shape)
            move = best - rows[:, :, column]
            rows[:, :, column] = best
            moves[:, :, place] = move
            near -= move[..., None] * block[:, place, None]
        slope -= moves @ matrix[:, begin:end]
    return rows


def inverse_root(hessian: Tensor) -> Tensor:
    """The upper Cholesky factor of the inverse of `hessian` [groups, columns, columns], damped until there is one."""
    size = hessian.shape[-1]
    mean = hessian.diagonal(dim1=1, dim2=2).mean(1).clamp(min=1e-12)
    damping = _DAMPING
    while True:
        damped = hessian + (damping * mean)[:, None, None] * torch.eye(size)
        lower, failed = torch.linalg.cholesky_ex(damped)
        if not failed.any():
            inverse = torch.cholesky_inverse(lower)
            upper, failed = torch.linalg.cholesky_ex(inverse, upper=True)
            if not failed.any() and torch.isfinite(upper).all():
                found: Tensor = upper
                return found
        damping *= 10


def saliency(cells: Tensor, products: Products) -> Tensor:
    """How much the layer's output would change without each weight, the others making up for it as they can."""
    found = []
    for part, matrix in zip(products.split(cells.flatten(1)), products.parts, strict=True):
        root = inverse_root(matrix)
        inverse = (root.mT @ root).diagonal(dim1=1, dim2=2).clamp(min=1e-20)
        found.append(part**2 / inverse[:, None])
    return torch.cat(found, 2).reshape(cells.shape)


def compensated(cells: Tensor, products: Products, nearest: Callable[[Tensor, int], Tensor]) -> Tensor:
    """`cells` [outputs, inputs, positions], each rounded by `nearest`, with the error spread over those after it.

    Args:
        cells: The weights.
        products: Of the layer's inputs, a column being an input channel of the group at a position of the kernel.
        nearest: As of `Grid`: from the cells of a column [outputs], and its place, to what they are stored as.
    """
    found, begin = [], 0
    for part, matrix in zip(products.split(cells.flatten(1)), products.parts, strict=True):
        found.append(_part(part.clone(), matrix, nearest, begin))
        begin += matrix.shape[-1]
    return torch.cat(found, 2).reshape(cells.shape)


def _part(rows: Tensor, hessian: Tensor, nearest: Callable[[Tensor, int], Tensor], first: int) -> Tensor:
    """`rows` [groups, outputs, columns] rounded; `first` is the place of their first column."""
    groups, size = hessian.shape[:2]
    order = hessian.diagonal(dim1=1, dim2=2).sum(0).argsort(descending=True, stable=True)
    root = inverse_root(hessian[:, order][:, :, order])
    rows = rows[:, :, order]
    places = (order + first).tolist()
    for begin in range(0, size, _BLOCK):
        end = min(begin + _BLOCK, size)
        errors = torch.empty(groups, rows.shape[1], end - begin)
        for column in range(begin, end):
            values = rows[:, :, column]
            found = nearest(values.reshape(-1), places[column]).reshape(values.shape)
            error = (values - found) / root[:, column, column, None]
            rows[:, :, column] = found
            if column + 1 < end:
                rows[:, :, column + 1 : end] -= error[..., None] * root[:, column, None, column + 1 : end]
            errors[:, :, column - begin] = error
        if end < size:
            rows[:, :, end:] -= errors @ root[:, begin:end, end:]
    restored = torch.empty_like(rows)
    restored[:, :, order] = rows
    return restored
