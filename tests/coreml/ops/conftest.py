"""Calling op functions by name, as a plan does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from tinyml.coreml import ops  # noqa: F401  registers every op
from tinyml.coreml.ops.registry import find


def _given(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        return torch.from_numpy(np.ascontiguousarray(value)).reshape(value.shape)
    return tuple(_given(item) for item in value) if isinstance(value, tuple) else value


def _returned(value: Any) -> Any:
    return tuple(item.numpy() for item in value) if isinstance(value, tuple) else value.numpy()


@pytest.fixture(scope="session")
def call() -> Callable[..., Any]:
    """`call(name, *inputs, opset="iOS18", **inputs)`: numpy arrays in (float32 for floats) and out."""

    def run(name: str, *args: Any, opset: str = "iOS18", **kwargs: Any) -> Any:
        definition = find(name, opset)
        assert definition is not None, f"{name} is not in {opset}"
        with torch.no_grad():
            result = definition.function(*map(_given, args), **{key: _given(value) for key, value in kwargs.items()})
        return _returned(result)

    return run
