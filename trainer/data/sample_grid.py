"""A picture of a data set: some images of each class, with its name."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tinyml.schema import SplitName

from .dataset import Dataset

_GAP = 4
_FONT_SIZE = 13
_NAME_WIDTH = 190
_INK = (30, 30, 30)


def sample_grid(dataset: Dataset, split: SplitName = "train", *, rows: int = 20, columns: int = 10) -> Image.Image:
    """One row a class, its name on the left, then up to `columns` of its images, spread evenly over the split.

    Of more than `rows` classes as many are shown, spread evenly.
    """
    images, labels = dataset.split(split).images, dataset.split(split).labels
    size = dataset.index.preprocess.input_size
    classes = _spread(np.arange(len(dataset.index.labels)), rows)
    step = size + _GAP
    grid = Image.new("RGB", (_NAME_WIDTH + columns * step + _GAP, len(classes) * step + _GAP), "white")
    pen = ImageDraw.Draw(grid)
    font = ImageFont.load_default(_FONT_SIZE)
    for row, label in enumerate(classes):
        top = _GAP + row * step
        name = _shortened(dataset.index.labels[label], font)
        pen.text((_NAME_WIDTH - 2 * _GAP, top + size / 2), name, fill=_INK, font=font, anchor="rm")
        for column, number in enumerate(_spread(np.flatnonzero(labels == label), columns)):
            grid.paste(Image.fromarray(np.asarray(images[number])), (_NAME_WIDTH + column * step, top))
    return grid


def _spread(values: np.ndarray[tuple[int, ...], np.dtype[np.int64]], count: int) -> list[int]:
    """At most `count` of the values, at equal distances."""
    if len(values) <= count:
        return [int(value) for value in values]
    return [int(values[k * len(values) // count]) for k in range(count)]


def _shortened(name: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    room, text = _NAME_WIDTH - 4 * _GAP, name
    while font.getlength(text) > room:
        name = name[:-1]
        text = f"{name.rstrip()}…"
    return text
