"""Trainings in half precision: as good as in float32, and to be gone on with."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from tinyml.schema import TrainConfig
from tinyml.trainer.data import Batch, Dataset
from tinyml.trainer.learner import Learner
from tinyml.trainer.loop import train
from tinyml.trainer.objective import CrossEntropy
from tinyml.trainer.start import Resumed
from tinyml.trainer.state import read_state
from tinyml.workspace import Workspace

from .conftest import config
from .test_loop import Interrupting, same_state

CPU = torch.device("cpu")
pytestmark = pytest.mark.usefixtures("tiny")


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_learns_what_float32_does(precision: str, colors: Dataset, tmp_path: Path) -> None:
    losses = {}
    for kind in ("fp32", precision):
        made = train(config(precision=kind, clip_norm=1.0), colors, Workspace(tmp_path / kind), device=CPU)
        losses[kind] = [record.val_loss for record in made.history.epochs]
    # bfloat16 has 8 bits for a product, float16 has 11; both are summed in float32.
    assert losses[precision] == pytest.approx(losses["fp32"], rel=0.02)
    assert losses[precision] != losses["fp32"]


def test_a_training_in_float16_goes_on_where_it_stopped(colors: Dataset, tmp_path: Path) -> None:
    whole, parts = Workspace(tmp_path / "whole"), Workspace(tmp_path / "parts")
    train(config(precision="fp16"), colors, whole, device=CPU)
    first = train(config(precision="fp16"), colors, parts, device=CPU, progress=Interrupting(4))
    assert first.interrupted
    state = read_state(first.state)
    assert state.tensors["scaler/unchanged_steps"] == 4
    train(config(precision="fp16"), colors, parts, device=CPU, start=Resumed(state))
    same_state(whole, parts)


def test_an_update_that_is_not_finite_is_left_out_and_the_scale_falls(tiny: str) -> None:
    last = nn.Linear(12, 3)
    network = nn.Sequential(nn.Flatten(), last)
    settings = TrainConfig(model=tiny, recipe="r", data="d", precision="fp16", lr=0.1)
    learner = Learner(network, CrossEntropy(label_smoothing=0.0), settings, CPU)
    batch = Batch(torch.randn(4, 3, 2, 2), torch.tensor([0, 1, 2, 0]))
    before = last.weight.detach().clone()
    learner.answer(batch)
    assert last.weight.grad is not None
    last.weight.grad[0, 0] = torch.inf
    scale = learner.parts["scaler"].tensors()["scale"]
    learner.learn(0.1)
    assert torch.equal(last.weight, before)
    assert learner.parts["scaler"].tensors()["scale"] == scale / 2
    learner.answer(batch)
    learner.learn(0.1)
    assert not torch.equal(last.weight, before)
