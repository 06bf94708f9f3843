"""`tinyml explain` on a checkpoint and what was exported from it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinyml.cli.app import run
from tinyml.schema import Explanation
from tinyml.store import read_json

from ..conftest import TrainedResults


@pytest.fixture
def cached(trained_results: TrainedResults, monkeypatch: pytest.MonkeyPatch) -> TrainedResults:
    monkeypatch.setenv("TINYML_CACHE", str(trained_results.cache))
    return trained_results


def test_a_checkpoint_and_an_artifact_are_asked_the_same(
    cached: TrainedResults, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    artifact = next(iter(cached.artifacts.values()))
    paths = [str(cached.checkpoint), str(artifact)]
    options = ["--limit", "40", "--robustness", "--robustness-images", "4", "--results", str(tmp_path), "--json"]
    assert run(["explain", *paths, *options]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [each["metrics"]["images"] for each in shown] == [40, 40]
    folder = tmp_path / cached.model / "explained"
    for each in shown:
        kept = read_json(folder / f"{each['variant']}.json", Explanation)
        assert kept.model_dump(mode="json") == each
        assert sum(c.images for c in kept.classes) == 40
        assert sum(c.right for c in kept.classes) == round(kept.metrics.top1 * 40)
        assert sum(pair.images for pair in kept.confused) == 40 - round(kept.metrics.top1 * 40)
        robust = kept.robustness
        assert robust is not None
        assert len(robust.corrupted) == 75
        assert [a.attack for a in robust.attacked] == ["fgsm", "pgd"]
        assert len(np.unique(np.asarray(Image.open(folder / f"{each['variant']}.png").convert("L")))) > 10


def test_an_artifact_alone_is_not_attacked_and_it_says_so(
    cached: TrainedResults, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    artifact = str(next(iter(cached.artifacts.values())))
    options = ["--limit", "10", "--robustness", "--robustness-images", "1", "--results", str(tmp_path)]
    assert run(["explain", artifact, *options]) == 0
    out = capsys.readouterr().out
    assert "not attacked: no checkpoint among the models; name one with --attack-with" in out
    assert "not run" in out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--attack-with", "best.json"], 2, "--attack-with without --robustness"),
        (["--robustness-images", "7"], 2, "--robustness-images without --robustness"),
        (["--split", "tset"], 2, "unknown split: 'tset'"),
        (["--limit", "1"], 2, "--limit"),
        (["nowhere"], 1, "no such model"),
        (["--data", "nowhere"], 2, "unknown data set: 'nowhere'"),
    ],
)
def test_a_mistake_gets_one_line(
    cached: TrainedResults,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    paths = [] if arguments[0] == "nowhere" else [str(cached.checkpoint)]
    assert run(["explain", *paths, *arguments, "--results", str(tmp_path)]) == code
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_attack_needs_a_checkpoint_of_the_same_images(
    cached: TrainedResults, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    artifact = str(next(iter(cached.artifacts.values())))
    options = ["--limit", "10", "--robustness", "--robustness-images", "1", "--results", str(tmp_path)]
    assert run(["explain", str(cached.checkpoint), *options, "--attack-with", artifact]) == 2
    assert "--attack-with: an exported model gives no gradients" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
