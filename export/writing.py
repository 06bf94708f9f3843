"""One variant of a checkpoint, written, proven, verified, and put in its place with all that tells of it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tinyml.errors import ArtifactError, TinyMLError, UnavailableError, VerificationError, reason_of
from tinyml.evaluation.runtime import Executable, Outputs
from tinyml.heartbeat import beating
from tinyml.progress import Progress
from tinyml.schema import Artifact, Plan, Variant, Verification, WeightProof
from tinyml.scratch import scratch_in
from tinyml.store import atomic_folder, file_sha256, provenance, size_bytes, write_json
from tinyml.workspace import ARTIFACT_MANIFEST, PLAN, PLAN_PICTURE, PROOF, Workspace

from . import golden
from .compression import check
from .format import formats
from .original import Original
from .place import keep_earlier, only_one, told_from
from .proof import Proof, prove
from .search.planning import signed, write_plan
from .verify import execute, verification_of


def write(
    original: Original,
    variant: Variant,
    workspace: Workspace,
    *,
    plan: Plan | None,
    keep_failed: bool,
    progress: Progress,
) -> Path:
    """Writes and verifies one variant, and returns its manifest; an earlier export is replaced only by a good one.

    Args:
        original: What is exported.
        variant: As what, settled.
        workspace: Where to write to.
        plan: What it comes from, written beside it; None: the menu.
        keep_failed: Whether what misses its floor is kept aside, its manifest saying so.
        progress: Told of every step.

    Raises:
        UsageError: The variant's compression cannot be.
        UnavailableError: Its format cannot be written here.
        FullDiskError: There is no room.
        ArtifactError: Another process exports there, the converter fails, or a weight is not what it should be.
        VerificationError: The artifact missed its floor; nothing of it is kept in its place.
    """
    check(variant)
    if reason := formats.get(variant.format).available():
        raise UnavailableError(f"{variant.format} cannot be written here", value=reason)
    model = original.spec.architecture
    what, target = f"{model} as {variant.name}", workspace.export(model, variant.name)
    with _refusals_told(what), only_one(target), atomic_folder(target) as folder:
        written = _written(original, variant, folder, progress)
        if plan is not None:
            write_plan(signed(plan, written.path), folder / PLAN, folder / PLAN_PICTURE)
        aside = workspace.failed(model, variant.name) if keep_failed else None
        try:
            outputs = execute(written.executable, original.answers.images, progress=progress)
        except VerificationError as error:  # outputs that are no numbers have no figures
            if aside is None:
                raise
            _keep(folder, aside)
            raise VerificationError(str(error), hint=f"kept in {aside}, without a manifest") from error
        figures = verification_of(original.answers, outputs, floor=variant.floor, runtime=written.executable.runtime)
        if figures.passed or aside is not None:
            _tell(written, original, variant, outputs, figures, told_from(target, original.manifest, workspace))
        if not figures.passed:
            if aside is not None:
                _keep(folder, aside)
            raise VerificationError(
                f"{what} is not written, it missed its floor on {figures.images} "
                f"{figures.split} images: {'; '.join(figures.failures)}",
                hint=None if aside is None else f"kept in {aside}",
            )
        if (moved := keep_earlier(target, workspace, original.checkpoint, original.manifest)) is not None:
            progress.say(
                f"{variant.name}: the earlier export, of {moved.origin or 'another version'}, is kept in {moved.folder}"
            )
    return target / ARTIFACT_MANIFEST


def _keep(folder: Path, aside: Path) -> None:
    with atomic_folder(aside) as kept:
        shutil.copytree(folder, kept, dirs_exist_ok=True)


@dataclass(frozen=True, kw_only=True)
class _Written:
    """A model on disk whose weights are what they should be."""

    path: Path
    proof: Proof
    executable: Executable


def _written(original: Original, variant: Variant, folder: Path, progress: Progress) -> _Written:
    format_ = formats.get(variant.format)
    path = folder / f"{original.spec.architecture}-{variant.name}{format_.suffix}"
    with scratch_in(folder), beating(progress, f"{variant.name}: converting"):
        original.convert(variant, path)
    with beating(progress, f"{variant.name}: proving its weights"):
        proof = prove(variant, format_.held_weights(path), original.sources.of(variant), path.name)
    progress.say(f"{variant.name}: {proof.sentence()}")
    return _Written(path=path, proof=proof, executable=format_.open(path))


def _tell(
    written: _Written, original: Original, variant: Variant, outputs: Outputs, figures: Verification, origin: str
) -> None:
    """Writes golden image, proof and manifest beside a model; `origin`: the path from there to the checkpoint."""
    path, executable, checkpoint = written.path, written.executable, original.checkpoint
    folder, sha256 = path.parent, file_sha256(path)
    data, dataset = original.verified_on
    golden.write(
        folder,
        original.answers,
        outputs,
        spec=original.spec,
        variant=variant,
        artifact_sha256=sha256,
        runtime=executable.runtime,
    )
    write_json(
        folder / PROOF,
        WeightProof(
            artifact_sha256=sha256,
            checkpoint_sha256=checkpoint.sha256,
            weights=written.proof.each,
            plain=written.proof.plain,
            provenance=provenance(),
        ),
    )
    write_json(
        folder / ARTIFACT_MANIFEST,
        Artifact(
            path=path.name,
            sha256=sha256,
            bytes=size_bytes(path),
            variant=variant,
            inputs=executable.inputs,
            outputs=executable.outputs,
            spec=original.spec,
            checkpoint_sha256=checkpoint.sha256,
            checkpoint_path=origin,
            data=data,
            dataset=dataset,
            verification=figures,
            provenance=provenance(packages=formats.get(variant.format).packages, limit=original.limit),
        ),
    )


@contextlib.contextmanager
def _refusals_told(what: str) -> Iterator[None]:
    """Turns what the libraries that convert raise of their own into an ArtifactError."""
    try:
        yield
    except (TinyMLError, OSError, MemoryError):
        raise
    except Exception as error:
        told = f"{type(error).__name__}: {reason_of(error)}"
        raise ArtifactError(f"{what} cannot be converted", value=told, hint="choose another variant") from error
