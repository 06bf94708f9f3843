"""The search over learning rate and decay: what it asks, that it goes on, and what it tells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from tinyml.cli import run
from tinyml.errors import TrainingError, UsageError
from tinyml.schema import Provenance, Sweep, SweepTrial
from tinyml.store import write_json
from tinyml.trainer import tuning
from tinyml.trainer.recipe import configure
from tinyml.trainer.sweep import Trial, sweep_file
from tinyml.trainer.tuning import Range, range_of, ranges_of, tune
from tinyml.workspace import Workspace

RANGES = {"lr": Range(low=1e-3, high=1.0), "weight_decay": Range(low=1e-6, high=1e-2)}
PROVENANCE = Provenance(created_at="2026-01-01T00:00:00Z", command="pytest", tool_version="0")


class Trainings:
    """In place of a sweep's trainings: accuracy is best at a rate of 0.05; large ones fail."""

    def __init__(self) -> None:
        self.kept: dict[str, SweepTrial] = {}
        self.trained: list[str] = []

    def __call__(
        self, name: str, wanted: Sequence[Trial], *_: object, data: str, options: Sequence[str], **__: object
    ) -> Sweep:
        (trial,) = wanted
        if trial.run not in self.kept:
            self.trained.append(trial.run)
            lr = float(trial.options[-3])
            failed = lr > 0.8
            self.kept[trial.run] = SweepTrial(
                model=trial.model,
                recipe=trial.recipe,
                variant=trial.variant,
                options=(*options, *trial.options),
                seed=trial.seed,
                run=trial.run,
                status="failed" if failed else "ok",
                reason="diverged" if failed else None,
                val_accuracy=None if failed else math.exp(-abs(math.log(lr / 0.05))),
            )
        return Sweep(name=name, data=data, trials=tuple(self.kept.values()), provenance=PROVENANCE)


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> Trainings:
    made = Trainings()
    monkeypatch.setattr(tuning, "sweep", made)
    return made


def search(folder: Path, count: int, ranges: dict[str, Range] = RANGES) -> tuple[SweepTrial, ...]:
    return tune("t", "vgg", "best", ranges, count, Workspace(folder), data="shapes")


def test_it_comes_near_the_best_and_goes_on(trainings: Trainings, tmp_path: Path) -> None:
    first = search(tmp_path, 5)
    assert len(trainings.trained) == 5
    found = search(tmp_path, 25)
    assert len(trainings.trained) == 25  # the first five were not made again
    assert {trial.run for trial in first} < {trial.run for trial in found}
    assert float(found[0].options[-3]) == pytest.approx(0.05, rel=0.3)
    accuracies = [trial.val_accuracy or 0.0 for trial in found]
    assert accuracies == sorted(accuracies, reverse=True)
    assert all(1e-3 <= float(t.options[-3]) <= 1 and 1e-6 <= float(t.options[-1]) <= 1e-2 for t in found)
    assert found[0].options[::2] == ("--lr", "--weight-decay")


def test_another_search_of_the_same_name_is_refused(tmp_path: Path) -> None:
    options = ("--epochs", "2", "--lr", "0.1", "--weight-decay", "0.1")
    ended = SweepTrial(
        model="vgg",
        recipe="best",
        variant="t0",
        options=options,
        seed=0,
        run="t-best-t0",
        status="ok",
        val_accuracy=0.5,
    )
    write_json(
        sweep_file(Workspace(tmp_path), "t"),
        Sweep(name="t", data="shapes", trials=(ended,), provenance=PROVENANCE),
    )
    with pytest.raises(UsageError, match="t-best-t0 was made with other options"):
        search(tmp_path, 1)


@pytest.mark.usefixtures("trainings")
def test_where_all_fail_nothing_is_best(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no training of the search came to its end: 'diverged'"):
        search(tmp_path, 2, {**RANGES, "lr": Range(low=0.9, high=1.0)})


def test_ranges() -> None:
    assert range_of("--lr", "1e-3:.5") == Range(low=1e-3, high=0.5)
    for text in ("1", "1:0.1", "0:1", "a:b", "1:2:3", "-1:2"):
        with pytest.raises(UsageError, match="--lr is no range"):
            range_of("--lr", text)
    around = ranges_of(configure("best", "vit", "shapes"), {"lr": Range(low=1, high=2)})
    assert around["lr"] == Range(low=1, high=2)
    assert around["weight_decay"].low == pytest.approx(0.005)
    assert around["weight_decay"].high == pytest.approx(0.5)


def test_the_command_line(trainings: Trainings, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["tune", "vgg", "--trials", "6", "--data", "shapes", "--results", str(tmp_path), "--epochs", "1"]
    assert run([*command, "--lr", "0.01:1"]) == 0
    out = capsys.readouterr().out
    # A training of one epoch by this recipe is Muon's: that is what is searched, around Muon's weight decay.
    assert "the best: tinyml train vgg --data shapes --recipe best --epochs 1 --optimizer muon --lr 0." in out
    assert all(0.005 <= float(trial.options[-1]) <= 0.5 for trial in trainings.kept.values())
    picture = tmp_path / "sweeps" / "tune" / "vgg-best.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert run([*command, "--lr", "fast"]) == 2
    assert capsys.readouterr().err == "error: --lr is no range: 'fast'; allowed: LOW:HIGH above 0, as 0.01:1\n"


@pytest.mark.slow
@pytest.mark.usefixtures("cache")
def test_real_trainings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    look = ["--data", "shapes", "--recipe", "demo", "--epochs", "1", "--limit", "16", "--device", "cpu"]
    assert run(["tune", "resnet20", "--trials", "2", *look, "--results", str(tmp_path)]) == 0
    assert "the best: tinyml train resnet20" in capsys.readouterr().out
    assert len(list((tmp_path / "resnet20" / "runs").iterdir())) == 2
