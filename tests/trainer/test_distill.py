"""Teachers: what they are shown, what is learned of them, and answers that are stored instead of asked for."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tinyml.accuracy import Images, Scores
from tinyml.cli import run
from tinyml.errors import DataError
from tinyml.evaluation.runtime import DATA_KEY, SPEC_KEY
from tinyml.evaluation.teacher import open_teacher
from tinyml.export.format import Metadata, formats
from tinyml.export.variants import variants
from tinyml.schema import Checkpoint, ModelSpec, Origin, Preprocess
from tinyml.store import file_sha256, read_json
from tinyml.trainer import checkpoint
from tinyml.trainer.answers import storable, stored_answers
from tinyml.trainer.data import Batch, Dataset, TrainBatches
from tinyml.trainer.distill import Distilled, NetworkTeacher, PredictorTeacher, check_teacher
from tinyml.trainer.loop import train
from tinyml.trainer.objective import CrossEntropy, objective_of
from tinyml.trainer.predictor import ModulePredictor
from tinyml.workspace import Workspace

from .conftest import LABELS, TinyNet, config

CPU = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("_no_plot")
ORIGIN = Origin(path="/teacher", sha256="a" * 64)
STILL: dict[str, object] = {"crop_padding": 0, "rotation_degrees": 0.0, "color_jitter": 0.0, "erasing": 0.0}


def test_the_loss_by_hand() -> None:
    logits, taught, targets = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 2.0]]), torch.tensor([0])
    loss = Distilled(lambda _: taught, CrossEntropy(), temperature=2.0, share=0.75)
    p = [1 / (1 + math.e), math.e / (1 + math.e)]  # the teacher's, at a temperature of 2
    q = [math.exp(0.5) / (1 + math.exp(0.5)), 1 / (1 + math.exp(0.5))]
    divergence = sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
    right = -math.log(math.e / (1 + math.e))
    expected = 0.75 * 4 * divergence + 0.25 * right
    assert loss(logits, Batch(torch.zeros(1, 3, 2, 2), targets)).item() == pytest.approx(expected, rel=1e-5)
    stored = Distilled(lambda _: torch.zeros(1, 2), CrossEntropy(), temperature=2.0, share=0.75)
    assert stored(logits, Batch(torch.zeros(1, 3, 2, 2), targets, taught)).item() == pytest.approx(expected, rel=1e-5)


def test_a_network_is_shown_images_of_its_own_size_and_normalization() -> None:
    seen: list[Tensor] = []

    class Watching(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))

        def forward(self, images: Tensor) -> Tensor:
            seen.append(images)
            return images.mean((2, 3))

    own = Preprocess(input_size=64, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
    here = Preprocess(mean=(0.2, 0.3, 0.4), std=(0.1, 0.2, 0.3))
    values = torch.tensor([0.6, 0.7, 0.8])[None, :, None, None].expand(2, 3, 32, 32)
    mean, std = (torch.tensor(x)[None, :, None, None] for x in (here.mean, here.std))
    NetworkTeacher(Watching(), own, here)((values - mean) / std)
    assert seen[0].shape == (2, 3, 64, 64)
    torch.testing.assert_close(seen[0], ((values - 0.5) / 0.25)[:, :, :1, :1].expand_as(seen[0]), rtol=0, atol=1e-5)


def test_an_artifact_is_shown_the_levels_that_it_was_made_for() -> None:
    class Artifact:
        spec = ModelSpec(architecture="a", parameters=1, labels=LABELS, preprocess=Preprocess())

        def logits(self, images: Images) -> Scores | None:
            return None

        def probabilities(self, images: Images) -> Scores:
            assert images.dtype == np.uint8
            scores: Scores = images.mean((1, 2)).astype(np.float32) / 255
            return scores

    preprocess = Preprocess()
    levels = torch.tensor([51.0, 102.0, 0.0])[None, :, None, None].expand(2, 3, 64, 64) / 255
    mean, std = (torch.tensor(x)[None, :, None, None] for x in (preprocess.mean, preprocess.std))
    answered = PredictorTeacher(Artifact(), preprocess)((levels - mean) / std)
    torch.testing.assert_close(answered[:, :2].exp(), torch.tensor([[0.2, 0.4]] * 2))
    assert torch.isfinite(answered).all()


def test_other_classes_are_refused() -> None:
    with pytest.raises(DataError, match="the teacher knows other classes"):
        check_teacher(("a", "b"), ("b", "a"), "t")


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({}, True),
        ({"flip": False}, True),
        ({"crop_padding": 4}, False),
        ({"mixup_alpha": 0.2}, False),
        ({"mixup_alpha": 0.2, "mix_probability": 0.0}, True),
        ({"policy": "trivial"}, False),
        ({"resolution": "32:64"}, False),
        ({"limit": 5}, False),
        ({"epochs": 2}, False),
        ({"teacher": None}, False),
    ],
    ids=str,
)
def test_answers_are_stored_where_images_stay_what_they_are(changes: dict[str, object], kept: bool) -> None:
    assert storable(config(**{"model": "vgg", "teacher": ORIGIN, **STILL, **changes})) is kept


def test_stored_answers_are_those_that_would_be_given(
    colors: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    torch.manual_seed(0)
    teacher = NetworkTeacher(TinyNet(3, 0.0), colors.index.preprocess, colors.index.preprocess)
    wanted = config(teacher=ORIGIN, **STILL)
    asked: list[int] = []

    def counted(images: Tensor) -> Tensor:
        asked.append(len(images))
        return teacher(images)

    for _ in range(2):  # the second finds them
        answers = stored_answers(counted, wanted, colors, CPU)
    assert asked == [48, 48]
    batches = TrainBatches(colors.split("train"), wanted, colors.index.preprocess, 3, CPU, answers=answers)
    for batch in batches.epoch(1):
        assert batch.taught is not None
        torch.testing.assert_close(batch.taught, teacher(batch.images), rtol=1e-2, atol=1e-2)  # float16


def test_a_student_learns_its_teachers_mistakes(colors: Dataset, tiny: str, tmp_path: Path) -> None:
    turned = nn.Linear(3, 3, bias=False)  # takes each color for the next one
    turned.weight.data = 30 * torch.eye(3).roll(1, 0)
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), turned)
    preprocess = colors.index.preprocess
    wanted = config(epochs=6, teacher=ORIGIN, distill_share=1.0, distill_temperature=1.0)
    labels = colors.split("train").labels
    objective = objective_of(wanted, labels, 3, NetworkTeacher(network, preprocess, preprocess))
    result = train(wanted, colors, Workspace(tmp_path), device=CPU, objective=objective)
    assert result.best is not None
    loaded = checkpoint.load(result.best)
    test = colors.split("test")
    answers = ModulePredictor(loaded.model, loaded.checkpoint.spec).logits(np.asarray(test.images)).argmax(1)
    assert (answers == (test.labels + 1) % 3).mean() > 0.9


def test_a_configuration_with_a_teacher_needs_one(colors: Dataset) -> None:
    with pytest.raises(ValueError, match="names a teacher"):
        objective_of(config(teacher=ORIGIN), colors.split("train").labels, 3)


@pytest.mark.usefixtures("cache")
def test_the_command_line_takes_a_checkpoint_and_remembers_it(
    tiny: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    look = ["--data", "shapes", "--recipe", "demo", "--limit", "8", "--device", "cpu", "--results", str(tmp_path)]
    assert run(["train", tiny, *look, "--epochs", "1"]) == 0
    teacher = Workspace(tmp_path).newest_checkpoint()
    parts = ["--epochs", "1", "--total-epochs", "2", "--teacher", str(teacher), "--run", "student"]
    assert run(["train", tiny, *look, *parts]) == 0
    student = Workspace(tmp_path).run(tiny, "student")
    origin = read_json(student.best, Checkpoint).config.teacher
    assert origin == Origin(path=str(teacher), sha256=file_sha256(teacher.with_suffix(".safetensors")))
    resume = ["train", tiny, "--resume", "--run", "student", "--epochs", "2", "--results", str(tmp_path)]
    assert run(resume) == 0
    capsys.readouterr()
    assert run(["train", tiny, *look, "--teacher", str(tmp_path / "no")]) == 1
    assert "no such model" in capsys.readouterr().err


@pytest.mark.usefixtures("cache")
def test_a_training_goes_on_where_its_teacher_lies_elsewhere(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    look = ["--data", "shapes", "--recipe", "demo", "--limit", "8", "--device", "cpu"]
    assert run(["train", tiny, *look, "--epochs", "1", "--run", "teacher"]) == 0
    assert run(["train", tiny, *look, "--epochs", "1", "--run", "other", "--seed", "1"]) == 0
    runs = Path("results", tiny, "runs")
    teacher = runs / "teacher" / "checkpoints" / "best.json"
    parts = ["--epochs", "1", "--total-epochs", "4", "--teacher", str(teacher), "--run", "student"]
    assert run(["train", tiny, *look, *parts]) == 0
    origin = read_json(runs / "student" / "checkpoints" / "best.json", Checkpoint).config.teacher
    assert origin is not None
    assert origin.path == str(teacher)  # as it was named: it holds on any machine
    (runs / "teacher").rename(tmp_path / "elsewhere")
    moved = tmp_path / "elsewhere" / "checkpoints" / "best.json"
    resume = ["train", tiny, "--resume", "--run", "student", "--epochs"]
    capsys.readouterr()
    assert run([*resume, "2"]) == 2
    assert "the teacher of this training is gone" in capsys.readouterr().err
    assert run([*resume, "2", "--teacher", str(runs / "other" / "checkpoints" / "best.json")]) == 2
    assert "this is not the teacher that the training began with" in capsys.readouterr().err
    assert run([*resume, "2", "--teacher", str(moved)]) == 0
    assert run([*resume, "3"]) == 0  # where it lies now is kept
    capsys.readouterr()
    assert run(["train", tiny, "--resume", "--run", "other", "--epochs", "2", "--teacher", str(moved)]) == 2
    assert "a resumed training keeps its teacher" in capsys.readouterr().err


def test_a_package_teaches_as_its_network_does(colors: Dataset, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network, preprocess = TinyNet(3, 0.0).eval(), colors.index.preprocess
    spec = checkpoint.spec_of("tiny", network, LABELS, preprocess)
    facts = {SPEC_KEY: spec.model_dump_json(), DATA_KEY: "colors"}
    metadata = Metadata(spec=spec, summary="", author="", license="", version="", facts=facts)
    path = tmp_path / "teacher.mlpackage"
    formats.get("coreml").write(
        network, variants.get("coreml-fp32"), metadata, np.zeros((0, 64, 64, 3), np.uint8), path
    )
    origin, teacher = open_teacher(path, config(), colors, CPU)
    assert (origin.path, origin.sha256) == (str(path), file_sha256(path))
    batch = next(TrainBatches(colors.split("train"), config(**STILL), preprocess, 3, CPU).epoch(1))
    with torch.no_grad():
        torch.testing.assert_close(teacher(batch.images), network(batch.images), rtol=1e-4, atol=1e-4)
