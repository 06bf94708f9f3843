"""A package that is executed again and again, each time with other weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tinyml.coreml.plan.classifier import find_classifier
from tinyml.coreml.plan.lift import lift, samples_first
from tinyml.coreml.plan.plan import Plan, Step
from tinyml.errors import UsageError
from tinyml.numerics import log_softmax

from ..compression import Samples
from ..encoding.calibration import LAYERS, Calibrator
from ..encoding.statistics import Products, hessian
from ..weights import Weight

_CHUNK = 64
_LEAST = 1e-30


@dataclass(frozen=True, kw_only=True)
class Unit:
    """What is stored once, and the layers that read it."""

    weights: tuple[Weight, ...]
    slot: int
    """Where the plan holds it."""
    step: int
    """The first step that reads it."""

    @property
    def weight(self) -> Weight:
        """The first of its layers."""
        return self.weights[0]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a program gave for all samples."""

    scores: NDArray[np.float32] | None
    """[N, classes] logits, or logarithms of probabilities; None: not a classifier."""
    others: tuple[NDArray[np.float32], ...] = ()
    """The outputs [N, ...] of what is no classifier."""

    def loss(self, reference: Answers) -> float:
        """How far they are from `reference`: see `Plan.measure`."""
        if self.scores is not None and reference.scores is not None:
            expected, found = log_softmax(reference.scores), log_softmax(self.scores)
            return max(0.0, float((np.exp(expected) * (expected - found)).sum(1).mean()))
        errors = [
            float(((a - b) ** 2).mean() / max(float((b**2).mean()), _LEAST))
            for a, b in zip(self.others, reference.others, strict=True)
        ]
        return float(np.mean(errors))

    def first(self) -> NDArray[np.int64] | None:
        """The first class of each sample."""
        return None if self.scores is None else self.scores.argmax(1)


class Program:
    """A package and inputs to execute it on, in float32.

    Args:
        package: Its path; not compressed.
        weights: What may be changed of it.
        samples: Inputs by name, [N, ...] each.

    Attributes:
        units: What can be changed, in the order of the program.
        reference: What it answers as it is.
        left: The layers that cannot be changed here, with the reasons.
    """

    def __init__(self, package: Path, weights: Sequence[Weight], samples: Samples) -> None:
        opened = Calibrator(package, samples)
        classifier = find_classifier(opened.function)
        self._classifies = bool(classifier.probabilities)
        self._logits = classifier.logits is not None
        named = classifier.logits or classifier.probabilities
        self._plan = opened.plan((named,) if named else None)
        self._axes = lift(self._plan, opened.types) if opened.at_once else None
        self._inputs = opened.inputs(_CHUNK)
        self.units, self.left = _units(self._plan, weights)
        self.reference = self.answers({})

    @property
    def classifies(self) -> bool:
        """Whether it names classes."""
        return self._classifies

    def answers(
        self, changed: Mapping[int, Tensor], shifts: Mapping[str, Tensor] | None = None, samples: int | None = None
    ) -> Answers:
        """What it answers with some weights changed.

        Args:
            changed: By slot.
            shifts: By the name of an op's output, what is added to each of its channels.
            samples: At least so many of the samples, from the first on; None: all.
        """
        found = []
        for inputs in self._some(samples):
            paused = _Paused(self._plan, inputs, changed, shifts or {})
            paused.to(len(self._plan.steps))
            found.append(self._outputs(paused.values, len(inputs[0])))
        return self._joined(found)

    def walk(self, base: Mapping[int, Tensor], shifts: Mapping[str, Tensor], samples: int) -> Iterator[Halt]:
        """Stops before each unit is first read, in order, the weights and outputs changed as for `answers`.

        The first `samples` are those that `Halt.answers` is about; what layers are given is that of all.
        """
        cursors = [_Paused(self._plan, inputs, base, shifts) for inputs in self._inputs]
        few = len(self._some(samples))
        for unit in self.units:
            for cursor in cursors:
                cursor.to(unit.step)
            yield Halt(self, unit, cursors, few)

    def _some(self, samples: int | None) -> list[list[Tensor]]:
        if samples is None:
            return self._inputs
        count, chosen = 0, []
        for inputs in self._inputs:
            if count >= samples:
                break
            chosen.append(inputs)
            count += len(inputs[0]) if self._axes is not None else 1
        return chosen

    def _outputs(self, values: list[object], count: int) -> list[NDArray[np.float32]]:
        found = []
        for place, port in enumerate(self._plan.outputs):
            value = values[port.slot]
            if not isinstance(value, Tensor):
                raise UsageError("a program whose outputs are no tensors is not searched", value=port.name)
            each = value[None] if self._axes is None else samples_first(value, self._axes[place], count)
            found.append(each.detach().float().numpy())
        return found

    def _joined(self, found: Sequence[Sequence[NDArray[np.float32]]]) -> Answers:
        whole = [np.concatenate(parts) for parts in zip(*found, strict=True)]
        if not self._classifies:
            return Answers(scores=None, others=tuple(whole))
        scores = whole[0].reshape(len(whole[0]), -1)
        if not self._logits:
            scores = np.log(np.maximum(scores, np.finfo(np.float32).tiny))
        return Answers(scores=scores)


class Halt:
    """A program that waits before the first step that reads a unit."""

    def __init__(self, program: Program, unit: Unit, cursors: Sequence[_Paused], few: int) -> None:
        self.unit, self._program, self._cursors, self._few = unit, program, cursors, few
        self._mean: Tensor | None = None

    def hessian(self) -> Products | None:
        """Of the layer's inputs, as of `statistics.hessian`."""
        step = self._program._plan.steps[self.unit.step]
        if step.kind not in LAYERS or self.unit.weight.parameter == "x":
            return None
        total: Products | None = None
        for cursor in self._cursors:
            with torch.inference_mode():
                found = hessian(step.kind, step.given(cursor.values))
            if found is None:
                return None
            total = found if total is None else total + found
        return total

    def shift(self, weight: Tensor) -> Tensor | None:
        """What keeps the mean of each output channel if the unit is `weight`; None where there is no bias for it."""
        step = self._program._plan.steps[self.unit.step]
        if step.kind not in ("conv", "linear"):
            return None
        given = [step.given(cursor.values) for cursor in self._cursors]
        if given[0].get("bias") is None:
            return None
        with torch.inference_mode():
            if self._mean is None:
                self._mean = _mean_output(step, given)
            return self._mean - _mean_output(step, [{**each, "weight": weight} for each in given])

    def answers(self, weight: Tensor, shift: Tensor | None) -> Answers:
        """What the program answers if the unit is `weight` from here on, its layer's outputs moved by `shift`."""
        found = []
        name = self.unit.weight.op_name
        for cursor in self._cursors[: self._few]:
            fork = cursor.fork({self.unit.slot: weight}, {} if shift is None else {name: shift})
            fork.to(len(self._program._plan.steps))
            found.append(self._program._outputs(fork.values, cursor.count))
        return self._program._joined(found)


class _Paused:
    """A run of a plan that can stop between two steps."""

    def __init__(
        self, plan: Plan, inputs: Sequence[Tensor], changed: Mapping[int, Tensor], shifts: Mapping[str, Tensor]
    ) -> None:
        self._plan, self._shifts, self.at, self.count = plan, shifts, 0, len(inputs[0])
        self.values = plan.start(inputs)
        for slot, weight in changed.items():
            self.values[slot] = weight

    def to(self, step: int) -> None:
        """Runs on to before the step of this number."""
        with torch.inference_mode():
            if not self._shifts:
                self._plan.advance(self.values, self.at, step)
            else:
                for number in range(self.at, step):
                    self._plan.advance(self.values, number, number + 1)
                    self._shift(number)
        self.at = step

    def _shift(self, number: int) -> None:
        step = self._plan.steps[number]
        for each in step.results:
            if (shift := self._shifts.get(each.name)) is not None:
                value = self.values[each.slot]
                axes = (1,) * (value.dim() - 2) if step.kind == "conv" else ()
                self.values[each.slot] = value + shift.reshape(-1, *axes)

    def fork(self, changed: Mapping[int, Tensor], shifts: Mapping[str, Tensor]) -> _Paused:
        """Another run that goes on from here with some weights and outputs changed."""
        other = object.__new__(_Paused)
        other._plan, other.at, other.count = self._plan, self.at, self.count
        other._shifts = {**self._shifts, **shifts}
        other.values = self.values.copy()
        for slot, weight in changed.items():
            other.values[slot] = weight
        return other


def _mean_output(step: Step, given: Sequence[Mapping[str, Any]]) -> Tensor:
    """Of each output channel, over all samples."""
    total: Tensor | None = None
    count = 0
    for each in given:
        output = step.function(*each.values())
        axis = 1 if step.kind == "conv" else output.dim() - 1
        found = output.sum([n for n in range(output.dim()) if n != axis])
        total = found if total is None else total + found
        count += output.numel() // len(found)
    assert total is not None  # noqa: S101
    return total / count


def _units(plan: Plan, weights: Sequence[Weight]) -> tuple[tuple[Unit, ...], dict[str, str]]:
    constants = plan.constant_tensors()
    readers = {each.name: (number, step) for number, step in enumerate(plan.steps) for each in step.results}
    found: dict[int, Unit] = {}
    left = {}
    for weight in weights:
        number, step = readers.get(weight.op_name, (0, None))
        slots = {slot for slot in (step.reads if step else ()) if slot in constants}
        slots = {slot for slot in slots if tuple(constants[slot].shape) == weight.shape}
        if len(slots) != 1:
            left[weight.layer] = "read by an op whose weights this runtime takes apart"
            continue
        (slot,) = slots
        if slot in found:
            found[slot] = replace(found[slot], weights=(*found[slot].weights, weight))
        else:
            found[slot] = Unit(weights=(weight,), slot=slot, step=number)
    return tuple(sorted(found.values(), key=lambda unit: unit.step)), left
