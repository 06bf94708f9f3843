"""What an artifact says of itself, in the places that its format has for that."""

from __future__ import annotations

import json

from tinyml import __version__
from tinyml.counting import counted
from tinyml.evaluation.runtime import DATA_KEY, SPEC_KEY, VARIANT_KEY
from tinyml.schema import Checkpoint, Variant

from .format import Metadata
from .verify import CheckpointAnswers


def description_of(checkpoint: Checkpoint, answers: CheckpointAnswers, variant: Variant) -> Metadata:
    """The metadata of `checkpoint` as `variant`, with what it reaches by its `answers` in the network itself."""
    spec, data = checkpoint.spec, checkpoint.config.data
    size = spec.preprocess.input_size
    top1 = float((answers.logits.argmax(1) == answers.labels).mean())
    return Metadata(
        spec=spec,
        summary=(
            f"{spec.architecture}: classifies RGB images of {size} x {size} pixels into "
            f"{counted(spec.classes, 'class', 'classes')}, "
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
            "tinyml.checkpoint_top1": f"{top1:.4f} on {len(answers.images)} of {answers.total} {answers.split} images",
        },
    )
