"""Verification: an artifact, reloaded from disk and executed, against its checkpoint on real images."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml.accuracy import FIVE, Images, Scores, subset
from tinyml.coreml.tools.units import UnitsApart, units_apart
from tinyml.errors import CheckpointError, DataError, TinyMLError, VerificationError
from tinyml.evaluation.checkpoint import CheckpointPredictor
from tinyml.evaluation.runtime import Executable, Outputs, runtimes
from tinyml.machine import keep_freed_memory
from tinyml.numerics import absolute_error, peak_of, psnr_db, softmax, top_k_accuracy
from tinyml.progress import Progress, Silent
from tinyml.schema import IMAGE, Artifact, DatasetIdentity, Floor, Metrics, SplitName, Verification
from tinyml.trainer.checkpoint import load
from tinyml.trainer.data import Dataset, check_classes, reopen
from tinyml.workspace import checked_artifact, checkpoint_origin, export_again

from .format import formats
from .proof import Proof, prove
from .source import Sources

VERIFY_IMAGES = 1000
SIGNIFICANT = 0.05
"""A drop of the accuracy that chance explains more often than this says nothing against an artifact."""
CPU_IMAGES = 32
"""On so many images the compute units are compared."""

_BATCH = 64
_LEAST_PEAK = 1e-30
"""So that the PSNR of a checkpoint whose logits are all zero is a number, which JSON can hold."""


@dataclass(frozen=True, kw_only=True)
class CheckpointAnswers:
    """The images that artifacts are verified on, and the checkpoint's answers to them."""

    images: Images
    labels: NDArray[np.int64]
    logits: Scores
    probabilities: Scores
    split: SplitName
    total: int
    """How many images the split has."""


def ask_checkpoint(
    predictor: CheckpointPredictor,
    dataset: Dataset,
    *,
    split: SplitName = "test",
    limit: int | None = VERIFY_IMAGES,
    progress: Progress | None = None,
) -> CheckpointAnswers:
    """What the checkpoint answers on `limit` images of the split (None: all), dealt evenly over the classes.

    Raises:
        DataError: The data set has other classes than the checkpoint, or the split is empty.
    """
    keep_freed_memory()
    check_classes(dataset, predictor.spec.labels)
    part = dataset.split(split)
    if not len(part):
        raise DataError(f"the {split} split has no images to verify on", value=dataset.path)
    progress = progress or Silent()
    chosen = np.sort(subset(len(part), limit, part.labels))
    images, labels = np.asarray(part.images[chosen]), part.labels[chosen]
    progress.start("checkpoint", len(images), "images")
    parts = []
    for begin in range(0, len(images), _BATCH):
        parts.append(predictor.logits(images[begin : begin + _BATCH]))
        progress.advance(len(parts[-1]))
    progress.finish()
    logits = np.concatenate(parts)
    return CheckpointAnswers(
        images=images,
        labels=labels,
        logits=logits,
        probabilities=softmax(logits).astype(np.float32),
        split=split,
        total=len(part),
    )


def execute(executable: Executable, images: Images, *, progress: Progress | None = None) -> Outputs:
    """Runs an artifact on all `images`.

    Raises:
        VerificationError: It gave a value that is no number.
    """
    progress = progress or Silent()
    progress.start(executable.runtime, len(images), "images")
    parts = []
    for begin in range(0, len(images), _BATCH):
        parts.append(executable.run(images[begin : begin + _BATCH]))
        progress.advance(len(parts[-1].probabilities))
    progress.finish()
    outputs = Outputs(
        probabilities=np.concatenate([part.probabilities for part in parts]),
        logits=np.concatenate([part.logits for part in parts]),
    )
    for name, values in (("probabilities", outputs.probabilities), ("logits", outputs.logits)):
        if not np.isfinite(values).all():
            raise VerificationError(
                f"the artifact's {name} are not all numbers",
                value=f"{int((~np.isfinite(values)).any(1).sum())} of {len(values)} images",
            )
    return outputs


def verification_of(asked: CheckpointAnswers, outputs: Outputs, *, floor: Floor, runtime: str) -> Verification:
    """The figures of an artifact's `outputs` beside the checkpoint's, and those that miss `floor`."""
    difference = absolute_error(asked.probabilities, outputs.probabilities)
    first, expected = outputs.probabilities.argmax(1), asked.logits.argmax(1)
    likeness = psnr_db(asked.logits, outputs.logits, least_peak=_LEAST_PEAK)
    of_checkpoint = _metrics(asked.logits, asked)
    of_artifact = _metrics(outputs.probabilities, asked)
    figures = Verification(
        runtime=runtime,
        split=asked.split,
        images=len(asked.images),
        max_difference=float(difference.max()),
        mean_difference=float(difference.mean()),
        psnr_db=likeness if math.isfinite(likeness) else None,
        top1_agreement=float((first == expected).mean()),
        top5_agreement=_among_five(asked.logits, first),
        reference=of_checkpoint,
        artifact=of_artifact,
        floor=floor,
        failures=(),
    )
    clear = float((_given_up(asked.logits, first) <= _turned_by(floor, asked.logits)).mean())
    right_before, right_now = expected == asked.labels, first == asked.labels
    chance = mcnemar(int((right_before & ~right_now).sum()), int((right_now & ~right_before).sum()))
    return figures.model_copy(update={"failures": _failures(figures, clear, chance)})


@dataclass(frozen=True, kw_only=True)
class Verified:
    """An artifact that was verified."""

    artifact: Artifact
    figures: Verification
    units: UnitsApart | None
    """How far a Core ML artifact on CPU_ONLY, where nothing is rounded to float16, is from the other compute units,
    over at most `CPU_IMAGES` images; None for another format."""

    proof: Proof
    """What was found of its stored weights, each held to the checkpoint's."""

    @property
    def passed(self) -> bool:
        """Whether every figure reached the floor."""
        return self.figures.passed


_Key = tuple[Path, str, DatasetIdentity | None]
"""A checkpoint and its data set."""


@dataclass(frozen=True)
class _Source:
    """What several artifacts of one checkpoint are held to; made once for all of them."""

    key: _Key
    asked: CheckpointAnswers
    weights: Sources


class Verifier:
    """Reloads artifacts and compares them with their checkpoints; those of one checkpoint, in a row, ask it once.

    Args:
        split: On which images.
        data: As for `reopen`.
        limit: How many images; None: all.
        progress: Told of the images.
    """

    def __init__(
        self,
        *,
        split: SplitName = "test",
        data: str | None = None,
        limit: int | None = VERIFY_IMAGES,
        progress: Progress | None = None,
    ) -> None:
        self._split, self._data, self._limit, self._progress = split, data, limit, progress
        self._source: _Source | None = None
        self._failed: tuple[_Key, TinyMLError] | None = None

    def verify(self, manifest: Path) -> Verified:
        """Reloads the artifact of `manifest` and compares it with its checkpoint.

        Raises:
            ArtifactError: The artifact is missing or is not what the manifest says, by its checksum; or a weight is
                stored otherwise than it says, or too far from the checkpoint's.
            CheckpointError: The checkpoint that it was made of is gone or changed.
            DataError: The data set is gone, has changed, or has other classes by now.
        """
        artifact, path = checked_artifact(manifest)
        source = self._source_of(artifact, manifest)
        stored = formats.get(artifact.variant.format).held_weights(path)
        proof = prove(artifact.variant, stored, source.weights.of(artifact.variant), path.name)
        executable, asked = runtimes.get(artifact.variant.format).open(path), source.asked
        outputs = execute(executable, asked.images, progress=self._progress)
        return Verified(
            artifact=artifact,
            figures=verification_of(asked, outputs, floor=artifact.variant.floor, runtime=executable.runtime),
            units=units_apart(path, {IMAGE: _some(asked.images)}) if artifact.variant.format == "coreml" else None,
            proof=proof,
        )

    def _source_of(self, artifact: Artifact, manifest: Path) -> _Source:
        checkpoint = checkpoint_of(artifact, manifest)
        key = (checkpoint.resolve(), artifact.data, artifact.dataset)
        if self._failed is not None and self._failed[0] == key:
            raise self._failed[1]  # told once, for all that was made of it
        if self._source is None or self._source.key != key:
            self._source = None  # two networks and their images need not be held at once
            try:
                self._source = self._opened(checkpoint, artifact, key)
            except TinyMLError as error:
                self._failed = key, error
                raise
        return self._source

    def _opened(self, checkpoint: Path, artifact: Artifact, key: _Key) -> _Source:
        predictor = CheckpointPredictor(checkpoint)
        dataset = reopen(artifact.data, artifact.dataset, self._data, progress=self._progress or Silent())
        asked = ask_checkpoint(predictor, dataset, split=self._split, limit=self._limit, progress=self._progress)
        return _Source(key, asked, Sources(predictor.loaded.model, predictor.spec))


def _some(images: Images) -> Images:
    """At most `CPU_IMAGES` of them, from end to end."""
    return images[:: max(1, -(-len(images) // CPU_IMAGES))]


def checkpoint_of(artifact: Artifact, manifest: Path) -> Path:
    """The checkpoint that the artifact was made of; raises CheckpointError if it is gone or another one by now."""
    path = checkpoint_origin(artifact, manifest)
    loaded = load(path).checkpoint
    if loaded.sha256 != artifact.checkpoint_sha256:
        raise CheckpointError(
            f"{path} is not the checkpoint that {artifact.path} was exported from",
            value=f"sha256 {loaded.sha256[:12]}…",
            allowed=f"{artifact.checkpoint_sha256[:12]}…",
            hint=f"it was trained further since; {export_again(artifact, manifest)}",
        )
    return path


def _metrics(scores: Scores, asked: CheckpointAnswers) -> Metrics:
    return Metrics(
        split=asked.split,
        top1=top_k_accuracy(scores, asked.labels, 1),
        top5=_among_five(scores, asked.labels),
        images=len(asked.images),
        total=asked.total,
    )


def _given_up(logits: Scores, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
    """By how much the checkpoint's logits [N, classes] put each of the `chosen` classes [N] below its own first."""
    values = logits.astype(np.float64)
    own: NDArray[np.float64] = values.max(1) - np.take_along_axis(values, chosen[:, None], 1)[:, 0]
    return own


def _turned_by(floor: Floor, logits: Scores) -> float:
    """The difference of two logits that errors of the size that the floor's PSNR allows turn round.

    A floor allows a root mean square error of peak / 10^(dB / 20) in each of the two. A network that puts two classes
    closer together than both errors is not decided between them, and which of the two comes first says nothing about
    the conversion.
    """
    return 2 * peak_of(logits) / 10 ** (floor.psnr_db / 20)


def mcnemar(worse: int, better: int) -> float:
    """How often chance alone makes at least `worse` of the answers that changed between right and wrong wrong ones.

    The exact one-sided test of McNemar (Psychometrika 12, 1947): were neither side better, each answer that changed
    would as often have become right as wrong. 1 where none changed.
    """
    changed = worse + better
    return float(sum(math.comb(changed, k) for k in range(worse, changed + 1)) / 2**changed)


def _among_five(scores: Scores, truth: NDArray[np.int64]) -> float | None:
    return top_k_accuracy(scores, truth, FIVE) if scores.shape[1] > FIVE else None


def _failures(figures: Verification, clear: float, chance: float) -> tuple[str, ...]:
    """What missed the floor.

    Args:
        figures: Those of all images.
        clear: Agreement on the first class, taking for agreement what the checkpoint is undecided about.
        chance: McNemar's for the two accuracies.
    """
    floor = figures.floor
    drop = figures.reference.top1 - figures.artifact.top1
    missed = []
    if clear < floor.top1_agreement:
        missed.append(
            f"top-1 agreement {clear:.4f} is below {floor.top1_agreement}, even where it counts as agreement what the "
            f"checkpoint is undecided about ({figures.top1_agreement:.4f} without)"
        )
    if figures.psnr_db is not None and figures.psnr_db < floor.psnr_db:
        missed.append(f"PSNR of the logits {figures.psnr_db:.1f} dB is below {floor.psnr_db} dB")
    if drop > floor.max_accuracy_drop and chance < SIGNIFICANT:
        missed.append(
            f"top-1 accuracy {figures.artifact.top1:.4f} is {drop:.4f} under the checkpoint's, "
            f"more than {floor.max_accuracy_drop}"
        )
    return tuple(missed)
