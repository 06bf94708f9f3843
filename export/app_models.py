"""Copies exported models into the demo app's model folder."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from tinyml.commands import command
from tinyml.errors import ArtifactError, UsageError
from tinyml.evaluation.opening import open_model
from tinyml.progress import Progress, Silent
from tinyml.schema import AppCatalog, Artifact, CatalogEntry, Golden
from tinyml.store import atomic_folder, file_sha256, provenance, read_json, write_json
from tinyml.trainer.data.images import decode, quiet_pillow, shown
from tinyml.workspace import ARTIFACT_MANIFEST, GOLDEN, Workspace, checked_artifact, export_again, read_artifact

from .golden import write_of

CATALOG = "catalog.json"
_RUN = ("coreml", "coreai")
"""What the app runs; the latter from iOS 27 and macOS 27 on, so only where it is named."""


def newest_core_ml(workspace: Workspace) -> list[Path]:
    """The manifests of all Core ML artifacts of the model that was exported last; raises ArtifactError."""
    artifacts = [(manifest, read_artifact(manifest)[0]) for manifest in workspace.artifacts()]
    found = [(manifest, artifact) for manifest, artifact in artifacts if artifact.variant.format == "coreml"]
    if not found:
        raise ArtifactError(
            f"no Core ML artifact under {workspace.root}/",
            hint=f"export one: {command('export', '--quantize', 'int8', results=workspace.root)}",
        )
    _, newest = max(found, key=lambda pair: (pair[1].provenance.created_at, str(pair[0])))
    return [manifest for manifest, artifact in found if artifact.spec.architecture == newest.spec.architecture]


def sync(
    manifests: Sequence[Path], target: Path, *, golden_image: Path | None = None, progress: Progress | None = None
) -> AppCatalog:
    """Fills `target` with the artifacts of `manifests` and a catalog of them; what lay there before goes.

    Each artifact gets a folder with its package, manifest and golden image, all checked against their checksums
    before anything is written.

    Args:
        manifests: Of the artifacts.
        target: The app's folder of models.
        golden_image: Shown by the app instead of the test image that lies beside each artifact, which may be nobody's
            to publish; each artifact is executed on it here.
        progress: Told of each model.

    Raises:
        ArtifactError: An artifact changed since its manifest or lacks its golden image.
        DataError: The golden image cannot be read.
        UsageError: One is no model for Core ML or Core AI, or `target` lies in no folder.
    """
    if not target.parent.is_dir():
        raise UsageError("no such app folder", value=str(target.parent), hint="name the model folder with --app")
    progress = progress or Silent()
    sources = [_checked(manifest, own_image=golden_image is not None) for manifest in manifests]
    entries: list[CatalogEntry] = []
    with atomic_folder(target) as folder:
        progress.start("copying models", len(sources), "model")
        for manifest, artifact, golden in sources:
            name = _name(artifact, {entry.folder for entry in entries})
            into = folder / name
            into.mkdir()
            package = manifest.parent / artifact.path
            if package.is_dir():
                shutil.copytree(package, into / package.name)
            else:
                shutil.copy2(package, into / package.name)
            shutil.copy2(manifest.parent / ARTIFACT_MANIFEST, into / ARTIFACT_MANIFEST)
            if golden_image is not None:
                _answered(golden_image, manifest, artifact, into)
            elif golden is not None:
                for member in (GOLDEN, golden.image):
                    shutil.copy2(manifest.parent / member, into / member)
            entries.append(CatalogEntry(folder=name, artifact_sha256=artifact.sha256))
            progress.advance(1, name)
        catalog = AppCatalog(models=tuple(entries), provenance=provenance())
        write_json(folder / CATALOG, catalog)
    progress.finish()
    return catalog


def _name(artifact: Artifact, taken: set[str]) -> str:
    name = f"{artifact.spec.architecture}-{artifact.variant.name}"
    return name if name not in taken else f"{name}-{artifact.sha256[:8]}"


def _answered(image: Path, manifest: Path, artifact: Artifact, into: Path) -> None:
    """Writes `image` as the golden image of `artifact`, with what the artifact says of it here."""
    opened = open_model(manifest)
    with quiet_pillow():
        pixels = decode(image, artifact.spec.preprocess, shown(image))
    scores = opened.predictor.probabilities(pixels[None])[0]
    write_of(
        into,
        pixels,
        scores,
        spec=artifact.spec,
        variant=artifact.variant,
        artifact_sha256=artifact.sha256,
        runtime=opened.runtime,
    )


def _checked(manifest: Path, *, own_image: bool) -> tuple[Path, Artifact, Golden | None]:
    artifact, _ = read_artifact(manifest)
    if artifact.variant.format not in _RUN:
        told = f"{artifact.path} is {artifact.variant.format}"
        raise UsageError("the app runs Core ML and Core AI models only", value=told)
    checked_artifact(manifest)
    if own_image:
        return manifest, artifact, None
    golden_file = manifest.parent / GOLDEN
    if not golden_file.is_file():
        raise ArtifactError(
            "no golden image beside the model", value=manifest.parent, hint=export_again(artifact, manifest)
        )
    golden = read_json(golden_file, Golden)
    image = manifest.parent / golden.image
    if golden.artifact_sha256 != artifact.sha256 or not image.is_file() or file_sha256(image) != golden.image_sha256:
        raise ArtifactError(
            "the golden image belongs to another model", value=image, hint=export_again(artifact, manifest)
        )
    return manifest, artifact, golden
