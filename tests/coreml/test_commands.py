"""The verbs ops, run, diff and convert, and what they stand on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tinyml.cli import run
from tinyml.coreml import ReferenceModel
from tinyml.coreml.tools.coverage import NOT_IN_PROGRAMS, op_table
from tinyml.coreml.tools.diff import value_differences
from tinyml.coreml.tools.inputs import make_inputs
from tinyml.errors import InputError, UsageError
from tinyml.quiet import coremltools, quiet


def _json(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_every_op_of_coremltools_is_implemented_or_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ops", "--json"]) == 0
    table = _json(capsys)
    assert len(table) > 160
    assert [row["name"] for row in table if "no" in row["status"].values()] == []
    registry = coremltools().converters.mil.mil.ops.registry.SSAOpRegistry.core_ops
    assert set(registry) - {row.name for row in op_table()} == set(NOT_IN_PROGRAMS)


def test_run_shows_outputs_and_ops(
    classifier_package: Path, image: Image.Image, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image.resize((20, 20)).save(tmp_path / "noise.png")
    arrays = tmp_path / "out.npz"
    arguments = ["run", str(classifier_package), "--input", f"image={tmp_path / 'noise.png'}", "--output", str(arrays)]
    assert run([*arguments, "--json"]) == 0
    document = _json(capsys)
    assert [item["name"] for item in document["outputs"]] == ["classLabel", "classLabel_probs"]
    assert {"conv", "relu", "softmax", "classify"} <= {item["kind"] for item in document["ops"]}
    assert all(item["duration_ns"] >= 0 for item in document["ops"])
    with np.load(arrays) as found:
        assert found["classLabel_probs_labels"].tolist() == ["ant", "bee", "cat", "dog"]
    assert run(arguments) == 0
    assert "classLabel" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--input", "image"], 2, "not an input"),
        (["--input", "picture=random"], 1, "no input of this name"),
        (["--input", "image=nothing.png"], 1, "no such file"),
        (["--function", "second"], 1, "no function of this name"),
        (["--precision", "double"], 1, "unknown precision"),
        (["--output", "a.txt"], 2, "a name in .npz"),
    ],
)
def test_run_refuses_in_one_sentence(
    classifier_package: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    assert run(["run", str(classifier_package), *arguments]) == code
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_diff_puts_the_worst_value_first(
    classifier: Any, classifier_package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ct = coremltools()
    config = ct.optimize.coreml.OptimizationConfig(
        global_config=ct.optimize.coreml.OpPalettizerConfig(nbits=2, mode="uniform", weight_threshold=0)
    )
    with quiet():
        ct.optimize.coreml.palettize_weights(classifier, config).save(str(tmp_path / "two_bits.mlpackage"))
    plot = tmp_path / "diff.png"
    pair = [str(classifier_package), str(tmp_path / "two_bits.mlpackage")]
    assert run(["diff", *pair, "--plot", str(plot), "--json"]) == 0
    differences = _json(capsys)["differences"]
    assert differences[0]["largest"] > 0
    values = [item["psnr_db"] for item in differences if item["psnr_db"] is not None]
    assert values == sorted(values)
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert run(["diff", pair[0], pair[0], "--json"]) == 0
    assert {item["largest"] for item in _json(capsys)["differences"]} == {0.0}


def test_psnr_is_what_its_formula_says() -> None:
    reference = {"a": np.array([1.0, -4.0]), "same": np.ones(2), "nan": np.array([np.nan]), "label": "x"}
    other = {"a": np.array([1.0, -4.4]), "same": np.ones(2), "nan": np.array([np.nan]), "label": "x"}
    found = {item.name: item for item in value_differences(reference, other)}
    assert found["a"].psnr_db == pytest.approx(20 * np.log10(4 / np.sqrt(0.16 / 2)))
    assert found["a"].relative == pytest.approx(0.1)
    assert found["same"].psnr_db == found["nan"].psnr_db == np.inf
    with pytest.raises(InputError, match="no value of the same name"):
        value_differences({"a": np.ones(1)}, {"b": np.ones(1)})


def test_convert_writes_beside_the_package(classifier_package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["convert", str(classifier_package), "--to", "onnx", "--json"]) == 0
    document = _json(capsys)
    assert Path(document["path"]) == classifier_package.with_suffix(".onnx")
    assert document["largest_relative_difference"] < 1e-5
    assert run(["convert", str(classifier_package), "--to", "caffe"]) == 2


def test_convert_replaces_only_what_is_named(
    classifier_package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / "a b.mlpackage"
    shutil.copytree(classifier_package, package)
    there = package.with_suffix(".onnx")
    there.write_text("somebody's own")
    assert run(["convert", str(package), "--to", "onnx"]) == 2
    assert f"--output '{there}'" in capsys.readouterr().err
    assert there.read_text() == "somebody's own"
    assert run(["convert", str(package), "--to", "onnx", "--output", str(there)]) == 0
    assert there.stat().st_size > 1000


def test_random_inputs_suit_the_model(classifier: Any, stateful: Any) -> None:
    for model in (ReferenceModel(classifier), ReferenceModel(stateful)):
        inputs = make_inputs(model.input_description, ())
        model.predict(inputs, model.new_state())
    with pytest.raises(UsageError, match="name=FILE"):
        make_inputs(ReferenceModel(stateful).input_description, ["x"])
