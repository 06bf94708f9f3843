"""A logarithmic axis for people: marked at 1, 2 and 5 of each power of ten, and in plain numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.ticker import Formatter


def log_x_axis(axes: Axes, formatter: Formatter | None = None) -> None:
    """Makes the x axis logarithmic; call it before anything is said of its ticks.

    Args:
        axes: Of matplotlib.
        formatter: What writes the marks; None: as 0.5, 20 and 1000.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(formatter or FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
