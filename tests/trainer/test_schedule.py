"""The learning rate, optimizers and averages, each against its definition."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from tinyml.errors import CheckpointError
from tinyml.schema import TrainConfig
from tinyml.trainer.architecture import architectures, build
from tinyml.trainer.ema import averaged
from tinyml.trainer.optimizer import OptimizerState, build_optimizer, optimizers, parameter_groups
from tinyml.trainer.schedule import learning_rate

CPU = torch.device("cpu")


def config(**changes: object) -> TrainConfig:
    fields: dict[str, object] = {"model": "vit", "recipe": "test", "data": "shapes", "epochs": 10, "lr": 0.4}
    return TrainConfig(**{**fields, **changes})


def test_cosine_is_torchs() -> None:
    # Oracle: CosineAnnealingLR, which recurses; so it differs by rounding only.
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], 0.4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 70)
    for step in range(70):
        assert learning_rate(config(), step, 7) == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-12)
        optimizer.step()
        schedule.step()


def test_warmup_is_linear_and_ends_at_the_rate() -> None:
    rates = [learning_rate(config(warmup_epochs=2, warmup_start_lr=0.1), step, 5) for step in range(50)]
    assert rates[:10] == pytest.approx([0.1 + 0.03 * (i + 1) for i in range(10)])
    assert max(rates) == pytest.approx(0.4)
    assert rates[10] == pytest.approx(0.4)
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert rates[-1] < 0.001


def test_total_epochs_stretch_the_schedule() -> None:
    assert learning_rate(config(total_epochs=20), 50, 5) == pytest.approx(0.2)
    assert learning_rate(config(), 50, 5) == pytest.approx(0, abs=1e-12)
    assert learning_rate(config(scheduler="none", warmup_epochs=1), 40, 5) == 0.4


@pytest.mark.parametrize("name", architectures.names())
def test_what_decays(name: str) -> None:
    with torch.device("meta"):
        model = build(name, 4)
    decaying, free = (group["params"] for group in parameter_groups(model, 0.1, architectures.get(name).no_decay))
    names = {id(parameter): n for n, parameter in model.named_parameters()}
    assert isinstance(decaying, list)
    assert isinstance(free, list)
    assert len(decaying) + len(free) == len(names)
    assert all(names[id(p)].endswith("weight") and p.ndim >= 2 for p in decaying)
    layers = [module for module in model.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    assert len(decaying) == len(layers)


def test_weight_decay_zero_for_the_rest() -> None:
    groups = parameter_groups(build("vit", 2), 0.1)
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0]


@pytest.mark.parametrize("name", optimizers.names())
def test_optimizer_state_survives(name: str) -> None:
    def stepped(model: nn.Module, steps: int, opt: torch.optim.Optimizer) -> None:
        for i in range(steps):
            opt.zero_grad()
            model(torch.full((2, 3), float(i + 1))).square().sum().backward()
            opt.step()

    torch.manual_seed(0)
    settings = config(optimizer=name, lr=0.01)
    one = nn.Linear(3, 2)
    first = build_optimizer(one, settings, CPU)
    stepped(one, 2, first)
    other = nn.Linear(3, 2)
    other.load_state_dict(one.state_dict())
    second = build_optimizer(other, settings, CPU)
    OptimizerState(second).load({k: v.clone() for k, v in OptimizerState(first).tensors().items()}, "file")
    stepped(one, 2, first)
    stepped(other, 2, second)
    assert torch.equal(one.weight, other.weight)
    assert torch.equal(one.bias, other.bias)


def test_the_four_optimizers_are_there() -> None:
    assert {"sgd", "adam", "adamw", "rmsprop"} <= set(optimizers)


def test_frozen_parameters_are_in_no_group() -> None:
    model = nn.Linear(3, 2)
    model.bias.requires_grad_(False)
    assert [group["params"] for group in parameter_groups(model, 0.1)] == [[model.weight], []]


@pytest.mark.parametrize("bad", ["9.momentum_buffer", "x.momentum_buffer", "0.momentum_buffer"])
def test_foreign_optimizer_state(bad: str) -> None:
    opt = build_optimizer(nn.Linear(3, 2), config(), CPU)
    with pytest.raises(CheckpointError, match="another optimizer"):
        OptimizerState(opt).load({bad: torch.zeros(5)}, "file")


def test_average_by_hand() -> None:
    model = nn.BatchNorm1d(1)
    assert model.running_mean is not None
    assert model.num_batches_tracked is not None
    average = averaged(model, 0.5)
    value = math.nan
    for n, weight in enumerate([1.0, 3.0, 7.0, -2.0]):
        with torch.no_grad():
            model.weight.fill_(weight)
            model.running_mean.fill_(weight)
        model.num_batches_tracked.fill_(n)
        average.update_parameters(model)
        kept = min(0.5, (1 + n) / (10 + n))
        value = weight if n == 0 else kept * value + (1 - kept) * weight
    averages = average.module.state_dict()
    assert averages["weight"].item() == pytest.approx(value, rel=1e-6)
    assert averages["running_mean"].item() == pytest.approx(value, rel=1e-6)
    assert averages["num_batches_tracked"].item() == 3
