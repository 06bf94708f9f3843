"""`results/accuracy.png`: the exported networks and every file of them, accuracy against size and against latency.

A file's accuracy is that of its checkpoint on all test images less the points that it lost on the images of its
verification, which both have seen: the difference of two on the same images varies far less than either.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from tinyml.bench.page.figures import MEGABYTE, Figure, figures
from tinyml.bench.page.project import read
from tinyml.confidence import top1_interval
from tinyml.log_axis import log_x_axis
from tinyml.schema import Metrics
from tinyml.store import atomic_file

from .results_tables import evaluated_alone

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME = "accuracy.png"
DRAWN_FROM = "Drawn from"
"""Under this key the picture holds the digest of its points."""
COLORS = ("#0072b2", "#b35900", "#00795c", "#a8328a", "#6a51c9", "#8a6d00", "#c2352b", "#4d6270")
MARKS = {"torch": "^", "onnx": "s", "coreml": "o", "coreai": "D"}
WORDS = {"torch": "checkpoint", "onnx": "ONNX", "coreml": "Core ML", "coreai": "Core AI"}
COSTS = ("size, MB", "median latency of one image, ms, by torch and onnxruntime on one thread")
TIMED = ("torch", "torch_compile", "onnxruntime")


@dataclass(frozen=True, kw_only=True, order=True)
class Point:
    """A file of a network; accuracies in percent."""

    model: str
    format: str
    cost: float
    top1: float
    interval: tuple[float, float] | None = None
    """Of what was measured on all images."""


def points(results: Path) -> tuple[list[Point], list[Point]]:
    """By size and by latency: the checkpoints that were exported, and what came of them."""
    project = read(results)
    whole = {sha256: row.metrics for sha256, row in evaluated_alone(project).items()}
    known = {}
    for kept in project.artifacts:
        artifact, checked = kept.record, kept.record.verification
        if checked is not None and artifact.checkpoint_sha256 in whole:
            metrics = whole[artifact.checkpoint_sha256]
            known[artifact.checkpoint_sha256] = (metrics, 0.0)
            known[artifact.sha256] = (metrics, checked.reference.top1 - checked.artifact.top1)
    sizes, times = set(), []
    for figure in figures(project):
        if figure.sha256 in known:
            sizes.add(_point(figure, figure.bytes / MEGABYTE, *known[figure.sha256]))
            if (milliseconds := _one_thread(figure)) is not None:
                times.append(_point(figure, milliseconds, *known[figure.sha256]))
    return sorted(sizes), sorted(times)


def _one_thread(figure: Figure) -> float | None:
    """The median of one image in milliseconds, where one thread of this kind of machine was timed."""
    if figure.row is None or figure.row.latency_ns is None:
        return None
    case = figure.row.result.case
    return figure.row.latency_ns.p50 / 1e6 if case.backend in TIMED and case.threads == 1 and case.one_image else None


def _point(figure: Figure, cost: float, metrics: Metrics, lost: float) -> Point:
    ends = top1_interval(metrics) if figure.format == "torch" else None
    interval = None if ends is None else (100 * ends.low, 100 * ends.high)
    top1 = 100 * (metrics.top1 - lost)
    return Point(model=figure.model, format=figure.format, cost=cost, top1=top1, interval=interval)


def digest(results: Path) -> str:
    """Of all that is drawn, and of how: this file."""
    return _digest(points(results))


def _digest(both: tuple[list[Point], list[Point]]) -> str:
    return hashlib.sha256(repr(both).encode() + Path(__file__).read_bytes()).hexdigest()


def drawn_from(picture: Path) -> str | None:
    """The digest that a picture holds."""
    with Image.open(picture) as image:
        return image.info.get(DRAWN_FROM)


def draw(results: Path) -> None:
    """Writes the picture, unless the one that is there was drawn from the same."""
    path, both = results / NAME, points(results)
    if path.is_file() and drawn_from(path) == _digest(both):
        return
    from matplotlib.figure import Figure as Picture

    figure = Picture(figsize=(13, 6.2), dpi=110, layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    models = sorted({point.model for found in both for point in found})
    colors = {model: COLORS[number % len(COLORS)] for number, model in enumerate(models)}
    for axes, found, cost in zip(panels, both, COSTS, strict=True):
        _scatter(axes, found, colors)
        axes.set(xlabel=cost)
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("top-1 accuracy, %")
    for model, color in colors.items():
        panels[1].plot([], [], color=color, linewidth=4, label=model)
    for format_ in sorted({point.format for found in both for point in found}, key=list(MARKS).index):
        panels[1].scatter([], [], color="#4d6270", marker=MARKS[format_], label=WORDS[format_])
    figure.legend(loc="outside lower center", ncols=len(models) + len(MARKS), frameon=False)
    with atomic_file(path) as temporary:
        figure.savefig(temporary, metadata={"Software": None, DRAWN_FROM: _digest(both)}, format="png")


def _scatter(axes: Axes, found: list[Point], colors: dict[str, str]) -> None:
    log_x_axis(axes)
    for point in found:
        color = colors[point.model]
        if point.interval is not None:
            axes.plot([point.cost] * 2, point.interval, color=color, alpha=0.5, linewidth=1.3, zorder=1)
        axes.scatter(point.cost, point.top1, color=color, marker=MARKS[point.format], s=46, edgecolor="white", zorder=2)
