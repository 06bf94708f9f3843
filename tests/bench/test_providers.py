"""ONNX Runtime's accelerators, faked to its documented contract around a real session on the CPU.

https://onnxruntime.ai/docs/api/python/api_summary.html (InferenceSession, get_available_providers), /docs/performance/
tune-performance/profiling-tools.html (the profile). What it cannot show: that an accelerator answers like the fake.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from tinyml.bench.backend import Subject, backends
from tinyml.schema import Units

COREML, CUDA, CPU = "CoreMLExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"
Real = onnxruntime.InferenceSession


class FakeSession:
    """An InferenceSession that computes on the CPU and tells in its profile which provider had which node."""

    opened: ClassVar[list[list[Any]]] = []
    placed: ClassVar[dict[str, str]] = {}

    def __init__(self, model: str, options: Any, providers: list[Any]) -> None:
        names = [entry if isinstance(entry, str) else entry[0] for entry in providers]
        if unknown := set(names) - set(onnxruntime.get_available_providers()):
            raise ValueError(f"Specified provider '{unknown.pop()}' is not in available provider names.")
        assert all(isinstance(entry, str) or isinstance(entry[1], dict) for entry in providers)
        FakeSession.opened.append(providers)
        self._prefix = options.profile_file_prefix if options.enable_profiling else None
        plain = onnxruntime.SessionOptions()
        plain.log_severity_level = 3
        self._session = Real(model, plain, providers=[CPU])

    def get_inputs(self) -> Any:
        return self._session.get_inputs()

    def run(self, names: Any, feed: Any) -> Any:
        return self._session.run(names, feed)

    def end_profiling(self) -> str:
        assert self._prefix is not None
        events: list[dict[str, Any]] = [{"cat": "Session", "name": "model_run", "dur": 3, "args": {}}]
        for name, provider in self.placed.items():
            ran = {"op_name": name, "provider": provider}
            events += [
                {"cat": "Node", "name": f"{name}_fence_before", "args": {}},
                {"cat": "Node", "name": f"{name}_kernel_time", "args": ran},
            ]
        file = Path(f"{self._prefix}_2026.json")
        file.write_text(json.dumps(events))
        return str(file)


@pytest.fixture
def accelerators(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "InferenceSession", FakeSession)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, COREML, CPU])
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(FakeSession, "opened", [])


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 4]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", ends[:1], ends[1:])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    made.ir_version = 8
    onnx.save(made, tmp_path / "m.onnx")
    return Subject(manifest=tmp_path / "m.onnx", path=tmp_path / "m.onnx", spec=None)


@pytest.mark.usefixtures("accelerators")
@pytest.mark.parametrize(
    ("units", "first", "placed", "flags"),
    [
        ("coreml", COREML, {"fused_0": COREML}, ()),
        ("coreml", COREML, {"fused_0": COREML, "fused_1": COREML, "Relu": CPU}, ("coreml_partitions_2", "cpu_nodes_1")),
        ("coreml", COREML, {"Relu": CPU}, ("coreml_partitions_0", "cpu_nodes_1")),
        ("cuda", CUDA, {"Conv_0": CUDA, "Conv_1": CUDA, "Conv_2": CUDA}, ()),
        ("cuda", CUDA, {"Conv_0": CUDA, "Resize": CPU}, ("cpu_nodes_1",)),
    ],
)
def test_a_case_on_an_accelerator_tells_what_it_ran(
    subject: Subject,
    units: Units,
    first: str,
    placed: dict[str, str],
    flags: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(FakeSession, "placed", placed)
    backend = backends.get("onnxruntime")
    assert backend.available(units) is None
    model = backend.load(subject, subject.path, units, None)
    example = model.example(np.random.default_rng(0), 2)
    answer = np.asarray(model.predict(example))
    assert isinstance(example, dict)
    np.testing.assert_array_equal(answer[0], np.maximum(example["x"], 0))
    assert model.observe().flags == flags
    for providers in FakeSession.opened:
        names = [entry if isinstance(entry, str) else entry[0] for entry in providers]
        assert names == [first, CPU]  # the CPU takes what the accelerator does not
    assert len(FakeSession.opened) == 2  # measured without a profile, profiled afterwards


@pytest.mark.usefixtures("accelerators")
def test_the_core_ml_provider_makes_ml_programs_for_every_unit(subject: Subject) -> None:
    backends.get("onnxruntime").load(subject, subject.path, "coreml", 1)
    assert FakeSession.opened == [[(COREML, {"ModelFormat": "MLProgram", "MLComputeUnits": "ALL"}), CPU]]


@pytest.mark.usefixtures("accelerators")
def test_a_build_without_the_provider_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CPU])
    backend = backends.get("onnxruntime")
    assert backend.available("cuda") == f"this onnxruntime has no {CUDA}"
    assert backend.available("coreml") == f"this onnxruntime has no {COREML}"
    monkeypatch.setattr(sys, "platform", "linux")
    assert backend.available("coreml") == "needs macOS"
