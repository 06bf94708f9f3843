"""How large a tensor may be. A package can ask for any size in a few bytes; it is refused before memory is."""

from __future__ import annotations

import math
from collections.abc import Iterable

from tinyml.errors import PackageError

MAX_ELEMENTS = 2**30
"""More elements than this in one tensor are refused: 4 GiB in float32."""


def check_size(what: str, shape: Iterable[int]) -> None:
    """Raises PackageError where `what`, a tensor of `shape`, has too many elements; open sizes are not looked at."""
    sizes = list(shape)
    known = [size for size in sizes if type(size) is int]
    # A size by itself too: beside a 0 it makes no elements, but may be more than an integer of the system's holds.
    if max([math.prod(known), *known]) > MAX_ELEMENTS:
        raise PackageError(f"{what} of absurd shape", value=sizes, allowed=f"{MAX_ELEMENTS} elements")
