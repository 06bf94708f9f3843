"""Where the samples of a batch lie in each value of a program that was written for one sample.

A batch-1 program computes many samples at once if each of its ops keeps them apart: then the dimension of size 1 that
its input begins with can be of any size, and it is enough to know which dimension of each value that becomes. `lift`
follows it from op to op by the rules in `sample_rules`. One op without a rule, or one that would mix samples, and the
program is left to other ways (`batch.py`), which are slower.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from .ops.context import ValueType
from .plan import Plan, Step
from .program import MilType
from .signature import Parameter, parameters

Axis = int | None
"""A dimension of a value; None: the value is the same for all samples."""


class MixedSamplesError(Exception):
    """An op that no rule says to keep its samples apart."""


@dataclass(kw_only=True)
class Lifting:
    """One step as the rules see it: its arguments by the op's names, where its samples lie, what must change."""

    step: Step
    axes: Mapping[int, Axis]
    """By slot."""
    shapes: Mapping[int, tuple[int, ...]]
    """For one sample, by slot."""
    changes: dict[str, Any] = field(default_factory=dict)
    """Arguments that take another value when there are many samples."""
    function: Callable[..., Any] | None = None
    """What to call instead of the op's own function then."""

    def __post_init__(self) -> None:
        self.parameters: tuple[Parameter, ...] = parameters(self.step.function)
        index = {parameter.name: n for n, parameter in enumerate(self.parameters)}
        self._index = index
        self.names = frozenset(index)
        computed = {n for n, _ in self.step.converted}
        variadic = [p.name for p in self.parameters if p.variadic and p.tensor and index[p.name] in computed]
        if self.step.context is not None or self.step.blocks or len(computed) != len(variadic):
            raise MixedSamplesError
        plain = dict(self.step.plain)
        self.slots: dict[str, tuple[int, ...]] = {n: (plain[i],) for n, i in index.items() if i in plain}
        """The slots of each argument that is a tensor."""
        for name in variadic:
            if self.slots:
                raise MixedSamplesError
            self.slots[name] = self.step.reads
        unknown = [slot for slots in self.slots.values() for slot in slots if slot not in self.shapes]
        if unknown:
            raise MixedSamplesError

    def constant(self, name: str) -> Any:
        """The value of an argument that is settled at load."""
        return self.step.template[self._index[name]]

    def axis(self, name: str) -> Axis:
        """Where the samples of tensor `name` lie."""
        return self.axes[self.slots[name][0]] if name in self.slots else None

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of tensor `name` for one sample."""
        return self.shapes[self.slots[name][0]]

    def only(self, name: str) -> int:
        """Where the samples of `name` lie, the one tensor that has any."""
        others = [slot for other, slots in self.slots.items() if other != name for slot in slots]
        axis = self.axis(name)
        if axis is None or any(self.axes[slot] is not None for slot in others):
            raise MixedSamplesError
        return axis

    def changed(self) -> Step:
        """The step with its changed arguments."""
        template = list(self.step.template)
        for name, value in self.changes.items():
            template[self._index[name]] = value
        return replace(self.step, template=tuple(template), function=self.function or self.step.function)


def lift(plan: Plan, inputs: Sequence[MilType]) -> tuple[Axis, ...] | None:
    """Makes `plan`, of a program for one sample, take N samples along the first dimension of each input.

    Args:
        plan: changed in place where this succeeds, left as it is where not.
        inputs: the declared types of its inputs, each with a first dimension of 1.

    Returns:
        the dimension of each output along which its samples lie (None: the same for all); None where some op cannot be
        shown to keep samples apart.
    """
    from .sample_rules import RULES

    shapes: dict[int, tuple[int, ...]] = {slot: tuple(v.shape) for slot, v in plan.constant_tensors().items()}
    axes: dict[int, Axis] = dict.fromkeys(shapes)
    try:
        for (_, slot), kind in zip(plan.inputs, inputs, strict=True):
            shapes[slot], axes[slot] = known_shape(kind), 0
            if shapes[slot][:1] != (1,):
                return None
        steps = []
        for step in plan.steps:
            if all(axes.get(slot) is None for slot in step.reads) and not step.kind.startswith("random_"):
                lifted = step
                found: tuple[Axis, ...] = (None,) * len(step.results)
            elif step.kind in RULES:
                lifting = Lifting(step=step, axes=axes, shapes=shapes)
                found = RULES[step.kind](lifting)
                lifted = lifting.changed()
            else:
                return None
            steps.append(lifted)
            for result, axis in zip(step.results, found, strict=True):
                shapes[result.slot], axes[result.slot] = known_shape(result.type), axis
                if axis is not None and shapes[result.slot][axis : axis + 1] != (1,):
                    return None
    except MixedSamplesError:
        return None
    plan.steps = tuple(steps)
    return tuple(axes[slot] for _, slot in plan.outputs)


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
