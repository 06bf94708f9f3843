"""Running a converted program on calibration images, layer after layer, in our own runtime."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tinyml.coreml.plan.classifier import find_classifier
from tinyml.coreml.plan.lift import lift
from tinyml.coreml.plan.plan import Plan, Step
from tinyml.coreml.plan.planner import build
from tinyml.coreml.read.description import describe
from tinyml.coreml.read.package import Package, open_package
from tinyml.coreml.run.batch import sample_tensors
from tinyml.coreml.run.interface import Interface

from ..compression import Samples

LAYERS = ("conv", "conv_transpose", "linear", "matmul")


@dataclass(frozen=True, kw_only=True)
class Changed:
    """What a layer computes with from now on, and what becomes of its output."""

    weight: Tensor | None = None
    """None: as it was."""
    parameter: str = "weight"
    """Which argument the weight is."""
    finish: Callable[[Tensor, Tensor], Tensor] | None = None
    """Of its output, and of what it would have been had nothing changed."""


Look = Callable[[str, str, Mapping[str, Any]], None]
"""Called before each layer with the name of its output, its kind and its arguments by name."""
Change = Callable[[str, str, Mapping[str, Any], Mapping[str, Any]], Changed | None]
"""The same with two sets of arguments: as the program is, and as it has become."""


class Calibrator:
    """A program and inputs to run it on.

    Args:
        model: A package's path, or a coremltools MLModel.
        samples: Calibration inputs.

    Attributes:
        package: What was opened.
        description: What it says of itself.
        function: The function that runs.
        types: Of its inputs.
        at_once: Whether all samples run as one batch, so that a layer sees them all before the next one runs; only
            then can a layer be changed on the way.
    """

    def __init__(self, model: Any, samples: Samples) -> None:
        self.package: Package = open_package(model)
        description = describe(self.package, getattr(model, "function_name", None))
        self.description = description
        self.function = self.package.program.functions[description.function]
        self._interface = Interface(self.function, description, rounds=False)
        self._tensors = sample_tensors(description.inputs, samples)
        self.types = [item.type for item in self.function.inputs]
        classifier = find_classifier(self.function)
        names = tuple(name for name in description.outputs if name not in classifier.outputs)
        self._outputs = (*names, *((classifier.probabilities,) if classifier.probabilities else ()))
        self.at_once = lift(self.plan(), self.types) is not None

    def watch(self, look: Look) -> None:
        """Runs all samples, one by one where they cannot run at once."""
        plan = self.plan()
        if self.at_once:
            lift(plan, self.types)
        for inputs in self.inputs():
            values = plan.start(inputs)
            with torch.inference_mode():
                for number, step in enumerate(plan.steps):
                    if step.kind in LAYERS:
                        look(step.results[0].name, step.kind, step.given(values))
                    plan.advance(values, number, number + 1)

    def run_beside(self, change: Change) -> None:
        """Runs all samples at once twice, side by side: as the program is, and as `change` makes it."""
        plan = self.plan()
        lift(plan, self.types)
        (inputs,) = self.inputs()
        with torch.inference_mode():
            before, now = plan.start(inputs), plan.start(inputs)
            for number, step in enumerate(plan.steps):
                place = step.results[0].slot if step.results else 0
                changed = None
                if step.kind in LAYERS:
                    given = step.given(now)
                    changed = change(step.results[0].name, step.kind, step.given(before), given)
                plan.advance(before, number, number + 1)
                if changed is None:
                    plan.advance(now, number, number + 1)
                    continue
                if changed.weight is not None:
                    given[changed.parameter] = changed.weight
                outcome = step.results[0].finish(step.function(*given.values()))
                now[place] = outcome if changed.finish is None else changed.finish(outcome, before[place])
                for slot in step.frees:
                    now[slot] = None

    def observe(self, see: Callable[[str, Tensor], None], names: set[str] | None = None, chunk: int = 32) -> None:
        """Runs all samples and shows `see` every value that is a float tensor, or those of `names`, inputs first."""

        def note(step: Step, results: tuple[Any, ...]) -> None:
            for each, value in zip(step.results, results, strict=True):
                if isinstance(value, Tensor) and value.is_floating_point() and (names is None or each.name in names):
                    see(each.name, value)

        plan = self.plan()
        if self.at_once:
            lift(plan, self.types)
        for inputs in self.inputs(chunk):
            with torch.inference_mode():
                for port, value in zip(plan.inputs, inputs, strict=True):
                    if names is None or port.name in names:
                        see(port.name, value)
                plan.observe(inputs, note)

    def plan(self, outputs: tuple[str, ...] | None = None) -> Plan:
        """The program planned anew in float32, for one sample; it computes `outputs` (None: what it is made for)."""
        return build(self.function, precision="float32", outputs=outputs or self._outputs)

    def inputs(self, chunk: int | None = None) -> list[list[Tensor]]:
        """The samples for a plan, `chunk` at a time (None: all); without `at_once` one by one."""
        count = len(next(iter(self._tensors.values())))
        size = (chunk or count) if self.at_once else 1
        batches = []
        for begin in range(0, count, size):
            row = []
            for item in self.function.inputs:
                value = self._interface.tensor(item, self._tensors[item.name][begin : begin + size])
                row.append(value.squeeze(1) if self.at_once else value[0])
            batches.append(row)
        return batches


def decoded(package: Package, names: set[str]) -> dict[str, np.ndarray]:
    """The stored values `names` of a package's default function, decompressed by our runtime, in float32."""
    description = describe(package, None)
    function = package.program.functions[description.function]
    order = sorted(names)
    plan = build(function, precision="declared", outputs=order)
    with torch.inference_mode():
        found = plan(*(None for _ in plan.inputs))
    return {name: value.detach().float().numpy() for name, value in zip(order, found, strict=True)}
