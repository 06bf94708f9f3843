"""Accuracies of more than one look, by hand, and kept beside the models' own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tinyml.accuracy import Images, Scores
from tinyml.cli import run
from tinyml.errors import UsageError
from tinyml.evaluation.apart import evaluate_all
from tinyml.evaluation.opening import OpenedModel, open_model
from tinyml.schema import Evaluations, ModelSpec, Preprocess
from tinyml.store import read_json
from tinyml.trainer import checkpoint
from tinyml.trainer.architecture import Architecture, architectures
from tinyml.trainer.data import Dataset
from tinyml.workspace import Workspace

from ..trainer.conftest import LABELS, TinyNet, config, make_colors


class Halves:
    """Says what the left half of an image shows: nothing, where it is dark."""

    spec = ModelSpec(architecture="halves", parameters=1, labels=("a", "b"), preprocess=Preprocess())

    def logits(self, images: Images) -> Scores | None:
        return None

    def probabilities(self, images: Images) -> Scores:
        left = images[:, :, :32].mean((1, 2, 3)) / 255
        scores: Scores = np.stack([1 - left, left], 1).astype(np.float32)
        return scores


def opened(predictor: object, path: Path) -> OpenedModel:
    path.write_bytes(path.name.encode())
    return OpenedModel(
        predictor=predictor, variant="checkpoint", path=path, data="d", dataset=None, runtime="test"  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.fixture
def lit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """Two images of each class; of class 1 the left or the right half is bright."""
    dataset = make_colors(tmp_path / "lit", labels=("a", "b"))
    images = np.zeros((4, 64, 64, 3), np.uint8)
    images[1, :, :32] = 255
    images[3, :, 32:] = 255
    split = type(dataset.split("test"))(images=images, labels=np.array([0, 1, 0, 1]))
    monkeypatch.setattr(type(dataset), "split", lambda *_: split)
    monkeypatch.setattr("tinyml.evaluation.evaluate.reopen", lambda *_, **__: dataset)
    return dataset


@pytest.mark.usefixtures("lit")
def test_a_mirrored_look_and_an_ensemble_by_hand(tmp_path: Path) -> None:
    class Sure(Halves):
        def probabilities(self, images: Images) -> Scores:
            return np.tile(np.array([[0.2, 0.8]], np.float32), (len(images), 1))

    models = [opened(Halves(), tmp_path / "one"), opened(Sure(), tmp_path / "two")]
    made = evaluate_all(models, flip=True, ensemble=True)
    rows = {row.variant + row.path[-1]: (folder, row) for folder, row in made}
    # Alone it sees 3 of 4; with the mirror image each bright one gets 0.5, which counts as the first class.
    assert rows["checkpointe"][1].metrics.top1 == 0.75
    assert rows["checkpoint+flipe"][1].metrics.top1 == 0.5
    # Together: dark 0.6 to 0.4, bright on the left 0.1 to 0.9, on the right 0.6 to 0.4; mirrored 0.35 to 0.65.
    folder, together = rows["ensembleo"]
    assert (folder, together.metrics.top1, together.bytes) == ("ensemble", 0.75, 6)
    assert rows["ensemble+flipo"][1].metrics.top1 == 1.0
    assert together.path == f"{tmp_path / 'one'} + {tmp_path / 'two'}"
    assert len({row.sha256 for _, row in rows.values()}) == 3
    assert len(rows) == 6


def test_what_makes_no_ensemble_is_refused(tmp_path: Path) -> None:
    class Other(Halves):
        spec = ModelSpec(architecture="halves", parameters=1, labels=("b", "a"), preprocess=Preprocess())

    one = opened(Halves(), tmp_path / "one")
    with pytest.raises(UsageError, match="--ensemble needs more models: 1; allowed: at least 2 paths"):
        evaluate_all([one], ensemble=True)
    with pytest.raises(UsageError, match="has other classes than"):
        evaluate_all([one, opened(Other(), tmp_path / "two")], ensemble=True)


def test_rows_are_kept_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    architectures.names()
    tiny = Architecture(title="T", paper="-", build=lambda c, d, _: TinyNet(c, d), dropout=0.2, has_drop_path=False)
    monkeypatch.setitem(architectures._entries, "tiny", tiny)
    dataset = make_colors(tmp_path / "colors")
    monkeypatch.setattr("tinyml.evaluation.evaluate.reopen", lambda *_, **__: dataset)
    paths = []
    for seed in range(2):
        torch.manual_seed(seed)
        network: nn.Module = TinyNet(3, 0.0)
        folder = Workspace(tmp_path / "results").run("tiny", f"r-{seed}").checkpoints
        spec = checkpoint.spec_of("tiny", network, LABELS, dataset.index.preprocess)
        paths.append(str(checkpoint.save(folder, "best", network, spec=spec, config=config(), dataset_sha256="0" * 64)))
    command = ["eval", *paths, "--flip", "--ensemble", "--device", "cpu", "--results", str(tmp_path / "results")]
    assert run([*command, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["variant"] for row in rows] == [
        *["checkpoint", "checkpoint+flip"] * 2, "ensemble", "ensemble+flip"
    ]  # fmt: skip
    kept = read_json(tmp_path / "results" / "tiny" / "test_results.json", Evaluations)
    assert len(kept.results) == 4
    assert run(command) == 0  # in place of the earlier ones
    assert len(read_json(tmp_path / "results" / "tiny" / "test_results.json", Evaluations).results) == 4
    together = read_json(tmp_path / "results" / "ensemble" / "test_results.json", Evaluations)
    assert {row.variant for row in together.results} == {"ensemble", "ensemble+flip"}
    table = (tmp_path / "results" / "model_comparison.csv").read_text()
    assert "ensemble,ensemble+flip,colors,test,12,12," in table
    assert open_model(Path(paths[0])).predictor.spec.labels == LABELS
