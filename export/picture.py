"""Accuracy against size of everything that was exported of a model, each artifact a point."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tinyml.log_axis import log_x_axis
from tinyml.schema import Artifact
from tinyml.store import atomic_file

from .labels import Label, write_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK, _MUTED = "#1f2933", "#8a97a6"
_COLORS = {"coreml": "#0b6e99", "onnx": "#b45309", "coreai": "#5b21b6"}
_FEW, _LARGE, _SMALL = 12, 9.0, 6.0
"""So many names can be written large; of more, small ones."""
_LEAST_POINTS = 1.0
"""Of accuracy on the axis: what a few images make of a difference shall not look like one."""


def draw_artifacts(artifacts: Sequence[Artifact], path: Path) -> None:
    """Writes a picture of `artifacts` of one model; those that were never verified have no accuracy and are left out.

    Hollow is what was fine-tuned. The line joins what nothing as small is more accurate than. Nothing is written where
    there is no point.
    """
    # A Figure of its own instead of pyplot: no global state, no display.
    from matplotlib.figure import Figure

    points = sorted(
        ((a.bytes, 100 * a.verification.artifact.top1, a, a.verification) for a in artifacts if a.verification),
        key=lambda point: (point[0], -point[1]),
    )
    if not points:
        return
    figure = Figure(figsize=(10, 5.5), dpi=100, layout="constrained")
    axes = figure.subplots()
    labels: list[Label] = []
    best = -1.0
    front = [(size, best := top1) for size, top1, *_ in points if top1 > best]
    axes.plot(*zip(*front, strict=True), color=_INK, linewidth=0.8, zorder=1)
    for size, top1, artifact, figures in points:
        color, tuned = _COLORS[artifact.variant.format], artifact.variant.name.endswith("-tuned")
        axes.scatter(size, top1, color="white" if tuned else color, edgecolor=color, s=26, zorder=2)
        labels.append(Label(text=artifact.variant.name.partition("-")[2], x=size, y=top1, color=color))
        if not tuned:
            axes.axhline(100 * figures.reference.top1, color=_MUTED, linewidth=0.8, linestyle="--", zorder=0)
    for format_ in sorted({artifact.variant.format for _, _, artifact, _ in points}):
        axes.scatter([], [], color=_COLORS[format_], label=format_)
    counts = " or ".join(sorted({f"{figures.images:,} {figures.split}" for *_, figures in points}))
    size_axis(axes, "size")
    axes.set(ylabel="top-1 accuracy, %")
    lowest, highest = axes.get_ylim()  # no accuracy lies beyond 100%, so the axis may not say so
    apart = max(0.0, _LEAST_POINTS - (highest - lowest)) / 2
    axes.set_ylim(max(lowest - apart, -2.0), min(highest + apart, 100.5))
    hollow = ", hollow: fine-tuned" if any(a.variant.name.endswith("-tuned") for _, _, a, _ in points) else ""
    axes.set_title(f"{points[0][2].spec.architecture} on {counts} images; dashed: the checkpoint{hollow}")
    axes.grid(alpha=0.3)
    axes.legend()
    write_labels(axes, labels, fontsize=_LARGE if len(labels) <= _FEW else _SMALL)
    with atomic_file(path) as temporary:
        figure.savefig(temporary, metadata={"Software": None})


def size_axis(axes: Axes, label: str) -> None:
    """Makes the x axis one of sizes in bytes: logarithmic, told as "500 kB" or "20 MB"."""
    from matplotlib.ticker import EngFormatter

    axes.set_xlabel(label)
    log_x_axis(axes, EngFormatter(unit="B"))
