"""A trained checkpoint as a Predictor."""

from __future__ import annotations

from pathlib import Path

import torch

from tinyml.accuracy import BATCH
from tinyml.trainer.checkpoint import LoadedCheckpoint, load
from tinyml.trainer.inference import for_inference
from tinyml.trainer.predictor import ModulePredictor


class CheckpointPredictor(ModulePredictor):
    """The network of a checkpoint; raises CheckpointError and ManifestError as `load` does."""

    def __init__(
        self, loaded: LoadedCheckpoint | Path, device: torch.device | str = "cpu", *, batch_size: int = BATCH
    ) -> None:
        self.loaded = load(loaded) if isinstance(loaded, Path) else loaded
        super().__init__(
            for_inference(self.loaded.model, device), self.loaded.checkpoint.spec, device, batch_size=batch_size
        )
