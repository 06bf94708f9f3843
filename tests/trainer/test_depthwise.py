"""Depthwise convolutions give torch's values and gradients, also where the kernel's gradient is computed by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tinyml.trainer.depthwise import DepthwiseConv2d


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [3, 5, 7])
@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (3, 4), (4, 3), (5, 7), (9, 9)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_gradients_are_those_of_a_convolution_in_float64(
    layout: torch.memory_format, shape: tuple[int, int], kernel: int, stride: int, bias: bool
) -> None:
    torch.manual_seed(0)
    layer = DepthwiseConv2d(6, kernel, stride=stride, bias=bias).to(memory_format=layout)
    exact = nn.Conv2d(6, 6, kernel, stride=stride, padding=kernel // 2, groups=6, bias=bias, dtype=torch.float64)
    exact.load_state_dict(layer.state_dict())
    images = torch.randn(3, 6, *shape).contiguous(memory_format=layout).requires_grad_()
    same = images.detach().double().requires_grad_()
    output, expected = layer(images), exact(same)
    weights = torch.randn_like(expected)
    (output * weights.float()).sum().backward()
    (expected * weights).sum().backward()

    torch.testing.assert_close(output.double(), expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(images.grad, same.grad, check_dtype=False, rtol=1e-5, atol=1e-5)
    for ours, theirs in zip(layer.parameters(), exact.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, check_dtype=False, rtol=1e-5, atol=1e-5)


def test_by_hand_only_where_it_gains(monkeypatch: pytest.MonkeyPatch) -> None:
    applied: list[tuple[int, ...]] = []
    layer = DepthwiseConv2d(4, 5)
    plain = nn.Conv2d.forward

    def counted(self: nn.Conv2d, images: torch.Tensor) -> torch.Tensor:
        applied.append(tuple(images.shape[2:]))
        return plain(self, images)

    monkeypatch.setattr(nn.Conv2d, "forward", counted)
    small, large = torch.randn(2, 4, 4, 4), torch.randn(2, 4, 5, 5)
    layer(small)
    assert not applied
    layer(large)
    layer.eval()
    layer(small)
    layer.train()
    with torch.no_grad():
        layer(small)
    assert applied == [(5, 5), (4, 4), (4, 4)]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("side", [4, 9])
def test_in_float32_where_the_rest_has_fewer_bits(side: int, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    before, layer = nn.Conv2d(3, 4, 1), DepthwiseConv2d(4, 5)
    images = torch.randn(2, 3, side, side)
    with torch.autocast("cpu", dtype):
        rounded = before(images)
        output = layer(rounded)
        assert before(output[:, :3]).dtype == rounded.dtype == dtype  # the rest still is
    expected = nn.functional.conv2d(rounded.float(), layer.weight, layer.bias, padding=2, groups=4)
    assert output.dtype == torch.float32
    torch.testing.assert_close(output, expected)
    output.sum().backward()
    assert layer.weight.grad is not None
    assert before.weight.grad is not None
    assert float(before.weight.grad.abs().sum()) > 0


def test_what_is_frozen_costs_nothing() -> None:
    layer = DepthwiseConv2d(4, 5)
    layer.weight.requires_grad_(False)
    images = torch.randn(2, 4, 2, 2, requires_grad=True)
    layer(images).sum().backward()
    assert layer.weight.grad is None
    assert images.grad is not None
    assert float(images.grad.abs().sum()) > 0
