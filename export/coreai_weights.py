"""How the weights of a Core AI program are stored."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.core_ai.program import Operation, Program
from tinyml.errors import ArtifactError

from .encoding.forms import Indices, spread
from .weights import Encoding, Weight, is_weight

_CONVOLUTIONS = ("conv1d", "conv2d", "conv3d")
_PRODUCTS = ("batch_matmul", "broadcasting_batch_matmul")
_PRECISIONS = {"f32": "fp32", "f16": "fp16"}
_FLOATS = {"f32": np.float32, "f16": np.float16}
_INTEGERS = {"si4": "int4", "ui4": "uint4", "si8": "int8", "ui8": "uint8"}


def weights_of(program: Program) -> tuple[Weight, ...]:
    """What convolutions and matrix products multiply with, in the order of the program.

    Other constants (a class token, a table of positions that is added) go the way of activations and are left out.
    Layers are called as the values of the ops that read their weights.
    """
    found = []
    for operation in program.operations.values():
        kind = operation.kind.rpartition(".")[2]
        positions = (1,) if kind in _CONVOLUTIONS else (0, 1) if kind in _PRODUCTS else ()
        for position in positions:
            stored, turned = _origin(program, operation.operands[position])
            if stored is None or not is_weight(stored.type.shape, multiplied=True):
                continue
            rank = len(stored.type.shape)
            output_axis, input_axis = 0, 1
            if kind in _PRODUCTS:
                output_last = (position == 1) != turned
                output_axis, input_axis = (rank - 1, rank - 2) if output_last else (rank - 2, rank - 1)
            found.append(
                Weight(
                    layer=operation.result,
                    op_name=operation.result,
                    stored_name=stored.result,
                    op="conv" if kind in _CONVOLUTIONS else "linear",
                    shape=stored.type.shape,
                    dtype=_PRECISIONS.get(stored.type.dtype, stored.type.dtype),
                    output_axis=output_axis,
                    input_axis=input_axis,
                    encodings=_encodings(program, stored),
                )
            )
    return tuple(found)


def held(program: Program, weights: Sequence[Weight]) -> list[tuple[Weight, NDArray[np.float32]]]:
    """`weights` of `program`, each with its values as the program's own ops unpack them."""
    return [
        (weight, np.ascontiguousarray(_values(program, weight.stored_name), dtype=np.float32)) for weight in weights
    ]


def _origin(program: Program, value: str) -> tuple[Operation | None, bool]:
    """What is stored behind `value`, and whether its last two axes are turned; None: it is computed."""
    operation, turned = program.operations.get(value), False
    while operation is not None and operation.kind == "coreai.transpose":
        order = program.constant(operation.operands[1]).tolist()
        rank = len(order)
        if order != [*range(rank - 2), rank - 1, rank - 2]:
            return None, turned
        operation, turned = program.operations.get(operation.operands[0]), not turned
    if operation is None or operation.type.dtype not in _PRECISIONS or operation.kind not in _UNPACKED:
        return None, turned
    return operation, turned


_UNPACKED = (
    "coreai.constant",
    "coreai.blockwise_shift_scale",
    "coreai.lut_to_dense",
    "coreai.sparse_with_bitmask_to_dense",
)


def _encodings(program: Program, operation: Operation) -> tuple[Encoding, ...]:
    """How the output of an op that unpacks is stored, the sparse mask first."""
    match operation.kind.removeprefix("coreai."):
        case "blockwise_shift_scale":
            data, scale = (program.operations[name] for name in operation.operands[:2])
            dtype = _INTEGERS.get(data.type.dtype, data.type.dtype)
            return (*_encodings(program, data), Encoding(method="linear", dtype=dtype, groups=scale.type.shape))
        case "lut_to_dense":
            table = program.operations[operation.operands[1]].type.shape
            bits = int(math.log2(table[-2]))
            return (Encoding(method="palette", dtype=f"uint{bits}", groups=table[:-2]),)
        case "sparse_with_bitmask_to_dense":
            mask = _mask(program, operation)
            return (Encoding(method="prune", dtype="uint1", zeros=1 - float(mask.mean()), mask=mask),)
        case _:
            return ()


def _values(program: Program, value: str) -> NDArray[Any]:
    operation = program.operations[value]
    match operation.kind.removeprefix("coreai."):
        case "constant":
            return program.constant(value)
        case "blockwise_shift_scale":
            levels, *steps = (_values(program, operand).astype(np.float32) for operand in operation.operands)
            scale, offset, shift = (spread(step, levels.shape) for step in steps)
            return np.asarray((levels - offset) * scale + shift, _FLOATS[operation.type.dtype])
        case "lut_to_dense":
            indices, table = (program.constant(name) for name in operation.operands[:2])
            return Indices(indices=indices, bits=int(math.log2(table.shape[-2])), palettes=table[..., 0]).decoded()
        case "sparse_with_bitmask_to_dense":
            mask = _mask(program, operation)
            kept = program.constant(program.operations[operation.operands[0]].operands[0])
            found = np.zeros(mask.shape, kept.dtype)
            found[mask] = kept
            return found
        case _:
            raise ArtifactError(f"a weight that {operation.kind} makes", value=program.name)


def _mask(program: Program, operation: Operation) -> NDArray[np.bool_]:
    sparse = program.operations[operation.operands[0]]
    return np.asarray(program.constant(sparse.operands[1]) != 0)
