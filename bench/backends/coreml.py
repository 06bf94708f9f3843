"""Core ML through coremltools, on a Mac: a thin adapter written from the documentation.

Compiled models: https://apple.github.io/coremltools/docs-guides/source/model-prediction.html#using-compiled-python-models-for-prediction
Compute plans: https://apple.github.io/coremltools/source/coremltools.models.html (`compute_plan.MLComputePlan`)
"""

# ruff: noqa: ARG002 (a backend is handed more than each one needs)

from __future__ import annotations

import platform
import shutil
import sys
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from tinyml.errors import ArtifactError
from tinyml.quiet import coremltools, quiet
from tinyml.schema import IMAGE, PROBABILITIES, Units

from ..backend import Format, Image, LoadedModel, Observation, Subject, backends, random_images
from ..compute_plan import add_up_flags, placement_of

if TYPE_CHECKING:
    from tinyml.accuracy import Predictor

COMPUTE_UNITS: dict[str, str] = {
    "cpu_only": "CPU_ONLY",
    "cpu_and_gpu": "CPU_AND_GPU",
    "cpu_and_ne": "CPU_AND_NE",
    "all": "ALL",
}
"""As coremltools calls them."""
_COMPUTE_PLAN_SINCE = (14, 4)
Inputs = dict[str, Any]


class CoreMLModel:
    """A compiled model, loaded with a permission to use certain units."""

    def __init__(self, subject: Subject, compiled: Path, units: Units) -> None:
        ct = coremltools()
        self._subject = subject
        self._compiled, self._units = compiled, getattr(ct.ComputeUnit, COMPUTE_UNITS[units])
        try:
            self._model = ct.models.CompiledMLModel(str(compiled), compute_units=self._units)
        except RuntimeError as error:  # what coremltools' bridge makes of an NSError
            raise ArtifactError("Core ML cannot load the model", value=str(error)) from None

    def example(self, generator: np.random.Generator, batch: int) -> Inputs | list[Inputs]:
        """Random images for our packages; for a stranger's, what it was given or random values as it describes them.

        One input for a batch of 1, a list of them for more, as coremltools takes them.
        """
        made = [self._one(generator) for _ in range(batch)]
        return made[0] if batch == 1 else made

    def _one(self, generator: np.random.Generator) -> Inputs:
        if (spec := self._subject.spec) is not None:
            return {IMAGE: PillowImage.fromarray(random_images(spec, generator, 1)[0])}
        from ..package_inputs import package_features, package_inputs

        return package_inputs(package_features(self._subject.path), self._subject.given, generator)

    def predict(self, example: Any) -> Any:
        """The outputs by name: for ours the label and the dictionary of probabilities."""
        return self._model.predict(example)

    def observe(self) -> Observation:
        """Where the compute plan prefers to run each op; None before macOS 14.4, which has no plans."""
        if _macos_version() < _COMPUTE_PLAN_SINCE:
            return Observation()
        with quiet():
            from coremltools.models import compute_plan
        try:
            plan = compute_plan.MLComputePlan.load_from_path(str(self._compiled), compute_units=self._units)
        except RuntimeError:  # what was measured is measured
            return Observation(flags=("no_compute_plan",))
        placed = placement_of(plan)
        return Observation(placement=placed, flags=add_up_flags(placed, self._subject.path))


class CoreMLBackend:
    """Core ML artifacts on Apple's own runtime."""

    formats: tuple[Format, ...] = ("coreml",)
    units: tuple[Units, ...] = ("cpu_only", "cpu_and_gpu", "cpu_and_ne", "all")
    packages = ("coremltools",)
    measures_latency = True
    slow_to_start = False
    elsewhere = False

    def available(self, units: Units) -> str | None:
        """A Mac, recent enough for the units."""
        if sys.platform != "darwin":
            return "needs macOS"
        coremltools()
        if units == "cpu_and_ne" and _macos_version() < (13, 0):
            return "needs macOS 13 or later"
        return None

    def compile(self, subject: Subject, folder: Path) -> Path:
        """Compiles the package to a `.mlmodelc` folder, as Xcode would."""
        ct = coremltools()
        target = folder / f"{subject.path.stem}.mlmodelc"
        try:
            ct.models.utils.compile_model(str(subject.path), str(target))
        except RuntimeError as error:
            raise ArtifactError("Core ML cannot compile the model", value=str(error)) from None
        return target

    def load(self, subject: Subject, compiled: Path, units: Units, threads: int | None) -> LoadedModel:
        """Loads the compiled model. Core ML has no thread count to set."""
        return CoreMLModel(subject, compiled, units)

    def predictor(self, subject: Subject, units: Units, threads: int | None) -> Predictor:
        """The same model on the same units, image by image: the units decide the rounding."""
        return CoreMLPredictor(subject, units)


class CoreMLPredictor:
    """A package on Apple's runtime as a Predictor."""

    def __init__(self, subject: Subject, units: Units) -> None:
        assert subject.spec is not None  # noqa: S101 (accuracies are of our own models)
        self.spec = subject.spec
        folder = tempfile.mkdtemp(prefix="tinyml-coreml-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._loaded = CoreMLModel(subject, backends.get("coreml").compile(subject, Path(folder)), units)

    def probabilities(self, images: Image) -> NDArray[np.float32]:
        """Images [N, H, W, 3] to probabilities [N, classes] in the order of the labels."""
        rows = [self._loaded.predict({IMAGE: PillowImage.fromarray(image)})[PROBABILITIES] for image in images]
        return np.array([[row[label] for label in self.spec.labels] for row in rows], dtype=np.float32)

    def logits(self, images: Image) -> None:
        """None: the package hands out probabilities only."""


def _macos_version() -> tuple[int, ...]:
    return tuple(int(part) for part in platform.mac_ver()[0].split(".")[:2] if part)


backends.add("coreml", CoreMLBackend())
