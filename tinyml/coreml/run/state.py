"""What a model with states remembers from one prediction to the next."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from tinyml.errors import InputError

from ..ops.carriers import CARRIERS
from ..ops.context import StateCell
from ..program.program import Function
from ..program.types import StateType


class State:
    """The states of one conversation with a model; see `ReferenceModel.make_state`."""

    def __init__(self, function: Function) -> None:
        """All zero; `cells` is empty where `function` has no states."""
        self.cells: dict[str, StateCell] = {}
        for item in function.inputs:
            if isinstance(item.type, StateType):
                shape = [size or 0 for size in item.type.wrapped.shape]
                self.cells[item.name] = StateCell(value=torch.zeros(shape, dtype=CARRIERS[item.type.wrapped.dtype]))

    def read_state(self, name: str) -> np.ndarray:
        """The content of state `name`, float32 of the declared shape."""
        return self.cell(name).value.detach().to(torch.float32).numpy().copy()

    def write_state(self, name: str, value: Any) -> None:
        """Replaces the content of state `name`; the value is rounded to the state's type."""
        cell = self.cell(name)
        array = np.asarray(value)
        if array.dtype.kind not in "fiub" or array.shape != tuple(cell.value.shape):
            raise InputError(
                f"state {name!r} cannot take this value",
                value=f"{array.dtype} {list(array.shape)}",
                allowed=str(list(cell.value.shape)),
            )
        cell.value = torch.tensor(array.astype(np.float16).astype(np.float32))

    def cell(self, name: str) -> StateCell:
        """The place of state `name`; raises InputError where there is none."""
        if name not in self.cells:
            raise InputError("the model has no state of this name", value=name, allowed=", ".join(self.cells) or "none")
        return self.cells[name]
