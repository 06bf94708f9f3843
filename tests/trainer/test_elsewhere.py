"""The way of a training on an accelerator, gone without one: torch's `meta` device has shapes, and no values.

Whatever a step does on `cuda` it does on `meta` here: images that lie on the device, augmentation and mixing there, the
network in channels last, every optimizer, the average, the compiled network and the counting. An operation between a
tensor of the device and one of the CPU raises, and so does whatever asks the device for a value, for which the CPU
would wait until all is done that it was given before.

What this cannot show: values (the kernels of CUDA and MPS compute none of these), speed and memory; copies, whose order
and blocking only a device has; autocast, which `meta` lacks (that it is asked for is shown, what it does is not); fused
optimizers, float16's scaling, and code that a compiler makes for a device (the tracing is shown, by torch's own
backend that runs what was traced as it stands). For these see the tests that are marked `cuda`, or a training there.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from tinyml.progress import Silent
from tinyml.schema import TrainConfig
from tinyml.trainer import learner as learner_module
from tinyml.trainer import loop, training
from tinyml.trainer.data import Batch, Dataset, TrainBatches
from tinyml.trainer.data import resident as resident_module
from tinyml.trainer.data.resident import Resident
from tinyml.trainer.device import sent
from tinyml.trainer.learner import Answer, Learner
from tinyml.trainer.objective import objective_of
from tinyml.trainer.optimizer import optimizers
from tinyml.trainer.pace import Counted
from tinyml.trainer.recipe import changed, configure
from tinyml.trainer.start import Scratch
from tinyml.trainer.tally import Tally
from tinyml.workspace import Workspace

from .conftest import LABELS, config

META = torch.device("meta")
BATCH = 8

VARIANTS: dict[str, dict[str, object]] = {
    "plain": {},
    "trivial": {"policy": "trivial"},
    "rand": {"policy": "rand"},
    "half the size": {"resolution": "32"},
    "three quarters of the size": {"resolution": "48"},
    "rotated": {"rotation_degrees": 10.0},
    "in parts": {"accumulate": 2},
    "clipped": {"clip_norm": 1.0},
    "balanced": {"class_weights": "balanced"},
    "at random mirrored": {"alternate_flip": False},
    **{name: {"optimizer": name} for name in optimizers.names()},
}


def batches_of(settings: TrainConfig, data: Dataset) -> TrainBatches:
    split = data.split("train")
    return TrainBatches(split, settings, data.index.preprocess, len(LABELS), META, pixels=Resident(split, META))


def learner_of(settings: TrainConfig, data: Dataset) -> Learner:
    objective = objective_of(settings, data.split("train").labels, len(LABELS))
    learner = Learner(Scratch().network(settings, LABELS), objective, settings, META)
    learner.begin()
    return learner


def steps(settings: TrainConfig, data: Dataset, count: int = 2) -> Iterator[tuple[Batch, Answer]]:
    """Some steps of a training, with their counting."""
    learner, tally = learner_of(settings, data), Tally(META)
    for _, batch in zip(range(count), batches_of(settings, data).epoch(1), strict=False):
        answer = learner.answer(batch)
        learner.learn(0.1)
        tally.add(answer.loss, answer.logits, batch)
        yield batch, answer
    assert tally.images == count * BATCH


def check(batch: Batch, answer: Answer, size: int) -> None:
    tensors = (batch.images, batch.targets, answer.loss, answer.logits)
    assert {tensor.device.type for tensor in tensors} == {"meta"}
    assert batch.images.shape == (BATCH, 3, size, size)
    assert batch.images.is_contiguous(memory_format=torch.channels_last)
    assert answer.logits.shape == (BATCH, len(LABELS))


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("recipe", ["reference", "best"])
def test_a_step_stays_on_the_device_and_waits_for_nothing(recipe: str, variant: str, colors: Dataset) -> None:
    changes = VARIANTS[variant]
    settings = changed(configure(recipe, "resnet20", "colors", {"batch_size": BATCH}), changes)
    assert (settings.ema_decay is not None, settings.mixup_alpha > 0) == (recipe == "best",) * 2
    size = int(str(changes.get("resolution", 64)))
    made = list(steps(settings, colors))
    assert len(made) == 2
    for batch, answer in made:
        check(batch, answer, size)


@pytest.mark.usefixtures("tiny")
def test_the_compiled_network_takes_the_same_way(colors: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, object]] = []
    compiling = torch.compile

    def traced(network: torch.nn.Module, **options: object) -> object:
        asked.append(options)
        return compiling(network, backend="eager", **options)  # type: ignore[call-overload]

    monkeypatch.setattr(torch, "compile", traced)
    for compiled in (False, True):
        for batch, answer in steps(config(compiled=compiled, dropout=0.1), colors):
            check(batch, answer, 64)
    assert asked == [{"dynamic": False}]
    torch.compiler.reset()


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_is_asked_of_the_device(
    precision: str, colors: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[torch.device, str]] = []

    def noted(device: torch.device, wanted: str) -> contextlib.AbstractContextManager[object]:
        asked.append((device, wanted))
        return contextlib.nullcontext()

    monkeypatch.setattr(learner_module, "autocast", noted)
    monkeypatch.setattr(learner_module, "scaler_of", lambda *_: torch.amp.GradScaler("cpu", enabled=False))
    assert len(list(steps(config(precision=precision), colors))) == 2
    assert asked == [(META, precision)] * 2


class Counting(Silent):
    """Counts the batches that are over."""

    def __init__(self) -> None:
        self.batches = 0

    def advance(self, amount: int = 1, info: str = "") -> None:
        assert info == ""  # the loss, which only the device knows, is not shown
        self.batches += 1


@pytest.mark.usefixtures("tiny")
def test_the_loop_asks_for_a_value_at_the_end_of_an_epoch_alone(
    colors: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Resident] = []

    def resident(split: object, device: torch.device, *, shown: int) -> Resident:
        assert device == META
        assert shown == 3 * len(colors.split("train"))
        made.append(Resident(split, device))  # type: ignore[arg-type]
        return made[0]

    monkeypatch.setattr("tinyml.trainer.data.batches.pixels_of", resident)
    seen = Counting()
    settings = config(mixup_alpha=0.2, cutmix_alpha=1.0, ema_decay=0.9, dropout=0.1)
    with pytest.raises(RuntimeError, match=r"item\(\) cannot be called on meta tensors"):
        loop.train(settings, colors, Workspace(tmp_path), device=META, progress=seen)
    assert len(made) == 1
    assert seen.batches == len(colors.split("train")) // BATCH - 1  # all but the last, whose loss is looked at
    assert seen.batches < training.ACCELERATOR_CHECK_STEPS


class Copies(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes which functions of the trainer copy from the CPU to the device."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.by: set[str] = set()

    def __torch_dispatch__(
        self, func: Any, types: object, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        given = [value for value in args if isinstance(value, Tensor) and value.device.type == "cpu"]
        if given and isinstance(result, Tensor) and result.device == META:
            frame: FrameType | None = sys._getframe()
            while frame is not None and not str(frame.f_globals.get("__name__")).startswith("tinyml.trainer."):
                frame = frame.f_back
            assert frame is not None
            self.by.add(frame.f_code.co_name)
        return result


@pytest.mark.parametrize("variant", ["plain", "rand", "trivial", "rotated", "three quarters of the size", "balanced"])
def test_all_copies_to_the_device_go_one_way(variant: str, colors: Dataset) -> None:
    """By `sent`, which does not wait; the network and the images as a whole are there before the first step."""
    settings = changed(configure("best", "resnet20", "colors", {"batch_size": BATCH}), VARIANTS[variant])
    learner, batches, tally = learner_of(settings, colors), batches_of(settings, colors), Tally(META)
    jobs = list(islice(batches.jobs(1, 0, Counted(settings, len(batches))), 3))
    with Copies() as copies:
        for job in jobs:
            batch = job()
            answer = learner.answer(batch)
            learner.learn(0.1)
            tally.add(answer.loss, answer.logits, batch)
    assert copies.by == {"sent"}


def test_a_copy_to_cuda_is_queued() -> None:
    asked: list[object] = []

    class Noted:
        def pin_memory(self) -> Noted:
            asked.append("pinned")
            return self

        def to(self, device: torch.device, non_blocking: bool = False) -> Noted:
            asked.append((device.type, non_blocking))
            return self

    for name in ("cuda", "mps", "cpu"):
        sent(Noted(), torch.device(name))  # type: ignore[arg-type]
    assert asked == ["pinned", ("cuda", True), ("mps", False), ("cpu", False)]


def test_what_waits_is_found() -> None:
    """The tests above would fail: a value, a choice by one, and tensors of two devices."""
    there: Tensor = torch.ones(3, device=META)
    for waits in (lambda: there.sum().item(), lambda: bool(there.any()), lambda: there.nonzero(), lambda: there.cpu()):
        with pytest.raises((RuntimeError, NotImplementedError)):
            waits()
    with pytest.raises(RuntimeError):
        there + torch.ones(3)


def test_images_lie_on_the_device_whole(colors: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    split = colors.split("train")
    monkeypatch.setattr(resident_module, "AT_ONCE", 5)
    images = Resident(split, META).of(np.array([7, 0, 9, 0]))
    assert (images.device, images.dtype, images.shape) == (META, torch.uint8, (4, 3, 64, 64))
