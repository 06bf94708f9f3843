"""How the weights of an ML Program are stored: read from a package, or from coremltools' model in memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.coreml.program.dtypes import unpack_bits
from tinyml.coreml.program.program import Binding, Block, Constant, Operation, ValueName
from tinyml.coreml.read.package import Package
from tinyml.errors import ArtifactError

from .encoding.calibration import decoded
from .encoding.coreml import UNSCALED
from .weights import Encoding, Weight, is_weight, values_behind

_MULTIPLIES = {"conv": ("weight",), "conv_transpose": ("weight",), "linear": ("weight",), "matmul": ("x", "y")}
_PRECISIONS = ("fp16", "fp32")


def weights_of(package: Package) -> tuple[Weight, ...]:
    """The weights of all functions, in the order of the program; layers are called as the ops that read them."""
    functions = package.program.functions.values()
    return tuple(weight for function in functions for weight in _of_block(function.block, {}))


def held(package: Package, weights: Sequence[Weight]) -> list[tuple[Weight, NDArray[np.float32]]]:
    """`weights` of `package`, decompressed by our runtime, each with the scale that follows its op."""
    behind: dict[str, str] = {}
    for function in package.program.functions.values():
        for operation in function.block.operations:
            scale = {"batch_norm": "gamma", "mul": "y"}.get(operation.kind)
            read = operation.inputs["x"][0] if scale is not None else None
            if scale is None or not isinstance(read, ValueName) or not read.name.endswith(UNSCALED):
                continue
            factor = operation.inputs[scale][0]
            if isinstance(factor, ValueName):
                behind[read.name.removesuffix(UNSCALED)] = factor.name
    values = decoded(package, {weight.stored_name for weight in weights} | set(behind.values()))
    found = []
    for weight in weights:
        array = values[weight.stored_name]
        if weight.op_name in behind:
            shape = [1] * array.ndim
            shape[weight.output_axis] = -1
            array = array * values[behind[weight.op_name]].reshape(shape)
        found.append((weight, array))
    return found


def _of_block(block: Block, outer: Mapping[str, Operation]) -> Iterator[Weight]:
    makers = dict(outer)
    for operation in block.operations:
        makers.update({output.name: operation for output in operation.outputs})
        for inner in operation.blocks:
            yield from _of_block(inner, makers)
        if operation.kind == "const" or operation.kind.startswith("constexpr_"):
            continue
        multiplied = _MULTIPLIES.get(operation.kind, ())
        for parameter, bindings in operation.inputs.items():
            for binding in bindings:
                stored = _stored(binding, makers)
                if stored is None or not is_weight(stored[0], multiplied=parameter in multiplied):
                    continue
                shape, dtype, encodings = stored
                output_axis, input_axis = _axes(operation, parameter, len(shape))
                name = operation.outputs[0].name.removesuffix(UNSCALED)
                if parameter in multiplied and name != operation.outputs[0].name:
                    behind = values_behind(operation.kind, shape[output_axis])
                    encodings = tuple(replace(e, behind=behind * (e.method == "palette")) for e in encodings)
                yield Weight(
                    layer=name,
                    op_name=name,
                    stored_name=binding.name if isinstance(binding, ValueName) else name,
                    op=operation.kind,
                    shape=shape,
                    dtype=dtype,
                    output_axis=output_axis,
                    input_axis=input_axis,
                    parameter=parameter,
                    multiplied=parameter in multiplied,
                    encodings=encodings,
                )


def _stored(
    binding: Binding, makers: Mapping[str, Operation]
) -> tuple[tuple[int, ...], str, tuple[Encoding, ...]] | None:
    """Shape, type and encodings of a stored value of floats; None for computed values and for integers."""
    if isinstance(binding, Constant):
        dtype = getattr(binding.type, "dtype", "")
        return (
            (binding.data.shape, dtype, ()) if isinstance(binding.data, np.ndarray) and dtype in _PRECISIONS else None
        )
    maker = makers.get(binding.name)
    if maker is None:
        return None
    if maker.kind == "const":
        return _stored(maker.inputs["val"][0], makers)
    if not maker.kind.startswith("constexpr_"):
        return None
    type_: Any = maker.outputs[0].type
    return tuple(type_.shape), type_.dtype, _encodings(maker, makers)


def _encodings(maker: Operation, makers: Mapping[str, Operation]) -> tuple[Encoding, ...]:
    """How the output of a `constexpr_` op is stored, the sparse mask first."""
    inputs = {name: bindings[0] for name, bindings in maker.inputs.items()}
    shape: tuple[int, ...] = tuple(maker.outputs[0].type.shape)  # type: ignore[union-attr, arg-type]
    match maker.kind:
        case "constexpr_affine_dequantize":
            scale, axis = _array(inputs["scale"]), int(_array(inputs["axis"]))
            groups = tuple(scale.size if each == axis else 1 for each in range(len(shape)))
            return (Encoding(method="linear", dtype=_dtype(inputs["quantized_data"]), groups=groups),)
        case "constexpr_blockwise_shift_scale" if isinstance(inputs["data"], Constant):
            return (Encoding(method="linear", dtype=_dtype(inputs["data"]), groups=_array(inputs["scale"]).shape),)
        case "constexpr_sparse_blockwise_shift_scale":
            return (
                Encoding(method="linear", dtype=_dtype(inputs["nonzero_data"]), groups=_array(inputs["scale"]).shape),
            )
        case "constexpr_lut_to_dense" if "shape" in inputs:  # iOS16: the indices are packed into a vector of bytes
            bits = int(math.log2(_array(inputs["lut"]).size))
            if _array(inputs["indices"]).size != -(-math.prod(shape) * bits // 8):
                raise ArtifactError("palette indices of another length than the weight needs", value=maker.name)
            return (Encoding(method="palette", dtype=f"uint{bits}", groups=(1,) * len(shape)),)
        case "constexpr_lut_to_dense" if isinstance(inputs["lut"], Constant):
            return (
                Encoding(method="palette", dtype=_dtype(inputs["indices"]), groups=_array(inputs["lut"]).shape[:-2]),
            )
        case "constexpr_lut_to_sparse" if isinstance(inputs["lut"], Constant):
            dtype = _dtype(inputs["indices_nonzero_data"])
            return (Encoding(method="palette", dtype=dtype, groups=_array(inputs["lut"]).shape[:-2]),)
        case "constexpr_sparse_to_dense":
            values = inputs["nonzero_data"]
            inner = _encodings(makers[values.name], makers) if isinstance(values, ValueName) else ()
            mask = _mask(inputs["mask"], shape, makers)
            zeros = 1 - float(mask.mean())
            return (Encoding(method="prune", dtype="uint1", zeros=zeros, mask=mask), *inner)
        case _:
            return (Encoding(method=maker.kind, dtype="unknown"),)


def _mask(binding: Binding, shape: tuple[int, ...], makers: Mapping[str, Operation]) -> NDArray[np.bool_]:
    if isinstance(binding, ValueName):
        maker = makers[binding.name]
        name = "data_mask" if "data_mask" in maker.inputs else "indices_mask"
        return _mask(maker.inputs[name][0], shape, makers)
    data = _array(binding)
    if data.shape != shape:  # iOS16: packed into a vector of bytes
        data = unpack_bits(data, 1, math.prod(shape), signed=False).reshape(shape)
    return np.asarray(data != 0)


def _array(binding: Binding) -> NDArray[Any]:
    if not isinstance(binding, Constant) or not isinstance(binding.data, np.ndarray):
        raise ArtifactError("a compressed weight whose parts are computed, where constants are expected")
    return binding.data


def _dtype(binding: Binding) -> str:
    return str(getattr(getattr(binding, "type", None), "dtype", "unknown"))


def _axes(operation: Operation, parameter: str, rank: int) -> tuple[int, int]:
    """The axes of output and input channels, as coremltools picks them."""
    if operation.kind == "conv_transpose":
        return 1, 0
    if operation.kind == "matmul":
        flag = next(iter(operation.inputs.get(f"transpose_{parameter}", ())), None)
        transposed = isinstance(flag, Constant) and bool(np.asarray(flag.data))
        output_last = (parameter == "y") != transposed
        return (rank - 1, rank - 2) if output_last else (rank - 2, rank - 1)
    return 0, 1
