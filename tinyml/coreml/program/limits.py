"""How large a tensor may be. A package can ask for any size in a few bytes; it is refused before memory is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import zip_longest

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


def check_broadcast(what: str, *shapes: Sequence[int], rest: Iterable[int] = ()) -> None:
    """`check_size` of `shapes` broadcast against each other, with the sizes `rest` behind them."""
    axes = zip_longest(*(reversed(shape) for shape in shapes), fillvalue=1)
    sizes = [_broadcast([size for size in axis if type(size) is int]) for axis in axes]
    check_size(what, (*reversed(sizes), *rest))


def _broadcast(sizes: list[int]) -> int:
    """The size that `sizes` have together: 1 fits any other, also 0. Others that differ are the op's own to refuse."""
    return next((size for size in sizes if size != 1), 1)
