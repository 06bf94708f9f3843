"""A step of a program for one sample as the rules of `sample_rules` see it: where the samples of a batch would lie."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..program.types import MilType, ValueType
from .plan import Step
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


def known_shape(kind: MilType) -> tuple[int, ...]:
    """The shape that `kind` declares; raises MixedSamplesError where it is no tensor or leaves a size open."""
    if not isinstance(kind, ValueType) or kind.dtype == "string" or None in kind.shape:
        raise MixedSamplesError
    return tuple(size for size in kind.shape if size is not None)
