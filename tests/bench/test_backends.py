from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyml.bench.backend import Subject, backends
from tinyml.bench.backends.onnxruntime import OnnxModel, partition_flags
from tinyml.bench.worker import open_subject
from tinyml.errors import ArtifactError, BenchError
from tinyml.schema import Units
from tinyml.trainer.data import Dataset


@pytest.mark.parametrize("name", backends.names())
def test_each_unit_is_available_or_says_why(name: Any) -> None:
    backend = backends.get(name)
    for units in backend.units:
        reason = backend.available(units)
        assert reason is None or reason.strip()


def as_taken(name: str, image: Any) -> Any:
    """An image as the backend's models take it."""
    return {"image": image.transpose(2, 0, 1)[np.newaxis].astype(np.float32)} if name == "onnxruntime" else image[None]


def _predictions(trained_results: Any, name: str, manifest: Any, kind: str, images: Any) -> np.ndarray:
    backend = backends.get(name)
    units: Units = "cpu"
    subject = open_subject(manifest, kind)
    model = backend.load(subject, backend.compile(subject, manifest.parent), units, 1)
    single = np.concatenate([np.asarray(model.predict(as_taken(name, image))).reshape(1, -1) for image in images])
    batch = backend.predictor(subject, units, 1).probabilities(images)
    # Batch 1 and a batch sum in another order; float32 keeps them within 1e-4 of each other.
    np.testing.assert_allclose(single, batch, atol=1e-4)
    return np.asarray(single)


def test_what_is_timed_is_what_is_counted_and_both_runtimes_agree(trained_results: Any, shapes: Dataset) -> None:
    images = np.asarray(shapes.split("test").images[:4])
    torch = _predictions(trained_results, "torch", trained_results.checkpoint, "torch", images)
    onnx = _predictions(trained_results, "onnxruntime", trained_results.artifacts["onnx-fp32"], "onnx", images)
    # Oracle: the checkpoint itself. fp32 in another order of operations.
    np.testing.assert_allclose(onnx, torch, atol=1e-4)


def test_the_reference_runtime_refuses_to_be_timed(trained_results: Any) -> None:
    manifest = trained_results.artifacts["coreml-fp16"]
    with pytest.raises(BenchError, match="accuracy only"):
        backends.get("reference").load(open_subject(manifest, "coreml"), manifest, "cpu", 1)


def test_nodes_are_counted_by_provider(trained_results: Any) -> None:
    subject = open_subject(trained_results.artifacts["onnx-fp32"], "onnx")
    model = OnnxModel(subject, "cpu", 1)
    model.predict(model.example(np.random.default_rng(0), 1))
    nodes = model.nodes_by_provider()
    assert list(nodes) == ["CPUExecutionProvider"]
    assert nodes["CPUExecutionProvider"] > 5


@pytest.mark.parametrize(
    ("partitions", "on_cpu", "flags"),
    [
        (1, 0, ()),
        (87, 0, ("coreml_partitions_87",)),
        (2, 3, ("coreml_partitions_2", "cpu_nodes_3")),
        (0, 9, ("coreml_partitions_0", "cpu_nodes_9")),
    ],
)
def test_a_graph_cut_in_pieces_is_flagged(partitions: Any, on_cpu: Any, flags: Any) -> None:
    assert partition_flags(partitions, on_cpu) == flags


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"no model at all")
    with pytest.raises(ArtifactError, match="onnxruntime cannot load"):
        OnnxModel(Subject(manifest=tmp_path / "x.onnx", path=tmp_path / "x.onnx", spec=None), "cpu", 1)
