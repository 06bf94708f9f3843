"""The Core ML reference runtime: what a package answers, on any machine. It says nothing of any device's speed."""

# ruff: noqa: ARG002 (a backend is handed more than each one needs)

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tinyml.errors import BenchError
from tinyml.schema import Units

from ..backend import Format, LoadedModel, Subject, backends

if TYPE_CHECKING:
    from tinyml.accuracy import Predictor


class ReferenceBackend:
    """Core ML artifacts, accuracy only."""

    formats: tuple[Format, ...] = ("coreml",)
    units: tuple[Units, ...] = ("cpu",)
    packages = ("torch", "coremltools")
    measures_latency = False
    slow_to_start = False
    elsewhere = False

    def available(self, units: Units) -> str | None:
        """It runs wherever torch does."""
        return None

    def compile(self, subject: Subject, folder: Path) -> Path:
        """No such step."""
        return subject.path

    def load(self, subject: Subject, compiled: Path, units: Units, threads: int | None) -> LoadedModel:
        """Refuses: there is no latency to measure."""
        raise BenchError("the reference runtime measures accuracy only")

    def predictor(self, subject: Subject, units: Units, threads: int | None) -> Predictor:
        """The package in its declared precision."""
        import torch

        from tinyml.evaluation.opening import open_predictor

        if threads is not None:
            torch.set_num_threads(threads)
        return open_predictor(subject.manifest)


backends.add("reference", ReferenceBackend())
