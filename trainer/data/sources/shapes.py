"""`shapes`: ten plain figures on noisy grounds, drawn with Pillow; a data set that needs no download.

Everything random about an image comes from MT19937 seeded with (seed, split, class, number): NumPy freezes the streams
of `RandomState`, so the same images come out on every platform, as far as Pillow rasterizes polygons alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from tinyml.errors import UsageError
from tinyml.progress import Progress
from tinyml.schema import SPLITS, Preprocess, SplitName

from ..dataset import Dataset
from ..source import Source, sources
from ..writing import Contents, Item, Picture

Point = tuple[float, float]
Polygon = Sequence[Point]

SIZE = 64
_SCALE = 4
"""Masks are drawn this many times larger and averaged down."""

_CORNERS = 48
"""Of the polygon that stands for a circle."""

VERSION = 2
"""Of the drawing code; a new one makes cached sets stale."""

COUNTS: dict[SplitName, int] = {"train": 160, "val": 40, "test": 40}
"""Images a class."""


@dataclass(frozen=True, kw_only=True)
class Shapes:
    """The source of the data set; `seed` decides every image."""

    seed: int = 0
    data: str = "shapes"
    cache_name: str = "shapes"
    given: None = None

    def made(self, dataset: Dataset) -> bool:
        """Whether `dataset` is what would be drawn now."""
        return dataset.index.seed == self.seed and dataset.index.split_rule == _split_rule()

    def contents(self, scratch: Path, progress: Progress) -> Contents:  # noqa: ARG002
        """The data set, still to be drawn."""
        names = tuple(sorted(FIGURES))

        def items(split: SplitName) -> Iterator[Item]:
            for label, name in enumerate(names):
                for number in range(COUNTS[split]):
                    yield Item(path=f"{split}/{name}/{number}", label=label)

        def read(item: Item) -> Picture:
            split, name, number = item.path.split("/")
            key = (self.seed, [*SPLITS].index(split), item.label, int(number))  # type: ignore[arg-type]
            # What decides the image stands for a file's content.
            origin = f"shapes {VERSION} {self.seed} {item.path}".encode()
            return Picture(pixels=draw(name, np.random.RandomState(key)), origin=origin)

        return Contents(
            name="shapes",
            source="drawn by tinyml",
            class_ids=names,
            labels=names,
            split_rule=_split_rule(),
            seed=self.seed,
            splits={split: tuple(items(split)) for split in SPLITS},
            read=read,
            preprocess=Preprocess(),
            data=self.data,
        )


class _Kind:
    named = True
    summary = "ten plain figures, drawn on the spot"

    def available(self) -> str | None:
        return None

    def takes(self, path: Path) -> bool:  # noqa: ARG002
        return False

    def source(self, path: Path | None) -> Source:
        if path is not None:
            raise UsageError(
                "a source is for Tiny ImageNet only", value="shapes", hint="shapes are drawn: leave --source out"
            )
        return Shapes()


sources.add("shapes", _Kind())


def _split_rule() -> str:
    return ", ".join(f"{COUNTS[split]} a class for {split}" for split in SPLITS) + f"; drawing {VERSION}"


def draw(name: str, random: np.random.RandomState) -> npt.NDArray[np.uint8]:
    """One image of the figure `name`, uint8 [64, 64, 3]: color, place, size, turn and ground are random."""
    fore, back = _colors(random)
    radius = random.uniform(16.0, 26.0)
    center = (random.uniform(radius, SIZE - radius), random.uniform(radius, SIZE - radius))
    turn = math.radians(random.uniform(-30.0, 30.0))
    mask = _mask(FIGURES[name](), center, radius, turn)[:, :, None]
    image = _ground(back, random) * (1.0 - mask) + fore * mask
    image += random.normal(0.0, random.uniform(4.0, 16.0), size=image.shape)
    clipped: npt.NDArray[np.uint8] = image.round().clip(0, 255).astype(np.uint8)
    return clipped


def _colors(random: np.random.RandomState) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """A light color for the figure and a dark one for its ground."""
    return random.uniform(130.0, 255.0, size=3), random.uniform(0.0, 110.0, size=3)


def _ground(color: npt.NDArray[np.float64], random: np.random.RandomState) -> npt.NDArray[np.float64]:
    """A slope of brightness, waves over it, and a few thin lines that belong to no figure."""
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    slope, waves = random.uniform(-30.0, 30.0, size=2), random.uniform(-6.0, 6.0, size=2)
    brightness = (
        slope[0] * (x - 0.5)
        + slope[1] * (y - 0.5)
        + random.uniform(0.0, 12.0) * np.sin(2.0 * math.pi * (waves[0] * x + waves[1] * y))
    )
    lines = Image.new("L", (SIZE, SIZE))
    pen = ImageDraw.Draw(lines)
    for _ in range(random.randint(0, 4)):
        pen.line([int(v) for v in random.randint(0, SIZE, size=4)], fill=255)
    strength = random.uniform(0.0, 60.0)
    ground: npt.NDArray[np.float64] = color + (brightness + strength * (np.asarray(lines) / 255.0))[:, :, None]
    return ground


def _mask(polygons: Sequence[Polygon], center: Point, radius: float, turn: float) -> npt.NDArray[np.float64]:
    """The figure's cover, 0 to 1, [64, 64]: the first polygon filled, the others cut out of it."""
    mask = Image.new("L", (SIZE * _SCALE, SIZE * _SCALE))
    pen = ImageDraw.Draw(mask)
    cos, sin = math.cos(turn), math.sin(turn)
    for number, polygon in enumerate(polygons):
        placed = [
            (
                round((center[0] + radius * (x * cos - y * sin)) * _SCALE),
                round((center[1] + radius * (x * sin + y * cos)) * _SCALE),
            )
            for x, y in polygon
        ]
        pen.polygon(placed, fill=255 if number == 0 else 0)
    return np.asarray(mask.reduce(_SCALE)) / 255.0


def _round(radius: float = 1.0, center: Point = (0.0, 0.0)) -> Polygon:
    return _regular(_CORNERS, radius, center)


def _regular(corners: int, radius: float = 1.0, center: Point = (0.0, 0.0)) -> Polygon:
    angles = [2.0 * math.pi * k / corners - math.pi / 2.0 for k in range(corners)]
    return [(center[0] + radius * math.cos(a), center[1] + radius * math.sin(a)) for a in angles]


def _box(left: float, top: float, right: float, bottom: float) -> Polygon:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def _star() -> Polygon:
    outer, inner = _regular(5), _regular(10, 0.4)
    return [point for k in range(5) for point in (outer[k], inner[2 * k + 1])]


def _cross() -> Polygon:
    a, b = 1.0, 0.3
    return [(-b, -a), (b, -a), (b, -b), (a, -b), (a, b), (b, b), (b, a), (-b, a), (-b, b), (-a, b), (-a, -b), (-b, -b)]


def _heart() -> Polygon:
    angles = [2.0 * math.pi * k / _CORNERS for k in range(_CORNERS)]
    return [
        (
            math.sin(t) ** 3,
            -(13.0 * math.cos(t) - 5.0 * math.cos(2.0 * t) - 2.0 * math.cos(3.0 * t) - math.cos(4.0 * t)) / 16.0,
        )
        for t in angles
    ]


FIGURES: dict[str, Callable[[], Sequence[Polygon]]] = {
    "arrow": lambda: [[(0.0, -1.0), (0.8, 0.0), (0.3, 0.0), (0.3, 1.0), (-0.3, 1.0), (-0.3, 0.0), (-0.8, 0.0)]],
    "bars": lambda: [_box(-0.9, -0.8, 0.9, 0.8), _box(-1.1, -0.3, 1.1, 0.3)],
    "circle": lambda: [_round()],
    "crescent": lambda: [_round(), _round(0.85, (0.5, 0.0))],
    "cross": lambda: [_cross()],
    "heart": lambda: [_heart()],
    "ring": lambda: [_round(), _round(0.6)],
    "square": lambda: [_box(-0.8, -0.8, 0.8, 0.8)],
    "star": lambda: [_star()],
    "triangle": lambda: [_regular(3)],
}
"""Polygons in the unit circle: the first is filled, the others are cut out of it."""
