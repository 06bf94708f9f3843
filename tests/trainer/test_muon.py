"""Muon: orthogonal updates, torch's own Muon as the oracle, and which parameters it leaves to AdamW."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tinyml.schema import TrainConfig
from tinyml.trainer.architecture import architectures, build
from tinyml.trainer.newton_schulz import orthogonalized
from tinyml.trainer.optimizer import build_optimizer
from tinyml.trainer.optimizers.muon import Muon

CPU = torch.device("cpu")


def config(**changes: object) -> TrainConfig:
    return TrainConfig(**{"model": "m", "recipe": "r", "data": "d", "optimizer": "muon", "lr": 0.02, **changes})


def test_a_matrix_is_updated_as_torchs_muon_does() -> None:
    torch.manual_seed(0)
    start = torch.randn(8, 12)
    one, other = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    mine = Muon([{"params": [one], "weight_decay": 0.1, "orthogonal": True}], 0.02, 0.9)
    theirs = torch.optim.Muon([other], lr=0.02, momentum=0.9, weight_decay=0.1)
    for step in range(3):
        gradient = torch.randn(8, 12, generator=torch.Generator().manual_seed(step))
        one.grad, other.grad = gradient.clone(), gradient.clone()
        mine.step()
        theirs.step()  # type: ignore[no-untyped-call]
    # Theirs iterates in bfloat16: 8 bits of a step of 0.02.
    torch.testing.assert_close(one, other, rtol=0, atol=2e-3)


@pytest.mark.parametrize(
    ("precision", "dtype"), [("fp32", torch.float32), ("fp16", torch.float32), ("bf16", torch.bfloat16)]
)
def test_the_iteration_is_as_coarse_as_the_training(precision: str, dtype: torch.dtype) -> None:
    network = nn.Sequential(nn.Linear(80, 120, bias=False), nn.Linear(120, 4))  # smaller ones need no bfloat16
    optimizer = build_optimizer(network, config(precision=precision, weight_decay=0.0), CPU)
    matrix = network.get_parameter("0.weight")
    start = matrix.detach().clone()
    matrix.grad = torch.randn(120, 80, generator=torch.Generator().manual_seed(0))
    optimizer.step()
    momentum = torch.zeros_like(matrix.grad).lerp(matrix.grad, 0.1)
    looked_ahead = torch.lerp(matrix.grad, momentum, 0.9)  # 0.19 of it, to the last bit, on which bfloat16 depends
    update = orthogonalized(looked_ahead[None], dtype)[0] * 1.5**0.5
    torch.testing.assert_close(start - matrix.detach(), 0.02 * update, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", architectures.names())
def test_what_is_inside_is_orthogonal_and_the_classifier_is_not(name: str) -> None:
    with torch.device("meta"):
        network = build(name, 4)
    optimizer = build_optimizer(network, config(model=name), CPU, no_decay=architectures.get(name).no_decay)
    names = {id(parameter): key for key, parameter in network.named_parameters()}
    hidden = [names[id(p)] for group in optimizer.param_groups if group["orthogonal"] for p in group["params"]]
    others = [names[id(p)] for group in optimizer.param_groups if not group["orthogonal"] for p in group["params"]]
    assert len(hidden) + len(others) == len(names)
    assert len(hidden) > 4
    last = [key for key, module in network.named_modules() if isinstance(module, nn.Linear)][-1]
    assert f"{last}.weight" in others
    convolutions = {key: module for key, module in network.named_modules() if isinstance(module, nn.Conv2d)}
    depthwise = {f"{key}.weight" for key, module in convolutions.items() if module.groups > 1}
    assert depthwise.isdisjoint(hidden)
    assert all(
        network.get_parameter(key).ndim < 2
        or key in {*architectures.get(name).no_decay, *depthwise}
        or key.startswith(last)
        for key in others
    )


def test_a_frozen_classifier_leaves_the_last_filters_to_muon() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3), nn.Flatten(), nn.Linear(8, 2))
    network[3].requires_grad_(False)
    optimizer = build_optimizer(network, config(), CPU)
    inside = [p for group in optimizer.param_groups if group["orthogonal"] for p in group["params"]]
    assert {id(p) for p in inside} == {id(network[0].weight), id(network[1].weight)}
