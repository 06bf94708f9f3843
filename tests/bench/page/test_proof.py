"""The verdict on each exported file, and what stands beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tinyml.bench.page.project import read
from tinyml.bench.page.render import html
from tinyml.bench.page.sections.proof import Proved, proof
from tinyml.schema import Artifact, Floor, ProvenWeight, Verification, WeightProof
from tinyml.store import read_json, write_json

NAME = "coreml-w8"


def changed(results: Path, **update: Any) -> Path:
    """The manifest of one of the exports with another verification; fields of it, or None for none at all."""
    path = next(results.glob(f"*/exports/{NAME}/manifest.json"))
    artifact = read_json(path, Artifact)
    assert artifact.verification is not None
    checked = update.pop("verification", artifact.verification)
    if update:
        checked = Verification.model_validate(artifact.verification.model_dump() | update)
    write_json(path, artifact.model_copy(update={"verification": checked}))
    return path


def told(results: Path) -> Proved:
    content = proof(read(results), [])
    assert content is not None
    row: Proved = next(row for row in content.values["table"] if row.variant == NAME)
    return row


def test_a_file_that_reached_its_floors_passed(results: Path) -> None:
    row = told(results)
    assert (row.kind, row.why, row.images) == ("passed", "", "100 test")
    assert (row.psnr.figure, row.psnr.floor) == ("46.5", "at least 30")
    assert (row.agreement.figure, row.agreement.floor) == ("97.00", "at least 95")
    assert (row.lost.figure, row.lost.floor) == ("-2.00", "at most 2")
    assert (row.weights, row.bits, row.farthest.figure) == ("-", "-", "-")
    assert "nothing is told of their weights here" in html(read(results))


def test_its_weights_are_told_where_they_were_held(results: Path) -> None:
    path = changed(results)
    artifact = read_json(path, Artifact)
    weights = (
        ProvenWeight(layer="first", bits=8.25, error=0.004, of_allowed=0.9),
        ProvenWeight(layer="last", bits=16, error=0.0123, of_allowed=0.5),
    )
    held = WeightProof(
        artifact_sha256=artifact.sha256,
        checkpoint_sha256=artifact.checkpoint_sha256,
        weights=weights,
        plain=("last",),
        provenance=artifact.provenance,
    )
    write_json(path.with_name("proof.json"), held)
    row = told(results)
    assert (row.weights, row.bits) == ("2", "8.25 to 16.00")
    assert (row.farthest.figure, row.farthest.floor) == ("1.23%", "last")
    write_json(path.with_name("proof.json"), held.model_copy(update={"artifact_sha256": "cd" * 32}))
    assert told(results).weights == "-"  # the proof of another file


@pytest.mark.parametrize(
    ("update", "kind", "why"),
    [
        ({"failures": ("PSNR of the logits 3.0 dB is below 30 dB",)}, "failed", "PSNR of the logits 3.0 dB is below"),
        ({"verification": None}, "not run", "exported without verification"),
        ({"floor": Floor(top1_agreement=0, psnr_db=0, max_accuracy_drop=1)}, "not judged", ""),
        ({"floor": Floor(top1_agreement=0, psnr_db=0, max_accuracy_drop=0.5)}, "passed", ""),
    ],
)
def test_nothing_else_passes(results: Path, update: dict[str, Any], kind: str, why: str) -> None:
    changed(results, **update)
    row = told(results)
    assert row.kind == kind
    assert row.why.startswith(why)
    assert f'class="badge {kind.replace(" ", "-")}">{kind}<' in html(read(results))
