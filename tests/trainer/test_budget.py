"""Time budgets, on a clock of their own: no test waits, and none depends on the machine's speed."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tinyml.errors import TrainingError, UsageError
from tinyml.progress import Silent
from tinyml.schema import TrainConfig
from tinyml.trainer import budget, loop
from tinyml.trainer.architecture import architectures
from tinyml.trainer.budget import Cost, Speeds, Took, fitted, seconds_of
from tinyml.trainer.data import Dataset
from tinyml.trainer.learner import Learner
from tinyml.trainer.loop import train
from tinyml.trainer.pace import FINISH_SECONDS, Timed
from tinyml.trainer.recipe import configure
from tinyml.trainer.resolution import shares, size_at, sizes
from tinyml.trainer.schedule import learning_rate
from tinyml.trainer.start import Resumed, Scratch
from tinyml.trainer.state import read_state
from tinyml.workspace import Workspace

from .conftest import TinyNet
from .test_loop import Interrupting

CPU = torch.device("cpu")
SPEEDS = Speeds(
    training={size: Cost(image=1 / rate) for size, rate in ((32, 200), (48, 90), (64, 50))}, validation=150.0
)


@pytest.mark.parametrize(
    ("text", "seconds"), [("45m", 2700), ("2h", 7200), ("1h30m", 5400), ("90s", 90), ("1.5h", 5400), ("10 min", 600)]
)
def test_times_as_people_write_them(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["45", "", "m", "soon", "-3m", "45m!", "1s", "9000d"])
def test_what_is_no_time_is_refused_in_a_line(text: str) -> None:
    with pytest.raises(UsageError, match="--budget") as caught:
        seconds_of(text)
    assert "\n" not in str(caught.value)


def planned(seconds: float, changes: dict[str, object] | None = None, model: str = "resnet") -> TrainConfig:
    changes = changes or {}
    first = configure("best", model, "shapes", {"resolution": "32:48:64", **changes})
    return fitted(seconds, seconds, "best", first, changes, SPEEDS, 80_000, 20_000).config


@pytest.mark.parametrize("hours", [0.05, 0.75, 4, 48, 480])
def test_a_plan_fills_its_budget(hours: float) -> None:
    config = planned(hours * 3600)
    assert config.budget is not None
    assert config.budget.seconds == hours * 3600
    validations = max(1, config.epochs) * (config.validate_images or 20_000) / SPEEDS.validation
    whole = sum(config.budget.phase_seconds) + validations + FINISH_SECONDS
    # A pass that is cut short is validated as well: two epochs more or less when there are few.
    assert whole == pytest.approx(hours * 3600, rel=0.12)
    assert sizes(config) == (32, 48, 64)
    assert size_at(config, 1.0) == 64


@pytest.mark.parametrize("model", ["efficientnet", "resnet20"])
def test_what_is_planned_fits_whatever_leaps_with_the_passes(model: str) -> None:
    """Shares, batches and mixing follow the number of passes, and that follows them."""
    shown = []
    for minutes in range(10, 150, 5):
        config = planned(minutes * 60, model=model)
        assert config.budget is not None
        assert sum(config.budget.phase_seconds) == pytest.approx(minutes * 60 * 0.95 - 2, rel=0.001)
        shown.append(config.full_size_share)
    assert shown == sorted(shown)
    assert (shown[0], shown[-1]) == (0.15, 0.35)


def test_a_slow_validation_leaves_time_to_train() -> None:
    slow = Speeds(training={size: Cost(image=size / 384) for size in (32, 48, 64)}, validation=9.0)
    first = configure("best", "densenet", "shapes", {"resolution": "32:48:64"})
    config = fitted(60, 50, "best", first, {}, slow, 80_000, 20_000).config
    assert config.budget is not None
    assert config.validate_images == 112  # in a quarter of the time
    assert sum(config.budget.phase_seconds) == pytest.approx(50 - 112 / 9 - 2)
    assert config.budget.finish_seconds == pytest.approx(112 / 9 + 2)
    changes = {"validate_images": 2_000}
    first = configure("best", "densenet", "shapes", {"resolution": "32:48:64", **changes})
    with pytest.raises(UsageError, match="--budget is too short for this machine"):
        fitted(60, 50, "best", first, changes, slow, 80_000, 20_000)


def test_few_passes_are_regularized_lightly_and_many_fully() -> None:
    short, middle, full = (planned(hours * 3600, model="resnet20") for hours in (0.5, 15, 100))
    assert (short.mix_probability, short.erasing, short.drop_path, short.scheduler) == (0, 0, 0, "linear")
    assert short.batch_size < middle.batch_size == full.batch_size
    assert 0 < middle.mix_probability < full.mix_probability == 0.8
    assert short.ema_decay is not None
    assert middle.ema_decay is not None
    assert full.ema_decay is not None
    assert short.ema_decay < middle.ema_decay <= full.ema_decay
    assert short.full_size_share < middle.full_size_share


def test_from_six_passes_on_some_images_are_mixed_and_from_four_a_third_are_of_full_size() -> None:
    found = {n: configure("best", "efficientnet", "tiny-imagenet", {"epochs": n}) for n in (3, 5, 8, 16)}
    assert [found[n].full_size_share for n in found] == [0.15, 0.25, 0.35, 0.35]
    assert [found[n].mix_probability for n in found] == [0, 0, 0.2, 0.2]
    assert [found[n].cutmix_alpha for n in found] == [0, 0, 1, 1]
    assert [found[n].mixup_alpha for n in found] == [0, 0, 0, 0]
    unmixed = configure("best", "efficientnet", "tiny-imagenet", {"epochs": 8, "mix_probability": 0.0})
    assert (unmixed.mix_probability, unmixed.cutmix_alpha) == (0, 0)


FEW = {"epochs": 3}


@pytest.mark.parametrize(
    ("model", "changes", "optimizer", "lr"),
    [
        ("vit", FEW, "muon", 0.02),
        ("efficientnet", FEW, "muon", 0.02),
        ("vgg", FEW, "muon", 0.02),
        ("densenet", FEW, "muon", 0.02),
        ("vit", {"epochs": 12}, "adamw", 1e-3),
        ("vit", {**FEW, "lr": 5e-4}, "adamw", 5e-4),
        ("vit", {**FEW, "optimizer": "adamw"}, "adamw", 1e-3),
        ("vit", {**FEW, "init": {"path": "/weights.safetensors", "sha256": "0" * 64}}, "adamw", 1e-3),
        ("resnet", FEW, "muon", 0.02),
        ("resnet7x7", FEW, "muon", 0.02),
        ("alexnet", FEW, "muon", 0.02),
        ("resnet20", FEW, "sgd", 0.1),
    ],
)
def test_few_passes_from_scratch_are_the_quick_optimizers(
    model: str, changes: dict[str, object], optimizer: str, lr: float
) -> None:
    config = configure("best", model, "tiny-imagenet", changes)
    assert (config.optimizer, config.lr) == (optimizer, lr)
    if optimizer == "muon":
        assert (config.weight_decay, config.momentum) == (0.05, 0.95)
    # Its step costs whatever the batch, so that smaller ones would not be more updates.
    assert config.batch_size == (128 if optimizer == "muon" or changes["epochs"] == 12 else 64)


def test_the_steps_that_are_tried_are_the_chosen_optimizers(colors: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def probe(config: TrainConfig, *_: object) -> Speeds:
        tried.append(config.optimizer)
        return Speeds(training={size: Cost(image=0.1, step=2.0) for size in (32, 48, 64)}, validation=1000.0)

    monkeypatch.setattr(budget, "probe", probe)
    planned = budget.fit(60, "best", "vit", "colors", {}, colors, CPU)
    assert planned.config.optimizer == "muon"
    assert tried == ["adamw", "muon"]
    tried.clear()
    assert budget.fit(60, "best", "resnet20", "colors", {}, colors, CPU).config.optimizer == "sgd"
    assert tried == ["sgd"]


@pytest.mark.parametrize("model", architectures.names())
def test_every_model_can_be_planned(model: str) -> None:
    growing = architectures.get(model).smallest <= 32
    first = configure("best", model, "shapes", {"resolution": "32:48:64"} if growing else {})
    config = fitted(600, 590, "best", first, {}, SPEEDS, 80_000, 20_000).config
    assert sizes(config) == ((32, 48, 64) if growing else (64,))


def test_trained_in_parts_the_lengths_are_those_of_the_whole() -> None:
    whole = configure("best", "resnet", "shapes", {"epochs": 50})
    part = configure("best", "resnet", "shapes", {"epochs": 5, "total_epochs": 50})
    assert part.model_copy(update={"epochs": 50, "total_epochs": None}) == whole
    assert whole.warmup_epochs > 1


def test_what_is_given_stands() -> None:
    config = planned(1800, {"mix_probability": 0.3, "batch_size": 16, "resolution": "32:64", "lr": 0.02})
    assert (config.mix_probability, config.batch_size, config.resolution, config.lr) == (0.3, 16, "32:64", 0.02)


def test_a_step_costs_something_whatever_its_batch() -> None:
    cost = Cost(image=0.001, step=0.016)
    assert cost.rate(16) == pytest.approx(500)
    assert cost.rate(128) == pytest.approx(128 / 0.144)
    both = budget._cost({16: Took(whole=0.032), 128: Took(whole=0.144)})
    assert both.image == pytest.approx(0.001)
    assert both.step == pytest.approx(0.016)
    assert budget._cost({16: Took(whole=0.032)}) == Cost(image=0.002)
    # A busy machine may make the smaller batch look the slower one: then the larger decides.
    assert budget._cost({16: Took(whole=0.3), 128: Took(whole=0.128)}) == Cost(image=0.001)
    # Of one batch size the update is known to cost whatever the batch.
    alone = budget._cost({16: Took(whole=0.5, update=0.34)})
    assert alone.image == pytest.approx(0.01)
    assert alone.step == 0.34
    assert budget._estimated({32: cost}, 64) == Cost(image=0.004, step=0.016)


def test_small_batches_are_planned_at_their_own_speed() -> None:
    slow = Speeds(training={64: Cost(image=0.001, step=0.1)}, validation=1000.0)
    passes = {}
    for batch in (16, 128):
        changes: dict[str, object] = {"batch_size": batch, "resolution": "64"}
        first = configure("best", "resnet", "shapes", changes)
        passes[batch] = fitted(3600, 3600, "best", first, changes, slow, 10_000, 2_000).config.epochs
    assert passes[128] / passes[16] == pytest.approx((128 / 0.228) / (16 / 0.116), rel=0.05)


def test_processes_are_as_fast_together_as_their_number() -> None:
    speeds = Speeds(training={64: Cost(image=0.002, step=0.01)}, validation=1000.0)
    changes: dict[str, object] = {"batch_size": 128, "resolution": "64"}
    first = configure("best", "resnet", "shapes", changes)
    one, four = (
        fitted(36000, 36000, "best", first, changes, speeds, 10_000, 2_000, processes).config.epochs
        for processes in (1, 4)
    )
    assert four / one == pytest.approx(4 * (32 / 0.074) / (128 / 0.266), rel=0.05)


def costing(monkeypatch: pytest.MonkeyPatch, clock: Clock, *, step: float, image: float) -> None:
    """Lets a forward pass of TinyNet take so many seconds, and so many more for each image."""

    def forward(self: TinyNet, images: Tensor) -> Tensor:
        clock.now += step + image * len(images)
        logits: Tensor = self.classifier(self.features(images).mean((2, 3)))
        return logits

    monkeypatch.setattr(TinyNet, "forward", forward)


def test_the_probe_tries_whole_batches_of_a_small_network(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, tiny: str, colors: Dataset
) -> None:
    """Steps that cost a hundredth of a second, and a thousandth for each image."""

    costing(monkeypatch, clock, step=0.01, image=0.001)
    first = configure("best", tiny, "colors", {"batch_size": 48})
    found = budget.probe(first, colors, CPU, Scratch(), 30.0)
    assert found.training[64].rate(48) == pytest.approx(48 / 0.058, rel=0.02)
    assert found.training[64].rate(16) == pytest.approx(16 / 0.026, rel=0.02)


def test_an_optimizers_own_time_is_known_where_there_is_no_time_for_whole_batches(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, tiny: str, colors: Dataset
) -> None:
    """Steps of two seconds, whatever the batch: sixteen images a step would train an eighth as fast as 128 do."""

    costing(monkeypatch, clock, step=2.0, image=0.01)
    first = configure("best", tiny, "colors", {"batch_size": 128})
    began = clock.now
    found = budget.probe(first, colors, CPU, Scratch(), 80.0)
    assert found.training[64].rate(128) == pytest.approx(128 / 3.28, rel=0.02)
    assert clock.now - began < 1.2 * 80


def test_an_update_is_timed_apart_where_there_is_time_for_small_batches_alone(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, tiny: str, colors: Dataset
) -> None:
    def learn(self: Learner, lr: float) -> None:
        clock.now += 2.0

    costing(monkeypatch, clock, step=0.0, image=0.01)
    monkeypatch.setattr(Learner, "learn", learn)
    first = configure("best", tiny, "colors", {"batch_size": 128})
    found = budget.probe(first, colors, CPU, Scratch(), 8.0)
    assert found.training[64].rate(128) == pytest.approx(128 / 3.28, rel=0.02)


def test_a_length_beside_a_budget_is_refused(colors: Dataset) -> None:
    with pytest.raises(UsageError, match="--budget decides the length: leave --epochs out"):
        budget.fit(60, "best", "vgg", "shapes", {"epochs": 3}, colors, CPU)


class Clock:
    """A time that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


@pytest.mark.parametrize("drift", [0.3, 1.0, 3.0], ids=lambda drift: f"{drift}-times-as-fast")
def test_all_of_the_schedule_is_seen_however_the_speed_drifts(clock: Clock, drift: float) -> None:
    config = planned(2700)
    assert config.budget is not None
    steps = 80_000 // config.batch_size
    pace = Timed(config, config.budget, steps)
    seen, rates, step = [], [], 0
    while not pace.over(step):
        place = pace.at(step)
        size = size_at(config, place / (config.epochs * steps))
        seen.append(size)
        rates.append(learning_rate(config, place, steps))
        late = (clock.now - 1000) / 2700
        clock.now += config.batch_size * SPEEDS.training[size].image / (1 + (drift - 1) * late)
        step += 1
    clock.now += config.budget.finish_seconds
    assert clock.now - 1000 == pytest.approx(2700, rel=0.01)
    assert sorted(set(seen)) == [32, 48, 64]
    assert seen == sorted(seen)
    assert rates[-1] < 0.02 * max(rates)


def test_at_the_measured_speed_the_shares_of_the_epochs_are_the_planned_ones(clock: Clock) -> None:
    config = planned(2700)
    assert config.budget is not None
    steps = 80_000 // config.batch_size
    pace = Timed(config, config.budget, steps)
    seen: list[int] = []
    while not pace.over(len(seen)):
        seen.append(size_at(config, pace.at(len(seen)) / (config.epochs * steps)))
        clock.now += config.batch_size * SPEEDS.training[seen[-1]].image
    for size, share in zip(sizes(config), shares(config), strict=True):
        assert seen.count(size) / len(seen) == pytest.approx(share, abs=0.02)


def test_the_schedule_begins_with_the_first_step_and_not_with_the_planning(clock: Clock) -> None:
    first = configure("best", "resnet", "shapes", {"resolution": "32:48:64"})
    config = fitted(2700, 2400, "best", first, {}, SPEEDS, 80_000, 20_000).config
    assert config.budget is not None
    assert config.budget.planning_seconds == 300
    steps = 80_000 // config.batch_size
    pace = Timed(config, config.budget, steps, spent=300)
    assert pace.at(0) == 0
    assert Timed(config, config.budget, steps).at(0) == 0
    clock.now += 2400 - config.budget.finish_seconds
    assert pace.at(1) == config.epochs * steps
    # A resumed training is at the place where it was left.
    clock.now -= 700
    left = pace.at(1)
    spent, clock.now = pace.seconds, 50_000.0
    assert Timed(config, config.budget, steps, spent=spent).at(1) == pytest.approx(left)


@pytest.fixture
def timed_training(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, tiny: str, colors: Dataset, tmp_path: Path
) -> Callable[..., loop.TrainResult]:
    """A training of a minute whose steps take a second for images of 64 pixels, and less for smaller ones."""

    def forward(self: TinyNet, images: Tensor) -> Tensor:
        clock.now += (images.shape[-1] / 64) ** 2 * len(images) / 8
        logits: Tensor = self.classifier(self.features(images).mean((2, 3)))
        return logits

    monkeypatch.setattr(TinyNet, "forward", forward)
    monkeypatch.setattr(loop, "plot_history", lambda *_: None)

    def run(**options: object) -> loop.TrainResult:
        planned = budget.fit(60, "best", tiny, "colors", {"batch_size": 8, "seed": 1}, colors, CPU)
        spent = 0.0 if "start" in options else clock.now - 1000
        return train(planned.config, colors, Workspace(tmp_path / "r"), device=CPU, spent=spent, **options)  # type: ignore[arg-type]

    return run


def test_a_training_ends_with_its_budget(timed_training: Callable[..., loop.TrainResult], clock: Clock) -> None:
    result = timed_training()
    assert 60 - FINISH_SECONDS - 1 < clock.now - 1000 < 60  # no time passes in the last save, and there is no plot
    assert not result.interrupted
    config = result.history.config
    assert (config.recipe, config.resolution) == ("best", "32:48:64")
    assert len(result.history.epochs) > 1
    assert result.history.epochs[-1].lr < 0.1 * config.lr


def test_the_time_to_go_is_told_with_each_step(timed_training: Callable[..., loop.TrainResult], clock: Clock) -> None:
    told: list[tuple[float, float]] = []

    class Watched(Silent):
        def advance(self, amount: int = 1, info: str = "") -> None:
            if found := re.search(r"loss \S+  lr \S+  (\d+)(?:\.\d+)? s to go$", info):
                told.append((float(found[1]), 60 - (clock.now - 1000)))

    timed_training(progress=Watched())
    assert len(told) > 40
    assert all(seconds == pytest.approx(left, abs=1.5) for seconds, left in told)


def test_an_interrupted_budget_is_resumed_with_what_is_left(
    timed_training: Callable[..., loop.TrainResult], clock: Clock, colors: Dataset, tmp_path: Path
) -> None:
    first = timed_training(progress=Interrupting(40))
    assert first.interrupted
    position = read_state(first.state).position
    clock.now += 5000  # the machine was off
    resumed_at = clock.now
    second = train(
        position.config, colors, Workspace(tmp_path / "r"), device=CPU, start=Resumed(read_state(first.state))
    )
    assert not second.interrupted
    assert 60 - FINISH_SECONDS - 1 < position.spent + clock.now - resumed_at < 60
    with pytest.raises(UsageError, match="this training is complete"):
        train(position.config, colors, Workspace(tmp_path / "r"), device=CPU, start=Resumed(read_state(second.state)))


class Stopping(Silent):
    """Ctrl-C in the first validation after a time, three seconds after it began."""

    def __init__(self, clock: Clock, after: float) -> None:
        self._clock, self._after, self._done = clock, after, False

    def start(self, task: str, total: int | None, unit: str, done: int = 0) -> None:
        if task.startswith("evaluating") and self._clock.now > self._after and not self._done:
            self._done = True
            self._clock.now += 3
            signal.raise_signal(signal.SIGINT)


def test_stopped_in_its_last_validation_a_training_is_judged_when_it_is_resumed(
    timed_training: Callable[..., loop.TrainResult], clock: Clock, colors: Dataset, tmp_path: Path
) -> None:
    first = timed_training(progress=Stopping(clock, 1000 + 55.5))
    assert first.interrupted
    position = read_state(first.state).position
    assert position.config.budget is not None
    assert position.spent > 60 - position.config.budget.finish_seconds
    assert position.step > 0
    second = train(
        position.config, colors, Workspace(tmp_path / "r"), device=CPU, start=Resumed(read_state(first.state))
    )
    assert not second.interrupted
    assert len(second.history.epochs) == len(first.history.epochs) + 1
    with pytest.raises(UsageError, match="this training is complete"):
        train(position.config, colors, Workspace(tmp_path / "r"), device=CPU, start=Resumed(read_state(second.state)))
    longer = position.config.model_copy(update={"epochs": 99})
    with pytest.raises(UsageError, match="a training with a budget has no --epochs: 99; leave it out"):
        train(longer, colors, Workspace(tmp_path / "r"), device=CPU, start=Resumed(read_state(first.state)))


def test_a_budget_that_is_gone_before_the_first_step_is_told(
    clock: Clock, tiny: str, colors: Dataset, tmp_path: Path
) -> None:
    planned = budget.fit(60, "best", tiny, "colors", {"batch_size": 8}, colors, CPU)
    with pytest.raises(TrainingError, match="no step was made: the time was gone before the first one: '1 min 0 s'"):
        train(planned.config, colors, Workspace(tmp_path / "r"), device=CPU, spent=59.0)
    assert list((tmp_path / "r").rglob("*")) == []
