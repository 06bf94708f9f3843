"""The types that an ML Program declares for its values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ValueType:
    """A tensor: `dtype` as in "fp16", "int32", "bool", "string"; a None dimension only the run fixes."""

    dtype: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True, kw_only=True)
class ListType:
    """A list of tensors of one type; `length` is None where it grows."""

    element: ValueType
    length: int | None


@dataclass(frozen=True, kw_only=True)
class StateType:
    """A place that keeps a tensor from one prediction to the next."""

    wrapped: ValueType


@dataclass(frozen=True, kw_only=True)
class DictionaryType:
    """What `classify` makes: class labels (of type `key`) to probabilities."""

    key: str
    value: str


@dataclass(frozen=True, kw_only=True)
class UnrankedType:
    """A tensor whose rank only the run fixes."""

    dtype: str


MilType = ValueType | UnrankedType | ListType | StateType | DictionaryType
