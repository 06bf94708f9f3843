"""What the page says of each layer, against what the exported files hold."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tinyml.bench.page.project import read
from tinyml.bench.page.sections.layers import layers
from tinyml.export.format import formats
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


def test_a_file_that_is_gone_is_named(exported: Path) -> None:
    artifact, path = read_artifact(next(exported.glob("*/exports/coreml-w8/manifest.json")))
    shutil.rmtree(path)
    content = layers(read(exported), [])
    assert content is not None
    ((name, why),) = content.values["unread"]
    assert name == f"{artifact.spec.architecture} coreml-w8"
    assert "not beside its manifest" in why
