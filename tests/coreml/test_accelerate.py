"""Reordered convolutions compute what plain ones compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tinyml.coreml import ReferenceModel
from tinyml.coreml.ops import kernels
from tinyml.coreml.plan import accelerate
from tinyml.coreml.plan.planner import build
from tinyml.coreml.read.package import open_package
from tinyml.errors import PackageError
from tinyml.quiet import coremltools

ct = coremltools()
from coremltools.converters.mil.mil import Builder as mb  # noqa: E402, N813

needs_reordering = pytest.mark.skipif(not kernels.available(), reason="this torch has no oneDNN")


@pytest.mark.parametrize("affine", [True, False])
def test_a_folded_norm_is_the_plain_one(convert: Callable[..., Any], affine: bool) -> None:
    generator = np.random.default_rng(0)
    mean, variance, gamma, beta = (generator.uniform(0.1, 2, 12).astype(np.float32) for _ in range(4))
    options = {"gamma": gamma, "beta": beta} if affine else {}

    @mb.program(input_specs=[mb.TensorSpec((1, 12, 4, 5))], opset_version=ct.target.iOS16)
    def program(x: Any) -> Any:
        return mb.batch_norm(x=mb.relu(x=x), mean=mean, variance=variance, epsilon=1e-3, name="y", **options)

    package = open_package(convert(program, minimum_deployment_target=ct.target.iOS16))
    plain, folded = (build(package.program.functions["main"], precision="float32") for _ in range(2))
    accelerate.specialize(folded)
    assert [step.function for step in plain.steps] != [step.function for step in folded.steps]
    x = torch.from_numpy(generator.normal(size=(1, 12, 4, 5)).astype(np.float32))
    with torch.inference_mode():
        # Values of about 10, a few float32 roundings apart.
        np.testing.assert_allclose(folded(x)[0].numpy(), plain(x)[0].numpy(), atol=1e-5)


@pytest.mark.parametrize("also", ["", "normal is an output", "normal has a view"])
def test_relu_overwrites_only_what_nobody_else_reads(convert: Callable[..., Any], also: str) -> None:
    @mb.program(input_specs=[mb.TensorSpec((1, 4, 2, 2))], opset_version=ct.target.iOS16)
    def program(x: Any) -> Any:
        ones = np.ones(4, np.float32)
        normal = mb.batch_norm(x=x, mean=ones, variance=ones, name="normal")
        view = (
            mb.reshape(x=normal, shape=(1, 4, 4)) if also == "normal has a view" else mb.reshape(x=x, shape=(1, 4, 4))
        )
        return mb.mul(x=mb.reshape(x=mb.relu(x=normal), shape=(1, 4, 4)), y=mb.add(x=view, y=mb.relu(x=view)), name="y")

    options = {"minimum_deployment_target": ct.target.iOS16, "compute_precision": ct.precision.FLOAT32}
    package = open_package(convert(program, **options))
    wanted = ("y", "normal") if also == "normal is an output" else ("y",)
    plan = build(package.program.functions["main"], precision="float32", outputs=wanted)
    x = torch.linspace(-3, 3, 16).reshape(1, 4, 2, 2)
    expected = [value.clone() for value in plan(x)]
    before = [step.function for step in plan.steps]
    accelerate.work_in_place(plan)
    changed = [step.reads for n, step in enumerate(plan.steps) if step.function is not before[n]]
    norm = next(step.results[0].slot for step in plan.steps if step.kind == "batch_norm")
    assert changed == ([] if also else [(norm,)])
    for found, value in zip(plan(x), expected, strict=True):
        torch.testing.assert_close(found, value)


@needs_reordering
@pytest.mark.parametrize(
    ("groups", "options"),
    [
        (1, {"pad_type": "valid"}),
        (1, {"pad_type": "same"}),
        (1, {"pad_type": "same", "strides": [2, 2]}),
        (8, {"pad_type": "custom", "pad": [1, 1, 2, 2]}),
        (2, {"pad_type": "custom", "pad": [0, 1, 0, 0]}),
        (1, {"pad_type": "same_lower", "dilations": [2, 2]}),
    ],
)
def test_results_are_those_of_the_plain_plan(convert: Callable[..., Any], groups: int, options: dict[str, Any]) -> None:
    generator = np.random.default_rng(0)
    weight = generator.normal(size=(16, 8 // groups, 3, 3)).astype(np.float32)
    bias = generator.normal(size=16).astype(np.float32)

    @mb.program(input_specs=[mb.TensorSpec((1, 8, 9, 10))], opset_version=ct.target.iOS16)
    def program(x: Any) -> Any:
        return mb.relu(x=mb.conv(x=x, weight=weight, bias=bias, groups=groups, **options), name="y")

    package = open_package(convert(program, minimum_deployment_target=ct.target.iOS16))
    function = package.program.functions["main"]
    plain, fast = (build(function, precision="float32") for _ in range(2))
    accelerate.accelerate(fast)
    x = torch.from_numpy(generator.normal(size=(1, 8, 9, 10)).astype(np.float32))
    with torch.inference_mode():
        a, b = plain(x)[0], fast(x)[0]
        x[0, 0, 0, 0] = torch.nan
        assert torch.equal(plain(x)[0].isnan(), fast(x)[0].isnan())
        assert fast(x)[0].isnan().any()
        with pytest.raises(PackageError, match=r"conv.*failed"):
            fast(x[:, :5])
    # float32 sums of 72 products of about 1, in another order.
    np.testing.assert_allclose(b.numpy(), a.numpy(), atol=1e-5)


@needs_reordering
@pytest.mark.parametrize("activation", ["gelu", "gelu tanh", "gelu sigmoid", "silu", "sigmoid", "tanh", "relu"])
@pytest.mark.parametrize("layer", ["conv", "linear"])
def test_activations_on_the_way(convert: Callable[..., Any], layer: str, activation: str) -> None:
    generator = np.random.default_rng(0)
    shape = (1, 4, 7, 6) if layer == "conv" else (3, 6)
    weight = generator.normal(size=(5, 4, 3, 3) if layer == "conv" else (5, 6)).astype(np.float32)
    kind, _, mode = activation.partition(" ")
    options = {"mode": f"{mode.upper()}_APPROXIMATION"} if mode else {}

    @mb.program(input_specs=[mb.TensorSpec(shape)], opset_version=ct.target.iOS16)
    def program(x: Any) -> Any:
        made = getattr(mb, layer)(x=x, weight=weight, **({"pad_type": "valid"} if layer == "conv" else {}))
        return getattr(mb, kind)(x=made, name="y", **options)

    package = open_package(convert(program, minimum_deployment_target=ct.target.iOS16))
    function = package.program.functions["main"]
    for precision in ("float32", "declared"):
        plain, fast = (build(function, precision=precision) for _ in range(2))
        accelerate.accelerate(fast)
        merged = [step.kind for step in fast.steps if " + " in step.kind]
        on_the_way = precision == "float32" and activation not in ("relu", "gelu sigmoid")
        assert merged == ([f"{layer} + {kind}"] if on_the_way else [])
        x = torch.from_numpy(generator.normal(size=shape).astype(np.float32))
        with torch.inference_mode():
            # float32 sums of 36 products of about 1; in float16 one rounding of values up to 20.
            torch.testing.assert_close(fast(x)[0], plain(x)[0], atol=2e-2 if precision == "declared" else 1e-5, rtol=0)
            if layer == "linear":
                x[0, 0] = torch.nan
                assert torch.equal(plain(x)[0].isnan(), fast(x)[0].isnan())


@needs_reordering
def test_a_value_that_is_read_twice_is_not_merged(convert: Callable[..., Any]) -> None:
    weight = np.random.default_rng(0).normal(size=(6, 6)).astype(np.float32)

    @mb.program(input_specs=[mb.TensorSpec((3, 6))], opset_version=ct.target.iOS16)
    def program(x: Any) -> Any:
        y = mb.linear(x=x, weight=weight)
        return mb.add(x=mb.tanh(x=y), y=y, name="z")

    package = open_package(convert(program, minimum_deployment_target=ct.target.iOS16))
    plain, fast = (build(package.program.functions["main"], precision="float32") for _ in range(2))
    accelerate.accelerate(fast)
    assert "linear" in [step.kind for step in fast.steps]
    x = torch.linspace(-1, 1, 18).reshape(3, 6)
    with torch.inference_mode():
        torch.testing.assert_close(fast(x)[0], plain(x)[0])


@needs_reordering
def test_weights_are_kept_once(classifier: Any) -> None:
    model = ReferenceModel(classifier)
    assert {(4, 32), (32, 16, 3, 3)} <= {tuple(value.shape) for value in build(model.function).parameters()}
    kept = {tuple(value.shape) for value in model.plan.parameters()}
    # Convolutions and linear layers have theirs reordered.
    assert not kept & {(16, 3, 3, 3), (32, 16, 3, 3), (4, 32)}


HUGE = 2**31 - 1


@needs_reordering
@pytest.mark.parametrize(
    "change",
    [
        {"strides": (0, 1)},
        {"strides": (1,)},
        {"strides": (1, HUGE)},
        {"dilations": (1, 0)},
        {"dilations": (1, HUGE), "padding": (1, HUGE)},
        {"padding": (-1, 1)},
        {"groups": 0},
        {"groups": 3},
        {"groups": -1},
        {"bias": torch.zeros(3)},
        {"bias": torch.zeros(4, dtype=torch.int32)},
        {"weight": torch.zeros(4, 0, 3, 3)},
        {"weight": torch.zeros(4, 2, 3, 3, dtype=torch.int8)},
    ],
)
def test_kernels_are_not_called_with_what_would_end_the_process(change: dict[str, Any]) -> None:
    given: dict[str, Any] = {
        "weight": torch.zeros(4, 2, 3, 3),
        "bias": None,
        "padding": (1, 1),
        "strides": (1, 1),
        "dilations": (1, 1),
        "groups": 2,
    }
    assert kernels.convolution(**given) is not None
    assert kernels.convolution(**given | change) is None


@needs_reordering
@pytest.mark.parametrize("change", [{"strides": [0, 0]}, {"pad": [HUGE] * 4}, {"groups": [0]}, {"groups": [3]}])
def test_absurd_convolutions_are_refused_when_they_run(classifier: Any, change: dict[str, list[int]]) -> None:
    spec = classifier.get_spec()
    block = spec.mlProgram.functions["main"].block_specializations["CoreML6"]
    conv = next(item for item in block.operations if item.type == "conv")
    constants = {item.outputs[0].name: item for item in block.operations if item.type == "const"}
    constants[conv.inputs["pad_type"].arguments[0].name].attributes["val"].immediateValue.tensor.strings.values[0] = (
        "custom"
    )
    for name, values in change.items():
        value = constants[conv.inputs[name].arguments[0].name].attributes["val"].immediateValue.tensor.ints
        value.values[:] = values
    model = ReferenceModel(ct.models.MLModel(spec, weights_dir=classifier.weights_dir, skip_model_load=True))
    with pytest.raises(PackageError, match=r"conv.*(failed|absurd)"):
        model.predict({"image": Image.new("RGB", (16, 16))})
