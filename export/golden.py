"""The golden image: one image and what the artifact says of it, for whoever runs the package elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from tinyml.accuracy import Scores
from tinyml.evaluation.runtime import Outputs
from tinyml.numerics import best_classes
from tinyml.schema import Golden, ModelSpec, Variant
from tinyml.store import file_sha256, provenance, write_json
from tinyml.workspace import GOLDEN, GOLDEN_IMAGE

from .verify import CheckpointAnswers

TOP = 5
Pixels = npt.NDArray[np.uint8]


def tolerance(variant: Variant) -> float:
    """The largest difference of a probability that a right implementation shows.

    Another order of float32 operations moves a probability by some 1e-6, a different resampling or a forgotten
    normalization by far more than 1e-3. Half precision rounds to 2^-11 at every layer, and devices accumulate
    differently, the Neural Engine in half precision too; integer activations may round to either neighbor.
    """
    return 1e-3 if variant.precision == "fp32" and not variant.compression else 2e-2


def choose(asked: CheckpointAnswers) -> int:
    """The index of the image that the checkpoint gets right by the widest margin between its first two logits.

    Where it gets none right, the widest margin of all: the file is about reproducing answers, not about good ones.
    """
    if asked.logits.shape[1] < 2:
        return 0
    second, first = np.sort(asked.logits, axis=1)[:, -2:].T
    margin = first - second
    right = asked.logits.argmax(1) == asked.labels
    return int(np.where(right, margin, -1.0).argmax() if right.any() else margin.argmax())


def write(
    folder: Path,
    asked: CheckpointAnswers,
    outputs: Outputs,
    *,
    spec: ModelSpec,
    variant: Variant,
    artifact_sha256: str,
    runtime: str,
) -> None:
    """Writes `golden.png` and `golden.json` into `folder`; the expectations are what the artifact itself gave."""
    index = choose(asked)
    write_of(
        folder,
        asked.images[index],
        outputs.probabilities[index],
        spec=spec,
        variant=variant,
        artifact_sha256=artifact_sha256,
        runtime=runtime,
    )


def write_of(
    folder: Path,
    pixels: Pixels,
    scores: Scores,
    *,
    spec: ModelSpec,
    variant: Variant,
    artifact_sha256: str,
    runtime: str,
) -> None:
    """Writes `golden.png` and `golden.json` for pixels [H, W, 3] of the input size and probabilities [classes]."""
    image = folder / GOLDEN_IMAGE
    Image.fromarray(pixels).save(image)
    best = best_classes(scores, TOP)
    height, width = pixels.shape[:2]
    write_json(
        folder / GOLDEN,
        Golden(
            artifact_sha256=artifact_sha256,
            image=image.name,
            image_sha256=file_sha256(image),
            width=width,
            height=height,
            labels=tuple(spec.labels[i] for i in best),
            probabilities=tuple(min(1.0, float(scores[i])) for i in best),
            tolerance=tolerance(variant),
            runtime=runtime,
            provenance=provenance(),
        ),
    )
