"""Pictures of where a model errs, for the eye: its worst mistakes, and how its confidence and its classes stand."""

from __future__ import annotations

import io
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tinyml.accuracy import Images
from tinyml.confidence import top1_told
from tinyml.numerics import log_softmax
from tinyml.schema import Explanation

from .attention import class_activation
from .checkpoint import CheckpointPredictor
from .explain import Asked

SHOWN = 12
_SCALE, _GAP, _TEXT, _COLUMNS = 2, 8, 34, 3
_INK = (30, 30, 30)
PAIRS = 15


def worst_mistakes(asked: Asked, images: Images, truth: NDArray[np.int64]) -> Image.Image | None:
    """The most confident wrong answers, each image beside what spoke for its answer; None without a mistake.

    What spoke for an answer is known of checkpoints only: an exported model gives no gradients.
    """
    confidence = np.exp(log_softmax(asked.scores)).max(1)
    wrong = np.flatnonzero(asked.answers != truth)
    chosen = wrong[np.argsort(-confidence[wrong], kind="stable")][:SHOWN]
    if not len(chosen):
        return None
    predictor = asked.model.predictor
    maps = None
    if isinstance(predictor, CheckpointPredictor):
        maps = class_activation(
            predictor.loaded.model, predictor.spec.preprocess, images[chosen], asked.answers[chosen]
        )
    size = images.shape[1] * _SCALE
    width, height = size * (2 if maps is not None else 1) + _GAP, size + _TEXT + _GAP
    grid = Image.new("RGB", (width * _COLUMNS + _GAP, height * -(-len(chosen) // _COLUMNS) + _GAP), "white")
    pen, font = ImageDraw.Draw(grid), ImageFont.load_default(12)
    labels = predictor.spec.labels
    for n, index in enumerate(chosen):
        left, top = _GAP + n % _COLUMNS * width, _GAP + n // _COLUMNS * height
        picture = Image.fromarray(images[index]).resize((size, size), Image.Resampling.NEAREST)
        grid.paste(picture, (left, top))
        if maps is not None:
            grid.paste(_overlaid(images[index], maps[n]).resize((size, size)), (left + size, top))
        said = f"{confidence[index]:.0%} {labels[asked.answers[index]]}"
        for line, text in enumerate((said, f"is {labels[truth[index]]}")):
            pen.text((left, top + size + 2 + 15 * line), _fitted(text, font, width - _GAP), fill=_INK, font=font)
    return grid


def overview(explanation: Explanation) -> bytes:
    """A PNG: confidence against accuracy, the accuracy of each class in order, and the pairs confused most often."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 4.6), layout="constrained")
    bins = [b for b in explanation.calibration.bins if b.images]
    left, middle, right = figure.subplots(1, 3)
    left.plot([0, 1], [0, 1], linestyle="--", color="0.6")
    left.plot([b.confidence for b in bins], [b.accuracy for b in bins], marker="o")
    left.set(
        xlabel="confidence", ylabel="accuracy", title=f"ECE {explanation.calibration.ece:.3f}", xlim=(0, 1), ylim=(0, 1)
    )
    seen = sorted(c.right / c.images for c in explanation.classes if c.images)
    middle.bar(range(len(seen)), seen, width=1.0)
    middle.set(xlabel="classes, worst first", ylabel="accuracy", title=f"{len(seen)} classes", ylim=(0, 1))
    pairs = explanation.confused[:PAIRS][::-1]
    names = [f"{_short(explanation.labels[p.truth])} → {_short(explanation.labels[p.answer])}" for p in pairs]
    right.barh(range(len(pairs)), [p.images for p in pairs])
    right.set_yticks(range(len(pairs)), names, fontsize=8, parse_math=False)
    right.set(xlabel="images", title="taken for another most often")
    m = explanation.metrics
    figure.suptitle(
        f"{explanation.model} {explanation.variant}: {top1_told(m)} top-1, on {m.images:,} of {m.total:,} {m.split} "
        "images",
        parse_math=False,
    )
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # a label in a script that the font lacks shows boxes
        figure.savefig(buffer, format="png", dpi=100)
    return buffer.getvalue()


def _overlaid(image: NDArray[np.uint8], heat: NDArray[np.float32]) -> Image.Image:
    gray = image.mean(2, keepdims=True) * 0.6
    tint = np.stack([255 * heat, 120 * heat, 40 * (1 - heat)], 2)
    return Image.fromarray(np.clip(gray + tint * 0.6, 0, 255).astype(np.uint8))


def _fitted(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, room: int) -> str:
    shown = text
    while font.getlength(shown) > room and len(text) > 1:
        text = text[:-1]
        shown = f"{text.rstrip()}…"
    return shown


def _short(label: str) -> str:
    return label if len(label) <= 24 else f"{label[:23]}…"
