"""The flat list behind the charts and the table: one figure a case, with the accuracy that is known best for it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from tinyml.schema import Artifact, BenchCase, BenchRun, Environment, Metrics
from tinyml.shards import weights_bytes

from ..row import Row, rows
from .project import Project

CHECKPOINT = "checkpoint"
MEGABYTE = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """An accuracy, and where it comes from."""

    metrics: Metrics
    source: str
    """"tinyml eval", "tinyml bench" or "verification"."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A model file, and what was measured of it by one backend on one machine; None stands for what was not."""

    model: str
    variant: str
    format: str
    sha256: str
    bytes: int
    accuracy: Accuracy | None
    row: Row | None
    run: BenchRun | None
    path: str | None
    """Of the run's file, or of the artifact's manifest."""

    @property
    def key(self) -> str:
        """What tells it apart from every other figure of the page; short, and the same from call to call."""
        case = self.row.result.case if self.row else None
        machine = machine_name(self.run.environment) if self.run else ""
        words = (self.sha256, self.model, self.variant, machine, *(_asked(case) if case else ()))
        return hashlib.sha256("\0".join(words).encode()).hexdigest()[:10]


def figures(project: Project) -> list[Figure]:
    """The newest measurement of each case on each machine, then the files that no run measured."""
    known = _accuracies(project)
    newest: dict[tuple[str, ...], Figure] = {}
    for kept in project.runs:
        for row in rows(kept.record):
            case = row.result.case
            measured = Figure(
                model=case.model,
                variant=row.variant,
                format=case.format,
                sha256=case.artifact_sha256,
                bytes=case.artifact_bytes,
                accuracy=_better(known.get(case.artifact_sha256), row.result.accuracy),
                row=row,
                run=kept.record,
                path=kept.shown,
            )
            place = (machine_name(kept.record.environment), case.model, row.variant, *_asked(case))
            older = newest.get(place)
            if older is None or not (older.run is not None and _is_worth_more(older, measured)):
                newest[place] = measured
    found = list(newest.values())
    measured_files = {figure.sha256 for figure in found}
    found += [figure for figure in _unmeasured(project, known) if figure.sha256 not in measured_files]
    return sorted(found, key=lambda f: (f.model, f.variant != CHECKPOINT, f.variant, f.key))


def machine_name(environment: Environment) -> str:
    """How a machine is called on the page: the other device where it measured one."""
    if environment.device is not None:
        return environment.device
    named = environment.os_version[:1].isdigit()
    system = f"{_SYSTEMS.get(environment.os, environment.os)} " if named else ""
    return f"{environment.machine}, {system}{environment.os_version}"


_SYSTEMS = {"macos": "macOS", "ios": "iOS", "ipados": "iPadOS", "linux": "Linux"}


def _asked(case: BenchCase) -> tuple[str, ...]:
    return (case.backend, case.requested_units, str(case.batch), str(case.threads), str(case.streams))


def _is_worth_more(older: Figure, newer: Figure) -> bool:
    """Whether an older measurement stays: it is of the same file, and it measured what the newer one did not."""
    was, now = older.row, newer.row
    if was is None or now is None or older.sha256 != newer.sha256:
        return False
    return was.result.status == "ok" and now.result.status != "ok"


def _accuracies(project: Project) -> dict[str, Accuracy]:
    found: dict[str, Accuracy] = {}

    def offer(sha256: str, metrics: Metrics, source: str) -> None:
        best = found.get(sha256)
        if best is None or _rank(metrics) > _rank(best.metrics):
            found[sha256] = Accuracy(metrics=metrics, source=source)

    trained_on = {kept.record.sha256: kept.record.config.data for kept in project.checkpoints}
    trained_on |= {kept.record.sha256: kept.record.data for kept in project.artifacts}
    for evaluations in project.evaluations:
        for result in evaluations.record.results:
            # What it makes of another data set is not its accuracy.
            on = result.data or evaluations.record.data
            if result.alone and trained_on.get(result.sha256, on) == on:
                offer(result.sha256, result.metrics, "tinyml eval")
    for run in project.runs:
        for measured in run.record.results:
            if measured.accuracy is not None:
                offer(measured.case.artifact_sha256, measured.accuracy, "tinyml bench")
    for artifact in project.artifacts:
        checked = artifact.record.verification
        if checked is not None:
            offer(artifact.record.sha256, checked.artifact, "verification")
            offer(artifact.record.checkpoint_sha256, checked.reference, "verification")
    for checkpoint in project.checkpoints:
        for metrics in checkpoint.record.metrics:
            offer(checkpoint.record.sha256, metrics, "training")
    return found


def _rank(metrics: Metrics) -> tuple[bool, int]:
    return metrics.split == "test", metrics.images


def _better(known: Accuracy | None, own: Metrics | None) -> Accuracy | None:
    if own is not None and (known is None or _rank(own) >= _rank(known.metrics)):
        return Accuracy(metrics=own, source="tinyml bench")
    return known


def _unmeasured(project: Project, known: dict[str, Accuracy]) -> Iterable[Figure]:
    for kept in project.checkpoints:
        weights = kept.path.with_name(kept.record.path)
        if weights.is_file():
            yield Figure(
                model=kept.record.spec.architecture,
                variant=CHECKPOINT,
                format="torch",
                sha256=kept.record.sha256,
                bytes=weights_bytes(weights),
                accuracy=known.get(kept.record.sha256),
                row=None,
                run=None,
                path=kept.shown,
            )
    for artifact in project.artifacts:
        yield _exported(artifact.record, artifact.shown, known)


def _exported(artifact: Artifact, path: str, known: dict[str, Accuracy]) -> Figure:
    return Figure(
        model=artifact.spec.architecture,
        variant=artifact.variant.name,
        format=artifact.variant.format,
        sha256=artifact.sha256,
        bytes=artifact.bytes,
        accuracy=known.get(artifact.sha256),
        row=None,
        run=None,
        path=path,
    )
