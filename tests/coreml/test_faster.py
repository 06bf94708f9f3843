"""Layers run in the faster of two forms, whichever that is on the machine at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from tinyml.coreml.ops import depthwise, faster, kernels
from tinyml.coreml.ops.conv import _prepared_convolution
from tinyml.coreml.ops.faster import Faster, Kernel
from tinyml.coreml.ops.kernels import PLAIN, Activation

needs_ordering = pytest.mark.skipif(not kernels.available(), reason="this torch has no oneDNN")


@pytest.fixture(autouse=True)
def _no_outcomes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known of earlier tests."""
    monkeypatch.setattr(faster, "_outcomes", {})


def _clock(monkeypatch: pytest.MonkeyPatch, simple_ns: int, prepared_ns: int) -> tuple[Faster, list[str]]:
    """A layer whose two forms take these times, and the calls to them."""
    calls: list[str] = []
    now = [0]
    monkeypatch.setattr("tinyml.coreml.ops.faster.time.perf_counter_ns", lambda: now[0])

    def form(name: str, taken: int) -> Kernel:
        def kernel(x: Tensor) -> Tensor:
            calls.append(name)
            now[0] += taken
            return x

        return kernel

    layer = Faster(
        torch.ones(2, 2),
        geometry=("test",),
        check=lambda x: None,
        simple=lambda weight: form("simple", simple_ns),
        order=lambda weight, size: weight,
        prepared=lambda weight: form("prepared", prepared_ns),
    )
    return layer, calls


@pytest.mark.parametrize(
    ("simple_ns", "prepared_ns", "chosen"),
    [
        (100, 50, "prepared"),
        (100, 100, "prepared"),
        (100, 105, "prepared"),
        (100, 5000, "simple"),
        (10**9, 10**10, "simple"),
    ],
)
def test_the_faster_form_is_kept(
    monkeypatch: pytest.MonkeyPatch, simple_ns: int, prepared_ns: int, chosen: str
) -> None:
    layer, calls = _clock(monkeypatch, simple_ns, prepared_ns)
    layer(torch.ones(1, 2))
    assert {"simple", "prepared"} == set(calls), "both are tried"
    calls.clear()
    for _ in range(3):
        layer(torch.ones(1, 2))
    assert calls == [chosen] * 3, "once"


def test_layers_of_one_geometry_decide_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = _clock(monkeypatch, 100, 5000)
    first(torch.ones(1, 2))
    second, calls = _clock(monkeypatch, 5000, 100)
    second(torch.ones(1, 2))
    assert calls == ["simple"]
    second(torch.ones(3, 2))
    assert calls[-1] == "prepared", "another shape is another question"


Make = Callable[[Tensor, Tensor], kernels.Prepared | None]

LAYERS: dict[str, tuple[Make, tuple[int, ...], tuple[int, ...]]] = {
    "conv": (lambda w, b: kernels.convolution(w, b, (1, 1), (1, 1), (1, 1), 1), (16, 8, 3, 3), (2, 8, 9, 7)),
    "grouped": (lambda w, b: kernels.convolution(w, b, (0, 1), (2, 1), (1, 1), 4), (16, 2, 3, 3), (1, 8, 9, 7)),
    "depthwise": (lambda w, b: kernels.convolution(w, b, (2, 2), (1, 1), (1, 1), 8), (8, 1, 5, 5), (3, 8, 6, 7)),
    "linear": (kernels.linear, (12, 20), (5, 20)),
    "linear of rows": (kernels.linear, (12, 20), (2, 5, 20)),
}


@needs_ordering
@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("followed", [PLAIN, Activation(name="tanh", function=torch.tanh)])
@pytest.mark.parametrize("name", LAYERS)
def test_both_forms_compute_the_same_at_every_size(
    monkeypatch: pytest.MonkeyPatch, name: str, followed: Activation, ordered: bool
) -> None:
    make, weight_shape, shape = LAYERS[name]
    torch.manual_seed(0)
    weight, bias = torch.randn(weight_shape), torch.randn(weight_shape[0])
    prepared = make(weight, bias)
    assert prepared is not None
    taken = iter([ordered, not ordered, ordered, not ordered, ordered, not ordered])
    monkeypatch.setattr(faster, "prepared_is_faster", lambda *given: next(taken))
    layer, plain = prepared(followed), prepared(PLAIN)._simple(weight)  # type: ignore[attr-defined]
    assert isinstance(layer, Faster)
    for times in (1, 4, 1, 2, 3, 5, 6, 1, 4):  # more shapes than are kept
        x = torch.randn(shape[0] * times, *shape[1:])
        expected = followed(plain(x))
        # Sums of at most 72 products of about 1, in another order.
        torch.testing.assert_close(layer(x), expected, atol=2e-5, rtol=1e-5)
    assert len(layer._kernels) <= faster.MAX_SHAPES


@needs_ordering
def test_no_form_is_kept_without_need() -> None:
    prepared = kernels.linear(torch.randn(12, 20), None)
    assert prepared is not None
    layer = prepared(PLAIN)
    layer(torch.randn(5, 20))
    assert isinstance(layer, Faster)
    with pytest.raises(ValueError, match="shape"):
        layer(torch.randn(5, 21))
    assert layer(torch.randn(0, 20)).shape == (0, 12)


def test_without_onednn_nothing_is_ordered() -> None:
    was = torch._C._get_mkldnn_enabled()
    torch._C._set_mkldnn_enabled(False)
    try:
        assert not kernels.available()
    finally:
        torch._C._set_mkldnn_enabled(was)


@pytest.fixture
def no_onednn() -> Iterator[None]:
    was = torch._C._get_mkldnn_enabled()
    torch._C._set_mkldnn_enabled(False)
    yield
    torch._C._set_mkldnn_enabled(was)


@pytest.mark.usefixtures("no_onednn")
@pytest.mark.parametrize("shifted", [True, False])
@pytest.mark.parametrize(
    ("kernel", "padding", "strides", "dilations"),
    [((3, 3), (1, 1), (1, 1), (1, 1)), ((5, 3), (2, 0), (2, 1), (1, 1)), ((3, 3), (2, 2), (1, 2), (2, 2))],
)
def test_without_onednn_a_depthwise_convolution_is_what_torch_computes(
    shifted: bool,
    kernel: tuple[int, int],
    padding: tuple[int, int],
    strides: tuple[int, int],
    dilations: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(faster, "prepared_is_faster", lambda *_: shifted)
    monkeypatch.setattr(depthwise, "AT_ONCE", 2000)  # more than one part
    weight, bias, x = torch.randn(6, 1, *kernel), torch.randn(6), torch.randn(5, 6, 17, 13)
    made = _prepared_convolution
    prepared = made(weight, bias, strides, "custom", tuple(np.repeat(padding, 2)), dilations, 6)
    assert prepared is not None
    expected = torch.conv2d(x, weight, bias, strides, padding, dilations, 6)
    torch.testing.assert_close(prepared(PLAIN)(x), expected, atol=1e-5, rtol=1e-5)
    followed = Activation(name="relu", function=torch.relu)
    torch.testing.assert_close(prepared(followed)(x), expected.relu(), atol=1e-5, rtol=1e-5)
    with pytest.raises(ValueError, match="shape"):
        prepared(PLAIN)(torch.randn(5, 7, 17, 13))
    assert made(torch.randn(6, 2, *kernel), bias, strides, "custom", tuple(np.repeat(padding, 2)), dilations, 3) is None
