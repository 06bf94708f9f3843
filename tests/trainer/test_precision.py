"""Trainings in half precision: as good as in float32, to be gone on with, and chosen where they are faster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from tinyml.errors import TrainingError
from tinyml.schema import TrainConfig
from tinyml.trainer import precision, prepare
from tinyml.trainer.data import Batch, Dataset
from tinyml.trainer.learner import Learner
from tinyml.trainer.loop import train
from tinyml.trainer.objective import CrossEntropy
from tinyml.trainer.precision import Quicker, quicker
from tinyml.trainer.prepare import Wish
from tinyml.trainer.start import Resumed, Scratch
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


def timed(monkeypatch: pytest.MonkeyPatch, fp32: float, bf16: float) -> list[TrainConfig]:
    """Steps that take so many seconds in place of real ones, on a machine whose speed doubles now and then."""
    tried: list[TrainConfig] = []

    def step(settings: TrainConfig, *_: object) -> Callable[[], float]:
        tried.append(settings)
        seconds = {"fp32": fp32, "bf16": bf16}[settings.precision]
        paces: Iterator[float] = iter([1.0, 1.0, 2.0, 2.0, 1.0, 1.0])
        return lambda: seconds * next(paces)

    monkeypatch.setattr(precision, "_step", step)
    return tried


@pytest.mark.parametrize(("bf16", "expected"), [(0.5, "bf16"), (0.88, "bf16"), (0.95, "fp32"), (1.4, "fp32")])
def test_bfloat16_is_taken_where_it_is_clearly_faster(
    monkeypatch: pytest.MonkeyPatch, colors: Dataset, bf16: float, expected: str
) -> None:
    tried = timed(monkeypatch, 1.0, bf16)
    long = config(epochs=10_000, batch_size=48, resolution="32:64", accumulate=4)
    found = quicker(long, colors, CPU, Scratch(), worth_trying=lambda _: True)
    assert found.precision == expected
    assert found.words is not None
    assert f"{1 / bf16:.2g} times as fast" in found.words
    assert {(each.batch_size, each.resolution, each.accumulate) for each in tried} == {(16, "64", 1)}


def test_what_is_short_or_cannot_gain_is_not_tried(monkeypatch: pytest.MonkeyPatch, colors: Dataset) -> None:
    tried = timed(monkeypatch, 1.0, 0.1)
    nothing = Quicker(precision="fp32")
    assert quicker(config(epochs=10_000), colors, CPU, Scratch(), worth_trying=lambda _: False) == nothing
    assert quicker(config(), colors, CPU, Scratch(), worth_trying=lambda _: True) == nothing
    assert not tried


def test_a_trial_that_would_outlast_its_share_ends_after_the_first_steps(
    monkeypatch: pytest.MonkeyPatch, colors: Dataset
) -> None:
    timed(monkeypatch, 1.0, 0.1)
    found = quicker(config(epochs=10_000), colors, CPU, Scratch(), -1.0, worth_trying=lambda _: True)
    assert found == Quicker(precision="fp32")


def test_real_steps_are_tried_in_both(colors: Dataset) -> None:
    found = quicker(config(epochs=10_000), colors, CPU, Scratch(), worth_trying=lambda _: True)
    assert found.words is not None


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ({"recipe": "best"}, "bf16"),
        ({"recipe": "best", "changes": {"precision": "fp32"}}, "fp32"),
        ({"budget": "1h"}, "bf16"),
        ({"budget": "1h", "changes": {"precision": "fp32"}}, "fp32"),
        ({"recipe": "reference"}, "fp32"),
    ],
)
def test_the_best_recipe_alone_takes_the_quicker(
    monkeypatch: pytest.MonkeyPatch, tiny: str, colors: Dataset, wish: dict[str, object], expected: str
) -> None:
    monkeypatch.setattr(prepare, "open_dataset", lambda *_, **__: colors)
    monkeypatch.setattr(prepare, "quicker", lambda *_: Quicker(precision="bf16", words="measured"))
    fields = {"model": tiny, "changes": {}, **wish}
    ready = prepare.prepare(Wish(**fields), CPU)  # type: ignore[arg-type]
    assert ready.config.precision == expected
    assert ("measured" in ready.words) == (expected == "bf16")


def test_the_weights_are_averaged_over_the_updates_that_these_images_make(
    monkeypatch: pytest.MonkeyPatch, tiny: str, colors: Dataset
) -> None:
    monkeypatch.setattr(prepare, "open_dataset", lambda *_, **__: colors)
    monkeypatch.setattr(prepare, "quicker", lambda *_: Quicker(precision="fp32"))
    wish = Wish(model=tiny, recipe="best", changes={"epochs": 50, "batch_size": 8})
    config = prepare.prepare(wish, CPU).config
    assert config.ema_decay == pytest.approx(1 - 1 / (0.03 * 50 * 48 / 8), abs=1e-5)


@pytest.mark.parametrize("trial", ["quicker", "fit"])
def test_memory_that_runs_out_in_a_trial_is_told(
    monkeypatch: pytest.MonkeyPatch, tiny: str, colors: Dataset, trial: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(prepare, "open_dataset", lambda *_, **__: colors)
    monkeypatch.setattr(prepare, "quicker", lambda *_: Quicker(precision="fp32"))
    monkeypatch.setattr(prepare, trial, full)
    with pytest.raises(
        TrainingError, match="the device ran out of memory with a batch size of 128; try --batch-size 64"
    ):
        prepare.prepare(Wish(model=tiny, changes={}, budget="1h"), CPU)
