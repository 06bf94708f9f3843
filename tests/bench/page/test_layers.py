"""What the page says of each layer, against what the exported files hold."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tinyml.bench.page.project import read
from tinyml.bench.page.sections.layers import layers
from tinyml.bench.table import significant
from tinyml.export.format import formats
from tinyml.schema import (
    Artifact,
    LayerLoss,
    Palettization,
    Plan,
    PlanGoal,
    PlannedLayer,
    PlanOption,
    PlanTrial,
    Pruning,
)
from tinyml.store import write_json
from tinyml.workspace import read_artifact


@pytest.fixture
def exported(trained_results: Any, tmp_path: Path) -> Path:
    for name in ("coreml-fp16", "coreml-w8", "onnx-w8a8"):
        folder = trained_results.artifacts[name].parent
        shutil.copytree(folder, tmp_path / "results" / folder.parents[1].name / "exports" / name)
    return tmp_path / "results"


def test_every_stored_weight_has_its_size_and_its_bits(exported: Path) -> None:
    content = layers(read(exported), [])
    assert content is not None
    told = {each.name.split()[1]: each for each in content.values["told"]}
    assert set(told) == {"coreml-fp16", "coreml-w8", "onnx-w8a8"}
    for name, each in told.items():
        artifact, path = read_artifact(next(exported.glob(f"*/exports/{name}/manifest.json")))
        stored = formats.get(artifact.variant.format).stored_weights(path)
        assert [layer.name for layer in each.layers] == [weight.layer for weight in stored]
        assert sum(layer.share for layer in each.layers) == pytest.approx(100)
        assert sum(layer.bytes for layer in each.layers) < artifact.bytes
    assert {layer.bits for layer in told["coreml-fp16"].layers} == {16.0}
    assert all(8 <= layer.bits < 12 for layer in told["coreml-w8"].layers if layer.stored.startswith("int8"))
    assert told["coreml-w8"].bits < told["coreml-fp16"].bits


def test_every_layer_has_its_error_and_what_it_minds(exported: Path) -> None:
    content = layers(read(exported), [])
    assert content is not None
    assert all(layer.error and layer.sensitivity is None for each in content.values["told"] for layer in each.layers)
    artifact, path = read_artifact(next(exported.glob("*/exports/coreml-w8/manifest.json")))
    names = [weight.layer for weight in formats.get("coreml").stored_weights(path)]
    write_json(path.with_name("plan.json"), plan_of(names, artifact))
    content = layers(read(exported), [])
    assert content is not None
    (told,) = [each for each in content.values["told"] if "coreml-fp16" in each.name]
    # Of the plain options palette2 is as large as the plan; a sparse one would be nearer still.
    assert told.measured.startswith("Sensitivity: the Kullback-Leibler divergence of the outputs when this layer alone")
    assert "is stored as palette2, measured on 8 inputs" in told.measured
    assert [layer.sensitivity for layer in told.layers] == [significant(2 + n) for n in range(len(names))]
    assert told.layers[-1].sensitive == 100


def plan_of(layers: list[str], artifact: Artifact) -> Plan:
    """Of a network whose layers mind every option the more the later they come."""
    options = {
        "none": (),
        "palette2": (Palettization(bits=2),),
        "palette8": (Palettization(bits=8),),
        "prune50": (Pruning(sparsity=0.5),),
    }
    sizes = {"none": 1600, "palette2": 200, "palette8": 800, "prune50": 250}
    measured = {
        name: tuple(
            LayerLoss(option=option, bytes=sizes[option], loss=n + size)
            for option, size in (("none", 0), ("palette2", 2), ("palette8", 1), ("prune50", 3))
        )
        for n, name in enumerate(layers)
    }
    return Plan(
        model="alexnet",
        source_sha256=artifact.checkpoint_sha256,
        goal=PlanGoal(max_drop=1.0),
        measure="divergence",
        rounding="nearest",
        calibration_images=8,
        judging_images=8,
        judged_on="val",
        labeled=True,
        top1=0.5,
        options=tuple(PlanOption(name=name, compression=kinds) for name, kinds in options.items()),
        layers=tuple(
            PlannedLayer(layer=name, weights=100, option="prune50", measured=measured[name]) for name in layers
        ),
        trials=(PlanTrial(name="knapsack 1", bytes=1, bits=4.0, loss=0.1, points_lost=0.0, front=True, chosen=True),),
        seconds=1,
        variant=artifact.variant,
        provenance=artifact.provenance,
    )


def test_a_file_that_is_gone_is_named(exported: Path) -> None:
    artifact, path = read_artifact(next(exported.glob("*/exports/coreml-w8/manifest.json")))
    shutil.rmtree(path)
    content = layers(read(exported), [])
    assert content is not None
    ((name, why),) = content.values["unread"]
    assert name == f"{artifact.spec.architecture} coreml-w8"
    assert "not beside its manifest" in why
