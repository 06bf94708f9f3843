"""Normalization over a batch's statistics, an instance, a layer, a vector or neighbouring channels."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .registry import op


@op("batch_norm", fresh=True)
def batch_norm(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    epsilon: float = 1e-5,
) -> Tensor:
    """`gamma * (x - mean) / sqrt(variance + epsilon) + beta` by channel; x [n, C, *D], the others [C]."""
    return torch.batch_norm(x, gamma, beta, mean, variance, False, 0.0, epsilon, False)


@op("instance_norm", fresh=True)
def instance_norm(x: Tensor, gamma: Tensor | None = None, beta: Tensor | None = None, epsilon: float = 1e-5) -> Tensor:
    """As `batch_norm`, with the mean and the variance of each image and channel; x [n, C, *D]."""
    return torch.instance_norm(x, gamma, beta, None, None, True, 0.0, epsilon, False)


@op("l2_norm")
def l2_norm(x: Tensor, epsilon: float = 1e-6) -> Tensor:
    """`x / sqrt(sum(x^2) + epsilon)` with the sum over the last three dimensions."""
    return x / torch.sqrt(torch.sum(x * x, (-3, -2, -1), keepdim=True) + epsilon)


@op("layer_norm", fresh=True)
def layer_norm(
    x: Tensor,
    axes: tuple[int, ...] | None = None,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    epsilon: float = 1e-5,
) -> Tensor:
    """`gamma * (x - mean) / sqrt(variance + epsilon) + beta` over `axes` (all of them by default).

    `gamma` and `beta` have the sizes of the normalized dimensions, in the order of `x`.
    """
    rank = x.dim()
    over = range(rank) if axes is None else sorted(axis % rank for axis in axes)
    first = rank - len(over)
    if list(over) == list(range(first, rank)):
        return torch.layer_norm(x, x.shape[first:], gamma, beta, epsilon)
    dims = list(over)
    shape = [x.shape[d] if d in dims else 1 for d in range(rank)]
    variance, mean = torch.var_mean(x, dims, correction=0, keepdim=True)
    result = (x - mean) * torch.rsqrt(variance + epsilon)
    if gamma is not None:
        result = result * gamma.reshape(shape)
    return result if beta is None else result + beta.reshape(shape)


@op("local_response_norm")
def local_response_norm(x: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """`x / (k + alpha / size * sum(x^2))^beta` with the sum over `size` neighbouring channels; x [n, C, *D]."""
    return functional.local_response_norm(x, size, alpha, beta, k)
