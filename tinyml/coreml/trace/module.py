"""A package as a torch module: weights as named parameters, to be traced, compiled, fine-tuned and exported again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from tinyml.errors import InputError, PackageError

from ..ops.carriers import CARRIERS
from ..ops.context import StateCell
from ..plan.classifier import find_classifier
from ..plan.plan import Layout, Plan, Step
from ..plan.planner import lay_out
from ..program.program import Function
from ..program.types import StateType, ValueType
from ..read.description import ArrayFeature, Description, ImageFeature, describe
from ..read.package import open_package
from .axes import Port, ports
from .execute import Executor, constants, plain
from .sizes import is_fixed


class Fixed:
    """Filled by a trace: open axes (input, axis) that an op has turned into constants, and which op.

    Not a dictionary: torch.export puts those that it finds in a module back as they were.
    """

    def __init__(self) -> None:
        self.found: dict[tuple[str, int], str] = {}

    def note(self, axis: tuple[str, int], where: str) -> None:
        """The first one to be told of an axis is right."""
        self.found.setdefault(axis, where)


class TorchModel(Plan):
    """The plan of a function in float32; `forward` takes its inputs in order and returns a tuple of its outputs.

    An image input is a float tensor [1, channels, height, width] of 0..255 in the color order that the package
    declares. A classifier returns its probabilities in place of label and dictionary; `classes` names them. A state is
    an input and, as NAME_out behind the other outputs, what the call leaves in it.
    """

    def __init__(
        self,
        layout: Layout,
        description: Description,
        classes: tuple[str | int, ...],
        output_names: tuple[str, ...],
        traced: list[Port],
        states: dict[str, torch.Tensor],
    ) -> None:
        """Builds the module of `layout`.

        Args:
            layout: of the plan.
            description: of the function.
            classes: a classifier's labels.
            output_names: those that the package gives its outputs.
            traced: the inputs with their open axes.
            states: by name, what each state is before the first call.
        """
        super().__init__(layout)
        self.description = description
        self.classes = classes
        self.input_names = tuple(port.name for port in layout.inputs)
        self.state_names = tuple(name for name in self.input_names if name in states)
        self.output_names = (*output_names, *(f"{name}_out" for name in self.state_names))
        self.traced = traced
        self._initial = states
        self._known = constants(self)
        self.fixed = Fixed()
        self.keeps_loops = False
        """Whether a trace keeps loops, and branches that values decide; else it unrolls them."""

    def forward(self, *inputs: Any) -> tuple[Any, ...]:
        """Runs the steps; a failing op raises PackageError with its name."""
        cells = {
            name: StateCell(value=value)
            for name, value in zip(self.input_names, inputs, strict=True)
            if name in self.state_names
        }
        given = [cells.get(name, value) for name, value in zip(self.input_names, inputs, strict=True)]
        opened = {
            (port.name, axis): value.shape[axis]
            for port in self.traced
            for axis in port.open
            for name, value in zip(self.input_names, inputs, strict=True)
            if name == port.name and isinstance(value.shape[axis], torch.SymInt)
        }

        def watch(step: Step) -> None:
            for axis in [axis for axis, size in opened.items() if is_fixed(size)]:
                self.fixed.note(axis, f"op {step.name!r} ({step.kind})")
                del opened[axis]

        keeps = self.keeps_loops and torch.compiler.is_exporting()
        found = Executor(self._known, watch, keeps=keeps).run(self, given)
        return (*(plain(value) for value in found), *(cells[name].value for name in self.state_names))

    @property
    def has_blocks(self) -> bool:
        """Whether there is a loop or a branch."""
        return any(step.blocks for step in self.steps)

    def example_inputs(self) -> tuple[torch.Tensor, ...]:
        """Inputs of the traced shapes: the default value where there is one, else zeros, or mid-gray for an image."""
        examples = {port.name: self._example(port) for port in self.traced} | self._initial
        return tuple(examples[name] for name in self.input_names)

    def defaults(self) -> dict[str, torch.Tensor]:
        """The inputs that may be left out, and what they are then."""
        optional = [port for port in self.traced if self.description.inputs[port.name].optional]
        return {port.name: self._example(port) for port in optional}

    def dynamic_shapes(self) -> tuple[dict[int, Any], ...]:
        """For each input the axes that may vary, as `torch.export.export` wants them."""
        opened = {
            port.name: {
                axis: torch.export.Dim.AUTO(min=max(low, 1), max=high) for axis, (low, high) in port.open.items()
            }
            for port in self.traced
        }
        return tuple(opened.get(name, {}) for name in self.input_names)

    def _example(self, port: Port) -> torch.Tensor:
        feature = self.description.inputs[port.name]
        if isinstance(feature, ImageFeature):
            return torch.full(port.shape, 128.0)
        if not isinstance(feature, ArrayFeature):
            raise InputError("an input that is no tensor cannot be traced", value=port.name)
        return torch.full(port.shape, feature.default or 0.0).to(CARRIERS[feature.dtype])


def to_torch(package: Any, function_name: str | None = None, shapes: Iterable[str] = ()) -> TorchModel:
    """The module of a package.

    Args:
        package: a path to an .mlpackage, or a coremltools MLModel.
        function_name: which function; None: the one that an MLModel was opened with, or the default one.
        shapes: fixes axes of inputs, as `ports` reads them.

    Raises:
        UnsupportedOpsError: with the ops that this runtime lacks.
        PackageError: the package is not sound.
    """
    opened = open_package(package)
    description = describe(opened, function_name or getattr(package, "function_name", None))
    function = opened.program.functions[description.function]
    classifier = find_classifier(function)
    names = tuple(name for name in description.outputs if name not in classifier.outputs)
    computed = ((classifier.probabilities,) if classifier.probabilities else ()) + names
    states = _states(function)
    layout = lay_out(function, precision="float32", outputs=computed)
    probabilities = (classifier.outputs[1],) if classifier.probabilities else ()
    traced = ports(description, shapes)
    return TorchModel(layout, description, classifier.classes, probabilities + names, traced, states).eval()


def _states(function: Function) -> dict[str, torch.Tensor]:
    found = {}
    for item in function.inputs:
        if isinstance(item.type, StateType):
            shape = [size or 0 for size in item.type.wrapped.shape]
            found[item.name] = torch.zeros(shape, dtype=CARRIERS[item.type.wrapped.dtype])
        elif not isinstance(item.type, ValueType):
            raise InputError("an input that is no tensor cannot be traced", value=item.name)
    return found


def fixed_axes(module: TorchModel) -> None:
    """Raises PackageError where tracing `module` has fixed an axis that was to stay open, with the op that did it."""
    for (name, axis), where in module.fixed.found.items():
        port = next(port for port in module.traced if port.name == name)
        raise PackageError(
            f"axis {axis} of input {name!r} is open in the package, but {where} fixes it",
            value=port.shape[axis],
            hint=f"fix it yourself: --shape {name}={','.join(map(str, port.shape))}",
        )
