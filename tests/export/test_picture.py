"""The picture of size against accuracy: sizes told in people's units."""

from __future__ import annotations

from matplotlib.figure import Figure

from tinyml.export.picture import size_axis


def test_sizes_are_told_in_kilobytes_and_megabytes() -> None:
    figure = Figure()
    axes = figure.subplots()
    size_axis(axes, "size")
    axes.set_xlim(150e3, 30e6)
    figure.draw_without_rendering()
    assert [label.get_text() for label in axes.get_xticklabels()][1:-1] == [
        "200 kB",
        "500 kB",
        "1 MB",
        "2 MB",
        "5 MB",
        "10 MB",
        "20 MB",
    ]
