"""`tinyml data` and `predict` as a user types them, and every verb that opens a data set which is another by now."""

import csv
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinyml.cli import run
from tinyml.schema import Checkpoint
from tinyml.store import read_json, write_json
from tinyml.trainer.data import open_dataset

Capture = pytest.CaptureFixture[str]
CLASSES = 10


def photographs(root: Path, count: int = 6) -> Path:
    """As many classes as the trained network has, every image another one."""
    random = np.random.RandomState(0)
    for label in range(CLASSES):
        folder = root / f"class{label}"
        folder.mkdir(parents=True)
        for n in range(count):
            Image.fromarray(random.randint(0, 256, (64, 64, 3), dtype=np.uint8)).save(folder / f"{n}.png")
    return root


@pytest.fixture
def folder(trained_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder whose ./results holds a checkpoint that says it was trained on ./photos."""
    monkeypatch.chdir(tmp_path)
    photos = photographs(tmp_path / "photos")
    target = tmp_path / "results" / "resnet20" / "checkpoints"
    shutil.copytree(trained_checkpoint.parent, target)
    dataset = open_dataset(str(photos))
    made = read_json(target / "best.json", Checkpoint)
    spec = made.spec.model_copy(update={"labels": dataset.index.labels})
    config = made.config.model_copy(update={"data": "photos"})
    record = {"spec": spec, "config": config, "dataset": dataset.identity}
    write_json(target / "best.json", made.model_copy(update=record))
    return tmp_path


EVAL = ["eval", "--limit", "10", "--device", "cpu"]
BENCH = ["bench", "--quick", "--backend", "onnxruntime", "--seconds", "0.01", "--threads", "1", "--limit", "10"]


def test_another_folder_of_the_same_name_is_never_taken(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (folder / "elsewhere").mkdir()
    shutil.copytree(folder / "results", folder / "elsewhere" / "results")
    photographs(folder / "elsewhere" / "photos", 9)
    monkeypatch.chdir(folder / "elsewhere")
    assert run([*EVAL, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows[0]["metrics"]["total"] == 10  # one of each of the classes' six, not two of nine


def test_every_verb_refuses_changed_data_and_takes_what_is_named(folder: Path, capsys: Capture) -> None:
    assert run(["export", "--format", "onnx", "--quantize", "none", "--images", "10"]) == 0
    assert run(["verify", "--images", "10"]) == 0
    Image.new("RGB", (64, 64), (1, 2, 3)).save(folder / "photos" / "class0" / "new.png")
    verbs = {
        "eval": EVAL,
        "verify": ["verify", "--images", "10"],
        "bench": BENCH,
        "export": ["export", "--format", "onnx", "--quantize", "none", "--images", "10"],
    }
    for name, verb in verbs.items():
        capsys.readouterr()
        assert run(verb) == 1, name
        error = capsys.readouterr().err.splitlines()[-1]
        assert error.startswith("error: the data set has changed since the training: "), name
        assert "train has 41 images, had 40" in error, name
        assert "give the data set with --data" in error, name
        assert run([*verb, "--data", "photos"]) == 0, name
        assert "photos is not the data of its training: train has 41 images, had 40" in capsys.readouterr().err, name
    assert run(verbs["verify"]) == 0  # the new artifact is of the data that it was verified on


def test_every_verb_refuses_a_data_set_of_other_classes(folder: Path, capsys: Capture) -> None:
    assert run(["export", "--format", "onnx", "--quantize", "none", "--images", "10"]) == 0
    shutil.copytree(folder / "photos", folder / "other")
    (folder / "other" / "class1").rename(folder / "other" / "thing")  # as many as before
    for verb in (EVAL, ["export", "--images", "10"], ["verify", "--images", "10"], ["explain", *EVAL[1:]], BENCH):
        capsys.readouterr()
        assert run([*verb, "--data", "other"]) == 1, verb
        last = capsys.readouterr().err.splitlines()[-1]
        assert "other has other classes than the model was trained on" in last, verb
        assert "10 classes, number 2 is 'class2'\"; allowed: 10 classes, number 2 is 'class1'; " in last, verb


def test_a_folder_that_was_moved(folder: Path, capsys: Capture) -> None:
    (folder / "photos").rename(folder / "moved")
    assert run([*EVAL, "--data", "moved"]) == 0
    assert "not the data of its training" not in capsys.readouterr().err
    assert run(EVAL) == 0
    assert "photos has gone: using the copy prepared from it" in capsys.readouterr().err
    shutil.rmtree(Path(os.environ["TINYML_CACHE"]) / "datasets", ignore_errors=True)
    assert run(EVAL) == 1
    assert "the data set of the training has gone" in capsys.readouterr().err


def test_one_bad_file_does_not_lose_the_other_answers(folder: Path, capsys: Capture) -> None:
    (folder / "bad.png").write_text("no image")
    good = [str(folder / "photos" / "class0" / f"{n}.png") for n in range(2)]
    command = ["predict", good[0], "bad.png", good[1], "missing.png", "--device", "cpu", "--top-k", "2"]
    assert run(command) == 1
    out, err = capsys.readouterr()
    lines = [line.split("\t") for line in out.splitlines()[1:]]
    assert [line[0] for line in lines[1:]] == [good[0], good[0], good[1], good[1]]
    assert [line for line in err.splitlines() if line.startswith("error: ")] == [
        "error: not an image, or not of a known format: 'bad.png'",
        "error: no such image: 'missing.png'",
    ]
    assert run([*command, "--json"]) == 1
    answers = json.loads(capsys.readouterr().out)
    assert [answer["error"] is None for answer in answers] == [True, False, True, False]
    assert [len(answer["classes"]) for answer in answers] == [2, 0, 2, 0]


def test_predict_a_folder_into_a_csv(folder: Path, capsys: Capture) -> None:
    (folder / "photos" / "class3" / "bad.jpg").write_text("no image")
    (folder / "photos" / "class3" / "notes.txt").write_text("no image")
    (folder / "photos" / "class3" / os.fsdecode(b"caf\xe9.png")).write_bytes(
        (folder / "photos" / "class3" / "0.png").read_bytes()
    )
    assert run(["predict", "photos", "--csv", "out/answers.csv", "--top-k", "1", "--device", "cpu"]) == 1
    out, err = capsys.readouterr()
    assert "left out: 1 .txt (photos/class3/notes.txt)" in out
    assert f"{CLASSES * 6 + 1} of {CLASSES * 6 + 2} images classified; written to out/answers.csv" in out
    with (folder / "out" / "answers.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == CLASSES * 6 + 2
    assert [row["image"] for row in rows if row["error"]] == ["photos/class3/bad.jpg"]
    assert r"photos/class3/caf\xe9.png" in [row["image"] for row in rows]
    assert all(row["rank"] == "1" and 0 < float(row["probability"]) <= 1 for row in rows if not row["error"])
    assert "bad.jpg" in err
    assert [path.name for path in (folder / "out").iterdir()] == ["answers.csv"]


def test_predict_an_empty_folder_or_a_pipe(folder: Path, capsys: Capture) -> None:
    (folder / "empty").mkdir()
    os.mkfifo(folder / "pipe.png")
    assert run(["predict", "empty"]) == 1
    assert capsys.readouterr().err == "error: no images in the folder: 'empty'\n"
    assert run(["predict", "pipe.png", "--device", "cpu"]) == 1
    assert "error: a pipe or device, not an image: 'pipe.png'" in capsys.readouterr().err


def test_explore_names_what_is_wrong_with_a_data_set(folder: Path, capsys: Capture) -> None:
    photos = folder / "photos"
    shutil.copy(photos / "class1" / "0.png", photos / "class2" / "copy.png")
    for n in range(1, 6):
        (photos / "class4" / f"{n}.png").unlink()
    for n in range(2, 4):
        Image.new("RGB", (64, 64), (n, n, n)).save(photos / "class4" / f"{n}.png")
    for n in range(40):
        Image.fromarray(np.full((64, 64, 3), n, dtype=np.uint8)).save(photos / "class5" / f"more{n}.png")
    (photos / "class1" / "raw.cr2").write_bytes(b"x")
    assert run(["data", "explore", "--data", "photos"]) == 0
    out = capsys.readouterr().out
    assert "unbalanced: 1 class with more than twice that mean: class5" in out
    assert "unbalanced: " in out
    assert "with less than half of the mean number of training images" in out
    assert "of them in two classes" in out
    assert "class2/copy.png" in out
    assert "left out: 1 .cr2 (class1/raw.cr2)" in out
    assert "class4\t" in out
    assert run(["data", "prepare", "--data", "photos"]) == 0
    assert "left out: 1 .cr2 (class1/raw.cr2)" in capsys.readouterr().out
