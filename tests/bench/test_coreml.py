"""The Core ML adapter against a fake that keeps to coremltools' documented contract.

What it cannot show: that Apple's runtime answers like the fake. That needs macOS.
"""

from __future__ import annotations

import platform
import shutil
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tinyml.bench.backend import Subject, backends
from tinyml.bench.compute_plan import add_up_flags, placement_of
from tinyml.bench.worker import measured_round
from tinyml.coreml.read.package import open_package
from tinyml.errors import ArtifactError
from tinyml.quiet import coremltools, quiet
from tinyml.schema import BenchCase, ModelSpec, PlacedOp, Placement, Preprocess

LABELS = ("cat", "dog", "fox")
SPEC = ModelSpec(architecture="resnet", parameters=1, labels=LABELS, preprocess=Preprocess())


class FakeCompiledMLModel:
    """`coremltools.models.CompiledMLModel(path: str, compute_units: ct.ComputeUnit)`."""

    loads: list[str] = []  # noqa: RUF012 (the fake's own record)

    def __init__(self, path: Any, compute_units: Any = None) -> None:
        assert isinstance(path, str)
        assert path.endswith(".mlmodelc")
        assert compute_units in coremltools().ComputeUnit
        if "broken" in path:
            raise RuntimeError("Error Domain=com.apple.CoreML Code=0")
        self.loads.append(compute_units.name)

    def predict(self, data: Any) -> Any:
        if isinstance(data, list):
            return [self.predict(one) for one in data]
        assert isinstance(data, dict)
        (image,) = data.values()
        assert isinstance(image, Image.Image)
        assert (image.mode, image.size) == ("RGB", (64, 64))
        red = float(np.asarray(image)[0, 0, 0]) / 255
        # A dictionary in an order of its own, as Core ML hands it out.
        return {"classLabel": "cat", "probabilities": {"fox": 0.0, "cat": red, "dog": 1 - red}}


def fake_compile(model: Any, destination_path: Any = None) -> Any:
    assert isinstance(model, str)
    assert model.endswith(".mlpackage")
    assert destination_path.endswith(".mlmodelc")
    Path(destination_path).mkdir()
    return destination_path


class MLCPUComputeDevice: ...


class MLGPUComputeDevice: ...


class MLNeuralEngineComputeDevice: ...


@dataclass
class Operation:
    operator_name: str
    device: object = None
    cost: float | None = None
    blocks: list[Any] = field(default_factory=list)


def plan_of(operations: Any) -> Any:
    block = types.SimpleNamespace(operations=operations)
    program = types.SimpleNamespace(functions={"main": types.SimpleNamespace(block=block)})

    def usage(operation: Any) -> Any:
        return operation.device and types.SimpleNamespace(preferred_compute_device=operation.device)

    def cost(operation: Any) -> Any:
        return None if operation.cost is None else types.SimpleNamespace(weight=operation.cost)

    return types.SimpleNamespace(
        model_structure=types.SimpleNamespace(program=program),
        get_compute_device_usage_for_mlprogram_operation=usage,
        get_estimated_cost_for_mlprogram_operation=cost,
    )


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Mac, as far as the adapter looks."""
    ct = coremltools()
    FakeCompiledMLModel.loads = []
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(platform, "mac_ver", lambda: ("15.1", ("", "", ""), "arm64"))
    monkeypatch.setattr(ct.models, "CompiledMLModel", FakeCompiledMLModel)
    monkeypatch.setattr(ct.models.utils, "compile_model", fake_compile)
    plan = plan_of([Operation("ios16.conv", MLNeuralEngineComputeDevice()), Operation("const")])
    from coremltools.models import compute_plan

    loader = types.SimpleNamespace(load_from_path=lambda path, compute_units: plan)
    monkeypatch.setattr(compute_plan, "MLComputePlan", loader)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real classifier of images, of a mean and a linear layer."""
    ct = coremltools()
    from coremltools.converters.mil import Builder as mb  # noqa: N813  coremltools' own name for it

    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 3, 64, 64))])
    def program(image: Any) -> Any:
        mean = mb.reduce_mean(x=image, axes=[2, 3])
        weight = np.random.default_rng(0).normal(size=(3, 3)).astype(np.float32) / 50
        return mb.softmax(x=mb.linear(x=mean, weight=weight), axis=1, name="class_probabilities")

    path = tmp_path_factory.mktemp("package") / "model.mlpackage"
    with quiet():
        made = ct.convert(
            program,
            convert_to="mlprogram",
            inputs=[ct.ImageType(name="image", shape=(1, 3, 64, 64), color_layout=ct.colorlayout.RGB)],
            classifier_config=ct.ClassifierConfig(list(LABELS), predicted_feature_name="classLabel"),
            compute_precision=ct.precision.FLOAT32,
            skip_model_load=True,
        )
        made.save(str(path))
    return path


@pytest.fixture
def subject(package: Path, tmp_path: Path) -> Callable[..., Subject]:
    def make(name: str = "model") -> Subject:
        path = tmp_path / f"{name}.mlpackage"
        if not path.exists():
            shutil.copytree(package, path)
        return Subject(manifest=tmp_path / "manifest.json", path=path, spec=SPEC)

    return make


@pytest.mark.parametrize(
    ("units", "name"),
    [("cpu_only", "CPU_ONLY"), ("cpu_and_gpu", "CPU_AND_GPU"), ("cpu_and_ne", "CPU_AND_NE"), ("all", "ALL")],
)
@pytest.mark.usefixtures("mac")
def test_a_case_is_measured_with_the_units_asked_for(
    tmp_path: Path, subject: Any, units: Any, name: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    backend = backends.get("coreml")
    assert backend.available(units) is None
    case = BenchCase(
        model="resnet",
        variant="coreml-fp16",
        format="coreml",
        artifact_sha256="0" * 64,
        artifact_bytes=1,
        backend="coreml",
        requested_units=units,
        warmup=1,
        min_repeats=5,
        min_seconds=0,
    )
    first = measured_round(backend, subject(), case, 0)
    names = {series.name for series in first.series}
    assert {"compile_ns", "load_ns", "cached_load_ns", "first_prediction_ns", "latency_ns"} <= names
    assert FakeCompiledMLModel.loads == [name, name]
    assert first.placement is not None
    assert (first.placement.cpu, first.placement.gpu, first.placement.neural_engine) == (0, 0, 1)
    assert first.flags == ("placed_ops_1_of_4",)  # the fake plan knows one op
    # What the first round compiled is kept by its contents; later rounds only load it.
    second = measured_round(backend, subject(), case, 1)
    assert {"compile_ns", "load_ns"}.isdisjoint(series.name for series in second.series)
    assert "cached_load_ns" in {series.name for series in second.series}


@pytest.mark.usefixtures("mac")
def test_a_batch_is_a_list_of_inputs(tmp_path: Path, subject: Any) -> None:
    backend = backends.get("coreml")
    ours = subject()
    model = backend.load(ours, backend.compile(ours, tmp_path), "all", None)
    made: Any = model.example(np.random.default_rng(0), 3)
    answers: Any = model.predict(made)
    assert [set(answer) for answer in answers] == [{"classLabel", "probabilities"}] * 3


@pytest.mark.usefixtures("mac")
def test_probabilities_come_in_the_order_of_the_labels(subject: Any) -> None:
    images = np.zeros((2, 64, 64, 3), np.uint8)
    images[1] = (255, 0, 0)  # red, to notice swapped channels
    predictor = backends.get("coreml").predictor(subject(), "all", None)
    assert predictor.probabilities(images).tolist() == [[0, 1, 0], [1, 0, 0]]
    assert predictor.logits(images) is None


@pytest.mark.usefixtures("mac")
def test_what_core_ml_refuses_is_an_error_of_ours(tmp_path: Path, subject: Any) -> None:
    broken = subject("broken")
    backend = backends.get("coreml")
    compiled = backend.compile(broken, tmp_path)
    with pytest.raises(ArtifactError, match="cannot load the model"):
        backend.load(broken, compiled, "all", None)


@pytest.mark.usefixtures("mac")
def test_no_plan_is_asked_for_before_macos_14_4(tmp_path: Path, subject: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "mac_ver", lambda: ("14.3", ("", "", ""), "arm64"))
    backend = backends.get("coreml")
    model = backend.load(subject(), backend.compile(subject(), tmp_path), "all", None)
    assert model.observe().placement is None


def test_placement_counts_nested_ops_and_says_unknown_where_core_ml_does() -> None:
    inner = types.SimpleNamespace(operations=[Operation("ios17.add", MLGPUComputeDevice()), Operation("const")])
    plan = plan_of(
        [Operation("cond", MLCPUComputeDevice(), blocks=[inner]), Operation("relu"), Operation("ios18.const")]
    )
    found = placement_of(plan)
    assert found is not None
    assert (found.cpu, found.gpu, found.neural_engine, found.unknown) == (1, 1, 0, 1)
    assert [(op.operator, op.device) for op in found.ops] == [
        ("cond", "cpu"),
        ("ios17.add", "gpu"),
        ("relu", "unknown"),
    ]


def test_compressed_constants_are_no_ops_and_a_cost_is_kept() -> None:
    plan = plan_of(
        [
            Operation("ios18.constexpr_lut_to_dense", MLCPUComputeDevice(), 0.0),
            Operation("constexpr_affine_dequantize", MLCPUComputeDevice()),
            Operation("ios18.conv", MLNeuralEngineComputeDevice(), 0.75),
        ]
    )
    ops = (PlacedOp(operator="ios18.conv", device="neural_engine", cost=0.75),)
    assert placement_of(plan) == Placement(cpu=0, gpu=0, neural_engine=1, ops=ops)


def test_the_ops_of_a_plan_add_up_to_the_program(package: Path) -> None:
    kinds = ["ios15.reduce_mean", "ios15.linear", "ios15.softmax", "ios15.classify"]
    whole = placement_of(plan_of([Operation("const"), *(Operation(kind, MLCPUComputeDevice()) for kind in kinds)]))
    assert add_up_flags(whole, package) == ()
    short = placement_of(plan_of([Operation(kind, MLCPUComputeDevice()) for kind in kinds[1:]]))
    assert add_up_flags(short, package) == ("placed_ops_3_of_4",)
    assert add_up_flags(None, package) == ()


def test_the_weights_of_the_apps_model_are_no_ops() -> None:
    (model,) = (Path(__file__).parents[2] / "swift_demo/App/Models").glob("*/*.mlpackage")
    (main,) = open_package(model).program.functions.values()
    kinds = [operation.kind for operation in main.block.operations]
    assert kinds.count("constexpr_lut_to_dense") == 82
    found = placement_of(plan_of([Operation(f"ios16.{kind}", MLCPUComputeDevice()) for kind in kinds]))
    assert found is not None
    assert found.cpu == sum("const" not in kind for kind in kinds) == 195


def test_off_a_mac_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    backend = backends.get("coreml")
    assert {backend.available(units) for units in backend.units} == {"needs macOS"}


@pytest.mark.usefixtures("mac")
def test_without_a_plan_what_was_measured_stays(tmp_path: Path, subject: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from coremltools.models import compute_plan

    def fail(path: Any, compute_units: Any) -> Any:
        raise RuntimeError("Error Domain=com.apple.CoreML Code=0")

    backend = backends.get("coreml")
    model = backend.load(subject(), backend.compile(subject(), tmp_path), "all", None)
    monkeypatch.setattr(compute_plan, "MLComputePlan", types.SimpleNamespace(load_from_path=fail))
    assert model.observe().flags == ("no_compute_plan",)


def test_a_program_that_only_core_ml_reads_adds_up_to_nothing(tmp_path: Path) -> None:
    placed = placement_of(plan_of([Operation("ios99.new", MLCPUComputeDevice())]))
    (tmp_path / "x.mlpackage").mkdir()
    assert add_up_flags(placed, tmp_path / "x.mlpackage") == ()
