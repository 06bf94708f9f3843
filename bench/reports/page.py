"""`index.html`: the run as one file, without a network, for people."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinyml.confidence import ABSENT
from tinyml.schema import BenchRun
from tinyml.store import write_bytes
from tinyml.workspace import REPORT_PAGE

from ..report import reports
from ..row import Row, rows
from ..scatter import Point, by_latency, by_size, ticks
from ..table import COLUMNS, NOTES, TEXT_COLUMNS, cells, facts, percent

WIDTH, HEIGHT = 460, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 14, 14, 44


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A mark on an axis: its place in the drawing and its text."""

    at: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A numbered point in the drawing."""

    number: int
    x: float
    y: float
    low: float
    high: float
    """The ends of the accuracy's interval in the drawing."""
    point: Point


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A scatter plot, laid out."""

    title: str
    x_label: str
    alt: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    marks: tuple[Mark, ...]


def chart(title: str, x_label: str, points: list[Point]) -> Chart | None:
    """The layout of `points`; None without any."""
    if not points:
        return None
    ordered = sorted(points, key=lambda p: (p.cost, p.accuracy, p.label))
    x_values = ticks(0, max(p.cost for p in points))
    low, high = min(p.low for p in points), max(p.high for p in points)
    spare = max(0.0, 1 - (high - low)) / 2  # less than a percentage point would be drawn as if it were much
    y_values = ticks(low - spare, high + spare)

    def x(value: float) -> float:
        return round(LEFT + (value - x_values[0]) / (x_values[-1] - x_values[0]) * (WIDTH - LEFT - RIGHT), 1)

    def y(value: float) -> float:
        return round(
            HEIGHT - BOTTOM - (value - y_values[0]) / (y_values[-1] - y_values[0]) * (HEIGHT - TOP - BOTTOM), 1
        )

    described = "; ".join(
        f"{p.label}: {p.accuracy:.2f}% ({p.low:.2f} to {p.high:.2f}) at {p.cost:.3g}" for p in ordered
    )
    return Chart(
        title=title,
        x_label=x_label,
        alt=f"{title}. Horizontal: {x_label}. Vertical: top-1 accuracy in percent. {described}.",
        x_ticks=tuple(Tick(at=x(v), text=f"{v:g}") for v in x_values),
        y_ticks=tuple(Tick(at=y(v), text=f"{v:g}") for v in y_values),
        marks=tuple(
            Mark(number=i, x=x(p.cost), y=y(p.accuracy), low=y(p.low), high=y(p.high), point=p)
            for i, p in enumerate(ordered, 1)
        ),
    )


def html(run: BenchRun) -> str:
    """The page; every value is escaped, for a run may come from anywhere."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = rows(run)
    charts = (
        chart("Accuracy over size", "artifact size, MB", by_size(found)),
        chart("Accuracy over latency", "median latency for one image, ms", by_latency(found)),
    )
    engine = Environment(
        loader=PackageLoader("tinyml.bench.reports"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return engine.get_template("page.html").render(
        run=run,
        columns=COLUMNS,
        text_columns=TEXT_COLUMNS,
        lines=[(row, list(zip(cells(row), _sort_keys(row), strict=True))) for row in found],
        measured=[row for row in found if row.latency_ns],
        absent=ABSENT,
        charts=[c for c in charts if c],
        size={
            "width": WIDTH,
            "height": HEIGHT,
            "left": LEFT,
            "bottom": HEIGHT - BOTTOM,
            "right": WIDTH - RIGHT,
            "top": TOP,
        },
        not_ok=[row for row in found if row.result.status != "ok"],
        notes=NOTES,
        facts=facts(run),
        percent=percent,
    )


def _sort_keys(row: Row) -> list[str]:
    """What each cell sorts by: its first number, or its text; nothing where it was not measured."""
    shown = cells(row)
    return [*shown[:TEXT_COLUMNS], *("" if text == ABSENT else text.split()[0] for text in shown[TEXT_COLUMNS:])]


def write(run: BenchRun, folder: Path) -> None:
    """Writes `index.html`."""
    write_bytes(folder / REPORT_PAGE, html(run).encode())


reports.add("page", write)
