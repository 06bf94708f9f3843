"""Normalization over a batch's statistics, an instance, a layer, a vector or neighboring channels."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .faster import Kernel
from .registry import op
from .samples import Arguments, Axis, MixedSamplesError, along, by_image


def _folded_norm(mean: Tensor, variance: Tensor, gamma: Tensor | None, beta: Tensor | None, epsilon: float) -> Kernel:
    """One multiplication and addition; torch.func.vmap would take three passes over the values."""
    scale = torch.rsqrt(variance.detach().double() + epsilon)
    if gamma is not None:
        scale = scale * gamma.detach().double()
    shift = -mean.detach().double() * scale
    if beta is not None:
        shift = shift + beta.detach().double()
    factor, offset = scale.float(), shift.float()

    def norm(x: Tensor) -> Tensor:
        if x.dim() < 2 or x.shape[1] != len(factor):
            raise ValueError(f"an input of shape {list(x.shape)} for {len(factor)} channels")
        shape = (-1, *[1] * (x.dim() - 2))
        return torch.addcmul(offset.reshape(shape), x, factor.reshape(shape))

    return norm


@op("batch_norm", fresh=True, samples=by_image, measured=("mean", "variance"), specialized=_folded_norm)
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


@op("instance_norm", fresh=True, samples=by_image)
def instance_norm(x: Tensor, gamma: Tensor | None = None, beta: Tensor | None = None, epsilon: float = 1e-5) -> Tensor:
    """As `batch_norm`, with the mean and the variance of each image and channel; x [n, C, *D]."""
    return torch.instance_norm(x, gamma, beta, None, None, True, 0.0, epsilon, False)


def _l2_norm_samples(given: Arguments) -> tuple[Axis, ...]:
    if len(given.shape("x")) < 4:
        raise MixedSamplesError
    return by_image(given)


@op("l2_norm", samples=_l2_norm_samples)
def l2_norm(x: Tensor, epsilon: float = 1e-6) -> Tensor:
    """`x / sqrt(sum(x^2) + epsilon)` with the sum over the last three dimensions."""
    return x / torch.sqrt(torch.sum(x * x, (-3, -2, -1), keepdim=True) + epsilon)


@op("layer_norm", fresh=True, samples=along("axes"))
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


@op("local_response_norm", samples=by_image)
def local_response_norm(x: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """`x / (k + alpha / size * sum(x^2))^beta` with the sum over `size` neighboring channels; x [n, C, *D]."""
    return functional.local_response_norm(x, size, alpha, beta, k)
