"""Convolutions against sums over kernel offsets in numpy, which know neither torch nor its argument checks."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml.errors import PackageError

PROPERTY = settings(max_examples=60, deadline=None, derandomize=True)


def same_amounts(pad_type: str, size: int, extent: int, stride: int) -> tuple[int, int]:
    """TensorFlow's SAME: as much as ceil(size / stride) windows need, the odd element last (first for same_lower)."""
    total = max(0, (int(np.ceil(size / stride)) - 1) * stride + extent - size)
    few, many = total // 2, (total + 1) // 2
    return (few, many) if pad_type == "same" else (many, few)


def correlate(
    x: np.ndarray, weight: np.ndarray, amounts: list[tuple[int, int]], strides: Any, dilations: Any, groups: int
) -> np.ndarray:
    x = np.pad(x, [(0, 0), (0, 0), *amounts])
    kernel = weight.shape[2:]
    sizes = [(n - (k - 1) * d - 1) // s + 1 for n, k, d, s in zip(x.shape[2:], kernel, dilations, strides, strict=True)]
    result = np.zeros((len(x), len(weight), *sizes))
    per_in, per_out = weight.shape[1], len(weight) // groups
    for offset in itertools.product(*map(range, kernel)):
        window = tuple(
            slice(o * d, o * d + (n - 1) * s + 1, s)
            for o, d, n, s in zip(offset, dilations, sizes, strides, strict=True)
        )
        for g in range(groups):
            ins, outs = slice(g * per_in, (g + 1) * per_in), slice(g * per_out, (g + 1) * per_out)
            of_weight: Any = (outs, slice(None), *offset)
            of_x: Any = (slice(None), ins, *window)
            result[:, outs] += np.einsum("oi,ni...->no...", weight[of_weight], x[of_x])
    return result


def spread(
    x: np.ndarray, weight: np.ndarray, starts: Any, lengths: Any, strides: Any, dilations: Any, groups: int
) -> np.ndarray:
    """Adds each input element, times the kernel, to its place; cuts [start, start + length) out of an endless plane."""
    per_in, per_out = x.shape[1] // groups, weight.shape[1]
    room = [
        max((n - 1) * s + (k - 1) * d + 1, b + m)
        for n, s, k, d, b, m in zip(x.shape[2:], strides, weight.shape[2:], dilations, starts, lengths, strict=True)
    ]
    plane = np.zeros((len(x), per_out * groups, *room))
    for place in itertools.product(*map(range, x.shape[2:])):
        for offset in itertools.product(*map(range, weight.shape[2:])):
            target = tuple(p * s + o * d for p, s, o, d in zip(place, strides, offset, dilations, strict=True))
            for c in range(x.shape[1]):
                outs = slice(c // per_in * per_out, (c // per_in + 1) * per_out)
                of_plane: Any = (slice(None), outs, *target)
                of_x: Any = (slice(None), c, *place)
                of_weight: Any = (c, slice(None), *offset)
                plane[of_plane] += x[of_x][:, None] * weight[of_weight]
    return plane[(slice(None), slice(None), *(slice(b, b + n) for b, n in zip(starts, lengths, strict=True)))]


@st.composite
def layers(draw: st.DrawFn, *, transposed: bool) -> dict[str, Any]:
    rank = draw(st.integers(1, 3))
    groups = draw(st.integers(1, 2))
    per_in, per_out = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    kernel = [draw(st.integers(1, 3)) for _ in range(rank)]
    sizes = [draw(st.integers(1 if transposed else 5, 4 if transposed else 8)) for _ in range(rank)]
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    shape = [per_in * groups, per_out] if transposed else [per_out * groups, per_in]
    return {
        "x": rng.standard_normal([draw(st.integers(1, 2)), per_in * groups, *sizes]).astype(np.float32),
        "weight": rng.standard_normal([*shape, *kernel]).astype(np.float32),
        "bias": draw(st.sampled_from((None, rng.standard_normal(per_out * groups).astype(np.float32)))),
        "strides": tuple(draw(st.integers(1, 3)) for _ in range(rank)),
        "dilations": tuple(draw(st.integers(1, 2)) for _ in range(rank)),
        "groups": groups,
        "pad_type": draw(st.sampled_from(("valid", "same", "same_lower", "custom"))),
        "pad": tuple(draw(st.integers(0, 2)) for _ in range(2 * rank)),
    }


def extents(layer: dict[str, Any]) -> list[int]:
    return [(k - 1) * d + 1 for k, d in zip(layer["weight"].shape[2:], layer["dilations"], strict=True)]


def with_bias(result: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
    return result if bias is None else result + bias.reshape(-1, *[1] * (result.ndim - 2))


@PROPERTY
@given(layer=layers(transposed=False))
def test_conv(call: Any, layer: dict[str, Any]) -> None:
    x, pads, kind = layer["x"], layer["pad"], layer["pad_type"]
    amounts = [(0, 0)] * (x.ndim - 2)
    if kind == "custom":
        amounts = list(zip(pads[0::2], pads[1::2], strict=True))
    elif kind != "valid":
        amounts = [
            same_amounts(kind, size, extent, stride)
            for size, extent, stride in zip(x.shape[2:], extents(layer), layer["strides"], strict=True)
        ]
    plain = correlate(x, layer["weight"], amounts, layer["strides"], layer["dilations"], layer["groups"])
    # sums of at most 54 products of order 1 in float32
    np.testing.assert_allclose(call("conv", **layer), with_bias(plain, layer["bias"]), rtol=1e-4, atol=1e-5)


@PROPERTY
@given(layer=layers(transposed=True), data=st.data())
def test_conv_transpose(call: Any, layer: dict[str, Any], data: st.DataObject) -> None:
    x, pads, kind = layer["x"], layer["pad"], layer["pad_type"]
    full = [(n - 1) * s + e for n, s, e in zip(x.shape[2:], layer["strides"], extents(layer), strict=True)]
    starts = [0] * len(full)
    lengths = list(full)
    if kind == "custom":
        pads = layer["pad"] = tuple(min(p, (f - 1) // 2) for p, f in zip(pads, np.repeat(full, 2), strict=True))
        starts = list(pads[0::2])
        lengths = [f - b - a for f, b, a in zip(full, pads[0::2], pads[1::2], strict=True)]
    elif kind != "valid":
        lengths = [n * s for n, s in zip(x.shape[2:], layer["strides"], strict=True)]
    if data.draw(st.booleans()):
        lengths = [max(1, n + data.draw(st.integers(-1, 3))) for n in lengths]
        layer["output_shape"] = (len(x), layer["weight"].shape[1] * layer["groups"], *lengths)
    if kind in ("same", "same_lower"):
        cut = [max(0, f - n) for f, n in zip(full, lengths, strict=True)]
        starts = [c // 2 if kind == "same" else (c + 1) // 2 for c in cut]
    plain = spread(x, layer["weight"], starts, lengths, layer["strides"], layer["dilations"], layer["groups"])
    # sums of at most 54 products of order 1 in float32
    np.testing.assert_allclose(call("conv_transpose", **layer), with_bias(plain, layer["bias"]), rtol=1e-4, atol=1e-5)


def test_defaults_are_a_step_of_one_without_padding(call: Any) -> None:
    x, weight = np.arange(6, dtype=np.float32).reshape(1, 1, 6), np.ones((1, 1, 3), np.float32)
    np.testing.assert_array_equal(call("conv", x, weight), [[[3, 6, 9, 12]]])
    np.testing.assert_array_equal(call("conv", x, weight, pad=(1, 1)), [[[3, 6, 9, 12]]])
    np.testing.assert_array_equal(call("conv_transpose", x[..., :3], weight), [[[0, 1, 3, 3, 2]]])


def test_same_puts_the_odd_element_last(call: Any) -> None:
    x, weight = np.arange(1, 5, dtype=np.float32).reshape(1, 1, 4), np.ones((1, 1, 2), np.float32)
    np.testing.assert_array_equal(call("conv", x, weight, pad_type="same"), [[[3, 5, 7, 4]]])
    np.testing.assert_array_equal(call("conv", x, weight, pad_type="same_lower"), [[[1, 3, 5, 7]]])


def test_unknown_paddings_and_ranks_are_refused(call: Any) -> None:
    x, weight = np.ones((1, 1, 4), np.float32), np.ones((1, 1, 2), np.float32)
    for name in ("conv", "conv_transpose"):
        with pytest.raises(PackageError, match="unknown pad_type: 'reflect'; allowed: valid, same"):
            call(name, x, weight, pad_type="reflect")
        with pytest.raises(PackageError, match=f"{name} of an input of rank: 2"):
            call(name, x[0], weight)


def test_conv_quantized_scales_and_shifts_its_weight(call: Any) -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal((1, 3, 5, 5)).astype(np.float32)
    stored = rng.integers(0, 256, (4, 3, 2, 2)).astype(np.uint8)
    scale, shift = rng.uniform(0.01, 0.1, 4).astype(np.float32), rng.standard_normal(4).astype(np.float32)
    weight = stored * scale.reshape(4, 1, 1, 1) + shift.reshape(4, 1, 1, 1)
    result = call("conv_quantized", x, stored, quantization_type="linear", quant_scale=scale, quant_bias=shift)
    expected = correlate(x, weight, [(0, 0)] * 2, (1, 1), (1, 1), 1)
    # weights up to 26, float32
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-4)
    with pytest.raises(PackageError, match="conv_quantized: 'lut, 8 bits'; allowed: linear"):
        call("conv_quantized", x, stored, quantization_type="lut", quant_scale=scale, quant_bias=shift)
