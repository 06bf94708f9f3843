"""What there is to measure: every current artifact on every backend and compute unit that takes its format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tinyml.commands import command
from tinyml.errors import ArtifactError, UnknownNameError, UsageError
from tinyml.machine import usable_cores
from tinyml.schema import Artifact, BenchCase, Checkpoint, DatasetIdentity
from tinyml.store import size_bytes
from tinyml.workspace import (
    Workspace,
    checked_artifact,
    checkpoint_origin,
    export_again,
    read_artifact,
    read_checkpoint,
)

from .backend import Format, backends

CHECKPOINT = "checkpoint"
"""The variant name of a network as trained."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How long to measure."""

    warmup: int = 20
    min_repeats: int = 100
    min_seconds: float = 5.0
    limit: int | None = None
    """Test images for the accuracy; None: all."""
    data: str | None = None
    """The data set for the accuracy; None: the one that each model remembers."""
    accuracy: bool = True
    threads: int | None = None
    timeout_s: float = 3600.0
    """For one worker."""
    quick: bool = False

    def __post_init__(self) -> None:
        for name, least in {"warmup": 0, "min_repeats": 1, "min_seconds": 0, "limit": 1, "threads": 1}.items():
            value = getattr(self, name)
            if value is not None and not value >= least:
                raise UsageError(f"{name} out of range", value=value, allowed=f"at least {least}")
        if not self.timeout_s > 0:
            raise UsageError("timeout out of range", value=self.timeout_s, allowed="more than 0 seconds")


QUICK = Settings(warmup=3, min_repeats=10, min_seconds=0.2, limit=200, quick=True)


def settings_of(*, quick: bool, threads: int | None = None, **asked: int | float | bool | str | None) -> Settings:
    """The settings of a whole run: `QUICK` or the default, with what was `asked` for, by the names of the fields.

    None leaves a field as it is; for `threads` it means every core that this process may use. Raises UsageError.
    """
    given = {name: value for name, value in asked.items() if value is not None}
    cores = usable_cores() if threads is None else threads
    return replace(QUICK if quick else Settings(), threads=cores, **given)  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What to measure; an empty tuple means all."""

    models: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Job:
    """A case, and where its model and data lie."""

    case: BenchCase
    manifest: Path
    data: str
    obstacle: str | None
    """Why it cannot run here; None: it can."""
    dataset: DatasetIdentity | None = None
    """Which images `data` stands for; None: the model does not say."""


@dataclass(frozen=True, kw_only=True)
class JobList:
    """All jobs, in the order in which they run, and the artifacts that were passed over."""

    jobs: tuple[Job, ...]
    stale: tuple[str, ...]
    """Artifacts of an older checkpoint, as sentences."""


@dataclass(frozen=True, kw_only=True)
class _Model:
    """Something to measure: a checkpoint or an artifact."""

    model: str
    variant: str
    format: Format
    manifest: Path
    sha256: str
    bytes: int
    data: str
    dataset: DatasetIdentity | None


def list_jobs(workspace: Workspace, selection: Selection, settings: Settings) -> JobList:
    """The jobs of every model with artifacts: those made of its checkpoint as it is now, and the checkpoint itself.

    Raises:
        ArtifactError: There is nothing to measure, or an artifact is not what its manifest says.
        UnknownNameError: A model, variant or backend that is asked for does not exist.
    """
    for name in selection.backends:
        backends.get(name)
    found = _artifacts(workspace)
    _known("model", selection.models, found)
    _known("variant", selection.variants, [CHECKPOINT, *(a.variant.name for items in found.values() for a, _ in items)])
    jobs: list[Job] = []
    stale: list[str] = []
    for model, artifacts in found.items():
        if selection.models and model not in selection.models:
            continue
        checkpoints: dict[Path, _Model] = {}
        exports: list[_Model] = []
        for artifact, manifest in artifacts:
            origin = checkpoint_origin(artifact, manifest)
            if origin.exists():
                checkpoint, weights = read_checkpoint(origin)
                if checkpoint.sha256 != artifact.checkpoint_sha256:
                    stale.append(f"{manifest.parent} is older than {origin}; {export_again(artifact, manifest)}")
                    continue
                checkpoints[origin] = _checkpoint(model, origin, checkpoint, weights)
            checked_artifact(manifest)
            exports.append(_exported(model, manifest, artifact))
        for subject in (*checkpoints.values(), *exports):
            if not selection.variants or subject.variant in selection.variants:
                jobs += _jobs(subject, selection, settings)
    if not jobs:
        raise ArtifactError(
            "nothing to measure",
            value="; ".join(stale) or None,
            hint=f"export the newest checkpoint first: {command('export', results=workspace.root)}",
        )
    return JobList(jobs=tuple(jobs), stale=tuple(stale))


def _checkpoint(model: str, manifest: Path, checkpoint: Checkpoint, weights: Path) -> _Model:
    return _Model(
        model=model,
        variant=CHECKPOINT,
        format="torch",
        manifest=manifest,
        sha256=checkpoint.sha256,
        bytes=size_bytes(weights),
        data=checkpoint.config.data,
        dataset=checkpoint.dataset,
    )


def _exported(model: str, manifest: Path, artifact: Artifact) -> _Model:
    return _Model(
        model=model,
        variant=artifact.variant.name,
        format=artifact.variant.format,
        manifest=manifest,
        sha256=artifact.sha256,
        bytes=artifact.bytes,
        data=artifact.data,
        dataset=artifact.dataset,
    )


def _jobs(subject: _Model, selection: Selection, settings: Settings) -> list[Job]:
    jobs = []
    for name, backend in backends.items():
        if subject.format not in backend.formats or (selection.backends and name not in selection.backends):
            continue
        for units in backend.units:
            case = BenchCase(
                model=subject.model,
                variant=subject.variant,
                format=subject.format,
                artifact_sha256=subject.sha256,
                artifact_bytes=subject.bytes,
                backend=name,
                requested_units=units,
                threads=settings.threads,
                warmup=settings.warmup,
                min_repeats=settings.min_repeats,
                min_seconds=settings.min_seconds,
            )
            obstacle = backend.available(units)
            jobs.append(
                Job(
                    case=case,
                    manifest=subject.manifest,
                    data=subject.data,
                    dataset=subject.dataset,
                    obstacle=obstacle,
                )
            )
    return jobs


def _artifacts(workspace: Workspace) -> dict[str, list[tuple[Artifact, Path]]]:
    """The artifacts by model."""
    found: dict[str, list[tuple[Artifact, Path]]] = {}
    for manifest in workspace.artifacts():
        artifact, _ = read_artifact(manifest)
        found.setdefault(manifest.parent.parent.parent.name, []).append((artifact, manifest))
    return found


def _known(kind: str, asked: Sequence[str], names: Sequence[str] | dict[str, list[tuple[Artifact, Path]]]) -> None:
    for name in asked:
        if name not in names:
            raise UnknownNameError(kind, name, names)
