"""A connected iPhone, faked to coremltools' documented contract.

What it cannot show: that a device answers like the fake. That needs a Mac, Xcode and an iPhone.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import types
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import pytest
from coremltools.models.ml_program.experimental import perf_utils, remote_device

from tinyml.bench import devices
from tinyml.bench.backend import backends
from tinyml.bench.jobs import Selection, Settings, foreign_jobs, settings_of
from tinyml.bench.protocol import Request
from tinyml.bench.runs import measure
from tinyml.bench.tensors_only import tensors_only
from tinyml.bench.worker import open_subject, work
from tinyml.coreml import ReferenceModel
from tinyml.errors import ArtifactError, BenchError, UnavailableError, UsageError
from tinyml.quiet import coremltools, quiet
from tinyml.workspace import Workspace

LABELS = ["cat", "dog", "fox"]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    ct = coremltools()
    from coremltools.converters.mil import Builder as mb  # noqa: N813  coremltools' own name for it

    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 3, 8, 8))])
    def program(image: Any) -> Any:
        weight = np.random.default_rng(0).normal(size=(3, 3)).astype(np.float32) / 50
        return mb.softmax(x=mb.linear(x=mb.reduce_mean(x=image, axes=[2, 3]), weight=weight), axis=1, name="scores")

    path = tmp_path_factory.mktemp("package") / "tiny.mlpackage"
    with quiet():
        ct.convert(
            program,
            convert_to="mlprogram",
            inputs=[ct.ImageType(name="image", shape=(1, 3, 8, 8), color_layout=ct.colorlayout.RGB)],
            classifier_config=ct.ClassifierConfig(LABELS, predicted_feature_name="classLabel"),
            compute_precision=ct.precision.FLOAT32,
            skip_model_load=True,
        ).save(str(path))
    return path


class FakeBenchmarker:
    """`MLModelBenchmarker(model, device)`: durations in milliseconds; arrays only, in the loop that it began in."""

    made: ClassVar[list[FakeBenchmarker]] = []

    def __init__(self, model: Any, device: Any = None) -> None:
        assert device.session == "started"
        self.units, self.spec = model.compute_unit.name, model.get_spec()
        self.loop: Any = None
        assert {f.type.WhichOneof("Type") for f in (*self.spec.description.input, *self.spec.description.output)} == {
            "multiArrayType"
        }
        self.made.append(self)

    async def benchmark_load(self, iterations: int = 1) -> Any:
        self.loop = asyncio.get_running_loop()
        return types.SimpleNamespace(samples=[12.5] * iterations)

    async def benchmark_predict(self, inputs: Any = None, iterations: int = 1, warmup: bool = False) -> Any:
        assert asyncio.get_running_loop() is self.loop
        assert inputs["image"].shape == (1, 3, 8, 8)
        return types.SimpleNamespace(samples=[0.75] * iterations)

    async def benchmark_operation_execution(self, inputs: Any = None, iterations: int = 1, warmup: bool = False) -> Any:
        class MLNeuralEngineComputeDevice: ...

        usage = types.SimpleNamespace(preferred_compute_device=MLNeuralEngineComputeDevice())
        (function,) = self.spec.mlProgram.functions.values()
        (block,) = function.block_specializations.values()
        return [
            types.SimpleNamespace(spec=op, compute_device_usage=None if op.type == "const" else usage)
            for op in block.operations
        ]


@pytest.fixture
def iphone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """A Mac with one iPhone, as far as the adapter looks."""
    kind = remote_device.DeviceType

    def device(session: Any) -> Any:
        return remote_device.Device(
            name="Ann's phone",
            type=kind.IPHONE,
            identifier="I",
            udid="0000-1",
            os_version="26.1",
            os_build_number="23B85",
            developer_mode_state="enabled",
            state=remote_device.DeviceState.CONNECTED,
            session=session,
        )

    async def prepare(self: Any, credentials: Any = None, working_directory: Any = None, clean: bool = False) -> Any:
        assert working_directory.is_dir()
        return device("started")

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr("coremltools.models.model._macos_version", lambda: (26, 1))
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(
        remote_device.Device,
        "get_connected_devices",
        staticmethod(lambda device_type: [device(None)] if device_type is kind.IPHONE else []),
    )
    monkeypatch.setattr(remote_device.Device, "prepare_for_model_debugging", prepare)
    monkeypatch.setattr(perf_utils, "MLModelBenchmarker", FakeBenchmarker)
    devices.session.cache_clear()
    FakeBenchmarker.made.clear()
    yield device(None)
    devices.session.cache_clear()
    FakeBenchmarker.made.clear()
    gc.collect()


SETTINGS = settings_of(quick=True, warmup=2, min_repeats=4, min_seconds=0.0, accuracy=False, device="iphone")


def test_arrays_take_the_place_of_the_image_and_of_the_label(package: Path, tmp_path: Path) -> None:
    from PIL import Image

    bare = tensors_only(package)
    with quiet():
        bare.save(str(tmp_path / "bare.mlpackage"))
    pixels = np.random.default_rng(1).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    whole = ReferenceModel(package).predict({"image": Image.fromarray(pixels)})
    array = pixels.transpose(2, 0, 1)[None].astype(np.float32)
    (scores,) = ReferenceModel(tmp_path / "bare.mlpackage").predict({"image": array}).values()
    expected = [whole["classLabel_probs"][label] for label in LABELS]
    np.testing.assert_allclose(np.asarray(scores)[0], expected, rtol=1e-6)


def test_a_device_is_given_pictures_as_arrays(package: Path, iphone: Any, tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    np.savez(tmp_path / "given.npz", image=pixels)
    subject = open_subject(package, "coreml", foreign=True, inputs=str(tmp_path / "given.npz"))
    model = backends.get("coreml_device").load(replace(subject, device=iphone.udid), package, "all", None)
    (array,) = cast("dict[str, Any]", model.example(np.random.default_rng(0), 1)).values()
    np.testing.assert_array_equal(array, pixels.transpose(2, 0, 1)[None])
    assert array.dtype == np.float32


def test_a_round_on_a_device_has_its_times_and_none_of_this_machine(package: Path, iphone: Any) -> None:
    (job, *_) = foreign_jobs([package], SETTINGS, inputs=None, selection=Selection()).jobs
    request = Request(
        task="latency", case=job.case, manifest=str(package), foreign=True, data="", device=iphone.udid, answer="-"
    )
    answer = work(request)
    assert answer.problem is None
    series = {each.name: each.samples for each in answer.series}
    assert set(series) == {"load_ns", "first_prediction_ns", "latency_ns", "cached_load_ns"}
    assert series["load_ns"] == (12_500_000,)
    assert set(series["latency_ns"]) == {750_000}
    assert set(series["first_prediction_ns"]) == {750_000}
    assert answer.round is not None
    assert answer.round.processor_ns is answer.round.other_load is None
    assert answer.placement is not None
    assert answer.placement.neural_engine == 3
    assert answer.flags == ()


def test_every_unit_is_asked_for_by_its_name(package: Path, iphone: Any) -> None:
    jobs = foreign_jobs([package], SETTINGS, inputs=None, selection=Selection()).jobs
    assert {job.case.backend for job in jobs} == {"coreml_device"}
    backend = backends.get("coreml_device")
    for job in jobs:
        subject = open_subject(package, "coreml", foreign=True)
        backend.load(replace(subject, device="iphone"), package, job.case.requested_units, None)
    assert [made.units for made in FakeBenchmarker.made] == ["CPU_ONLY", "CPU_AND_GPU", "CPU_AND_NE", "ALL"]


def test_without_a_device_no_case_is_made_for_one(package: Path) -> None:
    jobs = foreign_jobs([package], Settings(), inputs=None, selection=Selection()).jobs
    assert "coreml_device" not in {job.case.backend for job in jobs}


def test_a_device_is_found_by_each_of_its_names(iphone: Any) -> None:
    for name in ("Ann's phone", "0000-1", "iphone"):
        assert devices.connected_device(name).udid == "0000-1"
    with pytest.raises(BenchError, match=r"no connected device is called so.*'?ipad'?.*Ann's phone \(0000-1\)"):
        devices.connected_device("ipad")
    assert devices.told(iphone) == "iphone Ann's phone, 26.1 (23B85)"


def test_what_goes_wrong_on_the_way_is_an_error_of_ours(iphone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(self: Any, **_: Any) -> Any:
        raise ValueError("The 'xcodebuild' command\nis required.")

    monkeypatch.setattr(remote_device.Device, "prepare_for_model_debugging", refuse)
    with pytest.raises(BenchError, match=r"the device did not answer.*The 'xcodebuild' command is required"):
        devices.session("iphone")


def test_off_a_mac_it_cannot_run(package: Path, tmp_path: Path) -> None:
    assert backends.get("coreml_device").available("all") == "needs macOS"
    with pytest.raises(UnavailableError, match="needs macOS"):
        measure(Workspace(tmp_path), Selection(), SETTINGS, files=[package])


def test_a_device_takes_no_batches(package: Path) -> None:
    with pytest.raises(UsageError, match="one image at a time"):
        settings_of(quick=True, batches=(4,), accuracy=False, device="iphone")


def test_a_package_with_other_outputs_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.mlpackage").mkdir()
    with pytest.raises(ArtifactError):
        tensors_only(tmp_path / "x.mlpackage")
