"""A Core ML classifier of images as a model of plain arrays: all that coremltools' runner on a device takes.

Its app feeds `MLMultiArray`s and refuses every output that is none (coremltools, ModelRunner/ModelService.swift). So an
image input becomes the array that the program reads anyway, and the look-up of the label at the end is left out: the
times are without it. Everything between is the same program with the same weights.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinyml.coreml.read.package import open_package
from tinyml.errors import ArtifactError
from tinyml.quiet import coremltools, quiet

_CLASSIFY = "classify"


def tensors_only(package: Path, units: Any = None) -> Any:
    """The package at `package` as a coremltools `MLModel`, not loaded.

    Args:
        package: An `.mlpackage` that holds an ML Program.
        units: A `coremltools.ComputeUnit`; None: all.

    Raises:
        ArtifactError: No ML Program of one function, or one with outputs that are neither arrays nor a label's look-up.
    """
    ct = coremltools()
    open_package(package)  # which says what is wrong with one that is none
    with quiet():
        model = ct.models.MLModel(str(package), skip_model_load=True)
    spec = model.get_spec()
    functions = spec.mlProgram.functions
    if spec.WhichOneof("Type") != "mlProgram" or len(functions) != 1:
        raise ArtifactError("a device's runner takes ML Programs of one function", value=package)
    (function,) = functions.values()
    (block,) = function.block_specializations.values()
    types = {item.name: item.type for item in function.inputs}
    types |= {output.name: output.type for operation in block.operations for output in operation.outputs}
    for feature in spec.description.input:
        if feature.type.WhichOneof("Type") == "imageType":
            _make_array(ct, feature, types[feature.name])
    for operation in [operation for operation in block.operations if operation.type == _CLASSIFY]:
        _without(ct, spec, block, operation, types)
    odd = [f.name for f in spec.description.output if f.type.WhichOneof("Type") != "multiArrayType"]
    if odd:
        raise ArtifactError("a device's runner returns arrays only", value=f"{package}: {', '.join(odd)}")
    with quiet():
        return ct.models.MLModel(
            spec,
            weights_dir=model.weights_dir,
            compute_units=units or ct.ComputeUnit.ALL,
            skip_model_load=True,
        )


def _without(ct: Any, spec: Any, block: Any, classify: Any, types: dict[str, Any]) -> None:
    """Leaves the look-up out; what it read becomes the output in place of what it wrote."""
    kept = classify.inputs["probabilities"].arguments[0].name
    written = {output.name for output in classify.outputs}
    outputs = [name for name in block.outputs if name not in written]
    block.outputs[:] = outputs if kept in outputs else [*outputs, kept]
    block.operations.remove(classify)
    features = [f for f in spec.description.output if f.name not in written]
    del spec.description.output[:]
    spec.description.output.extend(features)
    if all(feature.name != kept for feature in features):
        _make_array(ct, spec.description.output.add(name=kept), types[kept])
    spec.description.ClearField("predictedFeatureName")
    spec.description.ClearField("predictedProbabilitiesName")


def _make_array(ct: Any, feature: Any, value: Any) -> None:
    proto = ct.proto
    tensor = value.tensorType
    kinds = {
        proto.MIL_pb2.FLOAT16: proto.FeatureTypes_pb2.ArrayFeatureType.FLOAT16,
        proto.MIL_pb2.FLOAT32: proto.FeatureTypes_pb2.ArrayFeatureType.FLOAT32,
        proto.MIL_pb2.INT32: proto.FeatureTypes_pb2.ArrayFeatureType.INT32,
    }
    array = feature.type.multiArrayType
    array.dataType = kinds[tensor.dataType]
    array.shape[:] = [dimension.constant.size for dimension in tensor.dimensions]
