"""From a checkpoint to verified artifacts on disk."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tinyml import __version__
from tinyml.accuracy import Images, subset
from tinyml.errors import ArtifactError, VerificationError
from tinyml.evaluation.checkpoint import CheckpointPredictor
from tinyml.evaluation.runtime import DATA_KEY, SPEC_KEY, VARIANT_KEY
from tinyml.progress import Progress, Silent
from tinyml.schema import Artifact, Variant
from tinyml.store import atomic_folder, file_sha256, provenance, size_bytes, write_json
from tinyml.trainer.checkpoint import load
from tinyml.trainer.data import open_dataset
from tinyml.workspace import ARTIFACT_MANIFEST, Workspace

from . import golden
from .format import Description, formats
from .variants import variants
from .verify import VERIFY_IMAGES, ask_checkpoint, execute, verification_of

CALIBRATION_IMAGES = 256
"""Training images that activations are calibrated on; ranges hardly change beyond a few hundred."""

COMPRESSED_SHARE = 0.95
"""How much of a compressed artifact's weights must be stored in the narrow type; the rest are embeddings and tables."""


class Exporter:
    """One checkpoint, opened for export: its network, its data set and its answers on the images of verification.

    Args:
        manifest: The checkpoint's manifest or weights.
        workspace: Where to write to.
        images: How many test images to verify on; None: all.
        progress: Told of every step.

    Raises:
        CheckpointError, ManifestError: The checkpoint cannot be loaded.
        DataError: The data set it was trained on is not there, or has other classes by now.
    """

    def __init__(
        self,
        manifest: Path,
        workspace: Workspace,
        *,
        images: int | None = VERIFY_IMAGES,
        progress: Progress | None = None,
    ) -> None:
        self._progress = progress or Silent()
        self._workspace = workspace
        self._limit = images
        loaded = load(manifest)
        self.checkpoint, self.manifest = loaded.checkpoint, loaded.manifest
        self._network = loaded.model
        self._dataset = open_dataset(self.checkpoint.config.data, progress=self._progress)
        predictor = CheckpointPredictor(loaded)
        self.answers = ask_checkpoint(predictor, self._dataset, limit=images, progress=self._progress)

    def write(self, variant_name: str) -> Path:
        """Writes and verifies one variant, and returns its manifest; an earlier export is replaced only by a good one.

        Raises:
            UnknownNameError: No such variant.
            VerificationError: The artifact missed its floor; nothing of it is kept.
        """
        variant = variants.get(variant_name)
        format_ = formats.get(variant.format)
        spec = self.checkpoint.spec
        target = self._workspace.export(spec.architecture, variant.name)
        with atomic_folder(target) as folder:
            path = folder / f"{spec.architecture}-{variant.name}{format_.suffix}"
            format_.write(self._network, variant, self._description(variant), self._calibration(variant), path)
            check_weights(variant, format_.weight_elements(path), path.name)
            executable = format_.open(path)
            outputs = execute(executable, self.answers.images, progress=self._progress)
            figures = verification_of(self.answers, outputs, floor=variant.floor, runtime=executable.runtime)
            if not figures.passed:
                raise VerificationError(
                    f"{spec.architecture} as {variant.name} is not written, it missed its floor on {figures.images} "
                    f"{figures.split} images: {'; '.join(figures.failures)}"
                )
            sha256 = file_sha256(path)
            golden.write(
                folder,
                self.answers,
                outputs,
                spec=spec,
                variant=variant,
                artifact_sha256=sha256,
                runtime=executable.runtime,
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
                    spec=spec,
                    checkpoint_sha256=self.checkpoint.sha256,
                    checkpoint_path=self._path_from(target),
                    data=self.checkpoint.config.data,
                    verification=figures,
                    provenance=provenance(packages=format_.packages, limit=self._limit_of_provenance()),
                ),
            )
        return target / ARTIFACT_MANIFEST

    def _calibration(self, variant: Variant) -> Images:
        train = self._dataset.split("train")
        count = CALIBRATION_IMAGES if variant.compression.method in ("qdq", "w8a8") else 0
        chosen = np.sort(subset(len(train), min(count, len(train)), train.labels)[:count])
        return np.asarray(train.images[chosen])

    def _description(self, variant: Variant) -> Description:
        checkpoint, asked = self.checkpoint, self.answers
        spec, size = checkpoint.spec, checkpoint.spec.preprocess.input_size
        top1 = float((asked.logits.argmax(1) == asked.labels).mean())
        data = checkpoint.config.data
        return Description(
            spec=spec,
            summary=(
                f"{spec.architecture}: classifies RGB images of {size} x {size} pixels into {spec.classes} classes, "
                f"trained on {data}; {variant.summary}."
            ),
            author=f"tinyml {__version__}",
            license=f"Exported by tinyml (MIT). The weights were learned from {data}; that data set's terms apply.",
            version=checkpoint.sha256[:12],
            facts={
                SPEC_KEY: spec.model_dump_json(),
                "labels": json.dumps(spec.labels, ensure_ascii=False),
                "tinyml.version": __version__,
                VARIANT_KEY: variant.name,
                "tinyml.checkpoint_sha256": checkpoint.sha256,
                DATA_KEY: data,
                "tinyml.dataset_sha256": checkpoint.dataset_sha256,
                "tinyml.epochs": str(checkpoint.epoch),
                "tinyml.checkpoint_top1": f"{top1:.4f} on {len(asked.images)} of {asked.total} {asked.split} images",
            },
        )

    def _path_from(self, folder: Path) -> str:
        """The checkpoint, relative to the export's folder where both lie in the workspace, so that it can be moved."""
        manifest = self.manifest.resolve()
        if manifest.is_relative_to(self._workspace.root.resolve()):
            return os.path.relpath(manifest, folder.resolve())
        return str(manifest)

    def _limit_of_provenance(self) -> int | None:
        return self._limit if self._limit is not None and self._limit < VERIFY_IMAGES else None


def check_weights(variant: Variant, elements: Mapping[str, int], name: str) -> None:
    """Raises ArtifactError unless the weights are stored as the variant says.

    A converter that leaves weights as they were does so without a word; coremltools once did for a whole target
    (https://github.com/apple/coremltools/issues/2248).
    """
    compression = variant.compression
    wanted = variant.precision if compression.bits is None else f"int{compression.bits}"
    total = sum(elements.values())
    if not total or elements.get(wanted, 0) < COMPRESSED_SHARE * total:
        seen = ", ".join(f"{count} {kind}" for kind, count in sorted(elements.items())) or "no weights"
        raise ArtifactError(
            f"{name} does not store its weights as {variant.name} should",
            value=seen,
            allowed=f"at least {COMPRESSED_SHARE:.0%} {wanted}",
        )


def export(
    manifest: Path,
    names: Sequence[str],
    workspace: Workspace,
    *,
    images: int | None = VERIFY_IMAGES,
    progress: Progress | None = None,
) -> list[Path]:
    """Exports the checkpoint as every variant of `names`, in order, and returns the artifacts' manifests.

    Raises:
        UnknownNameError: An unknown variant; nothing is written then.
        VerificationError: A variant missed its floor; those before it are written.
    """
    for name in names:
        variants.get(name)
    exporter = Exporter(manifest, workspace, images=images, progress=progress)
    return [exporter.write(name) for name in names]
