"""The rules across fields of the records that stand beside models and data; a run's are in the shared fixtures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tinyml.schema import Artifact, Golden, Metrics, Record, SplitInfo, Verification

METRICS = {"split": "test", "top1": 0.5, "top5": 0.75, "images": 100, "total": 200}
SPLIT = {"images": 2, "sha256": "0" * 64, "labels": [0, 1], "paths": ["a/1.png", "b/1.png"]}


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
