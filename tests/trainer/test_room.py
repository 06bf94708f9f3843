"""Memory estimated before the first step, and trainings that are made to fit."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tinyml.schema import TrainConfig
from tinyml.trainer import room
from tinyml.trainer.architecture import build, set_recompute
from tinyml.trainer.data import Batch
from tinyml.trainer.learner import Learner
from tinyml.trainer.objective import CrossEntropy
from tinyml.trainer.recipe import configure
from tinyml.trainer.room import fit_memory, free_memory, kept_per_image
from tinyml.trainer.team import Team

CPU = torch.device("cpu")
GB = 1_000_000_000


def densenet() -> TrainConfig:
    return configure("reference", "densenet", "shapes")


def test_what_a_linear_layer_keeps() -> None:
    with torch.device("meta"):
        network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 5), nn.Sigmoid())
    # The layer's input and the sigmoid's output, in float32.
    assert kept_per_image(network, 8) == 4 * (3 * 8 * 8 + 5)


def test_recomputing_keeps_less_than_half() -> None:
    with torch.device("meta"):
        network = build("densenet", 200)
    kept = {}
    for on in (False, True):
        set_recompute(network, on)
        kept[on] = kept_per_image(network)
    assert kept[True] < kept[False] / 2


@pytest.mark.parametrize(
    ("free", "recompute", "parts", "words"),
    [
        (64 * GB, False, 1, None),
        (None, False, 1, None),
        (20 * GB, True, 1, "computed twice instead of kept, which takes about 10."),  # of 24, on which it took 10.2
        (9 * GB, True, 2, "and batches of 128 are computed in 2 parts"),
        (GB // 100, True, 64, "expect swapping"),
    ],
)
def test_a_densenet_fits_where_it_can(free: int | None, recompute: bool, parts: int, words: str | None) -> None:
    fitted = fit_memory(densenet(), 200, free)
    assert (fitted.config.recompute, fitted.config.accumulate) == (recompute, parts)
    assert (fitted.words is None) if words is None else (fitted.words is not None and words in fitted.words)


def test_processes_share_a_batch_and_the_memory_of_their_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    alone, four = (fit_memory(densenet(), 200, 64 * GB, processes) for processes in (1, 4))
    weights = alone.bytes - 128 * (alone.bytes - four.bytes) // 96
    assert four.bytes == pytest.approx(weights + (alone.bytes - weights) / 4, rel=1e-6)
    assert 0 < weights < alone.bytes / 4
    assert fit_memory(densenet(), 200, 8 * GB, 4).config.accumulate == 1  # 2 GB each would not do for one process
    # A batch is never parted into fewer images than there are processes.
    assert fit_memory(densenet(), 200, GB // 100, 4).config.accumulate == 32
    monkeypatch.setattr(room, "available_memory_bytes", lambda: 9 * GB)

    class Third(Team):
        local_size = 3

    assert (free_memory(CPU), free_memory(CPU, Third())) == (9 * GB, 3 * GB)


def test_what_the_user_decided_stands() -> None:
    given = densenet().model_copy(update={"recompute": False, "accumulate": 2})
    assert fit_memory(given, 200, GB // 100).config == given


def test_a_network_that_recomputes_learns_the_same() -> None:
    torch.manual_seed(0)
    images = torch.randn(2, 3, 32, 32)
    one = build("densenet", 4)
    other = build("densenet", 4)
    other.load_state_dict(one.state_dict())
    set_recompute(other, False)
    for network in (one, other):
        network(images).square().mean().backward()
    for name, parameter in one.named_parameters():
        theirs = other.get_parameter(name).grad
        assert parameter.grad is not None
        assert theirs is not None
        torch.testing.assert_close(parameter.grad, theirs, rtol=1e-4, atol=1e-6)
    buffers = dict(other.named_buffers())
    for name, buffer in one.named_buffers():
        if name.endswith("running_mean"):
            torch.testing.assert_close(buffer, buffers[name], rtol=1e-4, atol=1e-6)


def test_a_batch_in_parts_is_the_same_batch(tiny: str) -> None:
    torch.manual_seed(0)
    images, targets = torch.randn(10, 3, 4, 4), torch.randint(0, 5, (10,))
    weights = {}
    for parts in (1, 3):
        torch.manual_seed(1)
        last = nn.Linear(48, 5)
        network = nn.Sequential(nn.Flatten(), last)
        config = TrainConfig(model=tiny, recipe="r", data="d", accumulate=parts, lr=0.5)
        learner = Learner(network, CrossEntropy(label_smoothing=0.1), config, CPU)
        for _ in range(3):
            answer = learner.answer(Batch(images, targets))
            learner.learn(0.5)
        assert answer.logits.shape == (10, 5)
        weights[parts] = last.weight.detach().clone()
        assert isinstance(answer.loss.item(), float)
    torch.testing.assert_close(weights[1], weights[3], rtol=1e-5, atol=1e-6)
