"""ONNX Runtime: its CPU provider, and its Core ML provider on a Mac."""

# ruff: noqa: ARG002 (a backend is handed more than each one needs)

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinyml.errors import InputError
from tinyml.onnx_session import CPU_PROVIDER, open_session
from tinyml.schema import IMAGE, Units

from ..arrays import given_arrays, random_array
from ..backend import Format, Image, LoadedModel, Observation, Subject, backends, random_images

if TYPE_CHECKING:
    from tinyml.accuracy import Predictor

_COREML, _CUDA = "CoreMLExecutionProvider", "CUDAExecutionProvider"
# https://onnxruntime.ai/docs/execution-providers/CoreML-ExecutionProvider.html: NeuralNetwork is the default format.
_PROVIDERS: dict[str, list[Any]] = {
    "cpu": [CPU_PROVIDER],
    "coreml": [(_COREML, {"ModelFormat": "MLProgram", "MLComputeUnits": "ALL"}), CPU_PROVIDER],
    "cuda": [_CUDA, CPU_PROVIDER],
}
_ACCELERATORS = {"coreml": _COREML, "cuda": _CUDA}
Feed = dict[str, NDArray[Any]]


class OnnxModel:
    """One inference session. Graphs of ours are fed the raw 0..255 values that they expect."""

    def __init__(self, subject: Subject, units: Units, threads: int | None) -> None:
        self._subject, self._units, self._threads = subject, units, threads
        self._fed: Feed = {}
        self._session = open_session(subject.path, threads=threads, providers=_PROVIDERS[units])

    def example(self, generator: np.random.Generator, batch: int) -> Feed:
        """Random images of our graphs; of a stranger's, what it was given or random numbers as it describes them."""
        inputs = self._session.get_inputs()
        if self._subject.given is not None:
            return given_arrays(self._subject.given, inputs)
        spec = self._subject.spec
        if spec is None:
            return {value.name: random_array(value, generator, batch) for value in inputs}
        fixed = inputs[0].shape[0]
        if isinstance(fixed, int) and fixed != batch:
            raise InputError("the model takes batches of one size only", value=batch, allowed=str(fixed))
        return {IMAGE: _pixels(random_images(spec, generator, batch))}

    def predict(self, example: Any) -> object:
        """The graph's outputs; for ours the probabilities [batch, classes]."""
        self._fed = example
        return self._session.run(None, example)

    def observe(self) -> Observation:
        """On an accelerator: how many nodes stayed on the CPU, and into how many pieces Core ML cut the graph."""
        if self._units not in _ACCELERATORS:
            return Observation()
        nodes = self.nodes_by_provider()
        pieces = nodes.get(_COREML, 0) if self._units == "coreml" else 1  # CUDA runs its nodes one by one
        return Observation(flags=partition_flags(pieces, nodes.get(CPU_PROVIDER, 0)))

    def nodes_by_provider(self) -> dict[str, int]:
        """How many nodes of the optimized graph each provider executed, from a profiled run of its own."""
        with tempfile.TemporaryDirectory() as folder:
            session = open_session(
                self._subject.path,
                threads=self._threads,
                providers=_PROVIDERS[self._units],
                profile=Path(folder) / "profile",
            )
            session.run(None, self._fed)
            events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
        nodes: dict[str, set[str]] = {}
        for event in events:
            if event.get("cat") == "Node" and "provider" in event.get("args", {}):
                nodes.setdefault(event["args"]["provider"], set()).add(event["name"])
        return {provider: len(names) for provider, names in nodes.items()}


def partition_flags(partitions: int, on_cpu: int) -> tuple[str, ...]:
    """The flags of a graph that Core ML runs in `partitions` pieces beside `on_cpu` nodes on the CPU."""
    flags = []
    if partitions != 1:
        flags.append(f"coreml_partitions_{partitions}")
    if on_cpu:
        flags.append(f"cpu_nodes_{on_cpu}")
    return tuple(flags)


class OnnxBackend:
    """ONNX artifacts in ONNX Runtime."""

    formats: tuple[Format, ...] = ("onnx",)
    units: tuple[Units, ...] = ("cpu", "coreml", "cuda")
    packages = ("onnxruntime",)
    measures_latency = True
    slow_to_start = False
    elsewhere = False

    def available(self, units: Units) -> str | None:
        """Whether this build has the provider."""
        import onnxruntime

        if units == "coreml" and sys.platform != "darwin":
            return "needs macOS"
        provider = _ACCELERATORS.get(units)
        if provider is not None and provider not in onnxruntime.get_available_providers():
            return f"this onnxruntime has no {provider}"
        return None

    def compile(self, subject: Subject, folder: Path) -> Path:
        """No such step."""
        return subject.path

    def load(self, subject: Subject, compiled: Path, units: Units, threads: int | None) -> LoadedModel:
        """Reads and optimizes the graph."""
        return OnnxModel(subject, units, threads)

    def predictor(self, subject: Subject, units: Units, threads: int | None) -> Predictor:
        """The artifact in batches on the CPU; image by image on others, whose numbers may differ."""
        if units == "cpu":
            from tinyml.evaluation.opening import open_predictor

            return open_predictor(subject.manifest)
        return _ByImage(subject, units, threads)


class _ByImage:
    """A loaded model as a Predictor."""

    def __init__(self, subject: Subject, units: Units, threads: int | None) -> None:
        assert subject.spec is not None  # noqa: S101 (accuracies are of our own models)
        self.spec = subject.spec
        self._loaded = OnnxModel(subject, units, threads)

    def probabilities(self, images: Image) -> NDArray[np.float32]:
        """Images [N, H, W, 3] to probabilities [N, classes]."""
        return np.concatenate(
            [np.asarray(self._loaded.predict({IMAGE: _pixels(image[np.newaxis])}))[0] for image in images]
        )

    def logits(self, images: Image) -> None:
        """None: probabilities only."""


def _pixels(images: Image) -> NDArray[np.float32]:
    """Images [N, H, W, 3] as the graphs take them, [N, 3, H, W]."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32)


backends.add("onnxruntime", OnnxBackend())
