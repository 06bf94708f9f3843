"""Where each model errs: the classes told worst, the pairs confused most, and what its confidence is worth."""

from __future__ import annotations

from dataclasses import dataclass

from tinyml.schema import ConfidenceBin, Explanation

from ..figures import Figure
from ..project import Project
from ..section import Content, sections

SHOWN = 10
SIDE = 200


@dataclass(frozen=True, kw_only=True)
class Told:
    """What is shown of one explanation."""

    name: str
    images: str
    pairs: list[tuple[str, str, int]]
    classes: list[tuple[str, str, int]]
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
    return Told(
        name=f"{explanation.model} {explanation.variant}",
        images=f"{m.images:,} of {m.total:,} {m.split} images",
        pairs=[(labels[p.truth], labels[p.answer], p.images) for p in explanation.confused[:SHOWN]],
        classes=[(k.label, f"{100 * k.right / k.images:.0f} %", k.images) for k in seen[:SHOWN]],
        line="".join(f"{'L' if n else 'M'}{_x(b)} {_y(b)}" for n, b in enumerate(bins)),
        described="; ".join(f"{b.accuracy:.0%} right at a confidence of {b.confidence:.0%}" for b in bins),
        facts=[
            ("top-1", f"{m.top1 * 100:.2f} %"),
            ("calibration error", f"{c.ece:.3f}"),
            ("temperature", f"{c.temperature:.2f}"),
            ("error with it", f"{c.ece_after:.3f}, before {c.ece_before:.3f}, on the other half of the images"),
        ],
    )


def _x(b: ConfidenceBin) -> float:
    return round(b.confidence * SIDE, 1)


def _y(b: ConfidenceBin) -> float:
    return round((1 - b.accuracy) * SIDE, 1)
