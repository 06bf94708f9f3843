"""For each op: whether it keeps samples apart, where they lie afterwards, and which arguments must change for many.

A rule gets a `Lifting` of which at least one tensor has samples and returns the dimension for each result, or raises
MixedSamplesError. Sizes are those for one sample, so that the dimension of the samples has size 1 in them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch

from ..ops.registry import definitions
from .sample_axis import Axis, Lifting, MixedSamplesError, known_shape

Rule = Callable[[Lifting], tuple[Axis, ...]]


def _broadcast(step: Lifting) -> tuple[Axis, ...]:
    """Elementwise: shapes are aligned at their ends, so the samples must be as far from the end everywhere."""
    slots = [slot for slots in step.slots.values() for slot in slots]
    from_end = _common_from_end(step, slots)
    rank = max(len(step.shapes[slot]) for slot in slots)
    return (rank + from_end,)


def _common_from_end(step: Lifting, slots: Iterable[int]) -> int:
    """The dimension of the samples, negative, the same for all tensors that have them; the others are of size 1."""
    slots = list(slots)
    found = {axis - len(step.shapes[slot]) for slot in slots if (axis := step.axes[slot]) is not None}
    if len(found) != 1:
        raise MixedSamplesError
    (from_end,) = found
    for slot in slots:
        shape = step.shapes[slot]
        if step.axes[slot] is None and len(shape) >= -from_end and shape[from_end] != 1:
            raise MixedSamplesError
    return from_end


def _by_image(step: Lifting) -> tuple[Axis, ...]:
    """Ops on x [n, C, *D] that treat each of n by itself."""
    if step.only("x") != 0 or len(step.shape("x")) < 3:
        raise MixedSamplesError
    return (0,) * len(step.step.results)


def _resize(step: Lifting) -> tuple[Axis, ...]:
    if step.constant("resized_dims") >= len(step.shape("x")):
        raise MixedSamplesError
    return _by_image(step)


def _l2_norm(step: Lifting) -> tuple[Axis, ...]:
    if len(step.shape("x")) < 4:
        raise MixedSamplesError
    return _by_image(step)


def _linear(step: Lifting) -> tuple[Axis, ...]:
    axis = step.only("x")
    if axis == len(step.shape("x")) - 1:
        raise MixedSamplesError
    return (axis,)


def _matmul(step: Lifting) -> tuple[Axis, ...]:
    x, y = step.shape("x"), step.shape("y")
    rank = max(len(x), len(y))
    if len(x) < 2 or len(y) < 2:
        raise MixedSamplesError
    if step.axis("y") is None and step.axis("x") == len(x) - 2 and not step.constant("transpose_x"):
        return (rank - 2,)  # rows of the left matrix are rows of the product
    from_end = _common_from_end(step, [*step.slots["x"], *step.slots["y"]])
    if from_end >= -2:
        raise MixedSamplesError
    return (rank + from_end,)


def _attention(step: Lifting) -> tuple[Axis, ...]:
    slots = [slot for slots in step.slots.values() for slot in slots]
    from_end = _common_from_end(step, slots)
    if from_end >= -2 or any(step.axis(name) is None for name in ("query", "key", "value")):
        raise MixedSamplesError
    return (len(step.shape("query")) + from_end,)


def _along_one(step: Lifting) -> tuple[Axis, ...]:
    """Ops that work along `axis` and keep the shape, or shorten it there."""
    axis, shape = step.only("x"), step.shape("x")
    if step.constant("axis") % len(shape) == axis:
        raise MixedSamplesError
    return (axis,) * len(step.step.results)


def _along_some(step: Lifting) -> tuple[Axis, ...]:
    """Ops that work along `axes` (None: all) and keep the shape."""
    axis, rank = step.only("x"), len(step.shape("x"))
    axes = step.constant("axes")
    if axes is None or axis in {each % rank for each in axes}:
        raise MixedSamplesError
    return (axis,)


def _reduced_along_some(step: Lifting) -> tuple[Axis, ...]:
    (axis,) = _along_some(step)
    return (axis if step.constant("keep_dims") else _without(axis, step.constant("axes"), len(step.shape("x"))),)


def _reduced_along_one(step: Lifting) -> tuple[Axis, ...]:
    (axis,) = _along_one(step)
    return (axis if step.constant("keep_dims") else _without(axis, [step.constant("axis")], len(step.shape("x"))),)


def _without(axis: Axis, removed: Iterable[int], rank: int) -> Axis:
    return None if axis is None else axis - sum(each % rank < axis for each in removed)


def _concat(step: Lifting) -> tuple[Axis, ...]:
    slots = step.slots["values"]
    rank, along = len(step.shapes[slots[0]]), step.constant("axis")
    found = {axis for slot in slots if (axis := step.axes[slot]) is not None}
    if len(found) != 1 or not rank or along % rank in found:
        raise MixedSamplesError
    (axis,) = found
    if any(step.shapes[slot][axis] != 1 for slot in slots):
        raise MixedSamplesError
    same = [n for n, slot in enumerate(slots) if step.axes[slot] is None]
    if same:
        step.function = _spreading(step.step.function, axis, same)
    return (axis,)


def _spreading(function: Callable[..., torch.Tensor], axis: int, same: list[int]) -> Callable[..., torch.Tensor]:
    """`function` of tensors of which those at `same` are the same for all samples and must be repeated first."""

    def spread(values: tuple[torch.Tensor, ...], *rest: object) -> torch.Tensor:
        count = max(value.shape[axis] for value in values)
        sizes = [-1] * values[0].dim()
        sizes[axis] = count
        return function(tuple(v.expand(sizes) if n in same else v for n, v in enumerate(values)), *rest)

    return spread


def _stack(step: Lifting) -> tuple[Axis, ...]:
    slots = step.slots["values"]
    rank, found = len(step.shapes[slots[0]]), {step.axes[slot] for slot in slots}
    if len(found) != 1:
        raise MixedSamplesError
    (axis,) = found
    return (None if axis is None else axis + (step.constant("axis") % (rank + 1) <= axis),)


def _reshape(step: Lifting) -> tuple[Axis, ...]:
    """The samples stay where as many elements lie before them as in x, in a dimension of size 1."""
    axis, shape = step.only("x"), step.shape("x")
    target = known_shape(step.step.results[0].type)
    before = math.prod(shape[:axis])
    for place, size in enumerate(target):
        if size == 1 and 0 not in target and math.prod(target[:place]) == before:
            step.changes["shape"] = (*target[:place], -1, *target[place + 1 :])
            return (place,)
    raise MixedSamplesError


def _transpose(step: Lifting) -> tuple[Axis, ...]:
    axis, rank = step.only("x"), len(step.shape("x"))
    return ([each % rank for each in step.constant("perm")].index(axis),)


def _expand_dims(step: Lifting) -> tuple[Axis, ...]:
    axis = step.only("x")
    rank = len(step.shape("x")) + len(step.constant("axes"))
    new = {each % rank for each in step.constant("axes")}
    return ([place for place in range(rank) if place not in new][axis],)


def _squeeze(step: Lifting) -> tuple[Axis, ...]:
    (axis,) = _along_some(step)
    return (_without(axis, step.constant("axes"), len(step.shape("x"))),)


def _slice_by_index(step: Lifting) -> tuple[Axis, ...]:
    axis, shape = step.only("x"), step.shape("x")
    rank = len(shape)
    squeezed = step.constant("squeeze_mask") or (False,) * rank
    stride = step.constant("stride") or (1,) * rank
    begins, ends = step.constant("begin_mask") or (False,) * rank, step.constant("end_mask") or (False,) * rank
    whole = slice(
        None if begins[axis] else step.constant("begin")[axis],
        None if ends[axis] else step.constant("end")[axis],
        stride[axis],
    )
    if squeezed[axis] or range(*whole.indices(1)) != range(1):
        raise MixedSamplesError
    for name, mask in (("begin_mask", begins), ("end_mask", ends)):
        step.changes[name] = (*mask[:axis], True, *mask[axis + 1 :])
    step.changes["stride"] = (*stride[:axis], 1, *stride[axis + 1 :])
    return (axis - sum(squeezed[:axis]),)


def _slice_by_size(step: Lifting) -> tuple[Axis, ...]:
    axis = step.only("x")
    begin, size = step.constant("begin"), step.constant("size")
    if begin[axis] not in (0, -1) or size[axis] not in (1, -1):
        raise MixedSamplesError
    step.changes["begin"] = (*begin[:axis], 0, *begin[axis + 1 :])
    step.changes["size"] = (*size[:axis], -1, *size[axis + 1 :])
    return (axis,)


def _pad(step: Lifting) -> tuple[Axis, ...]:
    axis, rank = step.only("x"), len(step.shape("x"))
    widths = step.constant("pad")
    place = axis - (rank - len(widths) // 2)
    if place >= 0 and any(widths[2 * place : 2 * place + 2]):
        raise MixedSamplesError
    return (axis,)


def _tile(step: Lifting) -> tuple[Axis, ...]:
    axis = step.only("x")
    if step.constant("reps")[axis] != 1:
        raise MixedSamplesError
    return (axis,)


def _gather(step: Lifting) -> tuple[Axis, ...]:
    axis, rank = step.only("x"), len(step.shape("x"))
    along = step.constant("axis") % rank
    if along == axis or ("batch_dims" in step.names and step.constant("batch_dims")):
        raise MixedSamplesError
    return (axis if axis < along else axis + len(step.shape("indices")) - 1,)


def _quantized(step: Lifting) -> tuple[Axis, ...]:
    axis, along = step.only("input"), step.constant("axis")
    if along is not None and along % len(step.shape("input")) == axis:
        raise MixedSamplesError
    return (axis,)


def _flatten2d(step: Lifting) -> tuple[Axis, ...]:
    if step.only("x") != 0 or step.constant("axis") != 1:
        raise MixedSamplesError
    return (0,)


def _einsum(step: Lifting) -> tuple[Axis, ...]:
    """The samples' letter must be in the output, and in no operand that is the same for all samples."""
    slots, (terms, arrow, output) = step.slots["values"], step.constant("equation").replace(" ", "").partition("->")
    operands = terms.split(",")
    if not arrow or "." in terms or len(operands) != len(slots):
        raise MixedSamplesError
    pairs = [(term, step.axes[slot]) for term, slot in zip(operands, slots, strict=True)]
    letters = {term[axis] for term, axis in pairs if axis is not None}
    if len(letters) != 1:
        raise MixedSamplesError
    (letter,) = letters
    if output.count(letter) != 1 or any(term.count(letter) != (axis is not None) for term, axis in pairs):
        raise MixedSamplesError
    return (output.index(letter),)


_BY_IMAGE = (
    "conv", "conv_transpose", "conv_quantized", "max_pool", "avg_pool", "l2_pool", "batch_norm", "instance_norm",
    "local_response_norm", "prelu", "softplus_parametric", "upsample_nearest_neighbor", "resize_nearest_neighbor",
    "upsample_bilinear", "resize_bilinear", "crop", "depth_to_space", "space_to_depth", "pixel_shuffle",
    "pixel_unshuffle",
)  # fmt: skip
_ONE_AXIS = ("softmax", "split", "argsort", "topk", "cumsum")
_REDUCED_AXES = ("l1_norm", "l2_norm", "log_sum", "log_sum_exp", "max", "mean", "min", "prod", "sum", "sum_square")

RULES: dict[str, Rule] = {
    **{d.name: _broadcast for d in definitions() if d.family in ("activation", "elementwise_unary")},
    **{d.name: _broadcast for d in definitions() if d.family == "elementwise_binary"},
    "select": _broadcast,
    "identity": _broadcast,
    **dict.fromkeys(_BY_IMAGE, _by_image),
    **dict.fromkeys(_ONE_AXIS, _along_one),
    **dict.fromkeys([f"reduce_{name}" for name in _REDUCED_AXES], _reduced_along_some),
    "reduce_argmax": _reduced_along_one,
    "reduce_argmin": _reduced_along_one,
    "reverse": _along_some,
    "layer_norm": _along_some,
    "l2_norm": _l2_norm,
    "resize": _resize,
    "flatten2d": _flatten2d,
    "linear": _linear,
    "einsum": _einsum,
    "matmul": _matmul,
    "scaled_dot_product_attention": _attention,
    "concat": _concat,
    "stack": _stack,
    "reshape": _reshape,
    "transpose": _transpose,
    "expand_dims": _expand_dims,
    "squeeze": _squeeze,
    "slice_by_index": _slice_by_index,
    "slice_by_size": _slice_by_size,
    "pad": _pad,
    "tile": _tile,
    "gather": _gather,
    "quantize": _quantized,
    "dequantize": _quantized,
}
"""By op."""
