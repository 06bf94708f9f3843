"""A sentence a model: how good it is, which file is the smallest that still is, which is the fastest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tinyml.confidence import top1_told
from tinyml.schema import Metrics

from ..table import megabytes, milliseconds
from .figures import CHECKPOINT, Figure, machine_name
from .project import Project

WITHIN = 0.01
"""How much top-1 a file may lose and still be recommended: one point."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A file beside the network that it came from, both measured on the same images."""

    figure: Figure
    top1: float
    lost: float
    """Top-1 of the network as trained less that of the file."""
    images: int
    split: str


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of a sentence: what it is about, the finding, and what belongs to it."""

    about: str = ""
    finding: str
    more: str = ""

    def __str__(self) -> str:
        """The part as a sentence."""
        about = f"{self.about}: " if self.about else ""
        return f"{about}{self.finding}{f', {self.more}' if self.more else ''}."


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What is said of one model."""

    model: str
    parts: tuple[Part, ...]

    def __str__(self) -> str:
        """All of it."""
        return " ".join(map(str, self.parts))


def summaries(project: Project, figures: list[Figure]) -> list[Summary]:
    """Every model with its sentence, sorted by model."""
    found = []
    for model in sorted({figure.model for figure in figures}):
        own = [figure for figure in figures if figure.model == model]
        found.append(Summary(model=model, parts=(_trained(project, own), *_recommended(project, own))))
    return found


def candidates(project: Project, figures: Iterable[Figure]) -> list[Candidate]:
    """The files whose loss is known: the network as trained was measured on the same images, by the same word."""
    found: dict[str, Candidate] = {}
    trained = {f.sha256: f.accuracy.metrics for f in figures if f.variant == CHECKPOINT and f.accuracy}
    manifests = {kept.record.sha256: kept.record for kept in project.artifacts}
    for figure in figures:
        if figure.variant == CHECKPOINT or figure.sha256 in found:
            continue
        manifest = manifests.get(figure.sha256)
        pairs: list[tuple[Metrics, Metrics]] = []
        if figure.accuracy is not None:
            sources = [manifest.checkpoint_sha256] if manifest else list(trained)
            own = figure.accuracy.metrics
            pairs += [(trained[s], own) for s in sources if s in trained and _same_images(trained[s], own)]
        if manifest is not None and manifest.verification is not None:
            pairs.append((manifest.verification.reference, manifest.verification.artifact))
        if pairs:
            before, after = max(pairs, key=lambda pair: pair[1].images)
            found[figure.sha256] = Candidate(
                figure=figure, top1=after.top1, lost=before.top1 - after.top1, images=after.images, split=after.split
            )
    return list(found.values())


def _trained(project: Project, figures: list[Figure]) -> Part:
    known = [(f.accuracy.metrics, f.accuracy.source) for f in figures if f.variant == CHECKPOINT and f.accuracy]
    if not known:
        files = {figure.sha256 for figure in figures}
        checked = [kept.record.verification for kept in project.artifacts if kept.record.sha256 in files]
        known = [(found.reference, "verification") for found in checked if found is not None]
    if not known:
        return Part(about="As trained", finding="not measured")
    m, source = known[0]
    return Part(
        about="As trained",
        finding=f"{top1_told(m)} top-1",
        more=f"on {m.images:,} {m.split} images, by {source}",
    )


def _recommended(project: Project, figures: list[Figure]) -> list[Part]:
    known = candidates(project, figures)
    if not known:
        return [Part(finding="No exported file was compared with it")]
    good = [c for c in known if c.lost <= WITHIN]
    if not good:
        best = min(known, key=lambda c: c.lost)
        return [
            Part(
                about="No exported file stays within one point; the nearest",
                finding=best.figure.variant,
                more=_loss(best),
            )
        ]
    smallest = min(good, key=lambda c: (c.figure.bytes, c.lost))
    told = [
        Part(
            about="Smallest within one point",
            finding=f"{smallest.figure.variant}, {megabytes(smallest.figure.bytes)} MB",
            more=_loss(smallest),
        )
    ]
    fast = [
        (f.row.latency_ns.p50, f, c)
        for c in good
        for f in figures
        if f.sha256 == c.figure.sha256 and f.run is not None
        if f.row is not None and f.row.latency_ns is not None and f.row.result.case.one_image
    ]
    if not fast:
        return [*told, Part(about="Fastest within one point", finding="not measured")]
    ns, figure, candidate = min(fast, key=lambda item: item[0])
    assert figure.row is not None  # noqa: S101 - told to the type checker; chosen so above
    assert figure.run is not None  # noqa: S101
    case = figure.row.result.case
    place = f"{case.backend} {case.requested_units}, {machine_name(figure.run.environment)}"
    doubt = f" (doubtful: {', '.join(figure.row.result.flags)})" if figure.row.doubtful else ""
    return [
        *told,
        Part(
            about="Fastest within one point",
            finding=f"{candidate.figure.variant}, {milliseconds(ns)} ms median",
            more=f"on {place}{doubt}; {_loss(candidate)}",
        ),
    ]


def _loss(candidate: Candidate) -> str:
    on = f"on {candidate.images:,} {candidate.split} images"
    points = abs(candidate.lost) * 100
    if points < 0.005:
        return f"as often right as the network itself {on}"
    return f"{'loses' if candidate.lost > 0 else 'gains'} {points:.2f} points {on}"


def _same_images(a: Metrics, b: Metrics) -> bool:
    return (a.split, a.images, a.total) == (b.split, b.images, b.total)
