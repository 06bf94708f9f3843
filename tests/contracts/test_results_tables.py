"""The tables of the networks: passes and pixels of a training are those that it saw."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyml.bench.page.project import Kept, Project
from tinyml.schema import (
    Budget,
    Checkpoint,
    DatasetIdentity,
    EpochRecord,
    History,
    ModelSpec,
    Origin,
    Preprocess,
    Provenance,
    SplitIdentity,
    TrainConfig,
)

from ..results_tables import _effort, _images, _pixels, _with_earlier


def history(resolution: str, *, budget: Budget | None = None) -> History:
    """Two epochs of 100 images, 10 s each of which 2 go to the validation, then a quarter of one."""
    rates = ((1, 10.0, 12.5), (2, 10.0, 12.5), (3, 5.0, 5.0))
    return History(
        config=TrainConfig(model="resnet20", recipe="best", data="shapes", resolution=resolution, budget=budget),
        device="cpu",
        epochs=tuple(
            EpochRecord(
                epoch=number,
                lr=0.1,
                train_loss=1.0,
                train_accuracy=None,
                val_loss=1.0,
                val_accuracy=0.5,
                seconds=seconds,
                images_per_second=rate,
            )
            for number, seconds, rate in rates
        ),
        memory=None,
        provenance=Provenance(created_at="2026-01-01T00:00:00Z", command="pytest", tool_version="0"),
    )


def test_what_epochs_say_is_taken() -> None:
    told = history("32:64")
    shown = ({32: 90}, {32: 40, 64: 50}, {64: 10})
    epochs = [epoch.model_copy(update={"images_by_size": of}) for epoch, of in zip(told.epochs, shown, strict=True)]
    told = told.model_copy(update={"epochs": tuple(epochs)})
    assert [_images(epoch, 100) for epoch in told.epochs] == [90, 90, 10]
    assert _pixels(told, 100) == 130 * 32**2 + 60 * 64**2


def test_images_are_no_more_than_an_epoch_has() -> None:
    assert [_images(epoch, 100) for epoch in history("64").epochs] == [100, 100, 25]


def test_pixels_follow_the_clock_of_a_budget() -> None:
    assert _pixels(history("64"), 100) == pytest.approx(225 * 64**2)
    by_clock = history("32:64", budget=Budget(seconds=25, phase_seconds=(20.0, 5.0), finish_seconds=0))
    assert _pixels(by_clock, 100) == pytest.approx(200 * 32**2 + 25 * 64**2)
    halves = history("32:64", budget=Budget(seconds=25, phase_seconds=(5.0, 20.0), finish_seconds=0))
    assert _pixels(halves, 100) == pytest.approx(50 * 32**2 + (50 + 100 + 25) * 64**2)


def test_what_a_training_began_with_counts_as_well() -> None:
    def begun(name: str, by: str | None) -> Kept[History]:
        record = history("64")
        if by is not None:
            origin = Origin(path=f"/elsewhere/efficientnet/runs/{by}/checkpoints/last.json", sha256="0" * 64)
            record = record.model_copy(update={"config": record.config.model_copy(update={"init": origin})})
        return Kept(path=Path(f"results/efficientnet/runs/{name}/history.json"), record=record)

    first, second, third = begun("first", None), begun("second", "first"), begun("third", "second")
    foreign = begun("foreign", "of-somebody")
    project = Project(title="", histories=(first, foreign, second, third))
    assert _with_earlier(third, project) == [first, second, third]
    assert _with_earlier(first, project) == [first]
    assert _with_earlier(foreign, project) == [foreign]
    checkpoint = Checkpoint(
        path="best.safetensors",
        sha256="0" * 64,
        spec=ModelSpec(architecture="efficientnet", parameters=1, labels=("a", "b"), preprocess=Preprocess()),
        config=third.record.config,
        dataset_sha256="0" * 64,
        dataset=DatasetIdentity(data="shapes", splits={"train": SplitIdentity(images=100, content_sha256="0" * 64)}),
        epoch=3,
        metrics=(),
        provenance=third.record.provenance,
    )
    alone, all_three = (_effort([kept.record for kept in of], checkpoint) for of in ([third], [first, second, third]))
    assert alone[:3] == ["2.2", f"{225 * 64**2 / 1e9:.2f}", f"{25 / 3600:.2f}"]
    assert all_three[:3] == ["6.8", f"{675 * 64**2 / 1e9:.2f}", f"{75 / 3600:.2f}"]
