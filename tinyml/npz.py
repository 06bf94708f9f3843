"""Arrays from an .npz file of anybody's, nothing unpickled."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.errors import InputError, reason_of


def read_npz(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays by name; raises InputError for what is no such file, or a damaged one."""
    try:
        # numpy leaves a file open that it finds damaged.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, AttributeError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(
            "not a readable .npz file", value=path, allowed="one array an input", hint=reason_of(error)
        ) from None
