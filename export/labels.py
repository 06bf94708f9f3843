"""Names beside the points of a picture, written so that none covers another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Bbox

_MARK = 4.0
"""Half the side of the square around a point that no name may cover, in pixels."""
_STEPS = 40


@dataclass(frozen=True, kw_only=True)
class Label:
    """A name and the point that it belongs to."""

    text: str
    x: float
    y: float
    color: str


def write_labels(axes: Axes, labels: Sequence[Label], *, fontsize: float) -> None:
    """Writes each name at the free place nearest to its point, with a thin line to it where that is not beside it.

    Call it last: the limits, the scales and everything else of the picture must be there.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.patheffects import withStroke
    from matplotlib.transforms import Bbox

    figure = axes.get_figure(root=True)
    assert figure is not None  # noqa: S101 - told to the type checker: axes to draw on lie in a figure
    canvas = FigureCanvasAgg(figure)
    renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
    figure.draw_without_rendering()
    inside = axes.get_window_extent()
    per_point = figure.dpi / 72
    marks = [tuple(axes.transData.transform((label.x, label.y))) for label in labels]
    taken = [Bbox.from_bounds(x - _MARK, y - _MARK, 2 * _MARK, 2 * _MARK) for x, y in marks]
    for label, (x, y) in zip(labels, marks, strict=True):
        written = axes.annotate(
            label.text, (label.x, label.y), xytext=(0, 0), textcoords="offset points", color=label.color
        )
        written.set_fontsize(fontsize)
        written.set_path_effects([withStroke(linewidth=2, foreground="white")])  # above lines that run through it
        written.set_in_layout(False)
        size = written.get_window_extent(renderer)
        for dx, dy in _places(size.width, size.height):
            box = Bbox.from_bounds(x + dx, y + dy, size.width, size.height)
            if _contains(inside, box) and not any(box.overlaps(other) for other in taken):
                break
        else:  # a picture full of names: beside its point, over another
            dx, dy = _MARK, _MARK
            box = Bbox.from_bounds(x + dx, y + dy, size.width, size.height)
        taken.append(box)
        written.set_position((dx / per_point, dy / per_point))
        if abs(dy + size.height / 2) > 2 * size.height:
            axes.annotate(
                "",
                (label.x, label.y),
                xytext=((dx if dx > 0 else dx + size.width) / per_point, (dy + size.height / 2) / per_point),
                textcoords="offset points",
                arrowprops={"arrowstyle": "-", "color": label.color, "linewidth": 0.4, "shrinkA": 0, "shrinkB": 0},
            ).set_in_layout(False)


def _places(width: float, height: float) -> Iterator[tuple[float, float]]:
    """Where the lower left corner of a name may lie, from its point: right and left of it, nearer ones first."""
    for step in range(_STEPS):
        for dy in dict.fromkeys((step * height, -step * height)):
            for dx in (_MARK + 1, -_MARK - 1 - width):
                yield dx + (1 if dx > 0 else -1) * min(step, 6) * 2, dy - height / 2


def _contains(outer: Bbox, inner: Bbox) -> bool:
    return bool(outer.x0 <= inner.x0 and inner.x1 <= outer.x1 and outer.y0 <= inner.y0 and inner.y1 <= outer.y1)
