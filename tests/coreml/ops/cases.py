"""The cases of each op: how it is traced, and where it keeps samples apart and where it would mix them.

Keys are op names, with a remark behind a blank where an op has several; `test_cases.py` compares them with the
registry.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from tinyml.coreml import ops  # noqa: F401  registers every op
from tinyml.coreml.ops.context import OpContext
from tinyml.coreml.ops.registry import definitions, find
from tinyml.coreml.program.types import ValueType

Call = Callable[[Any], Any]
FLOATS = ValueType(dtype="fp32", shape=(None,))

X = torch.linspace(-1.9, 2.1, 2 * 3 * 6 * 5).reshape(2, 3, 6, 5)
VECTOR = torch.tensor([0.5, 1.0, 2.0])
COUNTS = torch.arange(-6, 6, dtype=torch.int32).reshape(3, 4)
SEQUENCE = torch.linspace(-1, 1, 4 * 2 * 3).reshape(4, 2, 3)


def weight(*shape: int) -> Tensor:
    return torch.sin(torch.arange(float(torch.Size(shape).numel()))).reshape(shape)


LAYERS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
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


def _op(name: str, *arguments: Any, opset: str = "iOS18", **attributes: Any) -> Call:
    """The op with everything settled but its first input."""
    definition = find(name, opset)
    assert definition is not None
    return lambda x: definition.function(x, *arguments, **attributes)


_INDICES = torch.tensor([[0], [1]])
_BOXES = torch.tensor([[0.1, 0.2, 0.9, 0.7], [0.5, 0.1, 0.6, 1.0]])
_PLACES = torch.linspace(-1, 1, 36).reshape(2, 3, 3, 2)

TENSORS: dict[str, Call] = {
    "gather": _op("gather", torch.tensor([0, 1]), 1),
    "gather batched": _op("gather", _INDICES, 2, 1),
    "gather_along_axis": _op("gather_along_axis", torch.zeros((2, 4, 6, 1), dtype=torch.int32), 3),
    "gather_nd": _op("gather_nd", torch.tensor([[0, 1], [1, 0]])),
    "gather_nd batched": _op("gather_nd", torch.tensor([[0, 1], [1, 0]]), 1),
    "scatter": _op("scatter", torch.tensor([0]), torch.ones(2, 1, 6, 6), 1, "max"),
    "scatter from the end": _op("scatter", torch.tensor([-1]), torch.ones(2, 1, 6, 6), 1, "mul", opset="iOS15"),
    "scatter into a constant": lambda x: _op("scatter_nd", torch.tensor([[2], [0]]), x)(torch.zeros(3, 4, 6, 6)),
    "scatter_along_axis": _op(
        "scatter_along_axis", torch.ones((2, 4, 6, 1), dtype=torch.int32), torch.ones(2, 4, 6, 1), 3, "div"
    ),
    "non_maximum_suppression": lambda x: _op("non_maximum_suppression", x[:, 0], 0.3, 3)(x[:, 1, :4] + 1),
    "topk": _op("topk", 3, 1),
    "argsort": _op("argsort"),
    "one_hot": lambda x: _op("one_hot", 4)((4 * x).to(torch.int32)),
    "pad": _op("pad", (1, 0, 2, 1)),
    "pad reflect": _op("pad", (1, 0, 2, 1), "reflect"),
    "band_part": _op("band_part", 1, 2),
    "cumsum": _op("cumsum", 1, True, True),
    "shape": _op("shape"),
    "fill_like": _op("fill_like", torch.tensor(2)),
    "concat": lambda x: _op("concat", 1, True)((x, x)),
    "split": _op("split", 1, 2),
    "stack": lambda x: _op("stack", -1)((x, x)),
    "tile": _op("tile", (1, 2, 1, 1)),
    "flatten2d": _op("flatten2d", 2),
    "slice_by_index": _op(
        "slice_by_index", (0, 3, 1, 0), (2, 0, 4, 0), (1, -1, 2, 1), end_mask=(False, True, False, True)
    ),
    "slice_by_size": _op("slice_by_size", (0, -2, 1, 0), (1, -1, 4, 3)),
    "slice_update": lambda x: _op("slice_update", x[:, :2], (0, 2, 0, 0), (2, 0, 6, 6), (1, -1, 1, 1))(
        torch.zeros(2, 4, 6, 6)
    ),
    "sliding_windows": _op("sliding_windows", 1, 2),
    "depth_to_space": _op("depth_to_space", 2),
    "space_to_depth": _op("space_to_depth", 2),
    "space_to_batch": _op("space_to_batch", (2, 2), (0, 0, 1, 1)),
    "batch_to_space": _op("batch_to_space", (1, 2), (0, 0, 1, 0)),
    "reshape": _op("reshape", (0, -1, 6)),
    "reverse_sequence": _op("reverse_sequence", torch.tensor([1, 2]), 1, 0),
    "resize": _op("resize", (0, 5, 7), 3, "NEAREST_NEIGHBOR"),
    "resize_bilinear": _op("resize_bilinear", 5, 9, "OFFSET_CORNERS"),
    "upsample_bilinear": _op("upsample_bilinear", 2, 2, False),
    "crop": _op("crop", (1, 1), (0, 1)),
    "crop_resize": _op("crop_resize", _BOXES, None, 3, 3, True),
    "crop_resize of all": _op("crop_resize", _BOXES.reshape(2, 1, 4, 1, 1), 3, 3, True, opset="iOS15"),
    "resample": _op("resample", _PLACES, "bilinear", "symmetric", 0.0, "normalized_minus_one_to_one", False),
    "affine": _op(
        "affine", _BOXES.reshape(-1)[:6][None], 3, 3, "bilinear", "constant", 0.0, "normalized_minus_one_to_one", True
    ),
    "expand_dims": _op("expand_dims", (1, -1)),
    "fill": lambda x: x + _op("fill", torch.tensor(2.0))((2, 4, 1, 6)),
    "identity": lambda x: _op("identity")(x) + 1,
    "pixel_shuffle": _op("pixel_shuffle", 2),
    "pixel_unshuffle": _op("pixel_unshuffle", 2),
    "range_1d": lambda x: x + _op("range_1d", 0, 1, OpContext(name="op", opset="iOS18", outputs=(FLOATS,)))(6),
    "reshape_like": lambda x: _op("reshape_like", (x[0, :2, :, 0], x[0, :1, 0, 0]), (0, 0), (2, 1), (False, False))(
        x[:, :3, :2, 0]
    ),
    "resize_nearest_neighbor": _op("resize_nearest_neighbor", 3, 9),
    "reverse": _op("reverse", (1, 3)),
    "select": lambda x: _op("select", x, -x)(x > 0.5),
    "squeeze": lambda x: _op("squeeze", (1,))(x[:, :1]),
    "transpose": _op("transpose", (2, 0, 3, 1)),
    "upsample_nearest_neighbor": _op("upsample_nearest_neighbor", 2, 3),
}


@dataclass(frozen=True, kw_only=True)
class Sampled:
    """A call of an op of one sample: `mixed` are the dimensions of samples, by input, that its rule refuses."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    mixed: dict[str, int]
    every: bool = False
    """Whether all of its tensors have samples, instead of the first one."""


SAMPLED: dict[str, Sampled] = {}
"""Each op with a rule; its first tensor is [1, ...] and has its samples in that dimension."""

_ONE = X[:1]
for _definition in definitions():
    _name = _definition.name
    if _definition.samples is None:
        continue
    _args, _kwargs = LAYERS.get(_name, ((X,), {}))
    _first = _args[0]
    if _definition.family == "elementwise_binary":
        _args, _kwargs = LAYERS.get(_name, ((X, X.flip(0)), {}))
        _x, _y = (value[:1] for value in _args)
        SAMPLED[_name] = Sampled(args=(_x, _y), mixed={"x": 0, "y": 1})
    elif _definition.family in ("activation", "elementwise_unary", "conv", "pool", "normalization"):
        # An op of one tensor, element by element, mixes none; its rule still answers for tensors with samples only.
        _place: dict[str, int] = {} if _definition.samples.__name__ == "broadcast" else {"x": 1}
        SAMPLED[_name] = Sampled(args=(_first[:1], *_args[1:]), kwargs=_kwargs, mixed=_place)
    elif _definition.family == "reduction":
        _kwargs = {"axis": 1} if _name in ("reduce_argmax", "reduce_argmin") else {"axes": (1, -1)}
        SAMPLED[_name] = Sampled(args=(_ONE.abs(),), kwargs=_kwargs, mixed={"x": 1})

_PAIR = (X[:1, :1], X[:1, :1] + 1)
SAMPLED |= {
    "softmax": Sampled(args=(_ONE, 1), mixed={"x": 1}),
    "layer_norm": Sampled(args=(_ONE, (2, 3)), mixed={"x": 2}),
    "l2_norm": Sampled(args=(_ONE,), mixed={"x": 1}),
    "select": Sampled(args=(_ONE > 0, _ONE, -_ONE), mixed={"cond": 0, "a": 1}),
    "identity": Sampled(args=(_ONE,), mixed={}),
    "linear": Sampled(args=(_ONE, weight(2, 5), weight(2)), mixed={"x": 3}),
    "matmul": Sampled(args=(_ONE, _ONE), kwargs={"transpose_y": True}, mixed={"x": 0, "y": 2}),
    "einsum": Sampled(args=((_ONE, X[0, 0]), "nchw,hw->nc"), mixed={"values": 2}),
    "scaled_dot_product_attention": Sampled(
        args=(_ONE, _ONE, _ONE), mixed={"query": 0, "key": 0, "value": 2}, every=True
    ),
    "quantize": Sampled(args=(_ONE, VECTOR, "int8", None, 1), mixed={"input": 1}),
    "dequantize": Sampled(args=(COUNTS.to(torch.int8)[None], VECTOR, None, 1), mixed={"input": 1}),
    "split": Sampled(args=(X[:1, :2], 1, 2), mixed={"x": 1}),
    "argsort": Sampled(args=(_ONE, 3), mixed={"x": 3}),
    "topk": Sampled(args=(_ONE, 2, 3), mixed={"x": 3}),
    "cumsum": Sampled(args=(_ONE, 2), mixed={"x": 2}),
    "reverse": Sampled(args=(_ONE, (1, 3)), mixed={"x": 1}),
    "flatten2d": Sampled(args=(_ONE, 1), mixed={"x": 1}),
    "concat": Sampled(args=(_PAIR, 1), mixed={"values": 1}),
    "stack": Sampled(args=(_PAIR, 1), mixed={"values": 0}, every=True),
    "reshape": Sampled(args=(_ONE, (1, 18, 5)), mixed={"x": 3}),
    "transpose": Sampled(args=(_ONE, (1, 0, 3, 2)), mixed={}),
    "expand_dims": Sampled(args=(_ONE, (1,)), mixed={}),
    "squeeze": Sampled(args=(X[:1, :1], (1,)), mixed={"x": 1}),
    "slice_by_index": Sampled(args=(_ONE, (0, 0, 1, 0), (1, 2, 4, 5)), mixed={"x": 2}),
    "slice_by_size": Sampled(args=(_ONE, (0, 1, 0, 0), (1, 2, -1, 4)), mixed={"x": 1}),
    "pad": Sampled(args=(_ONE, (1, 0, 2, 1)), mixed={"x": 2}),
    "tile": Sampled(args=(_ONE, (1, 2, 1, 1)), mixed={"x": 1}),
    "gather": Sampled(args=(_ONE, torch.tensor([2, 0])), kwargs={"axis": 1}, mixed={"x": 1}),
    "upsample_nearest_neighbor": Sampled(args=(_ONE, 2, 3), mixed={"x": 1}),
    "resize_nearest_neighbor": Sampled(args=(_ONE, 3, 9), mixed={"x": 1}),
    "upsample_bilinear": Sampled(args=(_ONE, 2, 2, False), mixed={"x": 1}),
    "resize_bilinear": Sampled(args=(_ONE, 5, 9), mixed={"x": 1}),
    "resize": Sampled(args=(_ONE, (5, 7), 2), mixed={"x": 1}),
    "crop": Sampled(args=(_ONE, (1, 1), (0, 1)), mixed={"x": 1}),
    "depth_to_space": Sampled(args=(weight(1, 4, 2, 2), 2), mixed={"x": 1}),
    "space_to_depth": Sampled(args=(weight(1, 1, 4, 4), 2), mixed={"x": 1}),
    "pixel_shuffle": Sampled(args=(weight(1, 4, 2, 2), 2), mixed={"x": 1}),
    "pixel_unshuffle": Sampled(args=(weight(1, 1, 4, 4), 2), mixed={"x": 1}),
}
