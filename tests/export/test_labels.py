"""Names in a picture: each is there, within the axes, and covers no other."""

from __future__ import annotations

import itertools

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from tinyml.export.labels import Label, write_labels


def test_names_of_points_in_one_place_lie_apart() -> None:
    figure = Figure(figsize=(6, 4), dpi=100, layout="constrained")
    axes = figure.subplots()
    labels = [Label(text=f"palette{n}g16", x=100 + 3 * n, y=99 + n % 3 / 5, color="black") for n in range(16)]
    axes.scatter([label.x for label in labels], [label.y for label in labels])
    axes.set(xlim=(50, 300), ylim=(0, 100.5))
    write_labels(axes, labels, fontsize=6)
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    figure.draw_without_rendering()
    written = [text for text in axes.texts if isinstance(text, Annotation) and text.get_text()]
    assert [text.get_text() for text in written] == [label.text for label in labels]
    # The box of the words alone: that of an annotation reaches to its point.
    boxes = [super(Annotation, text).get_window_extent(renderer) for text in written]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    around = axes.get_window_extent()
    assert all(around.x0 <= box.x0 and box.x1 <= around.x1 and box.y1 <= around.y1 for box in boxes)
