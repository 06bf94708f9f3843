"""Networks prepared for answering: every architecture answers as before, with fewer layers, and is left as it was."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tinyml.trainer.architecture import architectures
from tinyml.trainer.inference import for_inference

from .networks import network_of


@pytest.mark.parametrize("name", architectures.names())
def test_answers_as_the_network_does(name: str) -> None:
    network = network_of(name, 7)
    kept = {key: value.clone() for key, value in network.state_dict().items()}
    fast = for_inference(network)
    images = torch.randn(2, 3, 64, 64)
    network.eval()
    with torch.inference_mode():
        expected, answer = network(images), fast(images)
    torch.testing.assert_close(answer, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))
    assert all(torch.equal(value, kept[key]) for key, value in network.state_dict().items())
    left, there = (sum(isinstance(module, nn.BatchNorm2d) for module in n.modules()) for n in (fast, network))
    assert left < there or there == 0 or name == "densenet"


def test_nothing_else_is_folded() -> None:
    network = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 1), nn.ReLU(), nn.BatchNorm2d(4))
    kinds = [type(module) for module in network]
    assert [type(module) for module in for_inference(network).children()] == kinds
