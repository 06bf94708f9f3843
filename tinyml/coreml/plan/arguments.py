"""The arguments of a step: what is settled at load, and what each run takes from the values computed so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..ops.context import OpContext


@dataclass(frozen=True, kw_only=True, eq=False)
class Settled:
    """A value known at load."""

    value: Any


@dataclass(frozen=True, kw_only=True)
class Taken:
    """The value in a slot, as it is."""

    slot: int


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """The values in several slots, as they are, as a tuple."""

    slots: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Converted:
    """The values in some slots, brought into the form that the op wants."""

    slots: tuple[int, ...]
    convert: Callable[[list[Any]], Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Surroundings:
    """The op's context, to which each run adds the op's blocks."""

    context: OpContext


Argument = Settled | Taken | Gathered | Converted | Surroundings


def slots_of(argument: Argument) -> tuple[int, ...]:
    """The slots that `argument` reads."""
    if isinstance(argument, Taken):
        return (argument.slot,)
    return argument.slots if isinstance(argument, (Gathered, Converted)) else ()
