"""`ReferenceModel`: the contract of coremltools' `MLModel.predict` on any machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch

from ...errors import InputError, PackageError
from .accelerate import accelerate
from .batch import BatchRunner, Samples, sample_tensors
from .classifier import Classifier, find_classifier
from .description import ArrayFeature, Description, Features, ImageFeature, check_array, check_names, describe
from .dtypes import DTYPES
from .images import array_image, image_array
from .ops.context import StateCell, ValueType
from .package import Package, open_package
from .plan import Plan, Step
from .planner import Precision, build
from .program import Function, NamedType, StateType

Engine = Literal["torch", "onnxruntime"]
Inputs = Mapping[str, Any]
Session = Callable[[Sequence[np.ndarray]], dict[str, Any]]


class State:
    """The states of one conversation with a model; see `ReferenceModel.make_state`."""

    def __init__(self, cells: dict[str, StateCell], features: Features) -> None:
        self.cells = cells
        self._features = features

    def read_state(self, name: str) -> np.ndarray:
        """The content of state `name`, float32 of the declared shape."""
        return self._cell(name).value.detach().to(torch.float32).numpy().copy()

    def write_state(self, name: str, value: Any) -> None:
        """Replaces the content of state `name`; the value is rounded to the state's type."""
        cell = self._cell(name)
        array = np.asarray(value)
        if array.dtype.kind not in "fiub" or array.shape != tuple(cell.value.shape):
            raise InputError(
                f"state {name!r} cannot take this value",
                value=f"{array.dtype} {list(array.shape)}",
                allowed=str(list(cell.value.shape)),
            )
        cell.value = torch.tensor(array.astype(np.float16).astype(np.float32))

    def _cell(self, name: str) -> StateCell:
        if name not in self.cells:
            raise InputError("the model has no state of this name", value=name, allowed=", ".join(self.cells) or "none")
        return self.cells[name]


class ReferenceModel:
    """An ML Program that predicts here as it would with coremltools on a Mac."""

    def __init__(
        self,
        model: Any,
        function_name: str | None = None,
        precision: Precision = "declared",
        engine: Engine = "torch",
        seed: int | None = None,
    ) -> None:
        """Opens and plans `model`.

        Args:
            model: a path to an .mlpackage, or a coremltools MLModel.
            function_name: which function to run; None: the model's default one.
            precision: "declared" rounds each value to the type that the program declares for it; "float32" rounds
                nothing.
            engine: "torch" executes the plan; "onnxruntime" goes through ONNX, for speed where exactness in the
                declared types is not the point.
            seed: of random ops that have none of their own.

        Raises:
            PackageError: the package is not sound; UnsupportedOpsError: it uses ops that this runtime lacks.
        """
        if precision not in ("declared", "float32"):
            raise InputError("unknown precision", value=precision, allowed="declared, float32")
        if engine not in ("torch", "onnxruntime"):
            raise InputError("unknown engine", value=engine, allowed="torch, onnxruntime")
        self.package: Package = open_package(model)
        self.description: Description = describe(self.package, function_name)
        self.function: Function = self.package.program.functions[self.description.function]
        self.precision: Precision = precision
        self.generator = torch.Generator()
        self.generator.manual_seed(seed) if seed is not None else self.generator.seed()
        self.plan: Plan = build(self.function, precision=precision, generator=self.generator)
        accelerate(self.plan)
        _check_interface(self.function, self.description)
        self._classifier = find_classifier(self.function)
        self._runners: dict[tuple[str, ...], BatchRunner] = {}
        self._session: Session | None = None
        if engine == "onnxruntime":
            from .onnx_session import open_session

            self._session = open_session(model, function_name, self._classifier)

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

        Arrays come out as NumPy arrays of the declared type (float16 as float32, as coremltools returns them), scalars
        as shape (1,), images as PIL images, a classifier's label and its dictionary of probabilities as such.

        Raises:
            InputError: an unknown or missing input, one of a wrong type, shape, size or mode.
        """
        if not isinstance(inputs, Mapping) and isinstance(inputs, (list, tuple)):
            if state is not None:
                raise InputError("a state goes with one prediction at a time", value=f"{len(inputs)} inputs")
            return [self.predict(item) for item in inputs]
        if self._session is not None:
            given = self._checked(inputs)
            found = self._session([self._array(item, given) for item in self.function.inputs])
        else:
            with torch.inference_mode():
                values = self.plan(*self.arguments(inputs, state))
            found = {
                name: value.detach().numpy() if isinstance(value, torch.Tensor) else value
                for (name, _), value in zip(self.plan.outputs, values, strict=True)
            }
        return {name: self._output(name, found[name]) for name in self.description.outputs}

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
        self, inputs: Mapping[str, Samples], *, values: Sequence[str] | None = None, chunk: int = 32
    ) -> dict[str, np.ndarray]:
        """The outputs for N samples at once, in chunks; the program itself may be written for one.

        torch computes them whatever the engine: it runs a chunk at once, where an ONNX model of batch 1 cannot.

        Args:
            inputs: by name, arrays [N, *shape] (a leading 1 of the model's shape may be left out); images as uint8
                [N, height, width, 3] in RGB order ([N, height, width] for gray) or as PIL images.
            values: names of values of the program to return, such as `logits_name`; None: the outputs.
            chunk: how many samples are computed at a time; of many more, each value would be given new memory by the
                system, which takes longer than to compute it.

        Returns:
            By name, arrays [N, ...] where a leading 1 of a sample's value is dropped: probabilities are [N, classes] in
            the order of `classes`, the label output is an array of labels.

        Raises:
            InputError: a wrong name, type or shape, or a model with states.
        """
        names = tuple(values) if values is not None else tuple(self.description.outputs)
        if any(isinstance(item.type, StateType) for item in self.function.inputs):
            raise InputError("a model with states predicts one sample after the other", value=self.package.name)
        classifier = self.classifier
        wanted = tuple(dict.fromkeys(classifier.probabilities if self._is_classified(n) else n for n in names))
        if wanted not in self._runners:
            plan = build(self.function, precision=self.precision, outputs=wanted, generator=self.generator)
            self._runners[wanted] = BatchRunner(plan, [item.type for item in self.function.inputs])
        check_names(inputs, self.description.inputs)
        samples = sample_tensors(self.description.inputs, inputs)
        count = len(next(iter(samples.values())))
        parts: list[list[np.ndarray]] = []
        for start in range(0, count, chunk):
            arguments = [
                self._samples(item, samples, start, min(start + chunk, count)) for item in self.function.inputs
            ]
            parts.append(self._runners[wanted].run(arguments))
        found = dict(zip(wanted, (np.concatenate(part) for part in zip(*parts, strict=True)), strict=True))
        results = {}
        for name in names:
            array = found[classifier.probabilities if self._is_classified(name) else name]
            if name == self.description.predicted_label:
                array = np.array(classifier.classes)[array.reshape(count, -1).argmax(axis=1)]
            results[name] = array
        return results

    def _is_classified(self, name: str) -> bool:
        return name in self.classifier.outputs

    def _samples(self, item: NamedType, samples: dict[str, torch.Tensor], start: int, end: int) -> torch.Tensor:
        if item.name in samples:
            return self.declared(item, samples[item.name][start:end], batched=True)
        value = self.declared(item, torch.from_numpy(self._array(item, {})))
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
        cells = {}
        for item in self.function.inputs:
            if isinstance(item.type, StateType):
                shape = [size or 0 for size in item.type.wrapped.shape]
                cells[item.name] = StateCell(value=torch.zeros(shape, dtype=DTYPES[item.type.wrapped.dtype].carrier))
        if not cells:
            raise InputError("the model has no states", value=self.package.name)
        return State(cells, self.description.states)

    def arguments(self, inputs: Inputs | Sequence[Inputs], state: State | None) -> list[Any]:
        """What the plan takes, in its order."""
        given = self._checked(inputs)
        arguments: list[Any] = []
        for item in self.function.inputs:
            if isinstance(item.type, StateType):
                if state is None:
                    raise InputError("the model has states", value=item.name, hint="pass state=model.make_state()")
                if item.name not in state.cells:
                    raise InputError("the state is of another model: it lacks", value=item.name)
                arguments.append(state.cells[item.name])
            else:
                arguments.append(self.declared(item, torch.from_numpy(self._array(item, given))))
        return arguments

    def _checked(self, inputs: Inputs | Sequence[Inputs]) -> Inputs:
        if not isinstance(inputs, Mapping):
            raise InputError("inputs must be a dictionary, or a list of them", value=type(inputs).__name__)
        check_names(inputs, self.description.inputs)
        return inputs

    def _array(self, item: NamedType, inputs: Inputs) -> np.ndarray:
        """What the program's input `item` is given: an array of its own, of the carrier type and the declared rank."""
        if not isinstance(item.type, ValueType):
            raise PackageError("the program has an input that is no tensor", value=item.name)
        feature, dtype = self.description.inputs[item.name], DTYPES[item.type.dtype].carrier_array
        if item.name not in inputs:
            if not isinstance(feature, ArrayFeature) or feature.shape is None:
                raise InputError("the model needs an input that is missing", value=item.name)
            array = np.full(feature.shape, feature.default or 0.0, dtype)
        elif isinstance(feature, ImageFeature):
            array = image_array(feature, inputs[item.name])
        elif isinstance(feature, ArrayFeature):
            with np.errstate(invalid="ignore", over="ignore"):
                array = np.array(check_array(feature, inputs[item.name]), dtype)
        else:
            raise InputError(f"input {item.name!r} is of a type that this runtime does not take", value=str(feature))
        return array.reshape(()) if item.type.shape == () else array

    def declared(self, item: NamedType, value: torch.Tensor, *, batched: bool = False) -> torch.Tensor:
        """`value` as the program's input `item` takes it: carrier type, rank, and rounding."""
        if not isinstance(item.type, ValueType):
            raise PackageError("the program has an input that is no tensor", value=item.name)
        value = value.to(DTYPES[item.type.dtype].carrier)
        if item.type.dtype == "fp16" and self.precision == "declared":
            value = value.to(torch.float16).to(torch.float32)
        if item.type.shape == ():
            return value.reshape(value.shape[:1] if batched else ())
        return value

    def _output(self, name: str, value: Any) -> Any:
        feature = self.description.outputs[name]
        if isinstance(feature, ImageFeature):
            return array_image(feature, value)
        if not isinstance(value, np.ndarray):
            return value
        dtype = feature.dtype if isinstance(feature, ArrayFeature) else "fp32"
        array = value.astype(np.float32 if dtype == "fp16" else DTYPES[dtype].numpy)
        return array.reshape(1) if array.shape == () else array


def _check_interface(function: Function, description: Description) -> None:
    """Raises PackageError where the program and the model's description disagree about inputs and outputs."""
    for item in function.inputs:
        if isinstance(item.type, StateType):
            continue
        if item.name not in description.inputs or not isinstance(item.type, ValueType):
            raise PackageError("the program has an input that the model does not describe", value=item.name)
    names = {item.name for item in function.inputs}
    for name in description.inputs:
        if name not in names:
            raise PackageError("the model describes an input that its program does not have", value=name)
    for name in description.outputs:
        if name not in function.block.outputs:
            raise PackageError("the model describes an output that its program does not have", value=name)
