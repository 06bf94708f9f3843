"""How the weights of an ONNX model are stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .weights import Encoding, Weight, is_weight

if TYPE_CHECKING:
    import onnx

_MULTIPLY = ("Conv", "ConvTranspose", "Gemm", "MatMul", "ConvInteger", "MatMulInteger")
_UNPACKED = "_DequantizeLinear_Output"
"""How onnxruntime's static quantization ends the names of what it unpacks."""
_TRANSPOSED = "_Transposed"
"""How dynamic quantization ends the name of the matrix of a Gemm, of which it makes a MatMul."""
_QUANTIZED = "_quantized"
"""How both end the names of integer weights; the scales of dynamic quantization end in "_scale"."""


def weights_of(model: onnx.ModelProto) -> tuple[Weight, ...]:
    """What convolutions and matrix products multiply with, in the order of the graph.

    Other constants of the graph (a table of positions that is added) go the way of activations and are left out.
    Layers are called as the outputs of the nodes that read their weights.
    """
    import onnx

    dtypes = {
        onnx.TensorProto.FLOAT: "fp32",
        onnx.TensorProto.FLOAT16: "fp16",
        onnx.TensorProto.INT8: "int8",
        onnx.TensorProto.UINT8: "uint8",
    }
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    unpacked = {node.output[0]: node for node in model.graph.node if node.op_type == "DequantizeLinear"}
    found = []
    for node in model.graph.node:
        if node.op_type not in _MULTIPLY:
            continue
        for position, name in enumerate(node.input[:2]):
            dequantize = unpacked.get(name)
            tensor = stored.get(dequantize.input[0] if dequantize is not None else name)
            if tensor is None or not is_weight(tensor.dims, multiplied=True):
                continue
            dtype = dtypes.get(tensor.data_type, f"type {tensor.data_type}")
            encodings: tuple[Encoding, ...] = ()
            if dequantize is not None:
                axis = next((entry.i for entry in dequantize.attribute if entry.name == "axis"), 1) % len(tensor.dims)
                scale = stored[dequantize.input[1]].dims
                groups = tuple(scale[0] if scale and each == axis else 1 for each in range(len(tensor.dims)))
                encodings = (Encoding(method="linear", dtype=dtype, groups=groups),)
                dtype = dtypes[stored[dequantize.input[1]].data_type]
            output_axis, input_axis = _axes(node, position, len(tensor.dims))
            output = node.output[0].removesuffix("_output_quantized")
            if node.op_type.endswith("Integer"):
                factor = stored[f"{name.removesuffix(_QUANTIZED)}_scale"]
                groups = tuple(
                    max(factor.dims, default=1) if each == output_axis else 1 for each in range(len(tensor.dims))
                )
                encodings, dtype = (Encoding(method="linear", dtype=dtype, groups=groups),), dtypes[factor.data_type]
            weight = Weight(
                layer=output,
                op_name=output,
                stored_name=name,
                op=node.op_type,
                shape=tuple(tensor.dims),
                dtype=dtype,
                output_axis=output_axis,
                input_axis=input_axis,
                encodings=encodings,
            )
            found.append(_turned(weight) if _is_transposed(weight) else weight)
    return tuple(found)


def _is_transposed(weight: Weight) -> bool:
    return weight.stored_name.removesuffix(_QUANTIZED).endswith(_TRANSPOSED)


def _turned(weight: Weight) -> Weight:
    """A matrix as its layer has it, which is stored the other way round."""
    return replace(
        weight,
        shape=weight.shape[::-1],
        output_axis=weight.input_axis,
        input_axis=weight.output_axis,
        encodings=tuple(replace(encoding, groups=encoding.groups[::-1]) for encoding in weight.encodings),
    )


def plain_name(weight: Weight) -> str:
    """What the weight was called before it was quantized."""
    return weight.stored_name.removesuffix(_UNPACKED).removesuffix(_QUANTIZED).removesuffix(_TRANSPOSED)


def held(model: onnx.ModelProto, weights: Sequence[Weight]) -> list[tuple[Weight, NDArray[np.float32]]]:
    """`weights` of `model`, each with its values as DequantizeLinear gives them, in its layer's shape."""
    from onnx import numpy_helper

    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    unpacked = {node.output[0]: node for node in model.graph.node if node.op_type == "DequantizeLinear"}

    def array(name: str) -> NDArray[np.float32]:
        return np.asarray(numpy_helper.to_array(stored[name]), np.float32)

    found = []
    for weight in weights:
        node = unpacked.get(weight.stored_name)
        if node is not None:
            axis = next((entry.i for entry in node.attribute if entry.name == "axis"), 1)
            names = list(node.input)
        elif weight.op.endswith("Integer"):
            turned = _is_transposed(weight)
            axis, base = (
                weight.input_axis if turned else weight.output_axis,
                weight.stored_name.removesuffix(_QUANTIZED),
            )
            names = [weight.stored_name, f"{base}_scale", f"{base}_zero_point"]
        else:
            found.append((weight, array(weight.stored_name)))
            continue
        levels, *steps = (array(name) for name in names)
        along = [-1 if each == axis else 1 for each in range(levels.ndim)]
        scale, *zero = (step.reshape(along if step.size > 1 else [1] * levels.ndim) for step in steps)
        values = (levels - zero[0] if zero else levels) * scale
        found.append((weight, values.T if _is_transposed(weight) else values))
    return found


def _axes(node: onnx.NodeProto, position: int, rank: int) -> tuple[int, int]:
    """The axes of output and input channels of the weight at input `position`."""
    if node.op_type in ("Conv", "ConvInteger"):
        return 0, 1
    if node.op_type == "ConvTranspose":
        return 1, 0
    name = "transB" if position else "transA"
    transposed = any(entry.name == name and entry.i for entry in node.attribute)
    output_last = (position == 1) != transposed
    return (rank - 1, rank - 2) if output_last else (rank - 2, rank - 1)
