"""Arrays from an .npz or .npy file of anybody's, nothing unpickled, and to an .npz file."""

from __future__ import annotations

import math
import os
import tokenize
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from tinyml.errors import InputError, reason_of

_BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    TypeError,
    EOFError,
    AttributeError,
    KeyError,
    MemoryError,  # more is promised than can be
    OverflowError,
    RecursionError,
    NotImplementedError,
    tokenize.TokenError,
    zipfile.BadZipFile,
)
"""What numpy raises on damaged files."""


def read_npz(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays by name; raises InputError for what is no such file, or a damaged one."""
    try:
        # numpy leaves a file open that it finds damaged.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except _BROKEN as error:
        raise InputError(
            "not a readable .npz file", value=path, allowed="one array an input", hint=reason_of(error)
        ) from None


def read_npy(path: Path) -> NDArray[Any]:
    """The one array of an .npy file; raises InputError for what is no such file, or a damaged one."""
    try:
        with path.open("rb") as file:
            _check_length(file)
            file.seek(0)
            array: NDArray[Any] = npy.read_array(file, allow_pickle=False)  # type: ignore[no-untyped-call]
            return array
    except _BROKEN as error:
        raise InputError("not a readable .npy file", value=path, allowed="one array", hint=reason_of(error)) from None


def _check_length(file: IO[bytes]) -> None:
    """Raises ValueError where the file is shorter than its header says; numpy would ask for the memory first."""
    version = npy.read_magic(file)  # type: ignore[no-untyped-call]
    if version not in ((1, 0), (2, 0)):  # a later one is written for fields of a structure alone
        raise ValueError(f"of version {version[0]}.{version[1]}")
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(file)  # type: ignore[no-untyped-call]
    held = os.fstat(file.fileno()).st_size - file.tell()
    if any(size < 0 for size in shape) or (not dtype.hasobject and math.prod(shape) * dtype.itemsize > held):
        raise ValueError(f"an array {list(shape)} of {dtype} in {held} bytes")


def write_npz(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Writes `arrays`, compressed; they may have any names, where two are keywords of numpy's function for it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                npy.write_array(file, array, allow_pickle=False)  # type: ignore[no-untyped-call]
