"""Whole programs of network layers, saved and run, in every opset, against torch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from tinyml.coreml import ReferenceModel
from tinyml.coreml.ops.registry import OPSETS
from tinyml.quiet import coremltools, quiet

# coremltools leaves the removal of its temporary packages to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:Implicitly cleaning up:ResourceWarning")

ct = coremltools()
mb, types = ct.converters.mil.Builder, ct.converters.mil.mil.types
CLOSE: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-5}  # a few layers in float32, summed in other orders


def _predict(folder: Path, opset: str, body: Callable[..., Any], **inputs: np.ndarray) -> dict[str, Any]:
    target = getattr(ct.target, opset)
    kinds = {"float32": types.fp32, "int32": types.int32}
    specs = [mb.TensorSpec(shape=value.shape, dtype=kinds[value.dtype.name]) for value in inputs.values()]
    path = folder / "model.mlpackage"
    with quiet():
        model = ct.convert(
            mb.program(input_specs=specs, opset_version=target)(body),
            convert_to="mlprogram",
            compute_precision=ct.precision.FLOAT32,
            minimum_deployment_target=target,
            skip_model_load=True,
            pass_pipeline=ct.PassPipeline.EMPTY,
        )
        model.save(str(path))
    result: dict[str, Any] = ReferenceModel(path, precision="float32").predict(inputs)
    return result


def _values(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def _tensors(*arrays: np.ndarray) -> list[torch.Tensor]:
    return [torch.from_numpy(array) for array in arrays]


@pytest.mark.parametrize("opset", OPSETS)
def test_a_convolutional_net(tmp_path: Path, opset: str) -> None:
    x, first, second, back = (
        _values(0, 1, 3, 9, 9),
        _values(1, 4, 3, 3, 2),
        _values(2, 4, 2, 3, 3),
        _values(3, 4, 2, 2, 2),
    )
    mean, variance, gamma, beta = (np.abs(_values(seed, 4)) for seed in range(4, 8))
    head, bias = _values(8, 5, 4), _values(9, 5)

    def body(x: Any) -> Any:
        x = mb.conv(x=x, weight=first, strides=[2, 1], pad_type="same")
        x = mb.relu(x=mb.batch_norm(x=x, mean=mean, variance=variance, gamma=gamma, beta=beta))
        x = mb.conv(x=x, weight=second, bias=beta, pad_type="custom", pad=[0, 1, 2, 1], groups=2, dilations=[1, 2])
        x = mb.prelu(x=mb.clip(x=x, alpha=-2.0, beta=3.0), alpha=gamma)
        x = mb.max_pool(x=x, kernel_sizes=[3, 2], strides=[2, 2], pad_type="custom", pad=[1, 1, 0, 0], ceil_mode=True)
        x = mb.conv_transpose(x=x, weight=back, strides=[2, 2], pad=[1, 0, 0, 1], pad_type="custom", groups=2)
        x = mb.avg_pool(x=x, kernel_sizes=[2, 2], strides=[2, 1], pad_type="custom", pad=[1, 1, 0, 0])
        x = mb.instance_norm(x=mb.gelu(x=x, mode="TANH_APPROXIMATION"), gamma=gamma, beta=beta)
        x = mb.local_response_norm(x=x, size=3, alpha=0.1, beta=0.5, k=2.0)
        x = mb.linear(x=mb.reduce_mean(x=mb.l2_norm(x=x), axes=[2, -1]), weight=head, bias=bias)
        return mb.softmax(x=mb.layer_norm(x=x, axes=[-1], epsilon=1e-3), axis=1, name="result")

    y, w1, w2, w3, m, v, g, b, w4, b4 = _tensors(x, first, second, back, mean, variance, gamma, beta, head, bias)
    y = functional.conv2d(functional.pad(y, (0, 1, 1, 1)), w1, stride=(2, 1))
    y = functional.batch_norm(y, m, v, g, b).relu()
    y = functional.conv2d(functional.pad(y, (2, 1, 0, 1)), w2, b, groups=2, dilation=(1, 2))
    y = functional.max_pool2d(functional.prelu(y.clamp(-2, 3), g), (3, 2), 2, (1, 0), ceil_mode=True)
    y = functional.conv_transpose2d(y, w3, stride=2, groups=2)[:, :, 1:, :-1]
    y = functional.avg_pool2d(y, 2, (2, 1), (1, 0))
    y = functional.instance_norm(functional.gelu(y, approximate="tanh"), weight=g, bias=b)
    y = functional.local_response_norm(y, 3, 0.1, 0.5, 2.0)
    y = functional.linear((y / (y.square().sum() + 1e-6).sqrt()).mean((2, 3)), w4, b4)
    want = functional.layer_norm(y, (5,), eps=1e-3).softmax(1)
    np.testing.assert_allclose(_predict(tmp_path, opset, body, x=x)["result"], want, **CLOSE)


@pytest.mark.parametrize("opset", OPSETS)
def test_defaults_that_the_definitions_name(tmp_path: Path, opset: str) -> None:
    x, count = np.array([[0.0, 0.5, 4.0]], np.float32), np.array([[7, -7, 2**20]], np.int32)

    def body(x: Any, count: Any) -> Any:
        return (
            mb.inverse(x=x, name="inverse"),
            mb.log(x=x, name="log"),
            mb.rsqrt(x=x, name="rsqrt"),
            mb.mod(x=count, y=np.int32(4), name="mod"),
            mb.floor_div(x=count, y=np.int32(-2), name="floor_div"),
            mb.real_div(x=count, y=np.int32(-2), name="real_div"),
            mb.cast(x=mb.mul(x=x, y=-1.9), dtype="int32", name="cast"),
            mb.cast(x=mb.greater(x=x, y=0.25), dtype="fp32", name="greater"),
            mb.reduce_argmax(x=x, name="argmax"),
            mb.reduce_log_sum_exp(x=x, name="log_sum_exp"),
            mb.matmul(x=x, y=x, transpose_y=True, name="matmul"),
        )

    found = _predict(tmp_path, opset, body, x=x, count=count)
    np.testing.assert_allclose(found["inverse"], 1 / (x + 1e-4), rtol=1e-6)
    np.testing.assert_allclose(found["log"], np.log(x.astype(np.float64) + 1.4013e-45), rtol=1e-6)
    np.testing.assert_allclose(found["rsqrt"], 1 / np.sqrt(x.astype(np.float64) + 1e-12), rtol=1e-6)
    np.testing.assert_array_equal(found["mod"], [[3, 1, 0]])
    np.testing.assert_array_equal(found["floor_div"], [[-4, 3, -(2**19)]])
    np.testing.assert_array_equal(found["real_div"], [[-3, 3, -(2**19)]])
    np.testing.assert_array_equal(found["cast"], [[0, 0, -7]])
    np.testing.assert_array_equal(found["greater"], [[0, 1, 1]])
    np.testing.assert_array_equal(found["argmax"], [2])
    np.testing.assert_allclose(found["log_sum_exp"], np.log(np.exp(x).sum()), rtol=1e-6)
    np.testing.assert_allclose(found["matmul"], [[16.25]], rtol=1e-6)


@pytest.mark.parametrize("opset", OPSETS)
def test_recurrent_layers(tmp_path: Path, opset: str) -> None:
    torch.manual_seed(0)
    layer: Any = torch.nn.LSTM(3, 2, bidirectional=True)
    simple: Any = torch.nn.RNN(4, 2)
    x = _values(0, 5, 1, 3)

    def gates(parameter: torch.Tensor) -> np.ndarray:
        i, f, z, o = parameter.detach().numpy().reshape(4, 2, -1)
        return np.asarray(np.concatenate([i, f, o, z]).squeeze())

    def body(x: Any) -> Any:
        x, _, cell = mb.lstm(
            x=x,
            initial_h=np.zeros((1, 4), np.float32),
            initial_c=np.zeros((1, 4), np.float32),
            weight_ih=gates(layer.weight_ih_l0),
            weight_hh=gates(layer.weight_hh_l0),
            bias=gates(layer.bias_ih_l0 + layer.bias_hh_l0),
            weight_ih_back=gates(layer.weight_ih_l0_reverse),
            weight_hh_back=gates(layer.weight_hh_l0_reverse),
            bias_back=gates(layer.bias_ih_l0_reverse + layer.bias_hh_l0_reverse),
            direction="bidirectional",
            output_sequence=True,
        )
        _, last = mb.rnn(
            x=x,
            initial_h=np.zeros((1, 2), np.float32),
            weight_ih=simple.weight_ih_l0.detach().numpy(),
            weight_hh=simple.weight_hh_l0.detach().numpy(),
            bias=(simple.bias_ih_l0 + simple.bias_hh_l0).detach().numpy(),
            direction="reverse",
        )
        return mb.identity(x=last, name="last"), mb.identity(x=cell, name="cell")

    with torch.no_grad():
        sequence, (_, cell) = layer(torch.from_numpy(x))
        _, last = simple(sequence.flip(0))
    found = _predict(tmp_path, opset, body, x=x)
    np.testing.assert_allclose(found["last"], last[0], **CLOSE)
    np.testing.assert_allclose(found["cell"], cell.reshape(1, 4), **CLOSE)


@pytest.mark.parametrize("opset", OPSETS)
def test_weights_and_shapes_that_the_run_computes(tmp_path: Path, opset: str) -> None:
    x, weight, size = _values(0, 1, 2, 7), _values(1, 3, 2, 3), np.array([2, 3], np.int32)

    def body(x: Any, weight: Any, size: Any) -> Any:
        return (
            mb.conv(x=x, weight=weight, pad_type="same", name="conv"),
            mb.einsum(values=[mb.expand_dims(x=weight, axes=[0])] * 2, equation="abcd,adce->abce", name="einsum"),
            mb.random_uniform(shape=size, low=2.0, high=3.0, seed=4, name="uniform"),
            mb.random_normal(shape=size, name="normal"),
            mb.random_categorical(x=x, size=3, name="categorical"),
        )

    found = _predict(tmp_path, opset, body, x=x, weight=weight, size=size)
    a, b = _tensors(x, weight)
    np.testing.assert_allclose(found["conv"], functional.conv1d(a, b, padding=1), **CLOSE)
    np.testing.assert_allclose(found["einsum"], torch.einsum("bcd,dce->bce", b, b)[None], **CLOSE)
    assert found["uniform"].shape == found["normal"].shape == (2, 3)
    assert ((found["uniform"] >= 2) & (found["uniform"] < 3)).all()
    assert found["categorical"].shape == (1, 2, 3)


@pytest.mark.parametrize("opset", ["iOS17", "iOS18"])
def test_types_and_quantization_of_ios17(tmp_path: Path, opset: str) -> None:
    x, scale, point = _values(0, 1, 3, 4, 4), np.array([0.1, 0.02, 0.5], np.float32), np.array([3, -5, 0], np.int8)

    def body(x: Any) -> Any:
        levels = mb.quantize(input=x, scale=scale, zero_point=point, axis=1, output_dtype="int8")
        return (
            mb.dequantize(input=levels, scale=scale, zero_point=point, axis=-3, name="back"),
            mb.cast(x=levels, dtype="int32", name="levels"),
            mb.cast(x=mb.reduce_argmin(x=x, axis=2, output_dtype="uint16"), dtype="int32", name="least"),
            mb.leaky_relu(x=x, alpha=np.float16(0.1), name="leaky"),
        )

    found = _predict(tmp_path, opset, body, x=x)
    steps, zero = scale.reshape(1, 3, 1, 1), point.astype(int).reshape(1, 3, 1, 1)
    levels = np.clip(np.rint(x / steps) + zero, -128, 127)
    np.testing.assert_array_equal(found["levels"], levels)
    np.testing.assert_allclose(found["back"], (levels - zero) * steps, rtol=1e-6)
    np.testing.assert_array_equal(found["least"], x.argmin(2))
    np.testing.assert_allclose(found["leaky"], np.where(x > 0, x, x * np.float32(np.float16(0.1))), rtol=1e-6)


def test_attention_and_gru_of_ios18(tmp_path: Path) -> None:
    torch.manual_seed(0)
    layer: Any = torch.nn.GRU(4, 2)
    x, mask = _values(0, 1, 5, 4), np.tril(np.ones((5, 5), bool))

    def gates(parameter: torch.Tensor) -> np.ndarray:
        r, z, n = parameter.detach().numpy().reshape(3, 2, -1)
        return np.asarray(np.concatenate([r, n, z]).squeeze())

    def body(x: Any) -> Any:
        x = mb.scaled_dot_product_attention(query=x, key=x, value=x, attn_mask=mask)
        _, last = mb.gru(
            x=mb.transpose(x=x, perm=[1, 0, 2]),
            initial_h=np.zeros((1, 2), np.float32),
            weight_ih=gates(layer.weight_ih_l0),
            weight_hh=gates(layer.weight_hh_l0),
            bias=gates(layer.bias_hh_l0),
            input_bias=gates(layer.bias_ih_l0),
            reset_after=True,
        )
        return mb.identity(x=last, name="last")

    (a,) = _tensors(x)
    with torch.no_grad():
        attended = functional.scaled_dot_product_attention(a, a, a, is_causal=True)
        _, last = layer(attended.transpose(0, 1))
    np.testing.assert_allclose(_predict(tmp_path, "iOS18", body, x=x)["last"], last[0], **CLOSE)
