"""A weight as cells: output channels, input channels, and the positions of a kernel."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..weights import Weight
from .forms import Values


def cells_of(values: Values, weight: Weight) -> Tensor:
    """`values` as float32 [outputs, inputs, positions]."""
    moved = np.moveaxis(values, (weight.output_axis, weight.input_axis), (0, 1))
    return torch.from_numpy(np.array(moved, np.float32, order="C")).reshape(*moved.shape[:2], -1)


def restored(cells: Tensor, weight: Weight) -> np.ndarray:
    """[outputs, inputs, positions] in the weight's own shape."""
    shape = np.moveaxis(np.empty(weight.shape, np.bool_), (weight.output_axis, weight.input_axis), (0, 1)).shape
    moved = cells.numpy().reshape(shape)
    return np.ascontiguousarray(np.moveaxis(moved, (0, 1), (weight.output_axis, weight.input_axis)))


def blocks_restored(blocks: Tensor, weight: Weight) -> np.ndarray:
    """What stands for blocks of output and input channels, [outputs, inputs, ...], with the weight's rank of axes."""
    extra = blocks.dim() - 2
    shape = [1] * len(weight.shape)
    shape[weight.output_axis], shape[weight.input_axis] = blocks.shape[0], blocks.shape[1]
    array = blocks.numpy()
    if weight.input_axis < weight.output_axis:
        array = np.swapaxes(array, 0, 1)
    return np.ascontiguousarray(array.reshape(*shape, *blocks.shape[2:])) if extra else array.reshape(shape)
