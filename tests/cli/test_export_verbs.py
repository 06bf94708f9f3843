"""`tinyml export`, `verify`, `eval` and `predict` as a user types them."""

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tinyml.bench.page.figures import figures
from tinyml.bench.page.project import read
from tinyml.cli import run
from tinyml.export import verify
from tinyml.schema import Checkpoint, Evaluations
from tinyml.store import read_json
from tinyml.trainer.data import reopen


@pytest.fixture
def folder(trained_results: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A working folder whose ./results holds the checkpoint and two exports."""
    monkeypatch.chdir(tmp_path)
    source, target = trained_results.workspace.root, tmp_path / "results"
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("*fp32", "coreml-w8"))
    return tmp_path


def document(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_export_takes_the_newest_checkpoint_and_says_what_comes_next(
    folder: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(folder / "results" / "resnet20" / "exports")

    options = ["--format", "onnx", "--quantize", "int8", "--images", "20", "--calibration-images", "32"]
    assert run(["export", *options]) == 0

    captured = capsys.readouterr()
    assert captured.out.startswith("checkpoint results/resnet20/runs/best-1/checkpoints/best.json: resnet20")
    assert "onnx-w8a8\t" in captured.out
    assert captured.out.splitlines()[-1] == "next: tinyml bench"
    converting, *waiting, proven = captured.err.splitlines()
    assert all(line.startswith("onnx-w8a8: ") for line in waiting)  # on a slow machine it says that it goes on
    assert converting == "onnx-w8a8: converting"
    assert re.match(r"onnx-w8a8: \d+ weights proven, 8\.\d+ bits each, at most \d\.\d+% from their source", proven)
    assert (folder / "results/resnet20/exports/onnx-w8a8/resnet20-onnx-w8a8.onnx").is_file()


def test_verify_looks_at_all_artifacts_and_asks_their_checkpoint_once(
    folder: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []

    def noted(*given: Any, **options: Any) -> Any:
        opened.append(given)
        return reopen(*given, **options)

    monkeypatch.setattr(verify, "reopen", noted)
    assert run(["verify", "--images", "10", "--json"]) == 0
    assert len(opened) == 1
    found = document(capsys)
    assert [row["path"] for row in found] == ["resnet20-coreml-fp16.mlpackage", "resnet20-onnx-w8a8.onnx"]
    assert all(row["images"] == 10 and row["passed"] for row in found)
    assert found[0]["cpu_only"]["samples"] == 10
    assert max(found[0]["cpu_only"]["largest"].values()) > 0
    assert "cpu_only" not in found[1]


def test_verify_goes_on_after_an_artifact_that_was_changed(folder: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with (folder / "results/resnet20/exports/coreml-fp16/resnet20-coreml-fp16.mlpackage/Manifest.json").open("a") as f:
        f.write(" ")
    assert run(["verify", "--images", "3", "--json"]) == 1
    said = capsys.readouterr()
    assert [row["path"] for row in json.loads(said.out)] == ["resnet20-onnx-w8a8.onnx"]
    assert "error: 1 of 2 artifacts could not be verified: " in said.err
    (folder / "results/resnet20/exports/onnx-w8a8/resnet20-onnx-w8a8.onnx").unlink()
    assert run(["verify", "--images", "3"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: 2 of 2 artifacts could not be verified: ")
    assert "resnet20-onnx-w8a8.onnx" in line  # not the first one's reason alone


def test_verify_says_how_far_the_cpu_alone_is(folder: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Core ML rounds nothing to float16 there."""
    assert run(["verify", "results/resnet20/exports/coreml-fp16", "--images", "3"]) == 0
    said = capsys.readouterr().out
    assert "on CPU_ONLY Core ML rounds nothing to float16" in said
    assert re.search(r"coreml-fp16\.mlpackage: \d of 3 first classes, at most \d\.\de-\d+ in probability", said)


def test_eval_keeps_what_it_measured(folder: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["eval", "--limit", "20", "--device", "cpu"]) == 0
    assert run(["eval", "results/resnet20/exports/coreml-fp16", "--limit", "20", "--json"]) == 0
    assert run(["eval", "--limit", "10", "--device", "cpu"]) == 0

    kept = read_json(folder / "results/resnet20/test_results.json", Evaluations)
    assert [(row.variant, row.metrics.images) for row in kept.results] == [("checkpoint", 10), ("coreml-fp16", 20)]
    table = (folder / "results/model_comparison.csv").read_text().splitlines()
    assert [line.split(",")[1] for line in table] == ["variant", "checkpoint", "coreml-fp16"]


def test_predict_takes_any_size_and_any_model(folder: Any, capsys: pytest.CaptureFixture[str]) -> None:
    golden = folder / "results/resnet20/exports/coreml-fp16/golden.png"
    expected = json.loads(golden.with_suffix(".json").read_text())["labels"][0]
    large = folder / "large.png"
    with Image.open(golden) as image:
        image.resize((128, 128), Image.Resampling.NEAREST).save(large)

    for model in ("results/resnet20/runs/best-1/checkpoints/best.safetensors", "results/resnet20/exports/onnx-w8a8"):
        assert run(["predict", str(golden), str(large), "--model", model, "--top-k", "3", "--json"]) == 0
        answers = document(capsys)
        assert [len(answer["classes"]) for answer in answers] == [3, 3]
        assert answers[0]["classes"][0]["label"] == expected


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["export", "--format", "tflite"], 2, "unknown format"),
        (["export", "--quantize", "int5"], 2, "integer weights have 2, 4 or 8 bits'; nearest: coreml-w4"),
        (["export", "--quantize", "palete4"], 2, "did you mean 'palette4'"),
        (
            ["export", "--format", "onnx", "--quantize", "int4"],
            2,
            "onnx-int4 cannot be: 'integer weights in ONNX go with integer activations'",
        ),
        (["export", "--calibration-images", "0"], 2, "--calibration-images"),
        (["export", "--variant", "coreml-fp17"], 2, "did you mean 'coreml-fp16'"),
        (["export", "--variant", "coreml-fp16", "--quantize", "int8"], 2, "'--variant and --quantize int8'"),
        (["export", "--variant", "coreml-fp16", "--all"], 2, "said twice: '--variant and --all'"),
        (["export", "--all", "--quantize", "int8"], 2, "said twice: '--all and --quantize int8'"),
        (["export", "--plan", "plan.json", "--quantize", "auto"], 2, "said twice: '--plan and --quantize auto'"),
        (["export", "--variant", "onnx-fp32", "--format", "coreml"], 2, "no variant of the format coreml: 'onnx-fp32'"),
        (["export", "--checkpoint", "none.json"], 1, "no such checkpoint: none.json"),
        (["export", "--variant", "coreml-prune60-w4", "--target", "iOS16"], 2, "coreml-prune60-w4 cannot be for iOS16"),
        (["export", "--images", "0"], 2, "--images"),
        (["export", "--results", "elsewhere"], 1, "train one first"),
        (["verify", "--results", "elsewhere"], 1, "export a checkpoint first: tinyml export"),
        (["verify", "none"], 1, "no such artifact: none"),
        (["eval", "none.onnx"], 1, "no such model: none.onnx"),
        (["eval", "--split", "tset"], 2, "did you mean 'test'"),
        (["predict", "none.png"], 1, "no such image: 'none.png'"),
        (["predict", "results/resnet20/runs/best-1/checkpoints/best.json"], 1, "not an image"),
        (["predict", "x.png", "--top-k", "0"], 2, "--top-k"),
    ],
)
def test_mistakes_get_one_line(
    folder: Any, capsys: pytest.CaptureFixture[str], arguments: Any, code: Any, message: Any
) -> None:
    before = sorted(path for path in folder.rglob("*"))

    assert run(arguments) == code

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert message in lines[0]
    assert sorted(path for path in folder.rglob("*")) == before


def test_eval_says_on_which_data(folder: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The same model on other images of its classes has another row, and the page tells its own."""
    data = folder / "photos"
    labels = read_json(folder / "results/resnet20/runs/best-1/checkpoints/best.json", Checkpoint).spec.labels
    for split in ("train", "val", "test"):
        for label in labels:
            (data / split / label).mkdir(parents=True)
            for n in range(2):
                color = (n * 90, len(split) * 20, len(label) * 9)
                Image.new("RGB", (64, 64), color).save(data / split / label / f"{n}.png")
    own = ["eval", "--limit", "10", "--device", "cpu"]
    assert run(own) == 0
    assert run([*own, "--data", str(data)]) == 0
    kept = read_json(folder / "results/resnet20/test_results.json", Evaluations)
    assert [row.data for row in kept.results if row.variant == "checkpoint"] == [None, str(data)]
    rows = list(csv.DictReader((folder / "results/model_comparison.csv").read_text().splitlines()))
    assert [row["data"] for row in rows if row["variant"] == "checkpoint"] == [kept.data, str(data)]
    (top1, *_) = (row.metrics.top1 for row in kept.results if row.data is None and row.variant == "checkpoint")
    project = read(folder / "results")
    (told,) = (figure.accuracy for figure in figures(project) if figure.variant == "checkpoint")
    assert told is not None
    assert told.metrics.top1 == top1
