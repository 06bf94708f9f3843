"""`tinyml train` and `tinyml models`: what they print, what they refuse, with which exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.main import get_command

from tinyml.cli.app import app, run
from tinyml.schema import TrainConfig
from tinyml.trainer.recipe import option

MISTAKES = {
    "unknown model": (["train", "densnet"], 2, "unknown model: 'densnet'; allowed: alexnet, "),
    "unknown recipe": (["train", "vgg", "--recipe", "refrence"], 2, "did you mean 'reference'?"),
    "epochs": (["train", "vgg", "--epochs", "0"], 2, "--epochs out of range: 0; allowed: at least 1"),
    "no number": (["train", "vgg", "--lr", "fast"], 2, "'--lr': Input should be a valid number"),
    "not finite": (["train", "vgg", "--lr", "nan"], 2, "--lr"),
    "alpha": (
        ["train", "vgg", "--mixup-cutmix-alpha", "-1"],
        2,
        "--mixup-alpha out of range: -1.0; allowed: at least 0",
    ),
    "optimizer": (["train", "vgg", "--optimizer", "lion"], 2, "--optimizer out of range: 'lion'"),
    "drop path": (["train", "vgg", "--drop-path", "0.1"], 2, "vgg has no residual branches"),
    "share of no teacher": (
        ["train", "vgg", "--distill-share", "0.5"],
        2,
        "--distill-share needs a teacher: 0.5; name one with --teacher, or leave --distill-share out",
    ),
    "temperature of no teacher": (
        ["train", "vgg", "--distill-temperature", "2"],
        2,
        "--distill-temperature needs a teacher: 2.0; name one with --teacher, or leave --distill-temperature out",
    ),
    "unknown device": (["train", "vgg", "--device", "tpu"], 2, "unknown device: 'tpu'; allowed: auto, cpu, cuda, mps"),
    "nothing to resume": (["train", "vgg", "--resume"], 1, "nothing to resume"),
    "foreign state": (["train", "vgg", "--resume-from", "notes.txt"], 1, "truncated or no safetensors"),
    "pickled state": (["train", "vgg", "--resume-from", "state.pt"], 1, "never loaded"),
    "classes": (["models", "--classes", "0"], 2, "number of classes out of range: 0; allowed: at least 1"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gets_one_line(
    mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, code, message = MISTAKES[mistake]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("these are notes, and no state")
    assert run(arguments) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert message in err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_every_field_of_the_configuration_has_its_option() -> None:
    command = get_command(app).commands["train"]  # type: ignore[attr-defined]
    options = {parameter.name for parameter in command.params}
    assert set(TrainConfig.model_fields) - options == set()


def test_a_field_is_called_by_the_option_that_sets_it() -> None:
    command = get_command(app).commands["train"]  # type: ignore[attr-defined]
    named = {parameter.name: parameter.opts for parameter in command.params}
    fields = sorted(set(TrainConfig.model_fields) - {"model"})
    assert [field for field in fields if option(field) not in named[field]] == []


def test_models_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "--classes", "10", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"alexnet", "densenet", "efficientnet", "resnet", "vgg", "vit"} <= {row["name"] for row in rows}
    assert all(row["parameters"] > 0 and row["macs"] > 0 for row in rows)


def test_models_as_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models"]) == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert lines[0][:3] == ["name", "architecture", "parameters"]
    assert ["densenet", "DenseNet-121", "2,206,120"] in [line[:3] for line in lines]


@pytest.mark.usefixtures("cache")
def test_train_then_train_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = tmp_path / "results"
    command = ["train", "alexnet", "--results", str(results), "--device", "cpu", "--json"]
    more = ["--data", "shapes", "--recipe", "demo", "--epochs", "1", "--total-epochs", "2", "--limit", "4"]
    assert run([*command, *more]) == 0
    out, err = capsys.readouterr()
    history = json.loads(out)
    assert history["config"]["limit"] == history["provenance"]["limit"] == 4
    assert history["config"]["recipe"] == "demo"
    assert "training alexnet on shapes by recipe demo, 1 epoch, 4 images an epoch, on cpu" in err
    assert f"next: tinyml export --results {results}" in err
    assert run([*command, "--resume", "--epochs", "2"]) == 0
    out, _ = capsys.readouterr()
    assert [record["epoch"] for record in json.loads(out)["epochs"]] == [1, 2]
    assert run([*command, "--resume"]) == 2
    assert "this training is complete: '2 epochs done'" in capsys.readouterr().err
    capsys.readouterr()
    assert run([*command, "--resume", "--epochs", "3", "--total-epochs", "3", "--lr", "1"]) == 2
    told = capsys.readouterr()
    assert "a resumed training keeps its lr: 1.0" in told.err
    assert "resuming" not in told.err + told.out  # nobody is told of what is then refused
    assert run([*command, *more, "--run", "demo-1"]) == 1
    told = capsys.readouterr()
    assert "a training of that name lies there already" in told.err
    assert "training alexnet on" not in told.err + told.out


@pytest.mark.usefixtures("cache")
def test_a_first_look_is_not_refused_for_its_recipes_warm_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    look = ["train", "alexnet", "--data", "shapes", "--limit", "16", "--epochs", "1", "--device", "cpu", "--json"]
    assert run([*look, "--results", str(tmp_path)]) == 0
    history = json.loads(capsys.readouterr().out)
    assert history["config"]["recipe"] == "reference"
    assert history["config"]["warmup_epochs"] == pytest.approx(0.1)  # five epochs of fifty
