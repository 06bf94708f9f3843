"""Making a plan that was written for one sample compute many at once.

A batch-1 program computes many samples at once if each of its ops keeps them apart: then the dimension of size 1 that
its input begins with can be of any size, and it is enough to know which dimension of each value that becomes. `lift`
follows it from op to op by the rules that the ops bring along (`ops/samples.py`). One op without a rule, or one that
would mix samples, and the program is left to other ways (`run/batch.py`), which are slower.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

from ..ops.samples import Arguments, Axis, MixedSamplesError, Placed
from ..program.types import MilType, ValueType
from .arguments import Converted, Settled, Surroundings, slots_of
from .plan import FAILURES, Plan, Step


def lift(plan: Plan, inputs: Sequence[MilType]) -> tuple[Axis, ...] | None:
    """Makes `plan`, of a program for one sample, take N samples along the first dimension of each input.

    Args:
        plan: changed in place where this succeeds, left as it is where not.
        inputs: the declared types of its inputs, each with a first dimension of 1.

    Returns:
        the dimension of each output along which its samples lie (None: the same for all); None where some op cannot be
        shown to keep samples apart.
    """
    shapes: dict[int, tuple[int, ...]] = {slot: tuple(v.shape) for slot, v in plan.constant_tensors().items()}
    axes: dict[int, Axis] = dict.fromkeys(shapes)
    try:
        for port, kind in zip(plan.inputs, inputs, strict=True):
            shapes[port.slot], axes[port.slot] = known_shape(kind), 0
            if shapes[port.slot][:1] != (1,):
                return None
        steps = []
        for step in plan.steps:
            if all(axes.get(slot) is None for slot in step.reads) and not step.definition.random:
                lifted = step
                found: tuple[Axis, ...] = (None,) * len(step.results)
            elif step.definition.samples is not None:
                given = _arguments(step, axes, shapes)
                found = step.definition.samples(given)
                lifted = _changed(step, given)
            else:
                return None
            steps.append(lifted)
            for result, axis in zip(step.results, found, strict=True):
                shapes[result.slot], axes[result.slot] = known_shape(result.type), axis
                if axis is not None and shapes[result.slot][axis : axis + 1] != (1,):
                    return None
    except (MixedSamplesError, *FAILURES):
        # An op that is not sound is refused by its name when it runs.
        return None
    plan.steps = tuple(steps)
    return tuple(axes[port.slot] for port in plan.outputs)


def _arguments(step: Step, axes: Mapping[int, Axis], shapes: Mapping[int, tuple[int, ...]]) -> Arguments:
    """What the op's rule sees of `step`."""
    if step.blocks or any(isinstance(argument, (Surroundings, Converted)) for argument in step.arguments.values()):
        raise MixedSamplesError
    slots = {name: found for name, argument in step.arguments.items() if (found := slots_of(argument))}
    if any(slot not in shapes for found in slots.values() for slot in found):
        raise MixedSamplesError
    return Arguments(
        tensors={n: tuple(Placed(shape=shapes[slot], axis=axes[slot]) for slot in found) for n, found in slots.items()},
        constants={name: step.settled(name) for name in step.arguments},
        results=tuple(known_shape(result.type) for result in step.results),
        function=step.function,
    )


def _changed(step: Step, given: Arguments) -> Step:
    """`step` as its rule wants it for many samples."""
    changed = {name: Settled(value=value) for name, value in given.changes.items()}
    return replace(step, arguments={**step.arguments, **changed}, function=given.replacement or step.function)


def known_shape(kind: MilType) -> tuple[int, ...]:
    """The shape that `kind` declares; raises MixedSamplesError where it is no tensor or leaves a size open."""
    if not isinstance(kind, ValueType) or kind.dtype == "string" or None in kind.shape:
        raise MixedSamplesError
    return tuple(size for size in kind.shape if size is not None)


def samples_first(value: torch.Tensor, axis: Axis, count: int) -> torch.Tensor:
    """A lifted value as [count, *shape for one sample]."""
    if axis is None:
        return value.expand(count, *value.shape)
    return value.unsqueeze(axis + 1).movedim(axis, 0)
