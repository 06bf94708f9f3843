"""The rules across fields of the records that stand beside models and data; a run's are in the shared fixtures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tinyml.bench.backend import backends
from tinyml.schema import KNOWN_BACKENDS, Artifact, BenchCase, Golden, Metrics, Record, SplitInfo, Verification

METRICS = {"split": "test", "top1": 0.5, "top5": 0.75, "images": 100, "total": 200}
SPLIT = {"images": 2, "sha256": "0" * 64, "labels": [0, 1], "paths": ["a/1.png", "b/1.png"]}


CASE = {
    "model": "resnet",
    "variant": "checkpoint",
    "format": "torch",
    "artifact_sha256": "0" * 64,
    "artifact_bytes": 1,
    "backend": "torch",
    "requested_units": "cpu",
    "warmup": 0,
    "min_repeats": 1,
    "min_seconds": 0.0,
}

FIXTURES = Path(__file__).parents[2] / "swift_demo" / "Tests" / "Fixtures"


def artifact() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FIXTURES / "artifact.json").read_text())
    return found


def golden() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FIXTURES / "golden.json").read_text())
    return found


def _verification() -> dict[str, Any]:
    found: dict[str, Any] = artifact()["verification"]
    return found


CASES: dict[str, tuple[type[Record], Callable[[], dict[str, Any]], dict[str, Any], str]] = {
    "more images than there are": (Metrics, METRICS.copy, {"images": 201}, "more than the 200"),
    "top-1 above top-5": (Metrics, METRICS.copy, {"top1": 0.8}, "above top-5"),
    "no whole count": (Metrics, METRICS.copy, {"top1": 0.505}, "no whole number of 100 images"),
    "no class for an image": (SplitInfo, SPLIT.copy, {"labels": [0]}, "2 images, 1 classes"),
    "no path for an image": (SplitInfo, SPLIT.copy, {"paths": ["a/1.png"]}, "2 classes and 1 paths"),
    "other images": (Verification, _verification, {"images": 99}, "not measured on the images"),
    "other split": (Verification, _verification, {"split": "test"}, "not measured on the images"),
    "mean above largest": (Verification, _verification, {"mean_difference": 0.5}, "mean difference"),
    "first above five": (Verification, _verification, {"top5_agreement": 0.5}, "agreement on the first class"),
    "a label without probability": (Golden, golden, {"labels": ["cat"]}, "one probability for each"),
    "a label twice": (Golden, golden, {"labels": ["cat", "cat"]}, "one probability for each"),
    "no label": (Golden, golden, {"labels": [], "probabilities": []}, "one probability for each"),
    "not ranked": (Golden, golden, {"probabilities": [0.25, 0.75]}, "not ranked"),
    "negative tolerance": (Golden, golden, {"tolerance": -1.0}, "greater than or equal to 0"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_record_that_makes_no_sense_is_refused(name: str) -> None:
    kind, valid, change, problem = CASES[name]
    kind.model_validate(valid(), strict=False)
    with pytest.raises(ValidationError, match=problem):
        kind.model_validate(valid() | change)


def test_a_share_of_four_digits_is_taken_for_the_count_it_stands_for() -> None:
    assert Metrics(split="test", top1=0.6667, top5=0.6667, images=3, total=3).top1 == 0.6667


def test_top_5_may_be_left_out_where_it_says_nothing() -> None:
    assert Metrics(split="test", top1=0.5, top5=None, images=2, total=2).top5 is None
    assert Artifact.model_validate(artifact())


def test_the_schema_knows_what_each_backend_runs() -> None:
    found = {name: (*backend.formats, backend.units) for name, backend in backends.items()}
    assert found == KNOWN_BACKENDS


@pytest.mark.parametrize("name", ["densenet", "Größe 2 (final)", "画像 v1.2", "a" * 255, "x"])
def test_a_model_may_be_called_as_people_do(name: str) -> None:
    BenchCase.model_validate(CASE | {"model": name})


@pytest.mark.parametrize(
    "name", ["", " ", "a ", "\ta", "a\nb", "a/b", "..\\b", "a\u2028b", "\u202eexe.onnx", "a" * 256]
)
def test_a_name_fits_a_line_and_a_folder(name: str) -> None:
    with pytest.raises(ValidationError, match="model"):
        BenchCase.model_validate(CASE | {"model": name})
