"""Packages as torch modules and as ONNX models."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from PIL import Image

from tinyml.coreml import ReferenceModel, to_torch
from tinyml.coreml.tools.convert import TOLERANCE
from tinyml.coreml.tools.convert import convert as write
from tinyml.coreml.trace.onnx import onnx_bytes, onnx_runner
from tinyml.errors import UsageError, VerificationError
from tinyml.quiet import coremltools, quiet

ct = coremltools()
from coremltools.converters.mil.mil import Builder as mb  # noqa: E402, N813
from coremltools.converters.mil.mil import get_new_symbol  # noqa: E402

Convert = Callable[..., Any]


def test_weights_are_named_parameters(classifier: Any, image: Image.Image) -> None:
    module = to_torch(classifier)
    names = dict(module.named_parameters())
    assert {tuple(value.shape) for value in names.values()} >= {(16, 3, 3, 3), (32, 16, 3, 3), (4, 32)}
    assert all("127" not in name for name in names)
    assert module.classes == ("ant", "bee", "cat", "dog")
    pixels = torch.tensor(np.asarray(image)).permute(2, 0, 1)[None].float()
    found = module(pixels)[0][0].detach().numpy()
    expected = ReferenceModel(classifier, precision="float32").predict({"image": image})["classLabel_probs"]
    # The model sums its convolutions in another order than the module.
    np.testing.assert_allclose(found, list(expected.values()), atol=1e-6)


def test_a_package_can_be_fine_tuned_and_exported_again(classifier: Any, convert: Convert, image: Image.Image) -> None:
    module = to_torch(classifier)
    pixels = torch.tensor(np.asarray(image)).permute(2, 0, 1)[None].float().contiguous()
    optimizer = torch.optim.SGD(module.parameters(), lr=1e-3)
    losses = []
    for _ in range(3):
        loss = torch.nn.functional.nll_loss((module(pixels)[0] + 1e-6).log(), torch.tensor([3]))
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert losses[2] < losses[1] < losses[0]
    with quiet(), warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        expected = module(pixels)[0].numpy()
        program = torch.export.export(module, (pixels,), strict=False).run_decompositions({})
        again = convert(program, compute_precision=ct.precision.FLOAT32, minimum_deployment_target=ct.target.iOS16)
    model = ReferenceModel(again)
    found = model.predict({next(iter(model.input_description)): pixels})
    # float32 on both sides; the order of summation differs.
    np.testing.assert_allclose(next(iter(found.values())), expected, atol=1e-6)


def test_onnx_keeps_names_and_classes(classifier: Any, tmp_path: Path) -> None:
    written = write(classifier, "onnx", tmp_path / "small.onnx")
    assert written.inputs == ("image",)
    assert written.outputs == ("classLabel_probs",)
    assert written.largest < 1e-5
    model = onnx.load(str(written.path))
    assert {item.key: item.value for item in model.metadata_props}["classes"] == "ant\nbee\ncat\ndog"


def test_onnxruntime_is_an_engine(classifier: Any, image: Image.Image) -> None:
    a = ReferenceModel(classifier, precision="float32").predict({"image": image})
    b = ReferenceModel(classifier, engine="onnxruntime").predict({"image": image})
    assert a["classLabel"] == b["classLabel"]
    for label, probability in a["classLabel_probs"].items():
        assert b["classLabel_probs"][label] == pytest.approx(probability, abs=1e-6)


def test_a_torch_program_is_written(classifier: Any, tmp_path: Path) -> None:
    written = write(classifier, "torch", tmp_path / "small.pt2")
    assert written.path.is_file()
    assert written.largest < 1e-5


def test_flexible_axes_become_dynamic(convert: Convert, tmp_path: Path) -> None:
    @mb.program(input_specs=[mb.TensorSpec((1, get_new_symbol(), 4))])
    def program(x: Any) -> Any:
        return mb.softmax(x=mb.linear(x=x, weight=np.eye(3, 4, dtype=np.float32)), axis=-1, name="y")

    shape = ct.Shape((1, ct.RangeDim(2, 64, default=5), 4))
    mlmodel = convert(program, inputs=[ct.TensorType(name="x", shape=shape)], minimum_deployment_target=ct.target.iOS16)
    path = write(mlmodel, "onnx", tmp_path / "flexible.onnx").path
    run = onnx_runner(path.read_bytes())
    for length in (2, 9):
        x = torch.rand(1, length, 4)
        expected = ReferenceModel(mlmodel, precision="float32").predict({"x": x.numpy()})["y"]
        np.testing.assert_allclose(run([x])[0], expected, atol=1e-6)


def test_paddings_follow_dynamic_axes(convert: Convert, tmp_path: Path) -> None:
    @mb.program(input_specs=[mb.TensorSpec((1, 2, 11, get_new_symbol()))])
    def program(x: Any) -> Any:
        weight = np.random.default_rng(0).normal(size=(3, 2, 3, 3)).astype(np.float32)
        x = mb.conv(x=x, weight=weight, pad_type="same", strides=[2, 3])
        x = mb.conv(x=x, weight=weight[:, :1].repeat(3, 1), pad_type="same_lower", strides=[1, 2])
        return mb.avg_pool(
            x=x, kernel_sizes=[2, 3], strides=[2, 2], pad_type="custom", pad=[1, 1, 1, 1], ceil_mode=True, name="y"
        )

    shape = ct.Shape((1, 2, 11, ct.RangeDim(8, 64, default=20)))
    options = {"compute_precision": ct.precision.FLOAT32, "minimum_deployment_target": ct.target.iOS16}
    mlmodel = convert(program, inputs=[ct.TensorType(name="x", shape=shape)], **options)
    run = onnx_runner(write(mlmodel, "onnx", tmp_path / "flexible.onnx").path.read_bytes())
    model = ReferenceModel(mlmodel, precision="float32")
    for width in (8, 13, 20, 27, 64):
        x = torch.rand(1, 2, 11, width)
        np.testing.assert_allclose(run([x])[0], model.predict({"x": x.numpy()})["y"], atol=1e-5)


@pytest.mark.parametrize(("to", "name"), [("caffe", "a.caffe"), ("onnx", "a.pt2")])
def test_unknown_formats_and_names_are_refused(classifier: Any, tmp_path: Path, to: str, name: str) -> None:
    with pytest.raises(UsageError):
        write(classifier, to, tmp_path / name)


def test_measured_statistics_are_no_parameters(convert: Convert) -> None:
    generator = np.random.default_rng(0)

    @mb.program(input_specs=[mb.TensorSpec((1, 16, 4, 4))], opset_version=ct.target.iOS16)
    def program(x: Any) -> Any:
        mean, variance = (generator.random(16).astype(np.float32) for _ in range(2))
        gamma, beta = variance, mean  # coremltools merges equal constants
        return mb.batch_norm(x=mb.relu(x=x), mean=mean, variance=variance, gamma=gamma, beta=beta, name="y")

    module = to_torch(convert(program, minimum_deployment_target=ct.target.iOS16))
    assert len(list(module.parameters())) == 2
    module(torch.rand(1, 16, 4, 4))[0].sum().backward()
    assert all(value.grad is not None for value in module.parameters())


@pytest.mark.parametrize("change", [2 * TOLERANCE, float("nan"), float("-inf")])
def test_a_conversion_that_computes_something_else_is_not_written(
    change: float, classifier: Any, tmp_path: Path
) -> None:
    def faulty(content: bytes) -> Any:
        run = onnx_runner(content)
        return lambda inputs: [value + np.float32(change) for value in run(inputs)]

    with pytest.raises(VerificationError, match="the converted model differs from the package"):
        write(classifier, "onnx", tmp_path / "model.onnx", run_onnx=faulty)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("axes", "keep_dims", "pools"),
    [([2, 3], True, True), ([-1, -2], True, True), ([2, 3], False, False), ([1, 3], True, False), ([3], True, False)],
)
def test_a_mean_over_whole_images_becomes_a_global_pool(
    convert: Convert, axes: list[int], keep_dims: bool, pools: bool
) -> None:
    @mb.program(input_specs=[mb.TensorSpec((2, 3, 4, 5))], opset_version=ct.target.iOS16)
    def program(x: Any) -> Any:
        return mb.reduce_mean(x=mb.relu(x=x), axes=axes, keep_dims=keep_dims, name="y")

    content = onnx_bytes(to_torch(convert(program, minimum_deployment_target=ct.target.iOS16)))
    kinds = [node.op_type for node in onnx.load_from_string(content).graph.node]
    assert ("GlobalAveragePool" in kinds, "ReduceMean" in kinds) == (pools, not pools)
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(np.float32)
    expected = np.maximum(x, 0).mean(axis=tuple(axes), keepdims=keep_dims)
    np.testing.assert_allclose(onnx_runner(content)([x])[0], expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("factor", "half", "accepted"),
    [(1.0028, True, True), (1.02, True, False), (1.0028, False, False), (1.0008, False, True)],
)
def test_a_difference_that_float16_rounds_away_is_accepted(
    convert: Convert, tmp_path: Path, factor: float, half: bool, accepted: bool
) -> None:
    """A program whose float16 results are known to some percent, converted with an error of a factor."""

    @mb.program(input_specs=[mb.TensorSpec((4,))])
    def program(x: Any) -> Any:
        return mb.sub(x=mb.add(x=x, y=100.0), y=100.0, name="y")

    kind = ct.precision.FLOAT16 if half else ct.precision.FLOAT32
    model = convert(program, compute_precision=kind, minimum_deployment_target=ct.target.iOS16)

    def faulty(content: bytes) -> Any:
        right = onnx_runner(content)
        return lambda inputs: [value * np.float32(factor) for value in right(inputs)]

    if accepted:
        written = write(model, "onnx", tmp_path / "r.onnx", run_onnx=faulty)
        assert (written.rounded is not None) == half
    else:
        with pytest.raises(VerificationError, match=r"output 'y': .*what rounding to the declared types changes"):
            write(model, "onnx", tmp_path / "r.onnx", run_onnx=faulty)
        assert not list(tmp_path.iterdir())
