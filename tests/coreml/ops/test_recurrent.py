"""Recurrent layers against loops over steps in numpy, and against torch.nn's layers, whose gates stand otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml.errors import PackageError

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)
# a dozen steps of sums of a few products in float32
CLOSE: dict[str, Any] = {"rtol": 1e-4, "atol": 2e-5}

ACTIVATIONS: dict[str, Any] = {
    "hard_sigmoid": lambda x: np.clip(0.2 * x + 0.5, 0, 1),
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "scaled_tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
}
NAMES = st.sampled_from(sorted(ACTIVATIONS))
sigmoid = ACTIVATIONS["sigmoid"]


@st.composite
def layers(draw: st.DrawFn, gates: int) -> dict[str, Any]:
    steps, batch, inputs, hidden = (draw(st.integers(1, 4)) for _ in range(4))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    return {
        "x": rng.uniform(-1, 1, (steps, batch, inputs)).astype(np.float32),
        "initial_h": rng.uniform(-1, 1, (batch, hidden)).astype(np.float32),
        "weight_ih": rng.uniform(-1, 1, (gates * hidden, inputs)).astype(np.float32),
        "weight_hh": rng.uniform(-1, 1, (gates * hidden, hidden)).astype(np.float32),
        "bias": draw(st.sampled_from((None, rng.uniform(-1, 1, gates * hidden).astype(np.float32)))),
        "direction": draw(st.sampled_from(("forward", "reverse"))),
        "output_sequence": draw(st.booleans()),
    }


def in_order(layer: dict[str, Any]) -> np.ndarray:
    x: np.ndarray = layer["x"].astype(np.float64)
    return x if layer["direction"] == "forward" else x[::-1]


def returned(states: list[np.ndarray], layer: dict[str, Any]) -> np.ndarray:
    return np.stack(states if layer["output_sequence"] else states[-1:])


@PROPERTY
@given(layer=layers(1), activation=NAMES)
def test_rnn(call: Any, layer: dict[str, Any], activation: str) -> None:
    bias = 0 if layer["bias"] is None else layer["bias"]
    h, states = layer["initial_h"].astype(np.float64), []
    for x in in_order(layer):
        h = ACTIVATIONS[activation](x @ layer["weight_ih"].T + h @ layer["weight_hh"].T + bias)
        states.append(h)
    sequence, last = call("rnn", **layer, activation=activation)
    np.testing.assert_allclose(sequence, returned(states, layer), **CLOSE)
    np.testing.assert_allclose(last, h, **CLOSE)


@pytest.mark.parametrize("opset", ["iOS15", "iOS18"])
@PROPERTY
@given(layer=layers(3), outer=NAMES, inner=st.sampled_from(("sigmoid", "hard_sigmoid", "tanh")))
def test_gru_resets_before_the_product(call: Any, opset: str, layer: dict[str, Any], outer: str, inner: str) -> None:
    act, gate = ACTIVATIONS[outer], ACTIVATIONS[inner]
    (ir, io, iz), (hr, ho, hz) = np.split(layer["weight_ih"], 3), np.split(layer["weight_hh"], 3)
    br, bo, bz = (0, 0, 0) if layer["bias"] is None else np.split(layer["bias"], 3)
    h, states = layer["initial_h"].astype(np.float64), []
    for x in in_order(layer):
        r, z = gate(x @ ir.T + h @ hr.T + br), gate(x @ iz.T + h @ hz.T + bz)
        o = act(x @ io.T + (r * h) @ ho.T + bo)
        h = (1 - z) * o + z * h
        states.append(h)
    sequence, last = call("gru", **layer, activation=outer, recurrent_activation=inner, opset=opset)
    np.testing.assert_allclose(sequence, returned(states, layer), **CLOSE)
    np.testing.assert_allclose(last, h, **CLOSE)


def reordered(parameter: torch.Tensor, order: tuple[int, ...]) -> np.ndarray:
    """The gates of a torch parameter in another order."""
    gates = np.split(parameter.detach().numpy(), len(order))
    return np.concatenate([gates[index] for index in order])


@pytest.mark.parametrize("biased", [True, False])
def test_gru_with_reset_after_is_that_of_torch(call: Any, biased: bool) -> None:
    torch.manual_seed(1)
    layer: Any = torch.nn.GRU(3, 4, bias=biased)  # gates: reset, update, new
    x, h = torch.randn(5, 2, 3), torch.randn(1, 2, 4)
    sequence, last = layer(x, h)
    order = (0, 2, 1)
    biases = (
        {"bias": reordered(layer.bias_hh_l0, order), "input_bias": reordered(layer.bias_ih_l0, order)} if biased else {}
    )
    ours = call(
        "gru",
        x.numpy(),
        h[0].numpy(),
        reordered(layer.weight_ih_l0, order),
        reordered(layer.weight_hh_l0, order),
        **biases,
        reset_after=True,
        output_sequence=True,
    )
    np.testing.assert_allclose(ours[0], sequence.detach(), **CLOSE)
    np.testing.assert_allclose(ours[1], last[0].detach(), **CLOSE)


def lstm_steps(
    layer: dict[str, Any], suffix: str, sequence: np.ndarray, h: np.ndarray, c: np.ndarray, acts: Any, clip: Any
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    gate, cell, act = (ACTIVATIONS[name] for name in acts)
    ii, fi, oi, zi = np.split(layer["weight_ih" + suffix], 4)
    ih, fh, oh, zh = np.split(layer["weight_hh" + suffix], 4)
    bias, peephole = layer.get("bias" + suffix), layer.get("peephole" + suffix)
    bi, bf, bo, bz = (0, 0, 0, 0) if bias is None else np.split(bias, 4)
    pi, pf, po = (0, 0, 0) if peephole is None else np.split(peephole, 3)
    states = []
    for x in sequence:
        i = gate(x @ ii.T + h @ ih.T + bi + pi * c)
        f = gate(x @ fi.T + h @ fh.T + bf + pf * c)
        c = f * c + i * cell(x @ zi.T + h @ zh.T + bz)
        c = c if clip is None else np.clip(c, -clip, clip)
        h = gate(x @ oi.T + h @ oh.T + bo + po * c) * act(c)
        states.append(h)
    return states, h, c


@PROPERTY
@given(
    layer=layers(4),
    acts=st.tuples(NAMES, NAMES, NAMES),
    clip=st.sampled_from((None, 0.5, 0.05)),
    peep=st.booleans(),
)
def test_lstm(call: Any, layer: dict[str, Any], acts: Any, clip: float | None, peep: bool) -> None:
    rng = np.random.default_rng(9)
    hidden = layer["initial_h"].shape[1]
    layer["initial_c"] = rng.uniform(-1, 1, layer["initial_h"].shape).astype(np.float32)
    if peep:
        layer["peephole"] = rng.uniform(-1, 1, 3 * hidden).astype(np.float32)
    states, h, c = lstm_steps(
        layer, "", in_order(layer), layer["initial_h"].astype(np.float64), layer["initial_c"], acts, clip
    )
    names = dict(zip(("recurrent_activation", "cell_activation", "activation"), acts, strict=True))
    ours = call("lstm", **layer, **names, clip=clip)
    # linear and relu gates let states grow to about 100
    for one, other in zip(ours, (returned(states, layer), h, c), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize("sequence", [True, False])
@PROPERTY
@given(layer=layers(4), back=layers(4), peep=st.booleans())
def test_bidirectional_lstm(call: Any, sequence: bool, layer: dict[str, Any], back: dict[str, Any], peep: bool) -> None:
    rng = np.random.default_rng(10)
    batch, hidden = layer["initial_h"].shape
    layer |= {
        "direction": "bidirectional",
        "output_sequence": sequence,
        "weight_ih_back": rng.uniform(-1, 1, layer["weight_ih"].shape).astype(np.float32),
        "weight_hh_back": rng.uniform(-1, 1, layer["weight_hh"].shape).astype(np.float32),
        "bias_back": None if back["bias"] is None else rng.uniform(-1, 1, 4 * hidden).astype(np.float32),
        "initial_h": rng.uniform(-1, 1, (batch, 2 * hidden)).astype(np.float32),
        "initial_c": rng.uniform(-1, 1, (batch, 2 * hidden)).astype(np.float32),
    }
    if peep:
        layer["peephole"] = rng.uniform(-1, 1, 3 * hidden).astype(np.float32)
        layer["peephole_back"] = rng.uniform(-1, 1, 3 * hidden).astype(np.float32)
    x, acts = layer["x"].astype(np.float64), ("sigmoid", "tanh", "tanh")
    halves = [np.split(layer[name].astype(np.float64), 2, 1) for name in ("initial_h", "initial_c")]
    ahead, h1, c1 = lstm_steps(layer, "", x, halves[0][0], halves[1][0], acts, None)
    behind, h2, c2 = lstm_steps(layer, "_back", x[::-1], halves[0][1], halves[1][1], acts, None)
    h, c = np.concatenate((h1, h2), 1), np.concatenate((c1, c2), 1)
    both = np.concatenate((ahead, behind[::-1]), 2) if sequence else h[None]
    for one, other in zip(call("lstm", **layer), (both, h, c), strict=True):
        np.testing.assert_allclose(one, other, **CLOSE)


def test_bidirectional_lstm_is_that_of_torch(call: Any) -> None:
    torch.manual_seed(2)
    layer: Any = torch.nn.LSTM(3, 4, bidirectional=True)  # gates: input, forget, cell, output
    x, h, c = torch.randn(5, 2, 3), torch.randn(2, 2, 4), torch.randn(2, 2, 4)
    sequence, (last_h, last_c) = layer(x, (h, c))
    order = (0, 1, 3, 2)
    ours = call(
        "lstm",
        x.numpy(),
        np.concatenate(h.numpy(), 1),
        np.concatenate(c.numpy(), 1),
        reordered(layer.weight_ih_l0, order),
        reordered(layer.weight_hh_l0, order),
        reordered(layer.bias_ih_l0 + layer.bias_hh_l0, order),
        weight_ih_back=reordered(layer.weight_ih_l0_reverse, order),
        weight_hh_back=reordered(layer.weight_hh_l0_reverse, order),
        bias_back=reordered(layer.bias_ih_l0_reverse + layer.bias_hh_l0_reverse, order),
        direction="bidirectional",
        output_sequence=True,
    )
    theirs = (sequence, torch.cat(tuple(last_h), 1), torch.cat(tuple(last_c), 1))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other.detach(), **CLOSE)


def test_refusals(call: Any) -> None:
    x, h = np.ones((2, 1, 3), np.float32), np.ones((1, 2), np.float32)
    with pytest.raises(PackageError, match="unknown activation: 'swish'; allowed: hard_sigmoid"):
        call("rnn", x, h, np.ones((2, 3), np.float32), np.ones((2, 2), np.float32), activation="swish")
    with pytest.raises(PackageError, match="unknown direction: 'backward'; allowed: forward, reverse"):
        call("gru", x, h, np.ones((6, 3), np.float32), np.ones((6, 2), np.float32), direction="backward")
    with pytest.raises(PackageError, match="lacks weight_ih_back"):
        call("lstm", x, h, h, np.ones((8, 3), np.float32), np.ones((8, 2), np.float32), direction="bidirectional")
