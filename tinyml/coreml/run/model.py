"""`ReferenceModel`: the contract of coremltools' `MLModel.predict` on any machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch

from tinyml.errors import InputError

from ..ops.context import StateCell
from ..plan.accelerate import accelerate
from ..plan.classifier import Classifier, classified, find_classifier
from ..plan.plan import Plan, Step
from ..plan.planner import Precision, build
from ..program.program import Function, NamedType
from ..program.types import StateType, ValueType
from ..read.description import Description, Features, check_names, describe
from ..read.package import Package, open_package
from .batch import BatchRunner, Samples, chunk_for, joined, sample_tensors
from .interface import Inputs, Interface
from .state import State

Engine = Literal["torch", "onnxruntime"]
Execute = Callable[[Sequence[np.ndarray]], dict[str, Any]]


MANY = 8
"""From so many predictions in one list on, they are computed in batches: for fewer, preparing that is not worth it."""

COMPUTE_UNITS = ("ALL", "CPU_AND_GPU", "CPU_AND_NE", "CPU_ONLY")
"""The names of coremltools' ComputeUnit."""


def precision_on(compute_units: object) -> Precision:
    """How Core ML computes float16 ops on `compute_units`: in float32 throughout on the CPU alone."""
    name = getattr(compute_units, "name", compute_units)
    if name is not None and name not in COMPUTE_UNITS:
        raise InputError("unknown compute units", value=compute_units, allowed=", ".join(COMPUTE_UNITS))
    return "float32" if name == "CPU_ONLY" else "declared"


class ReferenceModel:
    """An ML Program that predicts here as it would with coremltools on a Mac."""

    def __init__(
        self,
        model: Any,
        function_name: str | None = None,
        precision: Precision | None = None,
        engine: Engine = "torch",
        seed: int | None = None,
        compute_units: object = None,
    ) -> None:
        """Opens and plans `model`.

        Args:
            model: a path to an .mlpackage, or a coremltools MLModel.
            function_name: which function to run; None: the one that an MLModel was opened with, or the default one.
            precision: "declared" rounds each value to the type that the program declares for it; "float32" rounds
                nothing; None: as `compute_units` say.
            engine: "torch" executes the plan; "onnxruntime" goes through ONNX, for speed where exactness in the
                declared types is not the point.
            seed: of random ops that have none of their own.
            compute_units: "CPU_ONLY", "CPU_AND_GPU", "CPU_AND_NE", "ALL", or coremltools' ComputeUnit of that name.
                On the CPU alone Core ML computes float16 programs in float32 throughout, so CPU_ONLY is "float32" and
                the others, like None, are "declared".

        Raises:
            InputError: unknown compute units, precision or engine.
            PackageError: the package is not sound; UnsupportedOpsError: it uses ops that this runtime lacks.
        """
        if precision is None:
            precision = precision_on(compute_units)
        if precision not in ("declared", "float32"):
            raise InputError("unknown precision", value=precision, allowed="declared, float32")
        if engine not in ("torch", "onnxruntime"):
            raise InputError("unknown engine", value=engine, allowed="torch, onnxruntime")
        function_name = function_name or getattr(model, "function_name", None)
        self.package: Package = open_package(model)
        self.description: Description = describe(self.package, function_name)
        self.function: Function = self.package.program.functions[self.description.function]
        self.precision: Precision = precision
        self._interface = Interface(self.function, self.description, rounds=precision == "declared")
        self.generator = torch.Generator()
        self.generator.manual_seed(seed) if seed is not None else self.generator.seed()
        self._classifier = find_classifier(self.function)
        self._runners: dict[tuple[str, ...], BatchRunner] = {}
        self._execute: Execute | None = None
        if engine == "onnxruntime":
            from .onnx_engine import onnx_engine

            self._execute = onnx_engine(model, function_name, self._classifier)
        else:
            self.plan  # noqa: B018  what is not sound is refused when it is opened

    @cached_property
    def plan(self) -> Plan:
        """What torch executes; made when it is first asked for, which is never where onnxruntime predicts."""
        plan = build(self.function, precision=self.precision, generator=self.generator)
        accelerate(plan)
        return plan

    @property
    def input_description(self) -> Features:
        """The inputs by name."""
        return self.description.inputs

    @property
    def output_description(self) -> Features:
        """The outputs by name."""
        return self.description.outputs

    def predict(self, inputs: Inputs | Sequence[Inputs], state: State | None = None) -> Any:
        """The outputs for `inputs`, by name; a list of inputs gives a list of outputs.

        A long list is computed in batches where the program keeps samples apart, so its results may differ in the last
        bits from those of single predictions, whose sums run in another order.

        Arrays come out as NumPy arrays of the declared type (float16 as float32, as coremltools returns them), scalars
        as shape (1,), images as PIL images, a classifier's label and its dictionary of probabilities as such.

        Raises:
            InputError: an unknown or missing input, one of a wrong type, shape, size or mode.
        """
        if not isinstance(inputs, Mapping) and isinstance(inputs, (list, tuple)):
            if state is not None:
                raise InputError("a state goes with one prediction at a time", value=f"{len(inputs)} inputs")
            return self._predict_list(inputs)
        if self._execute is not None:
            given = self._interface.checked(inputs)
            found = self._execute([self._interface.array(item, given) for item in self.function.inputs])
        else:
            with torch.inference_mode():
                values = self.plan(*self.arguments(inputs, state))
            found = {
                port.name: value.detach().numpy() if isinstance(value, torch.Tensor) else value
                for port, value in zip(self.plan.outputs, values, strict=True)
            }
        return {name: self._interface.output(name, found[name]) for name in self.description.outputs}

    def _predict_list(self, inputs: Sequence[Inputs]) -> list[dict[str, Any]]:
        runner = self._runner(self.description.outputs) if len(inputs) >= MANY and self._execute is None else None
        if runner is None or not runner.at_once:
            return [self.predict(item) for item in inputs]
        names = [name for name in self.description.outputs if not self._is_classified(name)]
        results: list[dict[str, Any]] = []
        first = self._interface.checked(inputs[0])
        chunk = chunk_for(self._tensor(item, first) for item in self.function.inputs)
        for start in range(0, len(inputs), chunk):
            given = [self._interface.checked(item) for item in inputs[start : start + chunk]]
            arguments = [torch.stack([self._tensor(item, each) for each in given]) for item in self.function.inputs]
            found = dict(zip(runner.names, runner.values(arguments), strict=True))
            for n in range(len(given)):
                outputs: dict[str, Any] = {name: self._interface.output(name, found[name][n]) for name in names}
                if self.classifier.probabilities in found:
                    outputs |= classified(self.classifier, found[self.classifier.probabilities][n])
                results.append({name: outputs[name] for name in self.description.outputs})
        return results

    def trace(self, inputs: Inputs, state: State | None = None) -> dict[str, Any]:
        """Every value that the function computes outside of nested blocks, by name, inputs included.

        Returns:
            NumPy arrays; lists, labels and dictionaries as they are.
        """
        seen: dict[str, Any] = {}

        def note(step: Step, results: tuple[Any, ...]) -> None:
            for each, value in zip(step.results, results, strict=True):
                seen[each.name] = value.detach().numpy() if isinstance(value, torch.Tensor) else value

        with torch.inference_mode():
            arguments = self.arguments(inputs, state)
            for item, value in zip(self.function.inputs, arguments, strict=True):
                if isinstance(value, torch.Tensor):
                    seen[item.name] = value.numpy()
            self._plain_plan.observe(arguments, note)
        return seen

    def predict_batch(
        self, inputs: Mapping[str, Samples], *, values: Sequence[str] | None = None, chunk: int | None = None
    ) -> dict[str, np.ndarray]:
        """The outputs for N samples at once, in chunks; the program itself may be written for one.

        torch computes them whatever the engine: it runs a chunk at once, where an ONNX model of batch 1 cannot.

        Args:
            inputs: by name, arrays [N, *shape] (a leading 1 of the model's shape may be left out); images as uint8
                [N, height, width, 3] in RGB order ([N, height, width] for gray) or as PIL images.
            values: names of values of the program to return, such as `logits_name`; None: the outputs.
            chunk: how many samples are computed at a time; None: as many as their size makes fast (`chunk_for`).

        Returns:
            By name, arrays [N, ...] where a leading 1 of a sample's value is dropped: probabilities are [N, classes] in
            the order of `classes`, the label output is an array of labels.

        Raises:
            InputError: a wrong name, type or shape, or a model with states.
        """
        names = tuple(values) if values is not None else tuple(self.description.outputs)
        if any(isinstance(item.type, StateType) for item in self.function.inputs):
            raise InputError("a model with states predicts one sample after the other", value=self.package.name)
        if chunk is not None and chunk < 1:
            raise InputError("chunk must be a number of samples", value=chunk, allowed="1 or more")
        classifier, runner = self.classifier, self._runner(names)
        check_names(inputs, self.description.inputs)
        samples = sample_tensors(self.description.inputs, inputs)
        count = len(next(iter(samples.values())))
        chunk = chunk or chunk_for(tensor[0] for tensor in samples.values())
        parts: list[list[np.ndarray]] = []
        for start in range(0, count, chunk):
            arguments = [
                self._samples(item, samples, start, min(start + chunk, count)) for item in self.function.inputs
            ]
            parts.append([joined(value) for value in runner.values(arguments)])
        found = dict(zip(runner.names, (np.concatenate(part) for part in zip(*parts, strict=True)), strict=True))
        results = {}
        for name in names:
            array = found[classifier.probabilities if self._is_classified(name) else name]
            if name == self.description.predicted_label:
                array = np.array(classifier.classes)[array.reshape(count, -1).argmax(axis=1)]
            results[name] = array
        return results

    def _runner(self, names: Iterable[str]) -> BatchRunner:
        """What computes the values `names` for many samples; of a classifier its probabilities."""
        wanted = tuple(dict.fromkeys(self.classifier.probabilities if self._is_classified(n) else n for n in names))
        if wanted not in self._runners:
            plan = build(self.function, precision=self.precision, outputs=wanted, generator=self.generator)
            self._runners[wanted] = BatchRunner(plan, [item.type for item in self.function.inputs])
        return self._runners[wanted]

    def _is_classified(self, name: str) -> bool:
        return name in self.classifier.outputs

    def _samples(self, item: NamedType, samples: dict[str, torch.Tensor], start: int, end: int) -> torch.Tensor:
        if item.name in samples:
            value = self._interface.tensor(item, samples[item.name][start:end])
            return value.reshape(-1) if isinstance(item.type, ValueType) and item.type.shape == () else value
        value = self._tensor(item, {})
        return value.expand(end - start, *value.shape)

    @property
    def kinds(self) -> dict[str, str]:
        """The op that computes each value outside of nested blocks, by the value's name."""
        return {each.name: step.kind for step in self._plain_plan.steps for each in step.results}

    @cached_property
    def _plain_plan(self) -> Plan:
        """The plan op by op, in which every value is seen; made when it is first asked for."""
        return build(self.function, precision=self.precision, generator=self.generator)

    @property
    def classifier(self) -> Classifier:
        """What the model says as a classifier; empty names where it is none."""
        return self._classifier

    @property
    def classes(self) -> tuple[str | int, ...]:
        """The labels of a classifier, in the order of its probabilities; empty where the model is none."""
        return self._classifier.classes

    @property
    def logits_name(self) -> str | None:
        """The value that enters the softmax of a classifier's probabilities; None where there is no such op."""
        return self._classifier.logits

    def make_state(self) -> State:
        """Fresh states, all zero; raises InputError where the model has none."""
        state = State(self.function)
        if not state.cells:
            raise InputError("the model has no states", value=self.package.name)
        return state

    def new_state(self) -> State | None:
        """Fresh states, all zero; None where the model has none."""
        return self.make_state() if self.description.states else None

    def arguments(self, inputs: Inputs | Sequence[Inputs], state: State | None) -> list[Any]:
        """What the plan takes, in its order."""
        given = self._interface.checked(inputs)
        return [
            self._cell(item, state) if isinstance(item.type, StateType) else self._tensor(item, given)
            for item in self.function.inputs
        ]

    @staticmethod
    def _cell(item: NamedType, state: State | None) -> StateCell:
        if state is None:
            raise InputError("the model has states", value=item.name, hint="pass state=model.make_state()")
        if item.name not in state.cells:
            raise InputError("the state is of another model: it lacks", value=item.name)
        return state.cells[item.name]

    def _tensor(self, item: NamedType, inputs: Inputs) -> torch.Tensor:
        return self._interface.tensor(item, torch.from_numpy(self._interface.array(item, inputs)))
