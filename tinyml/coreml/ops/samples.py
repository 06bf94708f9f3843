"""Where the samples of a batch lie in an op's results, and the rules that several ops share.

A program for one sample computes many at once where each op keeps them apart. An op says so by its rule
(`@op("softmax", samples=along("axis"))`), which gets an `Arguments` of which at least one tensor has samples, and
returns the dimension of each result along which they lie, or raises MixedSamplesError. Sizes are those for one sample,
so that the dimension of the samples has size 1 in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Axis = int | None
"""A dimension of a value; None: the value is the same for all samples."""


class MixedSamplesError(Exception):
    """An op that no rule says to keep its samples apart."""


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A tensor: its shape for one sample, and where its samples lie."""

    shape: tuple[int, ...]
    axis: Axis


@dataclass(kw_only=True)
class Arguments:
    """What a rule sees of an op, by the op's own names, and what it may change for many samples."""

    tensors: Mapping[str, tuple[Placed, ...]]
    """Each argument that is a tensor, or several."""
    constants: Mapping[str, Any]
    """The value of each other argument."""
    results: tuple[tuple[int, ...], ...]
    """The declared shapes."""
    function: Callable[..., Any]
    changes: dict[str, Any] = field(default_factory=dict)
    """Arguments that take another value when there are many samples."""
    replacement: Callable[..., Any] | None = None
    """What to call instead of `function` then."""

    @property
    def all_tensors(self) -> list[Placed]:
        """The tensors of all arguments."""
        return [tensor for tensors in self.tensors.values() for tensor in tensors]

    def axis(self, name: str) -> Axis:
        """Where the samples of tensor `name` lie."""
        return self.tensors[name][0].axis if name in self.tensors else None

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of tensor `name` for one sample."""
        return self.tensors[name][0].shape

    def only(self, name: str) -> int:
        """Where the samples of `name` lie, the one tensor that has any."""
        others = [tensor for other, tensors in self.tensors.items() if other != name for tensor in tensors]
        axis = self.axis(name)
        if axis is None or any(tensor.axis is not None for tensor in others):
            raise MixedSamplesError
        return axis


Rule = Callable[[Arguments], tuple[Axis, ...]]


def broadcast(given: Arguments) -> tuple[Axis, ...]:
    """Elementwise: shapes are aligned at their ends, so the samples must be as far from the end everywhere."""
    return (max(len(tensor.shape) for tensor in given.all_tensors) + common_from_end(given.all_tensors),)


def by_image(given: Arguments) -> tuple[Axis, ...]:
    """Ops on x [n, C, *D] that treat each of n by itself."""
    if given.only("x") != 0 or len(given.shape("x")) < 3:
        raise MixedSamplesError
    return (0,) * len(given.results)


def along(name: str, *, removes: bool = False) -> Rule:
    """Ops that work along the dimensions `name` of x (None: all), and keep the others.

    `removes`: those dimensions are gone in the result, unless the op's `keep_dims` says otherwise.
    """

    def rule(given: Arguments) -> tuple[Axis, ...]:
        axis, rank, worked = given.only("x"), len(given.shape("x")), given.constants[name]
        if worked is None:
            raise MixedSamplesError
        axes = worked if isinstance(worked, tuple) else (worked,)
        if axis in {each % rank for each in axes}:
            raise MixedSamplesError
        if not removes or given.constants["keep_dims"]:
            return (axis,) * len(given.results)
        return (without(axis, axes, rank),)

    return rule


def common_from_end(tensors: Iterable[Placed]) -> int:
    """The dimension of the samples, negative, the same for all tensors that have them; the others are of size 1."""
    tensors = list(tensors)
    found = {tensor.axis - len(tensor.shape) for tensor in tensors if tensor.axis is not None}
    if len(found) != 1:
        raise MixedSamplesError
    (from_end,) = found
    for tensor in tensors:
        if tensor.axis is None and len(tensor.shape) >= -from_end and tensor.shape[from_end] != 1:
            raise MixedSamplesError
    return from_end


def without(axis: int, removed: Iterable[int], rank: int) -> int:
    """Where dimension `axis` of `rank` lies once those `removed` are gone."""
    return axis - sum(each % rank < axis for each in removed)
