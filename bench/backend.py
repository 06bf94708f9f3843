"""What a bench backend must do: say whether it can run here, load a model, predict.

A backend is one file in `tinyml.bench.backends`, registered under its name. It imports its library inside its methods,
so that a worker holds only what its own case needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tinyml.registry import Registry
from tinyml.schema import Format as Format
from tinyml.schema import ModelSpec, Placement, Units

if TYPE_CHECKING:
    from tinyml.accuracy import Predictor

Image = NDArray[np.uint8]
"""RGB, [H, W, 3]."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A model on disk: a checkpoint, an exported artifact or a stranger's file."""

    manifest: Path
    """Of a stranger's file: the file."""
    path: Path
    """The weights or the model, beside the manifest."""
    spec: ModelSpec | None
    """None: a stranger's, of which only its own description is known."""
    given: Path | None = None
    """An .npz file with the arrays to predict, by input; None: random ones."""
    device: str | None = None
    """The name of another device to run on; None: this machine."""


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What a backend can tell of a loaded model after it has run."""

    placement: Placement | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """What `predict` returns of a model on another device, which timed itself; the way there is no part of it."""

    duration_ns: int


@runtime_checkable
class LoadedElsewhere(Protocol):
    """A loaded model on another device."""

    load_ns: int
    """How long loading took there."""


class LoadedModel(Protocol):
    """A loaded model."""

    def example(self, generator: np.random.Generator, batch: int) -> object:
        """Something for `predict`, ready as the runtime takes it: random, or what the subject was given.

        Raises InputError where the model takes no batch of this size, or its inputs cannot be made up.
        """

    def predict(self, example: object) -> object:
        """The runtime's own answer, finished when it returns; nothing else is timed."""

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

    @property
    def slow_to_start(self) -> bool:
        """Whether a process of it takes so long to get going that a quick run has it only if it is asked for."""

    @property
    def elsewhere(self) -> bool:
        """Whether it runs models on another device, which has to be asked for by name."""

    def available(self, units: Units) -> str | None:
        """Why it cannot run on these units here; None: it can. Imports what it needs."""

    def compile(self, subject: Subject, folder: Path) -> Path:
        """Compiles the model ahead into `folder`; the model's own path where there is no such step."""

    def load(self, subject: Subject, compiled: Path, units: Units, threads: int | None) -> LoadedModel:
        """Loads what `compile` returned; `threads` limits the CPU threads, None leaves them to the library."""

    def predictor(self, subject: Subject, units: Units, threads: int | None) -> Predictor:
        """The same model for whole batches, to measure its accuracy; only for subjects with a spec."""


backends: Registry[Backend] = Registry("backend", package="tinyml.bench.backends")


def random_images(spec: ModelSpec, generator: np.random.Generator, batch: int) -> NDArray[np.uint8]:
    """Images [batch, H, W, 3] of the size that the model takes."""
    size = spec.preprocess.input_size
    return generator.integers(0, 256, (batch, size, size, 3), dtype=np.uint8)
