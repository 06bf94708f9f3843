"""From a checkpoint to verified artifacts on disk."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from tinyml.accuracy import subset
from tinyml.duration import duration
from tinyml.errors import ArtifactError, DataError, ManifestError, TinyMLError, UsageError, noted
from tinyml.progress import Progress
from tinyml.schema import IMAGE, Plan, PlanGoal, Rounding, Variant
from tinyml.scratch import scratch_in, temporary_folder
from tinyml.workspace import ARTIFACT_MANIFEST, Workspace, checked_artifact, read_artifact

from .compression import COMPENSATION_IMAGES, compensates
from .exported import Exported
from .finetune.finetune import Length, finetune, nearest_of
from .format import formats
from .original import Original
from .picture import draw_artifacts
from .search import planning
from .search.judge import Subject
from .search.planning import JUDGING_IMAGES, variant_for
from .variants import variants
from .verify import VERIFY_IMAGES
from .writing import write


class Exporter:
    """Exports of one checkpoint.

    Args:
        original: What is exported; what it tells of every step is told by this as well.
        workspace: Where to write to.
        keep_failed: Whether what misses its floor is kept aside, its manifest saying so.
    """

    def __init__(self, original: Original, workspace: Workspace, *, keep_failed: bool = False) -> None:
        self._original, self._workspace, self._keep_failed = original, workspace, keep_failed
        self._progress = original.progress

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
            togo = "" if left is None else f", about {duration(left)} to go"
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
        model = self._original.spec.architecture
        there = []
        with contextlib.suppress(ArtifactError):  # there is none
            for manifest in self._workspace.artifacts(model):
                with contextlib.suppress(ManifestError):  # of another version
                    there.append(read_artifact(manifest)[0])
        if there:
            draw_artifacts(there, self._workspace.exports_picture(model))

    def _there(self, variant: Variant) -> Path | None:
        """The manifest of an earlier, whole export of this checkpoint as `variant`."""
        manifest = self._workspace.export(self._original.spec.architecture, variant.name) / ARTIFACT_MANIFEST
        try:
            artifact, _ = checked_artifact(manifest)
        except (ArtifactError, ManifestError):
            return None
        settled = self._original.settled(variant).model_copy(update={"summary": artifact.variant.summary})
        same = artifact.checkpoint_sha256 == self._original.checkpoint.sha256 and artifact.variant == settled
        data, dataset = self._original.verified_on
        if artifact.dataset is not None and dataset is not None:
            same = same and artifact.dataset.splits == dataset.splits  # wherever they lie by now
        else:
            same = same and artifact.data == data
        images = artifact.verification.images if artifact.verification else 0
        return manifest if same and images == len(self._original.answers.images) else None

    def plan(
        self,
        goal: PlanGoal,
        *,
        target: str | None = None,
        rounding: Rounding = "compensated",
        among: Sequence[str] | None = None,
        tuned: bool = False,
    ) -> Plan:
        """The best compression by layer for `goal`, searched for with the training and validation splits.

        Layers are rounded and measured on images of "train", whole plans judged on images of "val"; what verifies the
        artifact is not looked at.

        Args:
            goal: What to meet.
            target: The oldest system; None: iOS18, which has every kind.
            rounding: How weights are rounded.
            among: The only ones that a layer can become, by their names in a variant's; None: all of the menu.
            tuned: Whether it is fine-tuned afterwards, so that only what can be is taken.

        Raises:
            UsageError: No plan meets the goal.
            DataError: The validation split is empty.
        """
        bare = variants.get("coreml-fp16").model_copy(update={"minimum_target": target or "iOS18"})
        original = self._original
        val = original.dataset.split("val")
        if not len(val):
            raise DataError("the val split has no images to judge plans on", value=original.dataset.path)
        judging = np.sort(subset(len(val), JUDGING_IMAGES, val.labels))
        format_ = formats.get(bare.format)
        with temporary_folder("plan") as folder, scratch_in(folder):
            package = folder / f"source{format_.suffix}"
            format_.write(original.network, bare, original.described(bare), original.training_images(0), package)
            subject = Subject(
                package=package,
                weights=format_.stored_weights(package),
                calibration={IMAGE: original.training_images(COMPENSATION_IMAGES)},
                judging={IMAGE: np.asarray(val.images[judging])},
                labels=np.asarray(val.labels[judging]),
                variant=variant_for(goal, bare),
            )
            return planning.plan(
                subject,
                goal,
                rounding=rounding,
                model=self._original.spec.architecture,
                source_sha256=self._original.checkpoint.sha256,
                judged_on="val",
                among=among,
                tuned=tuned,
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
        original = self._original
        plain = original.settled(variant)
        variant = nearest_of(plain)
        # What becomes zero little by little begins whole; the rest with what rounding alone made of it.
        begun = compensates(plain) and not any(kind.method == "prune" for kind in plain.compression)
        tuned = finetune(
            original.loaded,
            variant,
            length,
            original.dataset,
            self._workspace,
            original.calibration(plain),
            rounded=partial(original.rounded, plain) if begun else None,
            progress=self._progress,
        )
        named = variant.model_copy(update={"summary": f"{variant.summary}, fine-tuned"})
        return self._write(original.again(tuned), named)

    def write_planned(self, plan: Plan) -> Path:
        """Writes and verifies what `plan` says, the plan beside it, and returns the manifest.

        Raises:
            UsageError: The plan was made for another checkpoint.
            ArtifactError: The weights are not those that the plan was written with before.
            VerificationError: The artifact missed its floor; nothing of it is kept.
        """
        if plan.source_sha256 != self._original.checkpoint.sha256:
            raise UsageError(
                "the plan was made for another checkpoint",
                value=f"sha256 {plan.source_sha256[:12]}…",
                allowed=f"{self._original.checkpoint.sha256[:12]}…",
            )
        return self.write(plan.variant, plan)

    def write(self, variant: Variant, plan: Plan | None = None) -> Path:
        """Writes and verifies one variant, and returns its manifest; `plan`: what it comes from, written beside it.

        Raises:
            As `writing.write`.
        """
        return self._write(self._original, variant, plan)

    def _write(self, original: Original, variant: Variant, plan: Plan | None = None) -> Path:
        return write(
            original,
            original.settled(variant),
            self._workspace,
            plan=plan,
            keep_failed=self._keep_failed,
            progress=self._progress,
        )


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
    opened = Original(manifest, images=images, calibration_images=calibration_images, progress=progress)
    return Exporter(opened, workspace).export(rows)
