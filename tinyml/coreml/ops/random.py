"""Random tensors; a `seed` of 0 or more gives the same values at every call, none draws from the model's generator.

The values are not Core ML's: nobody publishes its generators. Shapes, types, bounds and distributions are.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from tinyml.errors import PackageError

from ..program.limits import check_size
from .context import OpContext
from .registry import op


def _generator(context: OpContext, seed: int, shape: Iterable[int]) -> torch.Generator | None:
    check_size(f"op {context.name!r}", shape)
    return context.generator if seed < 0 else torch.Generator().manual_seed(seed)


@op("random_bernoulli", exact=True, folds=False, random=True)
def random_bernoulli(context: OpContext, shape: tuple[int, ...], prob: float = 0.5, seed: int = -1) -> Tensor:
    """1 with probability `prob`, else 0."""
    return (torch.rand(shape, generator=_generator(context, seed, shape)) < prob).to(torch.float32)


@op("random_categorical", folds=False, random=True)
def random_categorical(context: OpContext, x: Tensor, mode: str = "logits", size: int = 1, seed: int = -1) -> Tensor:
    """Class indices (of a float type) [*D, size], drawn with replacement by the logits or probabilities x [*D, C].

    Raises:
        PackageError: an unknown `mode`.
    """
    if mode not in ("logits", "probs"):
        raise PackageError("unknown mode of random_categorical", value=mode, allowed="logits, probs")
    weights = torch.softmax(x.to(torch.float32), -1) if mode == "logits" else x
    generator = _generator(context, seed, (*x.shape[:-1], size))
    drawn = torch.multinomial(weights.reshape(-1, x.shape[-1]), size, replacement=True, generator=generator)
    return drawn.reshape(*x.shape[:-1], size).to(torch.float32)


@op("random_normal", folds=False, random=True)
def random_normal(
    context: OpContext, shape: tuple[int, ...], mean: float = 0.0, stddev: float = 1.0, seed: int = -1
) -> Tensor:
    """Values of a normal distribution."""
    return torch.randn(shape, generator=_generator(context, seed, shape)) * stddev + mean


@op("random_uniform", folds=False, random=True)
def random_uniform(
    context: OpContext, shape: tuple[int, ...], low: float = 0.0, high: float = 1.0, seed: int = -1
) -> Tensor:
    """Values evenly spread over `[low, high)`; `low` alone where both are equal."""
    values = torch.rand(shape, generator=_generator(context, seed, shape)) * (high - low) + low
    if context.outputs and context.outputs[0].dtype == "fp16":
        values = values.to(torch.float16).to(torch.float32)
    # Rounding reaches `high` now and then, which the interval excludes.
    return torch.where(values < high, values, low)
