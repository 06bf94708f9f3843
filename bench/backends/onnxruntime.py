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

from tinyml.onnx_session import CPU_PROVIDER, open_session
from tinyml.schema import IMAGE, Units

from ..backend import Format, Image, LoadedModel, Observation, Subject, backends

if TYPE_CHECKING:
    from tinyml.accuracy import Predictor

_COREML = "CoreMLExecutionProvider"
# https://onnxruntime.ai/docs/execution-providers/CoreML-ExecutionProvider.html: NeuralNetwork is the default format.
_PROVIDERS: dict[str, list[Any]] = {
    "cpu": [CPU_PROVIDER],
    "coreml": [(_COREML, {"ModelFormat": "MLProgram", "MLComputeUnits": "ALL"}), CPU_PROVIDER],
}


class OnnxModel:
    """One inference session, fed the raw 0..255 values as the exported graph expects them."""

    def __init__(self, path: Path, units: Units, threads: int | None) -> None:
        self._path, self._units, self._threads = path, units, threads
        self._size: tuple[int, ...] = ()
        self._session = open_session(path, threads=threads, providers=_PROVIDERS[units])

    def predict(self, image: Image) -> object:
        """The probabilities [1, classes]."""
        self._size = image.shape
        return self._session.run(None, {IMAGE: _pixels(image)})

    def observe(self) -> Observation:
        """On the Core ML provider: into how many pieces it cut the graph, and how many nodes stayed on the CPU."""
        if self._units != "coreml":
            return Observation()
        nodes = self.nodes_by_provider()
        return Observation(flags=partition_flags(nodes.get(_COREML, 0), nodes.get(CPU_PROVIDER, 0)))

    def nodes_by_provider(self) -> dict[str, int]:
        """How many nodes of the optimized graph each provider executed, from a profiled run of its own."""
        with tempfile.TemporaryDirectory() as folder:
            session = open_session(
                self._path,
                threads=self._threads,
                providers=_PROVIDERS[self._units],
                profile=Path(folder) / "profile",
            )
            session.run(None, {IMAGE: _pixels(np.zeros(self._size, np.uint8))})
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
    units: tuple[Units, ...] = ("cpu", "coreml")
    packages = ("onnxruntime",)
    measures_latency = True

    def available(self, units: Units) -> str | None:
        """Whether this build has the provider."""
        import onnxruntime

        if units == "coreml" and sys.platform != "darwin":
            return "needs macOS"
        if units == "coreml" and _COREML not in onnxruntime.get_available_providers():
            return f"this onnxruntime has no {_COREML}"
        return None

    def compile(self, subject: Subject, folder: Path) -> Path:
        """No such step."""
        return subject.path

    def load(self, subject: Subject, compiled: Path, units: Units, threads: int | None) -> LoadedModel:
        """Reads and optimizes the graph."""
        return OnnxModel(compiled, units, threads)

    def predictor(self, subject: Subject, units: Units, threads: int | None) -> Predictor:
        """The artifact in batches on the CPU; image by image on the Core ML provider, whose numbers may differ."""
        if units == "cpu":
            from tinyml.evaluation.opening import open_predictor

            return open_predictor(subject.manifest)
        return _ByImage(subject, units, threads)


class _ByImage:
    """A loaded model as a Predictor."""

    def __init__(self, subject: Subject, units: Units, threads: int | None) -> None:
        self.spec = subject.spec
        self._loaded = OnnxModel(subject.path, units, threads)

    def probabilities(self, images: Image) -> NDArray[np.float32]:
        """Images [N, H, W, 3] to probabilities [N, classes]."""
        return np.concatenate([np.asarray(self._loaded.predict(image))[0] for image in images])

    def logits(self, images: Image) -> None:
        """None: probabilities only."""


def _pixels(image: Image) -> NDArray[np.float32]:
    return np.ascontiguousarray(image.transpose(2, 0, 1)[np.newaxis], dtype=np.float32)


backends.add("onnxruntime", OnnxBackend())
