"""What an op may know of its surroundings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch

from ..program.types import ValueType

Block = Callable[[Sequence[object]], tuple[object, ...]]
"""A nested block as a function from its inputs to its outputs."""


@dataclass(frozen=True, kw_only=True)
class TensorList:
    """The value of a MIL list: tensors of one type; an element that was never written is None."""

    element: ValueType
    elements: tuple[torch.Tensor | None, ...]
    dynamic: bool


@dataclass(kw_only=True)
class StateCell:
    """The place of one state of a model: the one value of a program that can change."""

    value: torch.Tensor


@dataclass(frozen=True, kw_only=True)
class OpContext:
    """Handed to an op function that has a parameter of this type."""

    name: str
    """The op's own name, for errors."""
    opset: str
    outputs: tuple[ValueType, ...] = ()
    blocks: tuple[Block, ...] = ()
    generator: torch.Generator | None = field(default=None, compare=False)
    """The source of random ops without a seed of their own."""
