"""What there is to measure: every current artifact on every backend and compute unit that takes its format."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from tinyml.commands import command
from tinyml.coreml.read.package import open_package
from tinyml.errors import ArtifactError, UnknownNameError, UnsupportedKindError, UnsupportedOpsError, UsageError
from tinyml.machine import usable_cores
from tinyml.npz import read_npz
from tinyml.schema import Artifact, BenchCase, Checkpoint, DatasetIdentity, Format, Name, Units
from tinyml.shards import weights_bytes
from tinyml.store import file_sha256, size_bytes
from tinyml.workspace import (
    Workspace,
    checked_artifact,
    checkpoint_origin,
    export_again,
    export_all_again,
    read_artifact,
    read_checkpoint,
)

from .backend import backends

CHECKPOINT = "checkpoint"
"""The variant name of a network as trained."""
FOREIGN = "file"
"""The variant name of a stranger's model."""
FOREIGN_FORMATS: dict[str, Format] = {".mlpackage": "coreml", ".onnx": "onnx"}


OPTIONS = {
    "warmup": "warm-up",
    "min_repeats": "--repeats",
    "min_seconds": "--seconds",
    "max_seconds": "--max-seconds",
    "rounds": "--rounds",
    "batches": "--batch",
    "streams": "--streams",
    "threads": "--threads",
    "limit": "--limit",
    "timeout_s": "--timeout",
}
"""What the command line calls the fields of `Settings`."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How long to measure."""

    warmup: int = 20
    """At least so many predictions before the measured ones, in each process."""
    min_repeats: int = 1024
    """All rounds together (MLPerf Mobile's least)."""
    min_seconds: float = 10.0
    """All rounds together."""
    max_seconds: float = 300.0
    """All rounds together; a case that has not had its repeats by then is flagged."""
    rounds: int = 5
    """Fresh processes a case, in turn with those of the other cases."""
    batches: tuple[int, ...] = (1,)
    streams: tuple[int, ...] = (1,)
    threads: tuple[int | None, ...] = (None,)
    limit: int | None = None
    """Test images for the accuracy; None: all."""
    data: str | None = None
    """The data set for the accuracy; None: the one that each model remembers."""
    accuracy: bool = True
    timeout_s: float = 3600.0
    """For one worker."""
    device: str | None = None
    """A connected iPhone or iPad to measure on, and nothing but it; None: this machine."""
    quick: bool = False

    def __post_init__(self) -> None:
        least = {"warmup": 0, "min_repeats": 1, "min_seconds": 0, "rounds": 1, "batches": 1, "streams": 1}
        for name, bound in (least | {"limit": 1, "threads": 1}).items():
            value = getattr(self, name)
            for one in value if isinstance(value, tuple) else (value,):
                if one is not None and not one >= bound:
                    raise UsageError(f"{OPTIONS[name]} out of range", value=one, allowed=f"at least {bound}")
        for name in ("timeout_s", "max_seconds"):
            if not getattr(self, name) > 0:
                value = getattr(self, name)
                raise UsageError(f"{OPTIONS[name]} out of range", value=value, allowed="more than 0 seconds")
        if math.isinf(self.max_seconds):
            raise UsageError("--max-seconds out of range", value=self.max_seconds, allowed="a number of seconds")
        if self.device is not None and (self.batches, self.streams, self.accuracy) != ((1,), (1,), False):
            raise UsageError("a device takes one image at a time, and is asked for no accuracy", value=self.device)
        if self.max_seconds < self.min_seconds:
            raise UsageError(
                "--max-seconds is less than --seconds", value=self.max_seconds, allowed=f"at least {self.min_seconds}"
            )


QUICK = Settings(warmup=3, min_repeats=20, min_seconds=0.2, max_seconds=20.0, rounds=1, limit=200, quick=True)

Asked = int | float | bool | str | tuple[int, ...] | None


def settings_of(*, quick: bool, threads: tuple[int, ...] = (), **asked: Asked) -> Settings:
    """The settings of a whole run: `QUICK` or the default, with what was `asked` for, by the names of the fields.

    None or an empty tuple leaves a field as it is; for `threads` it means every core that this process may use.
    Raises UsageError.
    """
    given = {name: value for name, value in asked.items() if value is not None and value != ()}
    return replace(QUICK if quick else Settings(), threads=threads or (usable_cores(),), **given)  # type: ignore[arg-type]


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
    labels: tuple[str, ...] = ()
    """The model's classes; a stranger's model has none of ours."""
    foreign: bool = False
    """Whether it is a stranger's model, without a manifest, data or accuracy of ours."""
    inputs: Path | None = None
    """An .npz file with the arrays to predict."""


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
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        try:
            _NAME.validate_python(self.model)
        except ValidationError:
            raise ArtifactError(
                f"{self.manifest} is measured under a name that fits no line of a table",
                value=repr(self.model),
                allowed="one line of at most 255 characters, without a space at its ends",
                hint="rename it",
            ) from None


_NAME = TypeAdapter(Name)


def list_jobs(workspace: Workspace, selection: Selection, settings: Settings) -> JobList:
    """The jobs of every model with artifacts: those made of its checkpoint as it is now, and the checkpoint itself.

    Manifests of older checkpoints, and those whose file is gone, are passed over and named.

    Raises:
        ArtifactError: There is nothing to measure, or an artifact is not what its manifest says.
        UnknownNameError: A model, variant or backend that is asked for does not exist.
    """
    for name in selection.backends:
        backends.get(name)
    found = _artifacts(workspace)
    _known("model", selection.models, found)
    exported = (artifact.variant.name for items in found.values() for artifact, _ in items)
    _known("variant", selection.variants, list(dict.fromkeys([CHECKPOINT, *exported])))
    jobs: list[Job] = []
    stale: list[str] = []
    for model, artifacts in found.items():
        if selection.models and model not in selection.models:
            continue
        checkpoints: dict[Path, _Model] = {}
        exports: list[_Model] = []
        gone: list[tuple[Artifact, Path]] = []
        for artifact, manifest in artifacts:
            there = (manifest.parent / artifact.path).exists()  # results may be kept without their packages
            origin = checkpoint_origin(artifact, manifest)
            if origin.exists():
                checkpoint, weights = read_checkpoint(origin)
                same = checkpoint.sha256 == artifact.checkpoint_sha256
                if there and not same:
                    stale.append(f"{manifest.parent} is older than {origin}; {export_again(artifact, manifest)}")
                    continue
                if same and weights.is_file():  # or without their weights
                    checkpoints[origin] = _checkpoint(model, origin, checkpoint, weights)
            if not there:
                gone.append((artifact, manifest))
                continue
            checked_artifact(manifest)
            exports.append(_exported(model, manifest, artifact))
        stale += _without_files(gone)
        for subject in (*checkpoints.values(), *exports):
            if not selection.variants or subject.variant in selection.variants:
                jobs += _jobs(subject, selection, settings)
    if not jobs:
        raise ArtifactError(
            f"nothing to measure{': ' if stale else ''}{'; '.join(stale)}",
            hint=None if stale else f"export the newest checkpoint first: {command('export', results=workspace.root)}",
        )
    return JobList(jobs=tuple(jobs), stale=tuple(stale))


def _without_files(gone: Sequence[tuple[Artifact, Path]]) -> list[str]:
    """A line for each checkpoint of whose exports only the manifests are there."""
    origins: dict[Path, list[tuple[Artifact, Path]]] = {}
    for artifact, manifest in gone:
        origins.setdefault(checkpoint_origin(artifact, manifest), []).append((artifact, manifest))
    lines = []
    for several in origins.values():
        artifact, manifest = several[0]
        if len(several) == 1:
            lines.append(f"{manifest.parent} has no {artifact.path}; {export_again(artifact, manifest)}")
            continue
        names = ", ".join(manifest.parent.name for _, manifest in several)
        lines.append(f"{manifest.parent.parent} has no model files of {names}; {export_all_again(several)}")
    return lines


def _checkpoint(model: str, manifest: Path, checkpoint: Checkpoint, weights: Path) -> _Model:
    return _Model(
        model=model,
        variant=CHECKPOINT,
        format="torch",
        manifest=manifest,
        sha256=checkpoint.sha256,
        bytes=weights_bytes(weights),
        data=checkpoint.config.data,
        dataset=checkpoint.dataset,
        labels=checkpoint.spec.labels,
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
        labels=artifact.spec.labels,
    )


def _jobs(subject: _Model, selection: Selection, settings: Settings) -> list[Job]:
    jobs = []
    for name, backend in backends.items():
        if subject.format not in backend.formats or (selection.backends and name not in selection.backends):
            continue
        if backend.elsewhere != (settings.device is not None):
            continue
        for units in backend.units:
            obstacle = backend.available(units)
            if obstacle is None and settings.quick and backend.slow_to_start and not selection.backends:
                obstacle = f"slow to start, so no part of a quick run; ask for it: --backend {name}"
            jobs += [
                Job(
                    case=case,
                    manifest=subject.manifest,
                    data=subject.data,
                    dataset=subject.dataset,
                    labels=subject.labels,
                    obstacle=obstacle,
                )
                for case in cases_of(subject, name, units, settings)
            ]
    return jobs


def cases_of(subject: _Model, backend: str, units: Units, settings: Settings) -> list[BenchCase]:
    """The cases of a model on a backend's units: every batch size with every number of streams and threads."""
    asked = (settings.batches, settings.streams, settings.threads)
    shapes = itertools.product(*(tuple(dict.fromkeys(values)) for values in asked))  # twice the same is once
    if not backends.get(backend).measures_latency:  # an accuracy depends on none of them
        shapes = itertools.product((1,), (1,), settings.threads[:1])
    return [
        BenchCase(
            model=subject.model,
            variant=subject.variant,
            format=subject.format,
            artifact_sha256=subject.sha256,
            artifact_bytes=subject.bytes,
            backend=backend,
            requested_units=units,
            batch=batch,
            streams=streams,
            threads=threads,
            warmup=settings.warmup,
            min_repeats=settings.min_repeats,
            min_seconds=settings.min_seconds,
            max_seconds=settings.max_seconds,
            rounds=settings.rounds,
        )
        for batch, streams, threads in shapes
    ]


def foreign_jobs(files: Sequence[Path], settings: Settings, *, inputs: Path | None, selection: Selection) -> JobList:
    """The jobs of strangers' models: each `.mlpackage` or `.onnx` file on every backend that runs such.

    Raises:
        ArtifactError: A file that is missing or of another kind; a damaged package, where nothing here loads one.
        InputError: `inputs` are no arrays, or do not suit such a package.
        UnknownNameError: A backend that is asked for does not exist.
        UsageError: Models or variants are asked for by name; the same model twice; `inputs` for several files, or with
            a batch, whose arrays they would not fit.
    """
    if selection.models or selection.variants:
        named = ", ".join((*selection.models, *selection.variants))
        raise UsageError("--model and --variant are not for --artifact, which names files", value=named)
    for name in selection.backends:
        backends.get(name)
    if inputs is not None and (len(files) > 1 or settings.batches != (1,)):
        raise UsageError("--inputs is for one --artifact and no --batch: the arrays have their own size")
    if inputs is not None:
        read_npz(inputs)
    jobs: list[Job] = []
    seen: dict[tuple[str, str], Path] = {}
    for file in dict.fromkeys(files):
        if not file.exists():
            raise ArtifactError("no such model", value=file, allowed="an .mlpackage or an .onnx file")
        if file.suffix not in FOREIGN_FORMATS:
            raise ArtifactError("not a model to measure", value=file, allowed=", ".join(FOREIGN_FORMATS))
        if not size_bytes(file):
            raise ArtifactError("there is nothing in this model", value=file, allowed="an .mlpackage or an .onnx file")
        subject = _Model(
            model=file.stem,
            variant=FOREIGN,
            format=FOREIGN_FORMATS[file.suffix],
            manifest=file,
            sha256=file_sha256(file),
            bytes=size_bytes(file),
            data="",
            dataset=None,
            labels=(),
        )
        twin = seen.setdefault((subject.model, subject.sha256), file)
        if twin != file:
            raise UsageError("the same model twice", value=f"{twin} and {file}", allowed="each model once")
        found = [
            replace(job, foreign=True, inputs=inputs)
            for job in _jobs(subject, selection, settings)
            if backends.get(job.case.backend).measures_latency
        ]
        if found and subject.format == "coreml" and all(job.obstacle is not None for job in found):
            _look_into(file, inputs)
        jobs += found
    if not jobs:
        raise ArtifactError("nothing to measure", hint="no backend that was asked for runs such a file")
    return JobList(jobs=tuple(jobs), stale=())


def _look_into(package: Path, inputs: Path | None) -> None:
    """Refuses a package that nothing here can load for what no machine could: a damaged one, inputs that do not fit."""
    from .package_inputs import package_features, package_inputs

    package_inputs(package_features(package), inputs, np.random.default_rng(0))
    # What the reference runtime does not read, Core ML may.
    with contextlib.suppress(UnsupportedKindError, UnsupportedOpsError):
        open_package(package)


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
