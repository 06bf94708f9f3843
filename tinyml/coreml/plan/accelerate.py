"""Faster forms of a plan's steps: prepared kernels, normalizations of two operations, activations on the way.

A plan changed here computes the same in another order of summation. It can no longer be traced by torch, and values
between two merged steps are no longer seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import torch
from torch import Tensor

from . import kernels
from .kernels import PLAIN, Activation, Prepared
from .plan import FAILURES, Plan, Step, with_frees
from .signature import parameters

T = TypeVar("T")
Constants = Mapping[int, Tensor]
"""The constant tensors of a plan by slot."""

_GELU = {"EXACT": ("gelu", "none"), "TANH_APPROXIMATION": ("gelu", "tanh")}
_SMOOTH: dict[str, Activation] = {"sigmoid": ("sigmoid", ""), "silu": ("swish", ""), "tanh": ("tanh", "")}
"""Activations that oneDNN applies on the way. Its relu is not among them: it turns NaN into 0."""


def accelerate(plan: Plan) -> None:
    """Prepares the convolutions and linear layers of `plan` that have constant weights, and all that follows here."""
    if kernels.available():
        _prepare(plan)
    fold_norms(plan)
    relu_in_place(plan)
    plan.drop_unread_constants()


def fold_norms(plan: Plan) -> None:
    """Replaces each `batch_norm` of `plan` that has constant parameters by one multiplication and addition.

    torch.func.vmap would take three passes over the values for it. The plan still vectorizes; its weights are fixed.
    """
    constants = plan.constant_tensors()
    plan.steps = tuple(
        _unless_it_fails(_folded, step, constants) or step if step.kind == "batch_norm" else step for step in plan.steps
    )


def relu_in_place(plan: Plan) -> None:
    """Lets each `relu` of `plan` overwrite what an op before it computed for it alone."""
    readers = _readers(plan)
    own = {each.slot for step in plan.steps for each in step.results if each.fresh}
    own = {slot for slot in own if readers[slot] == 1}  # another reader may have kept a view of it
    plan.steps = tuple(
        replace(step, function=torch.relu_) if step.kind == "relu" and step.reads[0] in own else step
        for step in plan.steps
    )


def _prepare(plan: Plan) -> None:
    constants, readers = plan.constant_tensors(), _readers(plan)
    steps: list[Step] = []
    prepared: dict[int, Prepared] = {}  # by the slot of the result that nobody has read yet
    places: dict[int, int] = {}
    for step in plan.steps:
        made = _unless_it_fails(_PREPARE[step.kind], step, constants) if step.kind in _PREPARE else None
        activation = _activation(step)
        source = step.reads[0] if activation is not None else -1
        if made is not None:
            function, x = made
            slot = step.results[0].slot
            prepared[slot], places[slot] = function, len(steps)
            steps.append(replace(step, function=function(PLAIN), template=(None,), plain=((0, x),), reads=(x,)))
        elif activation is not None and source in prepared and _merges(steps[places[source]], readers[source]):
            before = steps[places[source]]
            steps[places[source]] = replace(
                before,
                kind=f"{before.kind} + {step.kind}",
                function=prepared.pop(source)(activation),
                results=step.results,
            )
        else:
            steps.append(step)
    plan.steps = with_frees(steps, plan.kept)


def _unless_it_fails(make: Callable[[Step, Constants], T | None], step: Step, constants: Constants) -> T | None:
    """None where `make` fails: an op that is not sound is left as it is, and refused by its name when it runs."""
    try:
        return make(step, constants)
    except FAILURES:
        return None


def _readers(plan: Plan) -> Counter[int]:
    """How often each slot is read, as an output too."""
    return Counter([slot for step in plan.steps for slot in step.reads] + [slot for _, slot in plan.outputs])


def _merges(step: Step, readers: int) -> bool:
    """Whether the result of `step` goes to one reader, unrounded."""
    return readers == 1 and step.results[0].round_to is None


def _activation(step: Step) -> Activation | None:
    """How oneDNN applies `step` on the way; None where it does not."""
    if step.kind == "gelu" and not step.converted:
        return _GELU.get(_settled(step)["mode"])
    return _SMOOTH.get(step.kind)


def _settled(step: Step) -> dict[str, Any]:
    """The arguments of `step` by name; None where they are computed."""
    return {parameter.name: value for parameter, value in zip(parameters(step.function), step.template, strict=True)}


def _slots(step: Step) -> dict[str, int]:
    """The slots of the tensors that `step` takes, by name."""
    names = [parameter.name for parameter in parameters(step.function)]
    return {names[index]: slot for index, slot in step.plain}


def _folded(step: Step, constants: Constants) -> Step | None:
    slots = _slots(step)
    given = {name: slots[name] for name in ("mean", "variance", "gamma", "beta") if name in slots}
    if step.converted or not all(slot in constants for slot in given.values()):
        return None
    values = {name: constants[slot].detach().double() for name, slot in given.items()}
    scale = torch.rsqrt(values["variance"] + _settled(step)["epsilon"])
    if "gamma" in values:
        scale = scale * values["gamma"]
    shift = -values["mean"] * scale
    if "beta" in values:
        shift = shift + values["beta"]
    factor, offset = scale.float(), shift.float()

    def norm(x: Tensor) -> Tensor:
        if x.dim() < 2 or x.shape[1] != len(factor):
            raise ValueError(f"an input of shape {list(x.shape)} for {len(factor)} channels")
        shape = (-1, *[1] * (x.dim() - 2))
        return torch.addcmul(offset.reshape(shape), x, factor.reshape(shape))

    slot = slots["x"]
    return replace(step, function=norm, template=(None,), plain=((0, slot),), reads=(slot,))


def _weights(step: Step, constants: Constants, rank: int) -> tuple[Tensor, Tensor | None, int] | None:
    """The weight of `rank` dimensions, the bias and the slot of x, where the former are constant."""
    slots = _slots(step)
    weight = constants.get(slots.get("weight", -1))
    bias = constants.get(slots["bias"]) if "bias" in slots else None
    if step.converted or weight is None or (bias is None) != ("bias" not in slots):
        return None
    return (weight, bias, slots["x"]) if weight.dim() == rank else None


def _prepared_linear(step: Step, constants: Constants) -> tuple[Prepared, int] | None:
    found = _weights(step, constants, 2)
    if found is None:
        return None
    weight, bias, x = found
    prepared = kernels.linear(weight, bias)
    return None if prepared is None else (prepared, x)


def _prepared_convolution(step: Step, constants: Constants) -> tuple[Prepared, int] | None:
    found = _weights(step, constants, 4)
    if found is None:
        return None
    weight, bias, x = found
    settled = _settled(step)
    strides, dilations = settled["strides"] or (1, 1), settled["dilations"] or (1, 1)
    padding = _even_padding(settled["pad_type"], settled["pad"], weight, strides, dilations)
    if padding is None:
        return None
    prepared = kernels.convolution(weight, bias, padding, strides, dilations, settled["groups"])
    return None if prepared is None else (prepared, x)


_PREPARE = {"conv": _prepared_convolution, "linear": _prepared_linear}


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
