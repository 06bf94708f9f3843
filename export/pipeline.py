"""From a checkpoint to verified artifacts on disk."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml.accuracy import Images, subset
from tinyml.errors import (
    ArtifactError,
    DataError,
    ManifestError,
    TinyMLError,
    UnavailableError,
    UsageError,
    VerificationError,
    noted,
    reason_of,
)
from tinyml.evaluation.checkpoint import CheckpointPredictor
from tinyml.heartbeat import beating
from tinyml.progress import Progress, Silent
from tinyml.schema import IMAGE, ActivationQuantization, Artifact, Plan, PlanGoal, Rounding, Variant, WeightProof
from tinyml.scratch import scratch_in, temporary_folder
from tinyml.store import atomic_folder, file_sha256, provenance, size_bytes, write_json
from tinyml.trainer.checkpoint import load
from tinyml.trainer.data import reopen
from tinyml.workspace import (
    ARTIFACT_MANIFEST,
    PLAN,
    PLAN_PICTURE,
    PROOF,
    Workspace,
    checked_artifact,
    read_artifact,
)

from . import golden
from .compression import COMPENSATION_IMAGES, calibration_images, check, compensates, prepare
from .description import description_of
from .ends import ends_of, with_ends
from .exported import Exported
from .finetune.finetune import Length, finetune, nearest_of
from .format import Metadata, formats
from .picture import draw_artifacts
from .place import keep_earlier, only_one, told_from
from .proof import prove
from .search import planning
from .search.judge import Subject
from .search.planning import JUDGING_IMAGES, signed, variant_for, write_plan
from .source import Sources
from .variants import variants
from .verify import VERIFY_IMAGES, ask_checkpoint, execute, verification_of


class Exporter:
    """One checkpoint, opened for export: its network, its data set and its answers on the images of verification.

    Args:
        manifest: The checkpoint's manifest or weights.
        workspace: Where to write to.
        images: How many test images to verify on; None: all.
        data: As for `reopen`.
        calibration_images: How many training images to calibrate activations on; None: as many as the variant says.
        keep_failed: Whether what misses its floor is kept aside, its manifest saying so.
        progress: Told of every step.

    Raises:
        CheckpointError, ManifestError: The checkpoint cannot be loaded.
        DataError: The data set it was trained on is not there, has changed, or has other classes by now.
    """

    def __init__(
        self,
        manifest: Path,
        workspace: Workspace,
        *,
        images: int | None = VERIFY_IMAGES,
        data: str | None = None,
        calibration_images: int | None = None,
        keep_failed: bool = False,
        progress: Progress | None = None,
    ) -> None:
        self._keep_failed = keep_failed
        self._calibration_images = calibration_images
        self._progress = progress or Silent()
        self._workspace = workspace
        self._limit = images
        loaded = load(manifest)
        self.checkpoint, self.manifest = loaded.checkpoint, loaded.manifest
        self._loaded, self._network, self._data = loaded, loaded.model, data
        self._sources = Sources(loaded.model, loaded.checkpoint.spec)
        made = self.checkpoint
        self._dataset = reopen(made.config.data, made.dataset, data, progress=self._progress)
        predictor = CheckpointPredictor(loaded)
        self.answers = ask_checkpoint(predictor, self._dataset, limit=images, progress=self._progress)

    def export(
        self,
        rows: Iterable[Variant],
        *,
        resume: bool = False,
        plan: Plan | None = None,
        length: Length | None = None,
    ) -> Exported:
        """Writes and verifies variants in order; one that fails, however, does not stop the others.

        Args:
            rows: What to export.
            resume: Whether a variant of this checkpoint that is there already, whole and verified on as many images,
                is kept as it is.
            plan: What the only row comes from, as for `write_planned`; None: it is one of the menu.
            length: How long each is fine-tuned, as for `finetune`; None: not at all.

        Raises:
            FullDiskError: There is no room; what was written until then stays.
        """
        rows = list(rows)
        manifests: list[Path] = []
        failures: dict[str, TinyMLError] = {}
        seconds: dict[Path, float] = {}
        begin, made = time.monotonic(), 0
        for number, row in enumerate(rows):
            if resume and (there := self._there(row)) is not None:
                self._progress.say(f"{row.name}: there already")
                manifests.append(there)
                continue
            left = (time.monotonic() - begin) / made * (len(rows) - number) if made else None
            togo = "" if left is None else f", about {max(1, round(left / 60))} min to go"
            self._progress.say(
                f"{row.name}: converting" + (f" ({number + 1} of {len(rows)}{togo})" if rows[1:] else "")
            )
            began = time.monotonic()
            with noted(failures, row.name if length is None else f"{row.name}, fine-tuned"):
                if length is not None:
                    manifests.append(self.finetune(row, length))
                else:
                    manifests.append(self.write(row) if plan is None else self.write_planned(plan))
                seconds[manifests[-1]] = time.monotonic() - began
            made += 1
        self._draw()
        return Exported(manifests=tuple(manifests), failures=failures, seconds=seconds)

    def _draw(self) -> None:
        """Draws what there is by now of this model, also by earlier exports."""
        model = self.checkpoint.spec.architecture
        with contextlib.suppress(ArtifactError):  # there is none
            there = [read_artifact(manifest)[0] for manifest in self._workspace.artifacts(model)]
            draw_artifacts(there, self._workspace.exports_picture(model))

    def _there(self, variant: Variant) -> Path | None:
        """The manifest of an earlier, whole export of this checkpoint as `variant`."""
        manifest = self._workspace.export(self.checkpoint.spec.architecture, variant.name) / ARTIFACT_MANIFEST
        try:
            artifact, _ = checked_artifact(manifest)
        except (ArtifactError, ManifestError):
            return None
        same = artifact.checkpoint_sha256 == self.checkpoint.sha256 and artifact.variant == self._settled(variant)
        images = artifact.verification.images if artifact.verification else 0
        return manifest if same and images == len(self.answers.images) else None

    def plan(
        self,
        goal: PlanGoal,
        *,
        target: str | None = None,
        rounding: Rounding = "compensated",
        among: Sequence[str] | None = None,
    ) -> Plan:
        """The best compression by layer for `goal`, searched for with the training and validation splits.

        Layers are rounded and measured on images of "train", whole plans judged on images of "val"; what verifies the
        artifact is not looked at.

        Args:
            goal: What to meet.
            target: The oldest system; None: iOS18, which has every kind.
            rounding: How weights are rounded.
            among: The only ones that a layer can become, by their names in a variant's; None: all of the menu.

        Raises:
            UsageError: No plan meets the goal.
            DataError: The validation split is empty.
        """
        bare = variants.get("coreml-fp16").model_copy(update={"minimum_target": target or "iOS18"})
        val = self._dataset.split("val")
        if not len(val):
            raise DataError("the val split has no images to judge plans on", value=self._dataset.path)
        judging = np.sort(subset(len(val), JUDGING_IMAGES, val.labels))
        format_ = formats.get(bare.format)
        with temporary_folder("plan") as folder, scratch_in(folder):
            package = folder / f"source{format_.suffix}"
            format_.write(
                self._network,
                bare,
                self._described(bare),
                self._images_of_training(0),
                package,
            )
            subject = Subject(
                package=package,
                weights=format_.stored_weights(package),
                calibration={IMAGE: self._images_of_training(COMPENSATION_IMAGES)},
                judging={IMAGE: np.asarray(val.images[judging])},
                labels=np.asarray(val.labels[judging]),
                variant=variant_for(goal, bare),
            )
            return planning.plan(
                subject,
                goal,
                rounding=rounding,
                model=self.checkpoint.spec.architecture,
                source_sha256=self.checkpoint.sha256,
                judged_on="val",
                among=among,
                progress=self._progress,
            )

    def finetune(self, variant: Variant, length: Length) -> Path:
        """Trains the network for `variant`, and writes and verifies it beside the plain one, as `<variant>-tuned`.

        It is verified against the network that was trained, whose weights are the rounded ones.

        Raises:
            UsageError: The variant cannot be fine-tuned.
            TrainingError: The training diverged.
            KeyboardInterrupt: It was interrupted; the same call again goes on with it.
            VerificationError: The artifact missed its floor; nothing of it is kept.
        """
        plain = self._settled(variant)
        variant = nearest_of(plain)
        # What becomes zero little by little begins whole; the rest with what rounding alone made of it.
        begun = compensates(plain) and not any(kind.method == "prune" for kind in plain.compression)
        tuned = finetune(
            self._loaded,
            variant,
            length,
            self._dataset,
            self._workspace,
            self._calibration(plain),
            rounded=partial(self._rounded, plain) if begun else None,
            progress=self._progress,
        )
        exporter = Exporter(
            tuned,
            self._workspace,
            images=self._limit,
            data=self._data,
            calibration_images=self._calibration_images,
            keep_failed=self._keep_failed,
            progress=self._progress,
        )
        return exporter.write(variant.model_copy(update={"summary": f"{variant.summary}, fine-tuned"}))

    def write_planned(self, plan: Plan) -> Path:
        """Writes and verifies what `plan` says, the plan beside it, and returns the manifest.

        Raises:
            UsageError: The plan was made for another checkpoint.
            ArtifactError: The weights are not those that the plan was written with before.
            VerificationError: The artifact missed its floor; nothing of it is kept.
        """
        if plan.source_sha256 != self.checkpoint.sha256:
            raise UsageError(
                "the plan was made for another checkpoint",
                value=f"sha256 {plan.source_sha256[:12]}…",
                allowed=f"{self.checkpoint.sha256[:12]}…",
            )
        return self.write(plan.variant, plan)

    def write(self, variant: Variant, plan: Plan | None = None) -> Path:
        """Writes and verifies one variant, and returns its manifest; an earlier export is replaced only by a good one.

        Args:
            variant: What to write.
            plan: What it comes from, written beside it.

        Raises:
            UsageError: The variant's compression cannot be.
            UnavailableError: Its format cannot be written here.
            FullDiskError: There is no room.
            ArtifactError: Another process exports there, the converter fails, or a weight is not what it should be.
            VerificationError: The artifact missed its floor; nothing of it is kept.
        """
        variant = self._settled(variant)
        check(variant)
        format_ = formats.get(variant.format)
        if reason := format_.available():
            raise UnavailableError(f"{variant.format} cannot be written here", value=reason)
        spec = self.checkpoint.spec
        target = self._workspace.export(spec.architecture, variant.name)
        what = f"{spec.architecture} as {variant.name}"
        with _refusals_told(what), only_one(target), atomic_folder(target) as folder:
            path = folder / f"{spec.architecture}-{variant.name}{format_.suffix}"
            with scratch_in(folder), beating(self._progress, f"{variant.name}: converting"):
                self._convert(variant, path)
            with beating(self._progress, f"{variant.name}: proving its weights"):
                proof = prove(variant, format_.held_weights(path), self._sources.of(variant), path.name)
            self._progress.say(f"{variant.name}: {proof.sentence()}")
            if plan is not None:
                write_plan(signed(plan, path), folder / PLAN, folder / PLAN_PICTURE)
            executable = format_.open(path)
            outputs = execute(executable, self.answers.images, progress=self._progress)
            figures = verification_of(self.answers, outputs, floor=variant.floor, runtime=executable.runtime)
            aside = self._workspace.failed(spec.architecture, variant.name)
            missed = VerificationError(
                f"{what} is not written, it missed its floor on {figures.images} "
                f"{figures.split} images: {'; '.join(figures.failures)}",
                hint=f"kept in {aside}" if self._keep_failed else None,
            )
            if not figures.passed and not self._keep_failed:
                raise missed
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
                folder / PROOF,
                WeightProof(
                    artifact_sha256=sha256,
                    checkpoint_sha256=self.checkpoint.sha256,
                    weights=proof.each,
                    plain=proof.plain,
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
                    spec=spec,
                    checkpoint_sha256=self.checkpoint.sha256,
                    checkpoint_path=told_from(target, self.manifest, self._workspace),
                    data=self.checkpoint.config.data,
                    dataset=self.checkpoint.dataset,
                    verification=figures,
                    provenance=provenance(packages=format_.packages, limit=self._limit_of_provenance()),
                ),
            )
            if not figures.passed:
                with atomic_folder(aside) as kept:
                    shutil.copytree(folder, kept, dirs_exist_ok=True)
                raise missed
            if (moved := keep_earlier(target, self._workspace, self.checkpoint, self.manifest)) is not None:
                self._progress.say(f"{variant.name}: the earlier export, of {moved.origin}, is kept in {moved.folder}")
        return target / ARTIFACT_MANIFEST

    def _settled(self, variant: Variant) -> Variant:
        """`variant` with what this network has at its ends, and saying how many images it is really calibrated on."""
        variant, count = with_ends(variant, ends_of(self._network)), self._calibration_images
        if count is None:
            return variant
        kinds = [
            kind.model_copy(update={"images": count}) if isinstance(kind, ActivationQuantization) else kind
            for kind in variant.compression
        ]
        return variant.model_copy(update={"compression": tuple(kinds)})

    def _calibration(self, variant: Variant) -> Images:
        return self._images_of_training(calibration_images(variant))

    def _images_of_training(self, count: int) -> Images:
        train = self._dataset.split("train")
        count = min(count, len(train))
        chosen = np.sort(subset(len(train), count, train.labels)[:count])
        return np.asarray(train.images[chosen])

    def _convert(self, variant: Variant, path: Path) -> None:
        """Writes the network as `variant` to `path`, not proven yet."""
        calibration = self._calibration(variant)
        network = prepare(self._network, variant, calibration)
        formats.get(variant.format).write(network, variant, self._described(variant), calibration, path)

    def _described(self, variant: Variant) -> Metadata:
        return description_of(self.checkpoint, self.answers, variant)

    def _rounded(self, variant: Variant) -> dict[str, NDArray[np.float32]]:
        """The weights of `variant` without training, by layer."""
        format_ = formats.get(variant.format)
        with temporary_folder("rounded") as folder, scratch_in(folder):
            with beating(self._progress, f"{variant.name}: rounding what the training begins with"):
                self._convert(variant, path := folder / f"rounded{format_.suffix}")
            return {weight.layer: values for weight, values in format_.held_weights(path)}

    def _limit_of_provenance(self) -> int | None:
        return self._limit if self._limit is not None and self._limit < VERIFY_IMAGES else None


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


def export(
    manifest: Path,
    names: Sequence[str],
    workspace: Workspace,
    *,
    images: int | None = VERIFY_IMAGES,
    calibration_images: int | None = None,
    progress: Progress | None = None,
) -> Exported:
    """Opens the checkpoint and exports it as every variant of `names`; see `Exporter`.

    Raises:
        UnknownNameError: An unknown variant; nothing is loaded then.
    """
    rows = [variants.get(name) for name in names]
    opened = Exporter(manifest, workspace, images=images, calibration_images=calibration_images, progress=progress)
    return opened.export(rows)
