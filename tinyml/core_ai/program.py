"""A Core AI program, read from the text that Apple's own reader makes of an `.aimodel`.

The text is MLIR in the dialect `coreai` (https://mlir.llvm.org/docs/LangRef/): one op a line, small constants in place,
large ones as hexadecimal digits behind the program. Apple's bindings have no way to the bytes of a large constant; the
text has.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.errors import ArtifactError, reason_of

from .packages import library

_MAGIC = b"ML\xefR"
"""What MLIR's bytecode begins with (https://mlir.llvm.org/docs/BytecodeFormat/)."""
_RESOURCES = "{-#"
"""Where the text of the program ends and its large constants begin."""
_RESOURCE = re.compile(r'(\w+): "0x([0-9A-F]+)"')
_ALIGNMENT = 8
"""Digits before the bytes of a large constant: how they are aligned."""
_GRAPH = re.compile(r"^  coreai\.graph .*?@main\((?P<inputs>.*?)\) -> \(?(?P<outputs>.*?)\)?(?: attributes .*)? \{$")
_OPERATION = re.compile(r"^    %(?P<result>\d+)(?::\d+)? = (?P<kind>[\w.]+) (?P<rest>.*)$")
_VALUE = re.compile(r"%\w+(?:#\d+)?")
_TENSOR = re.compile(r"tensor<((?:\d+x)*)(\w+)[^>]*>")
_RESULTS = re.compile(r" -> | to ")
"""What stands before the types of an op's results."""
_NAME = re.compile(r'coreai\.name = "([^"]*)"')

_NUMPY = {
    "f32": np.float32,
    "f16": np.float16,
    "si8": np.int8,
    "ui8": np.uint8,
    "si16": np.int16,
    "si32": np.int32,
    "ui32": np.uint32,
}
_BITS = re.compile(r"\b0x([0-9A-Fa-f]+)\b")
"""A number that is not finite, or no number, as MLIR writes it: by its bits."""
_FEW_BITS = re.compile(r"([su])i([1-7])")
"""Types of fewer bits than a byte, which lie one behind the other, the least significant bit first."""


@dataclass(frozen=True, kw_only=True)
class TensorType:
    """The type of a value."""

    shape: tuple[int, ...]
    dtype: str
    """As the dialect calls it: "f32", "f16", "si8", "ui4"."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One op of the program."""

    result: str
    """Its value, "%12"; of several the first part of their names, which go on "#0", "#1"."""
    kind: str
    """"coreai.conv2d"."""
    operands: tuple[str, ...]
    type: TensorType
    """Of its first result."""
    literal: str = ""
    """Of a constant: what is written between "dense" and its type."""


class Program:
    """The function `main` of a Core AI model.

    Args:
        text: Of the whole program, as `str(AIProgram)` gives it.
        name: What errors call it.
        facts: What the model says of itself, by key.

    Raises:
        ArtifactError: It has no function `main`.
    """

    def __init__(self, text: str, name: object = None, facts: Mapping[str, str] | None = None) -> None:
        self.name, self.facts = name, facts or {}
        self._code, _, self._behind = text.partition(_RESOURCES)
        lines = self._code.splitlines()
        heads = [(number, head) for number, line in enumerate(lines) if (head := _GRAPH.match(line))]
        if len(heads) != 1:
            raise ArtifactError("a Core AI model without a function main", value=name)
        start, head = heads[0]
        end = next(number for number in range(start, len(lines)) if lines[number] == "  }")
        self._body = lines[start + 1 : end]
        self.inputs, self.outputs = _named_types(head["inputs"]), _named_types(head["outputs"])
        found = [_operation(match) for line in self._body if (match := _OPERATION.match(line))]
        self.operations: Mapping[str, Operation] = {operation.result: operation for operation in found}
        """By their results, in the order of the program."""
        (last,) = (line for line in self._body if line.startswith("    coreai.output "))
        self.returned: tuple[str, ...] = tuple(_VALUE.findall(last.partition(" : ")[0]))
        """The values that are the function's outputs, in their order."""

    @cached_property
    def _resources(self) -> dict[str, str]:
        return dict(_RESOURCE.findall(self._behind))

    def constant(self, value: str) -> NDArray[Any]:
        """The constant called `value`; integers of fewer bits than a byte in int8 or uint8.

        Raises:
            ArtifactError: It is no constant, a damaged one, or of a type that is none of a classifier's weights.
        """
        operation = self.operations.get(value)
        if operation is None or operation.kind != "coreai.constant":
            raise ArtifactError(f"{value} is computed, where a constant is expected", value=self.name)
        try:
            return _array(operation, self._resources, self.name)
        except (KeyError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise ArtifactError(
                f"{value} is a constant that cannot be read: {reason_of(error)}", value=self.name
            ) from None

    def with_output(self, value: str, name: str) -> str:
        """The text of the program with one more output of `main`: `value`, called `name`."""
        shape = "x".join(map(str, self.operations[value].type.shape))
        added = f"tensor<{shape}x{self.operations[value].type.dtype}>"
        lines = []
        for line in self._code.splitlines():
            if head := _GRAPH.match(line):
                outputs = f"({head['outputs']}, {added} {{coreai.name = {json.dumps(name)}}})"
                begin = line.index(" -> ") + len(" -> ")
                rest = line[begin:].removeprefix("(").removeprefix(head["outputs"]).removeprefix(")")
                line = f"{line[:begin]}{outputs}{rest}"
            lines.append(line)
        code = "\n".join(lines)
        before = next(line for line in self._body if line.startswith("    coreai.output "))
        values, _, types = before.partition(" : ")
        after = f"{values}, {value} : {types}, {added}"
        head_end = code.index("@main(")
        return f"{code[:head_end]}{code[head_end:].replace(before, after, 1)}\n{_RESOURCES}{self._behind}"


def read_program(path: Path) -> Program:
    """The program of the `.aimodel` at `path`.

    Raises:
        UnavailableError: Apple's packages are not installed.
        ArtifactError: It is none.
    """
    asset = open_asset(path)
    facts = {key: str(value) for key, value in asset.metadata.creator_defined_metadata.items()}
    return Program(str(asset.program), path, facts)


def open_asset(path: Path) -> Any:
    """The `coreai.authoring.AIModelAsset` at `path`; raises as `read_program`."""
    with library():
        from coreai.authoring import AIModelAsset
    if not AIModelAsset.is_valid(path):
        raise ArtifactError("not a Core AI model", value=path, allowed="an .aimodel")
    _check_bytecode(path)
    try:
        return AIModelAsset.load(path)
    except RuntimeError as error:
        raise ArtifactError(f"not a Core AI model: {error}", value=path) from None


def _check_bytecode(path: Path) -> None:
    """Raises ArtifactError for a program that is damaged: Apple's reader ends the whole process where it meets one."""
    try:
        content = (path / "main.mlirb").read_bytes()
    except FileNotFoundError:
        raise ArtifactError("not a Core AI model: it has no main.mlirb", value=path) from None
    expected = path / "main.hash"
    if not content.startswith(_MAGIC) or not expected.is_file():
        raise ArtifactError("not a Core AI model: main.mlirb is no program with its main.hash beside it", value=path)
    if hashlib.sha256(content).digest() != expected.read_bytes():
        raise ArtifactError("not a Core AI model: main.mlirb is not what main.hash says, so it is damaged", value=path)


def _operation(match: re.Match[str]) -> Operation:
    kind, rest = match["kind"], match["rest"]
    if kind == "coreai.constant":
        literal, _, type_ = rest.removeprefix("dense").rpartition(" : ")
        return Operation(
            result=f"%{match['result']}", kind=kind, operands=(), type=_type(type_), literal=literal.strip()
        )
    before, _, types = rest.partition(" : ")
    return Operation(
        result=f"%{match['result']}",
        kind=kind,
        operands=tuple(_VALUE.findall(before)),
        type=_type(_RESULTS.split(types)[-1]),
    )


def _type(text: str) -> TensorType:
    match = _TENSOR.search(text)
    if match is None:
        return TensorType(shape=(), dtype="unknown")
    return TensorType(shape=tuple(int(size) for size in match[1].split("x") if size), dtype=match[2])


def _named_types(text: str) -> dict[str, TensorType]:
    return {
        _NAME.search(part)[1]: _type(part)  # type: ignore[index]
        for part in re.findall(r"tensor<[^>]*>[^{]*\{[^}]*\}", text)
    }


def _array(operation: Operation, resources: Mapping[str, str], name: object) -> NDArray[Any]:
    shape, dtype = operation.type.shape, operation.type.dtype
    few, literal = _FEW_BITS.fullmatch(dtype), operation.literal
    if few is None and dtype not in _NUMPY:
        raise ArtifactError(f"a constant of {dtype}", value=name)
    whole = (np.int8 if few[1] == "s" else np.uint8) if few else _NUMPY[dtype]
    inside = literal.removeprefix("_resource").removeprefix("<").removesuffix(">")
    if literal.startswith("_resource"):
        content = bytes.fromhex(resources[inside][_ALIGNMENT:])
        if few:
            return (
                _spread(np.frombuffer(content, np.uint8), int(few[2]), few[1] == "s")
                .reshape(-1)[: int(np.prod(shape))]
                .reshape(shape)
            )
        return np.frombuffer(content, whole).reshape(shape)
    if inside.startswith('"0x'):
        content = bytes.fromhex(inside.strip('"').removeprefix("0x"))
        return np.frombuffer(content, whole).reshape(shape)
    if issubclass(whole, np.floating):
        inside = _BITS.sub(lambda match: _from_bits(match[1], np.dtype(whole)), inside)
    return np.broadcast_to(np.array(json.loads(inside), whole), shape)


def _from_bits(digits: str, dtype: np.dtype[Any]) -> str:
    """The number of these bits, as JSON is read."""
    return json.dumps(float(np.frombuffer(bytes.fromhex(digits)[::-1], dtype.newbyteorder("<"), 1)[0]))


def _spread(packed: NDArray[np.uint8], bits: int, signed: bool) -> NDArray[Any]:
    """Numbers of so many bits, one behind the other, a byte each."""
    each = np.unpackbits(packed, bitorder="little")
    each = each[: len(each) // bits * bits].reshape(-1, bits)
    values = np.packbits(each, axis=1, bitorder="little")[:, 0]
    return ((values.astype(np.int16) ^ (1 << (bits - 1))) - (1 << (bits - 1))).astype(np.int8) if signed else values
