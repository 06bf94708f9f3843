"""A layer with weights in its fastest form on this machine: as it stands, or with weights ordered for the input's size.

No form is the faster one everywhere, so both are timed when an input of a new shape comes first. The outcome holds for
the process: layers of one geometry compute alike, and two models of the same package agree to the last bit.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor

Kernel = Callable[[Tensor], Tensor]

MARGIN = 1.1
"""The ordered form stays unless it takes so many times as long: nobody notices less, and timing is no exact science."""

LONG_NS = 5_000_000
"""Of what takes longer, a first call is not noticeably slower than those after it."""

ROUNDS = 3
"""How often both forms are timed where the first look speaks against the ordered one; the least time counts."""

MAX_SHAPES = 4
"""For so many input shapes a layer keeps its kernel; the oldest goes."""

MAX_OUTCOMES = 2**14
"""So many outcomes are remembered."""

_outcomes: dict[tuple[object, ...], bool] = {}
"""By geometry, input shape and threads: whether the ordered form is taken."""


class Faster:
    """A kernel that picks one of two forms by measuring, for each shape of its input.

    Weights are kept in the forms that are in use; either is made of the other again.
    """

    def __init__(
        self,
        weight: Tensor,
        *,
        geometry: tuple[object, ...],
        check: Callable[[Tensor], None],
        simple: Callable[[Tensor], Kernel],
        order: Callable[[Tensor, torch.Size], Tensor],
        prepared: Callable[[Tensor], Kernel],
    ) -> None:
        """Keeps what makes both forms.

        Args:
            weight: of float32, as it stands.
            geometry: whatever but the input's shape the time depends on.
            check: raises ValueError where an input does not suit.
            simple: the kernel of a weight as it stands.
            order: the weight in oneDNN's order for inputs of a shape.
            prepared: the kernel of a weight in that order.
        """
        self._weight = weight
        self._geometry, self._check = geometry, check
        self._simple, self._order, self._prepared = simple, order, prepared
        self._kernels: dict[torch.Size, Kernel] = {}

    def __call__(self, x: Tensor) -> Tensor:
        """The layer of `x`; ValueError where that does not suit."""
        kernel = self._kernels.get(x.shape)
        if kernel is None:
            self._check(x)
            kernel = self._choose(x)
        return kernel(x)

    def _choose(self, x: Tensor) -> Kernel:
        weight = self._weight.to_dense() if self._weight.is_mkldnn else self._weight
        simple = self._simple(weight)
        if x.numel() == 0:
            return simple
        # torch refuses what oneDNN would end the process for, so its own kernel goes first.
        key = (*self._geometry, tuple(x.shape), torch.get_num_threads())
        first = _time(simple, x) if key not in _outcomes else 0
        with torch.no_grad():
            ordered = self._order(weight, x.shape)
        prepared = self._prepared(ordered)
        if key not in _outcomes:
            if len(_outcomes) >= MAX_OUTCOMES:
                _outcomes.clear()
            _outcomes[key] = prepared_is_faster(simple, prepared, x, first)
        kernel, self._weight = (prepared, ordered) if _outcomes[key] else (simple, weight)
        if len(self._kernels) >= MAX_SHAPES:
            del self._kernels[next(iter(self._kernels))]
        self._kernels[x.shape] = kernel
        return kernel


def prepared_is_faster(simple: Kernel, prepared: Kernel, x: Tensor, first_ns: int) -> bool:
    """Whether `prepared` takes no longer than `simple`, or hardly longer; `first_ns` is a time of `simple`."""
    least, other = first_ns, _time(prepared, x)
    for _ in range(ROUNDS):
        if other <= least:
            return True
        least, other = min(least, _time(simple, x)), min(other, _time(prepared, x))
    return other <= MARGIN * least


def _time(kernel: Kernel, x: Tensor) -> int:
    """Nanoseconds of one call, not of the first one, which makes oneDNN's code, where that would count."""
    for _ in range(2):
        began = time.perf_counter_ns()
        kernel(x)
        taken = time.perf_counter_ns() - began
        if taken > LONG_NS:
            break
    return taken
