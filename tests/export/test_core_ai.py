"""Core AI: what is written is what the checkpoint says, read from the file, executed by Apple's own runtime."""

import importlib.util
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from tests.export.test_compression import export, images, network, written  # noqa: F401 (fixtures)
from tinyml.core_ai.program import Program, read_program
from tinyml.errors import ArtifactError, UnavailableError, UsageError
from tinyml.evaluation.opening import open_model
from tinyml.evaluation.runtime import SPEC_KEY, runtimes
from tinyml.export.choice import chosen
from tinyml.export.format import formats
from tinyml.export.proof import prove
from tinyml.export.source import Sources
from tinyml.export.variants import variants
from tinyml.schema import ModelSpec

CORE_AI = formats.get("coreai")
ROWS = [name for name, row in variants.items() if row.format == "coreai"]

needs_core_ai = pytest.mark.skipif(CORE_AI.available() is not None, reason=CORE_AI.available() or "")


def spec_in(path: Path) -> ModelSpec:
    return ModelSpec.model_validate_json(CORE_AI.open(path).facts[SPEC_KEY])


@needs_core_ai
@pytest.mark.parametrize("name", ROWS)
def test_every_weight_is_proven(name: str, network: nn.Module, images: np.ndarray, tmp_path: Path) -> None:  # noqa: F811
    row = variants.get(name)
    path = written(network, row, images, tmp_path)
    proof = prove(row, CORE_AI.held_weights(path), Sources(network, spec_in(path)).of(row), path.name)
    assert proof.weights == 5
    assert proof.plain == (("stem.0", "depthwise") if "of" in name else ())  # too few input channels for a pattern


@needs_core_ai
@pytest.mark.parametrize(
    "kind", ["w8", "w8z", "w4g32", "palette6", "palette4g16", "palette2e8", "prune50", "prune2of4"]
)
def test_the_weights_are_those_of_core_ml(kind: str, network: nn.Module, images: np.ndarray, tmp_path: Path) -> None:  # noqa: F811
    held = {}
    for format_ in ("coreml", "coreai"):
        (row,) = chosen(format_, kind).rows
        path = written(network, row.model_copy(update={"minimum_target": "iOS18"}), images, tmp_path)
        held[format_] = {weight.layer: values for weight, values in formats.get(format_).held_weights(path)}
    assert held["coreml"].keys() == held["coreai"].keys()
    for layer, values in held["coreml"].items():
        assert np.array_equal(values, held["coreai"][layer]), layer


@needs_core_ai
def test_a_smaller_file_for_fewer_bits(network: nn.Module, images: np.ndarray, tmp_path: Path) -> None:  # noqa: F811
    names = ("coreai-fp32", "coreai-fp16", "coreai-w8", "coreai-palette6", "coreai-w4g32", "coreai-palette2e8")
    sizes = [(written(network, variants.get(name), images, tmp_path) / "main.mlirb").stat().st_size for name in names]
    assert sizes == sorted(sizes, reverse=True)


@needs_core_ai
def test_the_file_says_nothing_of_the_machine(network: nn.Module, images: np.ndarray, tmp_path: Path) -> None:  # noqa: F811
    path = written(network, variants.get("coreai-fp16"), images, tmp_path)
    content = (path / "main.mlirb").read_bytes()
    assert re.search(rb"\.py\b|/(home|root|tmp|usr)/", content) is None
    assert str(tmp_path).encode() not in content


@needs_core_ai
def test_it_answers_as_any_other_model_of_ours(network: nn.Module, images: np.ndarray, tmp_path: Path) -> None:  # noqa: F811
    path = written(network, variants.get("coreai-fp32"), images, tmp_path)
    opened = open_model(path)
    assert opened.runtime.startswith("Core AI ")
    shapes = {value.name: value.shape for value in (*CORE_AI.open(path).inputs, *CORE_AI.open(path).outputs)}
    assert shapes == {"image": (1, 3, 16, 16), "probabilities": (1, 10)}
    found = opened.predictor.probabilities(images[:3])
    assert np.allclose(found.sum(1), 1, atol=1e-6)


@needs_core_ai
def test_what_is_no_model_of_ours_is_refused(network: nn.Module, images: np.ndarray, tmp_path: Path) -> None:  # noqa: F811
    path = written(network, variants.get("coreai-fp16"), images, tmp_path)
    metadata = json.loads((path / "metadata.json").read_text())
    strange = tmp_path / "strange.aimodel"
    shutil.copytree(path, strange)
    (strange / "metadata.json").write_text(
        json.dumps({key: value for key, value in metadata.items() if key != "creatorDefinedMetadata"})
    )
    with pytest.raises(ArtifactError, match="a model that tinyml did not write"):
        runtimes.get("coreai").open(strange)
    whole = (path / "main.mlirb").read_bytes()
    for damage in (b"", b"not a program", whole[: len(whole) // 2], whole[:-1] + b"?"):
        (strange / "main.mlirb").write_bytes(damage)
        with pytest.raises(ArtifactError, match="not a Core AI model"):
            runtimes.get("coreai").open(strange)
    shutil.rmtree(strange)
    strange.mkdir()
    with pytest.raises(ArtifactError, match="not a Core AI model"):
        runtimes.get("coreai").open(strange)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("palette3", "palettes in Core AI have 1, 2, 4, 6 or 8 bits"),
        ("palette4s", "no scale per channel"),
        ("prune50-w8", "sparse weights in Core AI are not compressed further"),
        ("w8a8", "activations in Core AI stay floats here"),
    ],
)
def test_what_cannot_be_is_refused_with_the_nearest_that_can(said: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as caught:
        chosen("coreai", said)
    assert "nearest: coreai-" in str(caught.value)


def test_it_is_asked_for_by_name() -> None:
    assert {row.format for row in chosen("all", "int8").rows} == {"coreml", "onnx"}
    assert [row.name for row in chosen("coreai", "int8").rows] == ["coreai-w8"]
    assert [row.name for row in chosen("coreai", "palette4g8").rows] == ["coreai-palette4g8"]
    with pytest.raises(UsageError, match="--target is for Core ML"):
        chosen("coreai", "int8", target="iOS17")


def test_where_its_packages_are_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    reason = "coreai-core is not installed: pip install 'tinyml-coreml[coreai]'"
    assert CORE_AI.available() == runtimes.get("coreai").available() == reason
    monkeypatch.setitem(__import__("sys").modules, "coreai.authoring", None)
    with pytest.raises(UnavailableError, match="Core AI cannot run here"):
        runtimes.get("coreai").open(tmp_path)


TEXT = """module {
  coreai.graph private noinline @inner(%arg0: tensor<1x4xf32> {coreai.name = "x"}) -> tensor<1x4xf32> {
    %0 = coreai.relu %arg0 : (tensor<1x4xf32>) -> tensor<1x4xf32>
    coreai.output %0 : tensor<1x4xf32>
  }
  coreai.graph @main(%arg0: tensor<1x4xf32> {coreai.name = "image"}) -> (tensor<1x4xf32> {coreai.name = "scores"}) {
    %0 = coreai.constant dense<[[1.5, -2.0], [3.0E-1, 4.0]]> : tensor<2x2xf32>
    %1 = coreai.constant dense<1> : tensor<3xsi32>
    %2 = coreai.constant dense_resource<packed> : tensor<5xsi4>
    %3 = coreai.constant dense_resource<six> : tensor<4xui6>
    %4 = coreai.constant dense<"0x003C00C0"> : tensor<2xf16>
    %5:2 = coreai.split %arg0, %1 : (tensor<1x4xf32>, tensor<3xsi32>) -> (tensor<1x2xf32>, tensor<1x2xf32>)
    %6 = coreai.cast %5#1 : tensor<1x2xf32> to tensor<1x2xf16>
    %7 = coreai.softmax %arg0, %1 : (tensor<1x4xf32>, tensor<3xsi32>) -> tensor<1x4xf32>
    coreai.output %7 : tensor<1x4xf32>
  }
}

{-#
  dialect_resources: {
    builtin: {
      packed: "0x10000000F1870F",
      six: "0x10000000C1F3FF"
    }
  }
#-}
"""


def test_constants_of_every_kind_are_read() -> None:
    program = Program(TEXT)
    assert program.constant("%0").tolist() == [[1.5, -2.0], [np.float32(0.3), 4.0]]
    assert program.constant("%1").tolist() == [1, 1, 1]
    assert program.constant("%2").tolist() == [1, -1, 7, -8, -1]
    assert program.constant("%3").tolist() == [1, 15, 63, 63]
    assert program.constant("%4").tolist() == [1.0, -2.0]
    assert (program.operations["%5"].type.shape, program.operations["%6"].type.dtype) == ((1, 2), "f16")
    assert program.operations["%6"].operands == ("%5#1",)
    with pytest.raises(ArtifactError, match="%7 is computed"):
        program.constant("%7")


def test_constants_that_are_not_finite_are_read_by_their_bits() -> None:
    infinite = TEXT.replace('dense<"0x003C00C0">', "dense<[0xFC00, 1.0]>")
    assert Program(infinite).constant("%4").tolist() == [-np.inf, 1.0]
    assert np.isnan(Program(TEXT.replace('dense<"0x003C00C0">', "dense<0x7E00>")).constant("%4")).all()
    for broken in ('dense<"0x003C00">', "dense<[0xFC, 1.0]>", "dense<[1.0, 2.0, 3.0]>", "dense_resource<lost>"):
        with pytest.raises(ArtifactError, match="%4 is a constant that cannot be read"):
            Program(TEXT.replace('dense<"0x003C00C0">', broken)).constant("%4")


def test_one_more_output() -> None:
    program = Program(Program(TEXT).with_output("%6", "half"))
    assert program.returned == ("%7", "%6")
    assert {name: value.shape for name, value in program.outputs.items()} == {"scores": (1, 4), "half": (1, 2)}
    with pytest.raises(ArtifactError, match="without a function main"):
        Program("module {\n}\n")


@needs_core_ai
def test_the_text_of_a_written_program_is_read_whole(network: nn.Module, images: np.ndarray, tmp_path: Path) -> None:  # noqa: F811
    program = read_program(written(network, variants.get("coreai-fp32"), images, tmp_path))
    assert (list(program.inputs), list(program.outputs)) == (["image"], ["probabilities"])
    assert set(program.returned) <= set(program.operations)
    used = {name.partition("#")[0] for each in program.operations.values() for name in each.operands}
    assert used <= {*program.operations, "%arg0"}
