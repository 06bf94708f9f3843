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

from ...errors import InputError

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


def compare(
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
    """The value at which PSNR falls most below that of the value before it: where a fault enters.

    What follows a fault inherits its error and often is worse. PSNR counts between -100 and 100 dB.
    """
    ordered = sorted(differences, key=lambda item: item.position)
    levels = [100.0, *(min(max(item.psnr_db, -100.0), 100.0) for item in ordered)]
    falls = [before - after for before, after in itertools.pairwise(levels)]
    return ordered[falls.index(max(falls))]


def _float32_name(name: str) -> str:
    return _CASTS.sub("", name)


def _unnumbered_name(name: str) -> str:
    """The first of several values of a kind gains a number on its way to float16: "linear" becomes "linear_0"."""
    return _float32_name(name).removesuffix("_0")


def _difference(name: str, kind: str, position: int, value: np.ndarray, match: np.ndarray) -> Difference:
    a, b = value.astype(np.float64), match.astype(np.float64)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.where(same, 0.0, np.abs(a - b))
    largest = float(error.max()) if error.size else 0.0
    finite = np.abs(a[np.isfinite(a)])
    peak = float(finite.max()) if finite.size else 0.0
    if not math.isfinite(largest):
        psnr, relative, largest = -math.inf, math.inf, math.inf
    elif largest == 0.0:
        psnr, relative = math.inf, 0.0
    else:
        rms = float(np.sqrt(np.mean(error**2)))
        psnr = 20 * math.log10(peak / rms) if peak > 0 else -math.inf
        relative = largest / peak if peak > 0 else math.inf
    return Difference(
        name=name, kind=kind, position=position, shape=value.shape, psnr_db=psnr, largest=largest, relative=relative
    )


def plot(differences: list[Difference], path: Path, title: str) -> None:
    """Writes the PSNR of each value, in the order of computation, as a PNG."""
    from matplotlib.figure import Figure

    ordered = sorted(differences, key=lambda item: item.position)
    finite = [item.psnr_db for item in ordered if math.isfinite(item.psnr_db)]
    top = max(finite, default=0.0) + 10.0
    heights = [min(max(item.psnr_db, 0.0), top) for item in ordered]
    figure = Figure(figsize=(max(8.0, 0.16 * len(ordered)), 5.0), layout="constrained")
    axes = figure.subplots()
    axes.plot(range(len(ordered)), heights, marker=".", color="#1f5fa8")
    axes.set(title=title, xlabel="value, in the order of computation", ylabel="PSNR (dB), higher is closer")
    worst = min(range(len(ordered)), key=lambda index: heights[index])
    axes.annotate(ordered[worst].name, (worst, heights[worst]), textcoords="offset points", xytext=(6, 10))
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120, format="png")
