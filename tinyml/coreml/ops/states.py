"""Ops of states. coremltools writes its `coreml_update_state` as `write_state` followed by `read_state`."""

from __future__ import annotations

from torch import Tensor

from .context import StateCell
from .registry import op


@op("read_state", since="iOS18", exact=True, folds=False)
def read_state(input: StateCell) -> Tensor:  # noqa: A002  the op's own parameter name
    """A copy of the state: later writes do not change it."""
    return input.value


@op(
    "write_state",
    since="iOS18",
    exact=True,
    folds=False,
    effect=True,
    remark="how coremltools writes its coreml_update_state",
)
def write_state(input: StateCell, data: Tensor) -> None:  # noqa: A002  the op's own parameter name
    """Replaces the state's content. Tensors are never changed in place here, so no copy is needed."""
    if input.value.shape != data.shape:
        raise ValueError(f"a value of shape {list(data.shape)} for a state of shape {list(input.value.shape)}")
    input.value = data


@op(
    "coreml_update_state",
    since="iOS18",
    exact=True,
    folds=False,
    effect=True,
    remark="coremltools' own dialect; written as write_state and read_state",
)
def update_state(state: StateCell, value: Tensor) -> Tensor:
    """Writes the state and returns the value."""
    write_state(state, value)
    return value
