"""What a bench backend must do: say whether it can run here, load a model, predict.

A backend is one file in `tinyml.bench.backends`, registered under its name. It imports its library inside its methods,
so that a worker holds only what its own case needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tinyml.registry import Registry
from tinyml.schema import ModelSpec, Placement, Units

if TYPE_CHECKING:
    from tinyml.accuracy import Predictor

Image = NDArray[np.uint8]
"""RGB, [H, W, 3]."""
Format = Literal["torch", "coreml", "onnx", "coreai"]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A model on disk: a checkpoint or an exported artifact."""

    manifest: Path
    path: Path
    """The weights or the model, beside the manifest."""
    spec: ModelSpec


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What a backend can tell of a loaded model after it has run."""

    placement: Placement | None = None
    flags: tuple[str, ...] = ()


class LoadedModel(Protocol):
    """A loaded model."""

    def predict(self, image: Image) -> object:
        """From one decoded image to the runtime's own answer, finished when it returns."""

    def observe(self) -> Observation:
        """What is known of how it ran; may run the model again, outside any measurement."""


class Backend(Protocol):
    """One way to execute a model."""

    @property
    def formats(self) -> Sequence[Format]:
        """What it executes."""

    @property
    def units(self) -> Sequence[Units]:
        """The compute units that it can be asked for."""

    @property
    def packages(self) -> Sequence[str]:
        """The distributions whose versions decide a measurement."""

    @property
    def measures_latency(self) -> bool:
        """False: its time says nothing of any device, and is never recorded."""

    def available(self, units: Units) -> str | None:
        """Why it cannot run on these units here; None: it can. Imports what it needs."""

    def compile(self, subject: Subject, folder: Path) -> Path:
        """Compiles the model ahead into `folder`; the model's own path where there is no such step."""

    def load(self, subject: Subject, compiled: Path, units: Units, threads: int | None) -> LoadedModel:
        """Loads what `compile` returned; `threads` limits the CPU threads, None leaves them to the library."""

    def predictor(self, subject: Subject, units: Units, threads: int | None) -> Predictor:
        """The same model for whole batches, to measure its accuracy."""


backends: Registry[Backend] = Registry("backend", package="tinyml.bench.backends")
