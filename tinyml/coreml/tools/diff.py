"""Where two models part: the values that both compute, compared one by one, worst first."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyml.errors import InputError
from tinyml.numerics import largest_error, nan_throughout, psnr_db, relative_error

_CASTS = re.compile(r"(_cast)?(_to)?_fp(16|32)(?=_\d+$|$)")
"""What coremltools appends to the name of a value whose type it changes: "relu_cast_fp16", "image_to_fp16"."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One value in both models.

    `psnr_db` is 20 log10(peak / root mean square error) with the reference's largest magnitude as the peak, infinite
    where both are equal; `largest` the largest absolute difference; `relative` that over the peak.
    """

    name: str
    kind: str
    position: int
    """Its place in the order of computation."""
    shape: tuple[int, ...]
    psnr_db: float
    largest: float
    relative: float
    nan: bool
    """Whether it is no number throughout, in both: then the rest shows no agreement."""


def value_differences(
    reference: Mapping[str, Any], other: Mapping[str, Any], kinds: Mapping[str, str] | None = None
) -> list[Difference]:
    """The values of two traces under the same name and of the same shape, worst PSNR first.

    Where a name is in one trace alone, it is compared without what a conversion to another type appends to names: the
    "relu_cast_fp16" of a float16 program is the "relu" of the float32 program of the same network.

    Raises:
        InputError: the traces have nothing in common.
    """
    found = []
    alike: dict[str, Any] = {}
    for form in (_float32_name, _unnumbered_name):
        for name, value in other.items():
            alike.setdefault(form(name), value)
    for position, (name, value) in enumerate(reference.items()):
        match = other.get(name, alike.get(_float32_name(name), alike.get(_unnumbered_name(name))))
        if not isinstance(value, np.ndarray) or not isinstance(match, np.ndarray) or value.shape != match.shape:
            continue
        found.append(_difference(name, (kinds or {}).get(name, ""), position, value, match))
    if not found:
        raise InputError(
            "the two models have no value of the same name and shape in common",
            value=f"{len(reference)} and {len(other)} values",
            hint="they must be of the same network, such as a package and its compressed form",
        )
    return sorted(found, key=lambda item: (item.psnr_db, item.position))


def steepest(differences: Sequence[Difference]) -> Difference:
    """The value at which PSNR falls most below the lowest before it: where a fault enters.

    What follows a fault inherits its error and often is worse; a branch that the fault does not reach may be better
    again in between, and says nothing. PSNR counts between -100 and 100 dB.
    """
    ordered = sorted(differences, key=lambda item: item.position)
    levels = [min(max(item.psnr_db, -100.0), 100.0) for item in ordered]
    lowest = itertools.accumulate(levels, min, initial=100.0)
    falls = [before - level for before, level in zip(lowest, levels, strict=False)]
    return ordered[falls.index(max(falls))]


def _float32_name(name: str) -> str:
    return _CASTS.sub("", name)


def _unnumbered_name(name: str) -> str:
    """The first of several values of a kind gains a number on its way to float16: "linear" becomes "linear_0"."""
    return _float32_name(name).removesuffix("_0")


def _difference(name: str, kind: str, position: int, value: np.ndarray, match: np.ndarray) -> Difference:
    return Difference(
        name=name,
        kind=kind,
        position=position,
        shape=value.shape,
        psnr_db=psnr_db(value, match),
        largest=largest_error(value, match),
        relative=relative_error(value, match),
        nan=nan_throughout(value) and nan_throughout(match),
    )


def plot(differences: list[Difference], path: Path, title: str) -> None:
    """Writes the PSNR of each value, in the order of computation, as a PNG; equal values are marks along the top."""
    from matplotlib.figure import Figure

    ordered = sorted(differences, key=lambda item: item.position)
    levels = [max(item.psnr_db, 0.0) for item in ordered]
    top = max((level for level in levels if math.isfinite(level)), default=0.0) + 10.0
    parted = [(place, level) for place, level in enumerate(levels) if math.isfinite(level)]
    equal = [place for place, level in enumerate(levels) if not math.isfinite(level)]
    figure = Figure(figsize=(max(8.0, 0.16 * len(ordered)), 5.0), layout="constrained")
    axes = figure.subplots()
    if parted:
        axes.plot(*zip(*parted, strict=True), marker=".", color="#1f5fa8", label="different")
        place, level = min(parted, key=lambda item: item[1])
        left = place < len(ordered) / 2
        worst = axes.annotate(
            ordered[place].name, (place, level), textcoords="offset points", xytext=(6 if left else -6, 10),
            horizontalalignment="left" if left else "right",
        )  # fmt: skip
        worst.set_in_layout(False)  # a long name would take the room of the curve
    if equal:
        axes.plot(equal, [top] * len(equal), "o", fillstyle="none", color="#6b7280", label="equal")
    axes.set(title=title, xlabel="value, in the order of computation", ylabel="PSNR (dB), higher is closer")
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120, format="png")
