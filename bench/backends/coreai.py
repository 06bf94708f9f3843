"""Core AI through the runtime of Apple's wheel, on a Mac: a thin adapter written from its documentation.

The docstrings of `coreai.runtime` (coreai-core 1.0.0b3): `AIModelAsset.executable` takes `SpecializationOptions`, which
there are where the system's own Core AI runs (`USE_OS_COREAI=1` on macOS 27). The unit is a preference: only "cpu_only"
excludes the others (https://developer.apple.com/documentation/coreai/specializationoptions).
"""

# ruff: noqa: ARG002 (a backend is handed more than each one needs)

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinyml.core_ai.packages import lacking, library
from tinyml.core_ai.session import Session, one_by_one
from tinyml.schema import PROBABILITIES, Units

from ..backend import Format, Image, LoadedModel, Observation, Subject, backends, random_images

if TYPE_CHECKING:
    from tinyml.accuracy import Predictor

_SYSTEM_RUNTIME = "USE_OS_COREAI"
"""The environment variable that has Apple's wheel use the system's runtime, which alone has delegates."""
_PREFERRED = {"cpu_and_gpu": "gpu", "cpu_and_ne": "neural_engine"}
"""As `coreai.runtime.ComputeUnitKind` calls them."""


class CoreAIModel:
    """A model, specialized with a preference for certain units."""

    def __init__(self, subject: Subject, units: Units) -> None:
        assert subject.spec is not None  # noqa: S101 (a stranger's `.aimodel` is not measured)
        self._spec = subject.spec
        self._session = Session(subject.path, _options(units))

    def example(self, generator: np.random.Generator, batch: int) -> list[Any]:
        """Random images, one call each: the model is written for one."""
        return [self._session.example(each) for each in one_by_one(random_images(self._spec, generator, batch))]

    def predict(self, example: Any) -> Any:
        """The outputs of each call, by name."""
        return [self._session.call(each) for each in example]

    def observe(self) -> Observation:
        """Nothing: Core AI does not tell which unit really ran."""
        return Observation()


class CoreAIBackend:
    """Core AI models on Apple's own runtime."""

    formats: tuple[Format, ...] = ("coreai",)
    units: tuple[Units, ...] = ("cpu_only", "cpu_and_gpu", "cpu_and_ne", "all")
    packages = ("coreai-core",)
    measures_latency = True
    slow_to_start = False
    elsewhere = False

    def available(self, units: Units) -> str | None:
        """A Mac whose system has Core AI; on Linux the wheel interprets op by op, which says nothing of any device."""
        if sys.platform != "darwin":
            return "needs macOS"
        if reason := lacking("coreai"):
            return reason
        os.environ.setdefault(_SYSTEM_RUNTIME, "1")
        with library():
            from coreai.runtime import SpecializationOptions
        return None if SpecializationOptions.is_supported() else "needs macOS 27, whose system has Core AI"

    def compile(self, subject: Subject, folder: Path) -> Path:
        """No such step: loading specializes, and keeps what it made."""
        return subject.path

    def load(self, subject: Subject, compiled: Path, units: Units, threads: int | None) -> LoadedModel:
        """Loads the model for the units. Core AI has no thread count to set."""
        return CoreAIModel(subject, units)

    def predictor(self, subject: Subject, units: Units, threads: int | None) -> Predictor:
        """The same model on the same units: they decide the rounding."""
        return CoreAIPredictor(subject, units)


class CoreAIPredictor:
    """A model on Apple's runtime as a Predictor."""

    def __init__(self, subject: Subject, units: Units) -> None:
        assert subject.spec is not None  # noqa: S101 (accuracies are of our own models)
        self.spec = subject.spec
        self._session = Session(subject.path, _options(units))

    def probabilities(self, images: Image) -> NDArray[np.float32]:
        """Images [N, H, W, 3] to probabilities [N, classes] in the order of the labels."""
        found = self._session.run(one_by_one(images))
        return np.concatenate([each[PROBABILITIES] for each in found])

    def logits(self, images: Image) -> None:
        """None: the model hands out probabilities only."""


def _options(units: Units) -> Any:
    with library():
        from coreai.runtime import ComputeUnitKind, SpecializationOptions
    if units == "cpu_only":
        return SpecializationOptions.cpu_only()
    if units in _PREFERRED:
        kind = getattr(ComputeUnitKind, _PREFERRED[units])()
        return SpecializationOptions.from_preferred_compute_unit_kind(kind)
    return SpecializationOptions.default()


backends.add("coreai", CoreAIBackend())
