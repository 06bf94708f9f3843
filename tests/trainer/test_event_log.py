"""TensorBoard's files: read back by TensorBoard's own reader."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tinyml.cli import run
from tinyml.trainer.data import Dataset
from tinyml.trainer.loop import train
from tinyml.trainer.start import Resumed
from tinyml.trainer.state import read_state
from tinyml.workspace import Workspace

from .conftest import config

CPU = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("_no_plot", "tiny")


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    read = EventAccumulator(str(folder))
    read.Reload()
    return {tag: [(e.step, e.value) for e in read.Scalars(tag)] for tag in read.Tags()["scalars"]}


def test_every_epoch_is_there_once_also_after_going_on(colors: Dataset, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    first = train(config(epochs=2, total_epochs=4), colors, workspace, device=CPU, events=True)
    again = Resumed(read_state(first.state))
    result = train(config(epochs=4, total_epochs=4), colors, workspace, device=CPU, start=again, events=True)
    (folder,) = workspace.runs()
    found = scalars(folder.events)
    records = result.history.epochs
    for name, values in (
        ("loss/val", [record.val_loss for record in records]),
        ("accuracy/val", [record.val_accuracy for record in records]),
        ("learning rate", [record.lr for record in records]),
    ):
        assert [step for step, _ in found[name]] == [1, 2, 3, 4]
        assert [value for _, value in found[name]] == pytest.approx(values)
    assert set(found) == {
        "loss/train", "loss/val", "accuracy/train", "accuracy/val", "learning rate", "images a second"
    }  # fmt: skip


def test_asked_for_later_it_tells_the_earlier_epochs_too(colors: Dataset, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    first = train(config(epochs=1, total_epochs=2), colors, workspace, device=CPU)
    assert not workspace.runs()[0].events.exists()
    again = Resumed(read_state(first.state))
    train(config(epochs=2, total_epochs=2), colors, workspace, device=CPU, start=again, events=True)
    assert [step for step, _ in scalars(workspace.runs()[0].events)["loss/train"]] == [1, 2]


def test_where_it_is_not_installed_that_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert run(["train", "vgg", "--tensorboard", "--results", str(tmp_path / "r")]) == 69
    assert "--tensorboard needs TensorBoard: 'not installed'" in capsys.readouterr().err
    assert not (tmp_path / "r").exists()
