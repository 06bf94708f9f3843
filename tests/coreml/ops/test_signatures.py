"""Each op that coremltools registers has an implementation with the same inputs, in every opset."""

from __future__ import annotations

import inspect
import typing
from typing import Any

import coremltools as ct
import pytest
from coremltools.converters.mil.mil.ops.registry import SSAOpRegistry

from tinyml.coreml.ops.context import OpContext
from tinyml.coreml.ops.registry import OPSETS, find

MODULES = {
    "activation",
    "conv",
    "elementwise_binary",
    "elementwise_unary",
    "image_resizing",
    "linear",
    "normalization",
    "pool",
    "quantization_ops",
    "random",
    "recurrent",
    "reduction",
    "scatter_gather",
    "tensor_operation",
    "tensor_transformation",
    "transformers",
}
"""The modules of coremltools' op definitions whose ops must be here."""


def _registered(opset: str) -> dict[str, Any]:
    target = getattr(ct.target, opset)
    found = {name: versions.get(target) for name, versions in SSAOpRegistry.core_ops.items()}
    return {name: cls for name, cls in found.items() if cls and cls.__module__.rpartition(".")[2] in MODULES}


@pytest.mark.parametrize("opset", OPSETS)
def test_every_op_has_the_inputs_of_its_definition(opset: str) -> None:
    wanted, found = {}, {}
    for name, cls in _registered(opset).items():
        inputs = cls.input_spec.input_types
        wanted[name] = {key: kind.optional for key, kind in inputs.items()}
        definition = find(name, opset)
        if definition is None:
            continue
        hints = typing.get_type_hints(definition.function)
        parameters = inspect.signature(definition.function).parameters.values()
        found[name] = {p.name: p.default is not p.empty for p in parameters if hints[p.name] is not OpContext}
    assert len(wanted) >= 140
    assert found == wanted
