"""An ML Program as frozen values: functions, blocks, operations and constants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from .types import MilType


@dataclass(frozen=True, kw_only=True, eq=False)
class Constant:
    """A value written in the program or its weight file.

    `data` is an array of the declared shape (types narrower than a byte: one element a byte), a string, or a tuple of
    strings or integers for a list.
    """

    type: MilType
    data: np.ndarray | str | tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True)
class ValueName:
    """A value by its name."""

    name: str


Binding = ValueName | Constant


@dataclass(frozen=True, kw_only=True)
class NamedType:
    """A name and the type of what it stands for."""

    name: str
    type: MilType


@dataclass(frozen=True, kw_only=True, eq=False)
class Operation:
    """One op: its inputs by parameter name (several bindings where the parameter is variadic)."""

    kind: str
    name: str
    inputs: Mapping[str, tuple[Binding, ...]]
    outputs: tuple[NamedType, ...]
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """Operations in the order of their execution; `inputs` is empty for a function's own block."""

    inputs: tuple[NamedType, ...]
    operations: tuple[Operation, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Function:
    """One function of a program."""

    name: str
    opset: str
    inputs: tuple[NamedType, ...]
    block: Block


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """All functions of an ML Program, by name."""

    functions: Mapping[str, Function] = field(default_factory=dict)
