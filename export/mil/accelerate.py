"""Convolutions with their weights reordered once, normalizations as one multiplication and addition, relu in place.

At batch 1 oneDNN spends most of a small convolution on bringing its weights into the order that its kernels want, at
every call; torch's compiler does it once (`torch._inductor.fx_passes.mkldnn_fusion`), and so does this.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from .plan import Plan, Step
from .signature import parameters


def available() -> bool:
    """Whether this torch can reorder weights."""
    return (
        torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        and hasattr(torch._C._nn, "mkldnn_reorder_conv2d_weight")
        and hasattr(torch.ops.mkldnn, "_convolution_pointwise")
    )


def accelerate(plan: Plan) -> None:
    """Replaces the two-dimensional convolutions of `plan` that have constant weights and even padding.

    The plan computes the same in another order of summation; it can no longer be traced or vectorized.
    """
    if available():
        constants = plan.constant_tensors()
        plan.steps = tuple(_prepared(step, constants) if step.kind == "conv" else step for step in plan.steps)


def fold_norms(plan: Plan) -> None:
    """Replaces each `batch_norm` of `plan` that has constant parameters by one multiplication and addition.

    torch.func.vmap would take three passes over the values for it. The plan still vectorizes; its weights are fixed.
    """
    constants = plan.constant_tensors()
    plan.steps = tuple(_folded(step, constants) if step.kind == "batch_norm" else step for step in plan.steps)


def relu_in_place(plan: Plan) -> None:
    """Lets each `relu` of `plan` overwrite what a `batch_norm` before it computed for it alone.

    For plans whose intermediate values nobody looks at.
    """
    fresh: set[int] = set()
    steps = []
    for step in plan.steps:
        if step.kind == "batch_norm":
            fresh.add(step.results[0].slot)
        elif step.kind == "relu" and step.reads[0] in fresh.intersection(step.frees):
            step = replace(step, function=torch.relu_)
        steps.append(step)
    plan.steps = tuple(steps)


def _folded(step: Step, constants: dict[int, Tensor]) -> Step:
    names = {parameter.name: index for index, parameter in enumerate(parameters(step.function))}
    slots = dict(step.plain)
    given = {name: slots[names[name]] for name in ("mean", "variance", "gamma", "beta") if names[name] in slots}
    if step.converted or not all(slot in constants for slot in given.values()):
        return step
    values = {name: constants[slot].detach().double() for name, slot in given.items()}
    scale = torch.rsqrt(values["variance"] + step.template[names["epsilon"]])
    if "gamma" in values:
        scale = scale * values["gamma"]
    shift = -values["mean"] * scale
    if "beta" in values:
        shift = shift + values["beta"]
    factor, offset = scale.float(), shift.float()

    def norm(x: Tensor) -> Tensor:
        shape = (-1, *[1] * (x.dim() - 2))
        return torch.addcmul(offset.reshape(shape), x, factor.reshape(shape))

    slot = slots[names["x"]]
    return replace(step, function=norm, template=(None,), plain=((0, slot),), reads=(slot,))


def _prepared(step: Step, constants: dict[int, Tensor]) -> Step:
    names = {parameter.name: index for index, parameter in enumerate(parameters(step.function))}
    slots = dict(step.plain)
    weight = constants.get(slots.get(names["weight"], -1))
    bias_slot = slots.get(names["bias"])
    bias = constants.get(bias_slot) if bias_slot is not None else None
    if weight is None or weight.dim() != 4 or step.converted or (bias is None) != (bias_slot is None):
        return step
    options = {name: step.template[names[name]] for name in ("strides", "pad_type", "pad", "dilations", "groups")}
    strides, dilations = options["strides"] or (1, 1), options["dilations"] or (1, 1)
    padding = _even_padding(options["pad_type"], options["pad"], weight, strides, dilations)
    if padding is None:
        return step
    function = _convolution(weight, bias, padding, strides, dilations, options["groups"])
    slot = slots[names["x"]]
    return replace(step, function=function, template=(None,), plain=((0, slot),), reads=(slot,))


def _even_padding(
    pad_type: str, pad: tuple[int, ...] | None, weight: Tensor, strides: tuple[int, ...], dilations: tuple[int, ...]
) -> tuple[int, ...] | None:
    """The padding of both axes where it is the same before and after, whatever the input's size; None otherwise."""
    if pad_type == "valid":
        return (0, 0)
    if pad_type == "custom" and pad is not None and len(pad) == 4 and pad[0::2] == pad[1::2]:
        return tuple(pad[0::2])
    reach = [(size - 1) * dilation for size, dilation in zip(weight.shape[2:], dilations, strict=True)]
    if pad_type in ("same", "same_lower") and tuple(strides) == (1, 1) and all(size % 2 == 0 for size in reach):
        return tuple(size // 2 for size in reach)
    return None


def _convolution(
    weight: Tensor,
    bias: Tensor | None,
    padding: tuple[int, ...],
    strides: tuple[int, ...],
    dilations: tuple[int, ...],
    groups: int,
) -> Callable[[Tensor], Tensor]:
    with torch.no_grad():
        ordered = torch._C._nn.mkldnn_reorder_conv2d_weight(
            weight.detach().to_mkldnn(), list(padding), list(strides), list(dilations), groups
        )
    values = None if bias is None else bias.detach()
    run = torch.ops.mkldnn._convolution_pointwise.default
    rank, channels = weight.dim(), weight.shape[1] * groups

    def convolution(x: Tensor) -> Tensor:
        if x.dim() != rank or x.shape[1] != channels:
            raise ValueError(f"an input of shape {list(x.shape)} for weights of shape {list(weight.shape)}")
        result: Tensor = run(x, ordered, values, padding, strides, dilations, groups, "none", [], "")
        return result

    return convolution
