"""Where each model errs: its confusion, the classes told worst, and what its confidence is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinyml.schema import ConfidenceBin, Explanation

from ..figures import Figure
from ..project import Project
from ..section import Content, sections

SHOWN = 10
SIDE = 200
SHADES = (0.02, 0.05, 0.1, 0.2, 0.4, 1.0)
"""A cell of the confusion is drawn in the first shade whose share of the class's images it does not exceed."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What is shown of one explanation."""

    name: str
    images: str
    pairs: list[tuple[str, str, int]]
    classes: list[tuple[str, str, int]]
    size: int
    """How many classes: the confusion has so many rows and columns."""
    cells: list[tuple[str, int, str]]
    """"right" or "wrong", the shade from 1 to 6, and the cells of that shade as a path of unit squares."""
    confusion: dict[str, Any]
    """The same for the script, which names what the pointer is on."""
    line: str
    """The reliability curve as a path in a square of `SIDE`."""
    described: str
    facts: list[tuple[str, str]]


@sections.register("mistakes")
def mistakes(project: Project, _: list[Figure]) -> Content | None:
    """One article a model that `tinyml explain` was asked of."""
    if not project.explanations:
        return None
    told = [_told(kept.record) for kept in project.explanations]
    return Content(place=45, title="Where models err", template="mistakes.html", values={"told": told, "side": SIDE})


def _told(explanation: Explanation) -> Told:
    m, c, labels = explanation.metrics, explanation.calibration, explanation.labels
    seen = sorted((k for k in explanation.classes if k.images), key=lambda k: (k.right / k.images, k.label))
    bins = [b for b in c.bins if b.images]
    counts = _counts(explanation)
    return Told(
        name=f"{explanation.model} {explanation.variant}",
        images=f"{m.images:,} of {m.total:,} {m.split} images",
        pairs=[(labels[p.truth], labels[p.answer], p.images) for p in explanation.confused[:SHOWN]],
        classes=[(k.label, f"{100 * k.right / k.images:.0f} %", k.images) for k in seen[:SHOWN]],
        size=len(labels),
        cells=_cells(counts, [k.images for k in explanation.classes]),
        confusion={"labels": labels, "cells": counts},
        line="".join(f"{'L' if n else 'M'}{_x(b)} {_y(b)}" for n, b in enumerate(bins)),
        described="; ".join(f"{b.accuracy:.0%} right at a confidence of {b.confidence:.0%}" for b in bins),
        facts=[
            ("top-1", f"{m.top1 * 100:.2f} %"),
            ("calibration error", f"{c.ece:.3f}"),
            ("temperature", f"{c.temperature:.2f}"),
            ("error with it", f"{c.ece_after:.3f}, before {c.ece_before:.3f}, on the other half of the images"),
        ],
    )


def _counts(explanation: Explanation) -> list[tuple[int, int, int]]:
    """Every cell of the confusion that is not empty: the class, the answer, the images."""
    right = [(n, n, k.right) for n, k in enumerate(explanation.classes) if k.right]
    return right + [(p.truth, p.answer, p.images) for p in explanation.confused]


def _cells(counts: list[tuple[int, int, int]], images: list[int]) -> list[tuple[str, int, str]]:
    paths: dict[tuple[str, int], list[str]] = {}
    for truth, answer, count in counts:
        share = count / max(images[truth], count)
        shade = next(n for n, limit in enumerate(SHADES, 1) if share <= limit)
        kind = "right" if truth == answer else "wrong"
        paths.setdefault((kind, shade), []).append(f"M{answer} {truth}h1v1h-1z")
    return [(kind, shade, "".join(squares)) for (kind, shade), squares in sorted(paths.items())]


def _x(b: ConfidenceBin) -> float:
    return round(b.confidence * SIDE, 1)


def _y(b: ConfidenceBin) -> float:
    return round((1 - b.accuracy) * SIDE, 1)
