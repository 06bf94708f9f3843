"""How an op function wants its inputs, read from its annotations, and the conversions that this takes."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from ..ops.context import OpContext, StateCell, TensorList
from ..ops.registry import OpFunction
from ..program.types import ListType, StateType, UnrankedType, ValueType

Convert = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter of an op function.

    `convert` turns a carried value into the annotated form (None: pass as it is); where `variadic`, it is applied to
    each of several values and the results become a tuple.
    """

    name: str
    required: bool
    default: Any
    convert: Convert | None
    variadic: bool
    tensor: bool
    """Whether it takes tensors, so that a constant must stay a weight of the plan."""
    context: bool
    holds: tuple[type, ...] | None
    """The declared types that suit it; None: any."""


def _scalar(kind: type) -> Convert:
    def convert(value: Any) -> Any:
        if kind is str:
            return _text(value if isinstance(value, str) else value[0])
        return _number(kind, value.item()) if isinstance(value, torch.Tensor) else kind(value)

    return convert


def _number(kind: type, item: Any) -> Any:
    """`item` as `kind`; a symbol of a trace stays one."""
    return item if isinstance(item, (torch.SymInt, torch.SymFloat, torch.SymBool)) else kind(item)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a string is expected")
    return value


def _vector(kind: type) -> Convert:
    def convert(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return tuple(_number(kind, item) for item in value.reshape(-1).tolist())
        items = (value,) if isinstance(value, str) else tuple(value)
        return tuple(_text(item) for item in items) if kind is str else items

    return convert


@cache
def parameters(function: OpFunction) -> tuple[Parameter, ...]:
    """The parameters of an op function, in order; raises TypeError for an annotation that means nothing here."""
    hints = typing.get_type_hints(function)
    found = []
    for name, parameter in inspect.signature(function).parameters.items():
        required = parameter.default is inspect.Parameter.empty
        hint = _without_none(hints[name])
        convert, variadic, tensor, context = _form(function, name, hint)
        found.append(
            Parameter(
                name=name,
                required=required and not context,
                default=None if required else parameter.default,
                convert=convert,
                variadic=variadic,
                tensor=tensor,
                context=context,
                holds=_holds(hint),
            )
        )
    return tuple(found)


def _without_none(hint: Any) -> Any:
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        kept = [item for item in typing.get_args(hint) if item is not type(None)]
        return kept[0] if len(kept) == 1 else Any
    return hint


def _holds(hint: Any) -> tuple[type, ...] | None:
    if hint is StateCell:
        return (StateType,)
    if hint is TensorList:
        return (ListType,)
    item = typing.get_args(hint)[0] if typing.get_origin(hint) is tuple else hint
    return (ValueType, UnrankedType) if item in (torch.Tensor, int, float, bool, str) else None


def _form(function: OpFunction, name: str, hint: Any) -> tuple[Convert | None, bool, bool, bool]:
    if hint is OpContext:
        return None, False, False, True
    if hint is torch.Tensor:
        return None, False, True, False
    if hint in (int, float, bool, str):
        return _scalar(hint), False, False, False
    if typing.get_origin(hint) is tuple:
        item = typing.get_args(hint)[0]
        if item in (int, float, bool, str):
            return _vector(item), True, False, False
        return None, True, item is torch.Tensor, False
    if isinstance(hint, type) or hint is Any:
        return None, False, False, False
    raise TypeError(f"op function {function.__name__!r}: parameter {name!r} has an annotation of no meaning: {hint}")


def combine(parameter: Parameter, values: list[Any]) -> Any:
    """The argument of `parameter` made of the values bound to it (several where the program gives several)."""
    convert = parameter.convert
    if not parameter.variadic:
        return values[0] if convert is None else convert(values[0])
    if convert is None:
        return tuple(values)
    if len(values) == 1:
        return convert(values[0])
    return tuple(item for value in values for item in convert(value))
