"""Arrays for a stranger's ONNX graph: from a file, or random as the graph describes its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tinyml.errors import InputError
from tinyml.npz import read_npz

_FLOATS = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}
_INTEGERS = {
    f"tensor({name})": np.dtype(name)
    for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
}


class GraphInput(Protocol):
    """An input as onnxruntime describes it (`onnxruntime.NodeArg`)."""

    name: str
    type: str
    shape: Sequence[int | str | None]
    """A name or None stands for a dimension that is open."""


def random_array(described: GraphInput, generator: np.random.Generator, batch: int) -> NDArray[Any]:
    """Normal floats, or integers 0 and 1, which every table to look up in has; raises InputError.

    The first dimension is the batch where it is open; any other open one nobody can know.
    """
    open_at = [i for i, size in enumerate(described.shape) if not isinstance(size, int)]
    if any(open_at) or (not open_at and batch != 1 and described.shape[:1] != [batch]):
        raise InputError(
            f"input {described.name!r}: no random numbers of this shape for batches of {batch}",
            value=list(described.shape),
            hint="give its arrays: --inputs FILE.npz",
        )
    shape = [size if isinstance(size, int) else batch for size in described.shape]
    if described.type in _FLOATS:
        return generator.standard_normal(shape).astype(_FLOATS[described.type])
    if described.type in _INTEGERS:
        return generator.integers(0, 2, shape).astype(_INTEGERS[described.type])
    if described.type == "tensor(bool)":
        return generator.integers(0, 2, shape).astype(np.bool_)
    raise InputError(
        f"input {described.name!r}: no random values of this type",
        value=described.type,
        hint="give its arrays: --inputs FILE.npz",
    )


def given_arrays(path: Path, described: Sequence[GraphInput]) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz file, one for each input; raises InputError for what is missing, or no such file."""
    found = read_npz(path)
    names = [value.name for value in described]
    if set(found) != set(names):
        raise InputError(
            f"{path} does not hold the model's inputs", value=", ".join(sorted(found)), allowed=", ".join(names)
        )
    return found
