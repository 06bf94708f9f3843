"""A package as a torch module: weights as named parameters, to be traced, compiled, fine-tuned and exported again."""

from __future__ import annotations

from typing import Any

import torch

from tinyml.errors import InputError, UnsupportedOpsError

from ..ops.carriers import CARRIERS
from ..ops.registry import find
from ..plan.classifier import find_classifier
from ..plan.plan import Layout, Plan
from ..plan.planner import lay_out
from ..program.program import Block, Function
from ..program.types import ValueType
from ..read.description import ArrayFeature, Description, Feature, ImageFeature, Range, describe
from ..read.package import open_package


class TorchModel(Plan):
    """The plan of a function in float32; `forward` takes its inputs in order and returns a tuple of its outputs.

    An image input is a float tensor [1, channels, height, width] of 0..255 in the color order that the package
    declares. A classifier returns its probabilities in place of label and dictionary; `classes` names them.
    """

    def __init__(
        self, layout: Layout, description: Description, classes: tuple[str | int, ...], output_names: tuple[str, ...]
    ) -> None:
        """Builds the module of `layout`; `output_names` are those that the package gives its outputs."""
        super().__init__(layout)
        self.description = description
        self.classes = classes
        self.input_names = tuple(port.name for port in layout.inputs)
        self.output_names = output_names

    def example_inputs(self) -> tuple[torch.Tensor, ...]:
        """Inputs of the declared default shapes: zeros, or mid-gray for an image."""
        return tuple(_example(self.description.inputs[name]) for name in self.input_names)

    def dynamic_shapes(self) -> tuple[dict[int, Any], ...]:
        """For each input the axes that may vary, as `torch.export.export` wants them."""
        return tuple(_dynamic(self.description.inputs[name]) for name in self.input_names)


def to_torch(package: Any, function_name: str | None = None) -> TorchModel:
    """The module of a package.

    Args:
        package: a path to an .mlpackage, or a coremltools MLModel.
        function_name: which function; None: the one that an MLModel was opened with, or the default one.

    Raises:
        UnsupportedOpsError: with the ops that cannot be traced.
        PackageError: the package is not sound.
    """
    opened = open_package(package)
    description = describe(opened, function_name or getattr(package, "function_name", None))
    function = opened.program.functions[description.function]
    refused = sorted(_untraceable(function.block, function.opset))
    if refused:
        raise UnsupportedOpsError("the program cannot become a torch module, its course depends on values", ops=refused)
    classifier = find_classifier(function)
    names = tuple(name for name in description.outputs if name not in classifier.outputs)
    computed = ((classifier.probabilities,) if classifier.probabilities else ()) + names
    _check_types(function)
    layout = lay_out(function, precision="float32", outputs=computed)
    probabilities = (classifier.outputs[1],) if classifier.probabilities else ()
    return TorchModel(layout, description, classifier.classes, probabilities + names).eval()


def _check_types(function: Function) -> None:
    for item in function.inputs:
        if not isinstance(item.type, ValueType):
            raise InputError("an input that is no tensor cannot be traced", value=item.name)


def _untraceable(block: Block, opset: str) -> set[str]:
    found = set()
    for operation in block.operations:
        definition = find(operation.kind, opset)
        if definition is not None and not definition.traceable:
            found.add(operation.kind)
        for inner in operation.blocks:
            found |= _untraceable(inner, opset)
    return found


def _example(feature: Feature) -> torch.Tensor:
    if isinstance(feature, ImageFeature):
        channels = 3 if feature.color in ("RGB", "BGR") else 1
        return torch.full((1, channels, feature.height, feature.width), 128.0)
    if not isinstance(feature, ArrayFeature) or feature.shape is None:
        raise InputError("an input without a shape cannot be traced", value=feature.name)
    return torch.zeros(feature.shape, dtype=CARRIERS[feature.dtype])


def _dynamic(feature: Feature) -> dict[int, Any]:
    """Axis to `torch.export.Dim`."""
    if isinstance(feature, ImageFeature):
        if feature.enumerated:
            return {2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO}
        ranges: tuple[Range, ...] = (
            () if feature.ranges is None else ((1, 1), (1, 1), feature.ranges[1], feature.ranges[0])
        )
    elif isinstance(feature, ArrayFeature):
        if feature.enumerated:
            shapes = list(zip(*feature.enumerated, strict=True))
            return {axis: torch.export.Dim.AUTO for axis, sizes in enumerate(shapes) if len(set(sizes)) > 1}
        ranges = feature.ranges
    else:
        return {}
    return {axis: torch.export.Dim.AUTO for axis, (low, high) in enumerate(ranges) if low != high}
