"""Op functions leave their inputs alone and can be vectorized (torch.func.vmap) and traced (torch.export)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from tinyml.coreml import ops  # noqa: F401  registers every op
from tinyml.coreml.ops.registry import definitions, find

from .cases import LAYERS as CASES
from .cases import X, weight

FAMILIES = {
    "activation", "attention", "conv", "elementwise_binary", "elementwise_unary", "linear", "normalization", "pool",
    "quantization", "recurrent", "reduction",
}  # fmt: skip


def _cases() -> dict[str, tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]]:
    """A case of each op of these families: its own, or its family's."""
    found = {}
    for definition in definitions():
        if definition.family not in FAMILIES:
            continue
        binary = definition.family == "elementwise_binary"
        args, kwargs = CASES.get(definition.name, ((X, X.flip(0)) if binary else (X,), {}))
        if definition.name == "gru" and definition.since == "iOS15":
            kwargs = {}
        found[f"{definition.name}-{definition.since}"] = (definition.function, args, kwargs)
    return found


ALL = _cases()


def _is_fresh(case: str) -> bool:
    name, _, opset = case.rpartition("-")
    definition = find(name, opset)
    return definition is not None and definition.fresh


def _tuple(value: Any) -> tuple[Tensor, ...]:
    return value if isinstance(value, tuple) else (value,)


def _of_the_first(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[[Tensor], Any]:
    """`function` of its first tensor alone."""
    if isinstance(args[0], tuple):
        return lambda x: function((x, *args[0][1:]), *args[1:], **kwargs)
    return lambda x: function(x, *args[1:], **kwargs)


def alone(case: str) -> tuple[Callable[[Tensor], Any], Tensor]:
    """The op of `case` as a function of its first tensor alone, and that tensor."""
    function, args, kwargs = ALL[case]
    return _of_the_first(function, args, kwargs), args[0][0] if isinstance(args[0], tuple) else args[0]


@pytest.mark.parametrize("case", ALL)
def test_inputs_are_not_modified(case: str) -> None:
    function, args, kwargs = ALL[case]
    tensors = [t for arg in args for t in (arg if isinstance(arg, tuple) else (arg,)) if isinstance(t, Tensor)]
    before = [t.clone() for t in tensors]
    with torch.no_grad():
        results = _tuple(function(*args, **kwargs))
    assert all(torch.equal(a, b) for a, b in zip(before, tensors, strict=True))
    assert all(isinstance(value, Tensor) for value in results)


@pytest.mark.parametrize("case", [case for case in ALL if _is_fresh(case)])
def test_fresh_results_share_no_memory_with_an_input(case: str) -> None:
    function, args, kwargs = ALL[case]
    tensors = [t for arg in args for t in (arg if isinstance(arg, tuple) else (arg,)) if isinstance(t, Tensor)]
    # Also inputs that leave nothing to do, for which an op might return its input.
    ones = [t.new_ones(t.shape) for t in tensors]
    for given in (tensors, ones):
        kept = iter(given)
        own = [next(kept) if isinstance(arg, Tensor) else arg for arg in args]
        with torch.no_grad():
            results = _tuple(function(*own, **kwargs))
        memory = {t.untyped_storage().data_ptr() for t in given}
        assert all(value.untyped_storage().data_ptr() not in memory for value in results)


@pytest.mark.parametrize("case", ALL)
def test_vectorized_calls_equal_single_ones(case: str) -> None:
    call, first = alone(case)
    batch = torch.stack([first, first.flip(0), first.flip(-1)])
    with torch.no_grad():
        together = _tuple(torch.func.vmap(call)(batch))
        single = [_tuple(call(x)) for x in batch]
    for index, values in enumerate(together):
        expected = torch.stack([each[index] for each in single])
        assert values.dtype == expected.dtype
        # the same sums in another order
        torch.testing.assert_close(values, expected, rtol=1e-5, atol=1e-5, equal_nan=True)


class _Module(torch.nn.Module):
    def __init__(self, call: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.call = call

    def forward(self, x: Tensor) -> Any:
        return self.call(x)


@pytest.mark.parametrize("case", ALL)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_functions_can_be_exported(case: str) -> None:
    call, first = alone(case)
    with torch.no_grad():
        program = torch.export.export(_Module(call), (first,))
        for ours, theirs in zip(_tuple(call(first)), _tuple(program.module()(first)), strict=True):
            torch.testing.assert_close(ours, theirs, equal_nan=True)


def test_shapes_may_stay_open() -> None:
    conv, pool = find("conv", "iOS16"), find("avg_pool", "iOS16")
    assert conv is not None
    assert pool is not None

    def net(x: Tensor) -> Tensor:
        y: Tensor = conv.function(x, weight(4, 3, 2, 3), pad_type="same", strides=(2, 1))
        result: Tensor = pool.function(y, (3, 3), "custom", (2, 2), (1, 1, 1, 1), True, True)
        return result

    size = torch.export.Dim("size", min=4, max=64)
    batch = torch.export.Dim("batch", max=64)
    with torch.no_grad():
        program = torch.export.export(_Module(net), (X,), dynamic_shapes=({0: batch, 3: size},))
        other = torch.cos(torch.arange(3 * 3 * 6 * 9.0)).reshape(3, 3, 6, 9)
        torch.testing.assert_close(program.module()(other), net(other))
