"""Op functions leave their inputs alone and can be vectorized (torch.func.vmap) and traced (torch.export)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from tinyml.coreml import ops  # noqa: F401  registers every op
from tinyml.coreml.ops.registry import definitions, find

X = torch.linspace(-1.9, 2.1, 2 * 3 * 6 * 5).reshape(2, 3, 6, 5)
VECTOR = torch.tensor([0.5, 1.0, 2.0])
COUNTS = torch.arange(-6, 6, dtype=torch.int32).reshape(3, 4)
SEQUENCE = torch.linspace(-1, 1, 4 * 2 * 3).reshape(4, 2, 3)


def weight(*shape: int) -> Tensor:
    return torch.sin(torch.arange(float(torch.Size(shape).numel()))).reshape(shape)


CASES: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "clamped_relu": ((X, 0.1, 1.0), {}),
    "elu": ((X, 0.1), {}),
    "gelu": ((X,), {}),
    "leaky_relu": ((X, 0.1), {}),
    "linear_activation": ((X, 0.1, 1.0), {}),
    "prelu": ((X, VECTOR), {}),
    "scaled_tanh": ((X, 0.1, 1.0), {}),
    "sigmoid_hard": ((X, 0.1, 1.0), {}),
    "softmax": ((X, 1), {}),
    "softplus_parametric": ((X, VECTOR, VECTOR), {}),
    "thresholded_relu": ((X, 0.1), {}),
    "conv": ((X, weight(4, 3, 2, 3)), {"pad_type": "same", "strides": (2, 1)}),
    "conv_quantized": (
        (X, torch.arange(48, dtype=torch.uint8).reshape(4, 3, 2, 2)),
        {"quantization_type": "linear", "quant_scale": weight(4), "quant_bias": weight(4)},
    ),
    "conv_transpose": ((X, weight(3, 2, 2, 3)), {"pad_type": "custom", "pad": (0, 1, 1, 0), "strides": (2, 1)}),
    "max_pool": ((X, (3, 3), "custom"), {"pad": (1, 1, 1, 1), "strides": (2, 2), "ceil_mode": True}),
    "avg_pool": ((X, (2, 2), "same"), {"exclude_padding_from_average": True}),
    "l2_pool": ((X, (2, 2), "same_lower"), {}),
    "linear": ((X, weight(2, 5), weight(2)), {}),
    "matmul": ((X, X), {"transpose_y": True}),
    "einsum": (((X, X.permute(0, 3, 2, 1)), "nchw,nwhu->nchu"), {}),
    "batch_norm": ((X, VECTOR, VECTOR, VECTOR, VECTOR), {}),
    "instance_norm": ((X, VECTOR, VECTOR), {}),
    "l2_norm": ((X,), {}),
    "layer_norm": ((X, (1, 3), weight(3, 5), weight(3, 5)), {}),
    "local_response_norm": ((X, 3), {}),
    "rnn": ((SEQUENCE, weight(2, 4), weight(4, 3), weight(4, 4), weight(4)), {"output_sequence": True}),
    "gru": (
        (SEQUENCE, weight(2, 4), weight(12, 3), weight(12, 4), weight(12)),
        {"input_bias": weight(12), "reset_after": True},
    ),
    "lstm": (
        (SEQUENCE, weight(2, 4), weight(2, 4), weight(16, 3), weight(16, 4), weight(16), weight(12)),
        {"direction": "reverse", "output_sequence": True, "clip": 0.5},
    ),
    "scaled_dot_product_attention": ((X, X, X, weight(6, 6)), {}),
    "quantize": ((X, VECTOR, "int8", torch.tensor([1, 0, -1], dtype=torch.int8), 1), {}),
    "dequantize": ((COUNTS.to(torch.int8), VECTOR, None, 0), {}),
    "cast": ((X, "int32"), {}),
    "clip": ((X, -0.5, 0.5), {}),
    "threshold": ((COUNTS, torch.tensor(2, dtype=torch.int32)), {}),
    "logical_not": ((X > 0,), {}),
    "exp2": ((COUNTS,), {}),
    **{name: ((COUNTS, COUNTS.flip(0)), {}) for name in ("floor_div", "mod", "pow", "real_div", "equal", "maximum")},
    **{name: ((X > 0, X > 1), {}) for name in ("logical_and", "logical_or", "logical_xor")},
}
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
