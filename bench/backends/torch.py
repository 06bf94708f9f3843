"""PyTorch: the network as trained, in eager mode."""

# ruff: noqa: ARG002 (a backend is handed more than each one needs)

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyml.schema import Units

from ..backend import Format, Image, LoadedModel, Observation, Subject, backends, random_images

if TYPE_CHECKING:
    from tinyml.accuracy import Predictor
    from tinyml.evaluation.checkpoint import CheckpointPredictor


class TorchModel:
    """A checkpoint on one device. Copying the answer home waits for the device."""

    def __init__(self, predictor: CheckpointPredictor) -> None:
        self._predictor = predictor

    def example(self, generator: np.random.Generator, batch: int) -> Image:
        """Random images [batch, H, W, 3]; the network's own normalization is timed, as the exported models' is."""
        return random_images(self._predictor.spec, generator, batch)

    def predict(self, example: Any) -> object:
        """The probabilities [batch, classes]."""
        return self._predictor.probabilities(example)

    def observe(self) -> Observation:
        """Nothing further."""
        return Observation()


class TorchBackend:
    """Checkpoints in eager PyTorch."""

    formats: tuple[Format, ...] = ("torch",)
    units: tuple[Units, ...] = ("cpu", "mps", "cuda")
    packages = ("torch",)
    measures_latency = True
    slow_to_start = False
    elsewhere = False

    def available(self, units: Units) -> str | None:
        """What the device lacks."""
        from tinyml.trainer.device import absence

        return absence(units)

    def compile(self, subject: Subject, folder: Path) -> Path:
        """No such step."""
        return subject.path

    def load(self, subject: Subject, compiled: Path, units: Units, threads: int | None) -> LoadedModel:
        """Reads, checks and moves the weights to the device."""
        return TorchModel(self._open(subject, units, threads))

    def predictor(self, subject: Subject, units: Units, threads: int | None) -> Predictor:
        """The checkpoint on the same device."""
        return self._open(subject, units, threads)

    def _open(self, subject: Subject, units: Units, threads: int | None) -> CheckpointPredictor:
        import torch

        from tinyml.evaluation.checkpoint import CheckpointPredictor
        from tinyml.trainer.device import choose

        if threads is not None:
            torch.set_num_threads(threads)
        return CheckpointPredictor(subject.manifest, choose(units))


backends.add("torch", TorchBackend())
