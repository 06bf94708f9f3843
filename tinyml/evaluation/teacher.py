"""A checkpoint or an exported artifact as the teacher of a training."""

from __future__ import annotations

from pathlib import Path

import torch

from tinyml.schema import Origin, TrainConfig
from tinyml.trainer.data import Dataset
from tinyml.trainer.distill import NetworkTeacher, PredictorTeacher, Teacher, check_teacher

from .checkpoint import CheckpointPredictor
from .opening import open_model


def open_teacher(path: Path, config: TrainConfig, dataset: Dataset, device: torch.device) -> tuple[Origin, Teacher]:
    """What lies at `path`, as a teacher of a training by `config` on `dataset`, and which file it is.

    A checkpoint computes on `device` in the training's precision, an artifact in its own runtime on the CPU.

    Raises:
        ArtifactError, CheckpointError, ManifestError: As `open_model`.
        DataError: It knows other classes than the data.
    """
    model = open_model(path, device)
    predictor, seen = model.predictor, dataset.index.preprocess
    check_teacher(predictor.spec.labels, dataset.index.labels, path)
    origin = Origin(path=str(path), sha256=model.sha256)
    if isinstance(predictor, CheckpointPredictor):
        network = predictor.loaded.model
        return origin, NetworkTeacher(network, predictor.spec.preprocess, seen, config.precision)
    return origin, PredictorTeacher(predictor, seen)
