"""A sentence a model: how good it is, which file is the smallest that still is, which is the fastest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tinyml.confidence import top1_told
from tinyml.schema import Metrics

from .figures import CHECKPOINT, MEGABYTE, Figure, machine_name
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


def sentences(project: Project, figures: list[Figure]) -> list[tuple[str, str]]:
    """Every model with its sentence, sorted by model."""
    found = []
    for model in sorted({figure.model for figure in figures}):
        own = [figure for figure in figures if figure.model == model]
        found.append((model, " ".join([_trained(own), *_recommended(project, own)])))
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


def _trained(figures: list[Figure]) -> str:
    best = next((f.accuracy for f in figures if f.variant == CHECKPOINT and f.accuracy is not None), None)
    if best is None:
        return "The network as trained was not measured."
    m = best.metrics
    return f"As trained {top1_told(m)} top-1 on {m.images:,} {m.split} images ({best.source})."


def _recommended(project: Project, figures: list[Figure]) -> list[str]:
    known = candidates(project, figures)
    if not known:
        return ["No exported file was compared with it."]
    good = [c for c in known if c.lost <= WITHIN]
    if not good:
        best = min(known, key=lambda c: c.lost)
        return [f"No exported file keeps within one point; nearest is {_told(best)}."]
    smallest = min(good, key=lambda c: (c.figure.bytes, c.lost))
    told = [f"Smallest within one point: {_told(smallest)}, {smallest.figure.bytes / MEGABYTE:.2f} MB."]
    fast = [
        (f.row.latency_ns.p50, f, c)
        for c in good
        for f in figures
        if f.sha256 == c.figure.sha256 and f.row is not None and f.row.latency_ns is not None and f.run is not None
    ]
    if fast:
        ns, figure, candidate = min(fast, key=lambda item: item[0])
        assert figure.row is not None  # noqa: S101 - told to the type checker; chosen so above
        assert figure.run is not None  # noqa: S101
        case = figure.row.result.case
        told.append(
            f"Fastest within one point: {_told(candidate)}, {ns / 1e6:.3g} ms median on {case.backend} "
            f"{case.requested_units}, {machine_name(figure.run.environment)}."
        )
    else:
        told.append("No latency of one was measured.")
    return told


def _told(candidate: Candidate) -> str:
    gained = "loses" if candidate.lost >= 0 else "gains"
    return (
        f"{candidate.figure.variant} ({gained} {abs(candidate.lost) * 100:.2f} points on {candidate.images:,} "
        f"{candidate.split} images)"
    )


def _same_images(a: Metrics, b: Metrics) -> bool:
    return (a.split, a.images, a.total) == (b.split, b.images, b.total)
