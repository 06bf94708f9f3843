"""From the protobuf of an ML Program (MIL.proto) to our own types; what does not hold together is refused here."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinyml.errors import PackageError

from ..program.dtypes import BY_PROTO, DTYPES, STRING_PROTO, DType, unpack_bits
from ..program.limits import check_size
from ..program.program import (
    Binding,
    Block,
    Constant,
    Function,
    NamedType,
    Operation,
    Program,
    ValueName,
)
from ..program.types import DictionaryType, ListType, MilType, StateType, UnrankedType, ValueType

OPSETS = {"CoreML5": "iOS15", "CoreML6": "iOS16", "CoreML7": "iOS17", "CoreML8": "iOS18", "CoreML9": "iOS18"}
"""Opsets by their names in a package; CoreML9 (iOS 26) added int8 inputs and outputs, but no op."""

MAX_RANK = 16
MAX_DEPTH = 32

ReadBlob = Callable[[str, int, DType, tuple[int, ...], str], np.ndarray]
"""Reads a constant of the weight files: file name, offset, type, shape, name for errors."""


def parse_program(proto: Any, read_blob: ReadBlob) -> Program:
    """The program in `proto` (a `MIL_pb2.Program`); raises PackageError where it is unsound."""
    if proto.version != 1:
        raise PackageError("an ML Program of an unknown version", value=proto.version, allowed="1")
    if not proto.functions:
        raise PackageError("the ML Program has no function")
    return Program(functions={name: _function(name, proto.functions[name], read_blob) for name in proto.functions})


def _function(name: str, proto: Any, read_blob: ReadBlob) -> Function:
    if proto.opset not in OPSETS:
        raise PackageError(f"function {name!r} is of an unknown opset", value=proto.opset, allowed=", ".join(OPSETS))
    if proto.opset not in proto.block_specializations:
        raise PackageError(f"function {name!r} has no block for its own opset", value=proto.opset)
    inputs = tuple(NamedType(name=item.name, type=_type(item.type)) for item in proto.inputs)
    names: set[str] = set()
    for item in inputs:
        _define(item.name, names)
    block = _Parser(read_blob).block(proto.block_specializations[proto.opset], names, 0)
    return Function(name=name, opset=OPSETS[proto.opset], inputs=inputs, block=block)


def _define(name: str, names: set[str]) -> None:
    if not name:
        raise PackageError("the ML Program has a value without a name")
    if name in names:
        raise PackageError("the ML Program defines one name twice", value=name)
    names.add(name)


class _Parser:
    def __init__(self, read_blob: ReadBlob) -> None:
        self._read_blob = read_blob

    def block(self, proto: Any, outer: set[str], depth: int) -> Block:
        """`proto` as a block whose ops may use `outer` names; the ops must come after what they use."""
        if depth > MAX_DEPTH:
            raise PackageError("the ML Program nests its blocks too deeply", value=depth, allowed=f"{MAX_DEPTH} levels")
        inputs = tuple(NamedType(name=item.name, type=_type(item.type)) for item in proto.inputs)
        own: set[str] = set() if depth else set(outer)
        for item in inputs:
            _define(item.name, own)
        visible = outer | own
        operations = []
        for item in proto.operations:
            operation = self.operation(item, visible, depth)
            for output in operation.outputs:
                _define(output.name, own)
                visible.add(output.name)
            operations.append(operation)
        for output in proto.outputs:
            if output not in visible:
                raise PackageError("a block of the ML Program returns a value that nothing computes", value=output)
        return Block(inputs=inputs, operations=tuple(operations), outputs=tuple(proto.outputs))

    def operation(self, proto: Any, visible: set[str], depth: int) -> Operation:
        outputs = tuple(NamedType(name=item.name, type=_type(item.type)) for item in proto.outputs)
        name = outputs[0].name if outputs else proto.type
        inputs: dict[str, tuple[Binding, ...]] = {}
        for parameter in sorted(proto.attributes):
            value = self.constant(proto.attributes[parameter], f"{name}.{parameter}")
            if parameter == "name" and isinstance(value.data, str):
                name = value.data if proto.type != "const" else name
            else:
                inputs[parameter] = (value,)
        for parameter in sorted(proto.inputs):
            inputs[parameter] = tuple(
                self._binding(item, f"{name}.{parameter}", visible) for item in proto.inputs[parameter].arguments
            )
        blocks = tuple(self.block(item, visible, depth + 1) for item in proto.blocks)
        return Operation(kind=proto.type, name=name, inputs=inputs, outputs=outputs, blocks=blocks)

    def _binding(self, proto: Any, name: str, visible: set[str]) -> Binding:
        kind = proto.WhichOneof("binding")
        if kind == "value":
            return self.constant(proto.value, name)
        if kind is None:
            raise PackageError("an argument of the ML Program is empty", value=name)
        if proto.name not in visible:
            raise PackageError(
                f"argument {name!r} uses a value that is not computed before it",
                value=proto.name,
                hint="the program is cyclic or incomplete",
            )
        return ValueName(name=proto.name)

    def constant(self, proto: Any, name: str) -> Constant:
        """The constant in `proto`; `name` stands for it in errors."""
        if proto.type.WhichOneof("type") == "dictionaryType":
            raise PackageError("the ML Program has a dictionary constant", value=name, allowed="tensors and lists")
        kind = _type(proto.type)
        if isinstance(kind, ListType):
            items = [self.constant(item, name).data for item in proto.immediateValue.list.values]
            return Constant(type=kind, data=tuple(x if isinstance(x, str) else _integer(x, name) for x in items))
        if not isinstance(kind, ValueType):
            raise PackageError("the ML Program has a constant that is no tensor", value=name)
        shape = _static(kind, name)
        if proto.WhichOneof("value") == "blobFileValue":
            if kind.dtype == "string":
                raise PackageError("the ML Program keeps a string in its weight file", value=name)
            blob = proto.blobFileValue
            data = self._read_blob(blob.fileName, blob.offset, DTYPES[kind.dtype], shape, name)
            return Constant(type=kind, data=data)
        return Constant(type=kind, data=_immediate(proto.immediateValue.tensor, kind.dtype, shape, name))


def _integer(data: object, name: str) -> int:
    if not isinstance(data, np.ndarray) or data.size != 1:
        raise PackageError(
            "a list constant of the ML Program holds something else than strings or integers", value=name
        )
    return int(data.reshape(()))


def _static(kind: ValueType, name: str) -> tuple[int, ...]:
    if any(size is None for size in kind.shape):
        raise PackageError("a constant of the ML Program has no fixed shape", value=name)
    return tuple(size for size in kind.shape if size is not None)


def _immediate(proto: Any, dtype: str, shape: tuple[int, ...], name: str) -> np.ndarray | str | tuple[str | int, ...]:
    """A tensor written in the program itself; 8-bit, 16-bit float and narrower types come as packed bytes."""
    field = proto.WhichOneof("value")
    count = math.prod(shape)
    if field is None:
        values: Any = ()
    else:
        values = getattr(proto, field).values
    if dtype == "string":
        if field not in (None, "strings") or len(values) != count:
            raise PackageError(f"constant {name!r} of shape {list(shape)} holds no {count} strings")
        return str(values[0]) if shape == () else tuple(str(value) for value in values)
    if field == "strings":
        raise PackageError(f"constant {name!r} is declared {dtype}", value="its value is a string")
    kind = DTYPES[dtype]
    if field == "bytes":
        needed = -(-count * kind.bits // 8)
        if len(values) != needed:
            raise PackageError(
                f"constant {name!r} of shape {list(shape)} needs {needed} bytes", value=f"the program has {len(values)}"
            )
        raw = np.frombuffer(values, np.uint8)
        if kind.is_sub_byte:
            return unpack_bits(raw, kind.bits, count, signed=dtype == "int4").reshape(shape)
        return raw.view(kind.numpy).reshape(shape)
    if len(values) != count:
        raise PackageError(
            f"constant {name!r} of shape {list(shape)} needs {count} elements", value=f"the program has {len(values)}"
        )
    return np.array(values).astype(kind.numpy).reshape(shape)


def _type(proto: Any) -> MilType:
    kind = proto.WhichOneof("type")
    if kind == "tensorType":
        return _tensor(proto.tensorType)
    if kind == "listType":
        element = _type(proto.listType.type)
        if not isinstance(element, ValueType):
            raise PackageError("the ML Program has a list of something else than tensors")
        length = proto.listType.length
        return ListType(element=element, length=length.constant.size if length.HasField("constant") else None)
    if kind == "stateType":
        wrapped = _type(proto.stateType.wrappedType)
        if not isinstance(wrapped, ValueType) or any(size is None for size in wrapped.shape):
            raise PackageError("the ML Program has a state that is no tensor of fixed shape")
        return StateType(wrapped=wrapped)
    if kind == "dictionaryType":
        key, value = _type(proto.dictionaryType.keyType), _type(proto.dictionaryType.valueType)
        if not isinstance(key, ValueType) or not isinstance(value, ValueType):
            raise PackageError("the ML Program has a dictionary of something else than scalars")
        return DictionaryType(key=key.dtype, value=value.dtype)
    raise PackageError("the ML Program has a value of a type that this runtime does not know", value=kind)


def _tensor(proto: Any) -> ValueType | UnrankedType:
    if proto.dataType == STRING_PROTO:
        dtype = "string"
    elif proto.dataType in BY_PROTO:
        dtype = BY_PROTO[proto.dataType].name
    else:
        raise PackageError(
            "the ML Program has a tensor of a data type that this runtime does not know", value=proto.dataType
        )
    if len(proto.dimensions) > MAX_RANK:
        raise PackageError("the ML Program has a tensor of too many dimensions", value=len(proto.dimensions))
    if proto.rank < 0 or any(item.HasField("unknown") and item.unknown.variadic for item in proto.dimensions):
        return UnrankedType(dtype=dtype)
    if proto.rank != len(proto.dimensions):
        raise PackageError(
            f"a tensor of rank {proto.rank} declares another number of sizes", value=len(proto.dimensions)
        )
    shape = tuple(item.constant.size if item.HasField("constant") else None for item in proto.dimensions)
    check_size("the ML Program has a tensor", (size for size in shape if size is not None))
    return ValueType(dtype=dtype, shape=shape)
