"""Core ML on a connected iPhone or iPad, through coremltools' remote device: a thin adapter written from the docs.

The times are the device's own, of the prediction alone; the way there and back (about a second) is no part of them.
"""

# ruff: noqa: ARG002 (a backend is handed more than each one needs)

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyml.errors import BenchError, InputError
from tinyml.quiet import coremltools
from tinyml.schema import PlacedOp, Units

from ..backend import Elsewhere, Format, LoadedModel, Observation, Subject, backends
from ..compute_plan import add_up_flags, counted, device_of, runs
from ..devices import benchmarker, session
from ..tensors_only import tensors_only
from .coreml import COMPUTE_UNITS

if TYPE_CHECKING:
    from tinyml.accuracy import Predictor

_RANDOM_BELOW = 256


class DeviceModel:
    """A package loaded on a device."""

    def __init__(self, subject: Subject, units: Units) -> None:
        if subject.device is None:
            raise BenchError("no device was named")
        self._subject, self._session = subject, session(subject.device)
        self._model = tensors_only(subject.path, getattr(coremltools().ComputeUnit, COMPUTE_UNITS[units]))
        self._benchmarker = benchmarker(self._model, self._session.device)
        self.load_ns = self._one(self._benchmarker.benchmark_load(iterations=1))
        self._inputs: dict[str, Any] = {}

    def example(self, generator: np.random.Generator, batch: int) -> dict[str, Any]:
        """Arrays as the model takes them: random ones as large as pixels, or what a stranger's model was given."""
        if batch != 1:
            raise InputError("a device takes one input at a time", value=batch, allowed="1")
        if self._subject.given is not None:
            return self._given(self._subject.given, generator)
        return {
            feature.name: generator.integers(0, _RANDOM_BELOW, tuple(feature.type.multiArrayType.shape)).astype(
                self._dtype(feature)
            )
            for feature in self._model.get_spec().description.input
        }

    def _given(self, given: Path, generator: np.random.Generator) -> dict[str, Any]:
        """What was given, its pictures as the arrays that take their place."""
        from tinyml.coreml.read.description import ImageFeature
        from tinyml.coreml.run.images import image_array

        from ..package_inputs import package_features, package_inputs

        features = package_features(self._subject.path)
        dtypes = {feature.name: self._dtype(feature) for feature in self._model.get_spec().description.input}
        arrays = {}
        for name, value in package_inputs(features, given, generator).items():
            feature = features[name]
            array = image_array(feature, value) if isinstance(feature, ImageFeature) else value
            arrays[name] = array.astype(dtypes[name])
        return arrays

    def predict(self, example: Any) -> Elsewhere:
        """One prediction, with the device's own time of it."""
        self._inputs = example
        done = self._benchmarker.benchmark_predict(inputs=example, iterations=1, warmup=False)
        return Elsewhere(duration_ns=self._one(done))

    def observe(self) -> Observation:
        """Where the device's compute plan prefers to run each op."""
        found = self._session.wait(self._benchmarker.benchmark_operation_execution(inputs=self._inputs, iterations=1))
        placed = counted(
            PlacedOp(operator=each.spec.type, device=device_of(each.compute_device_usage))
            for each in found
            if runs(each.spec.type)
        )
        # The look-up of the label is no part of what runs there.
        return Observation(placement=placed, flags=add_up_flags(placed, self._subject.path, without=("classify",)))

    def _one(self, coroutine: Any) -> int:
        """The only sample of a measurement, in nanoseconds; coremltools tells milliseconds."""
        (sample,) = self._session.wait(coroutine).samples
        return max(1, round(float(sample) * 1e6))

    def _dtype(self, feature: Any) -> str:
        array = coremltools().proto.FeatureTypes_pb2.ArrayFeatureType
        names = {array.FLOAT16: "float16", array.FLOAT32: "float32", array.DOUBLE: "float64", array.INT32: "int32"}
        return str(names[feature.type.multiArrayType.dataType])


class CoreMLDeviceBackend:
    """Core ML artifacts on a device beside this machine."""

    formats: tuple[Format, ...] = ("coreml",)
    units: tuple[Units, ...] = ("cpu_only", "cpu_and_gpu", "cpu_and_ne", "all")
    packages = ("coremltools",)
    measures_latency = True
    slow_to_start = False
    elsewhere = True

    def available(self, units: Units) -> str | None:
        """A Mac; whether the device is there is asked when a run begins."""
        return None if sys.platform == "darwin" else "needs macOS"

    def compile(self, subject: Subject, folder: Path) -> Path:
        """No such step here: coremltools compiles on the way to the device, and does not time it."""
        return subject.path

    def load(self, subject: Subject, compiled: Path, units: Units, threads: int | None) -> LoadedModel:
        """Sends the model to the device and loads it there."""
        return DeviceModel(subject, units)

    def predictor(self, subject: Subject, units: Units, threads: int | None) -> Predictor:
        """Refuses: every image would be a second's way to the device and back."""
        raise BenchError("no accuracy is measured on a device", hint="bench on the Mac itself for that")


backends.add("coreml_device", CoreMLDeviceBackend())
