"""Packages that are none, or not sound."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tinyml.coreml import ReferenceModel
from tinyml.coreml.read.messages import model_messages
from tinyml.coreml.read.package import open_package
from tinyml.errors import ArtifactError, PackageError, TinyMLError, UnsupportedOpsError
from tinyml.quiet import coremltools

ct = coremltools()


@pytest.fixture
def package(classifier_package: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(classifier_package, tmp_path / "copy.mlpackage"))


def _edit_manifest(package: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    path = package / "Manifest.json"
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def _edit_spec(package: Path, edit: Callable[[Any], None]) -> None:
    path = package / "Data/com.apple.CoreML/model.mlmodel"
    spec = ct.proto.Model_pb2.Model()
    spec.ParseFromString(path.read_bytes())
    edit(spec)
    path.write_bytes(spec.SerializeToString())


def _block(spec: Any) -> Any:
    return spec.mlProgram.functions["main"].block_specializations["CoreML6"]


def _conv(spec: Any) -> Any:
    return next(item for item in _block(spec).operations if item.type == "conv")


def test_a_missing_path_is_said(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no such Core ML package"):
        open_package(tmp_path / "none.mlpackage")


def test_a_folder_without_manifest_is_no_package(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match=r"not a Core ML package.*Manifest\.json"):
        open_package(tmp_path)


def test_the_manifest_cannot_lead_out_of_the_package(package: Path) -> None:
    (package.parent / "elsewhere").write_bytes(b"")

    def escape(content: dict[str, Any]) -> None:
        content["itemInfoEntries"][content["rootModelIdentifier"]]["path"] = "../../elsewhere"

    _edit_manifest(package, escape)
    with pytest.raises(PackageError, match="leads out of the package"):
        open_package(package)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read"),
        ("9" * 5000, "cannot be read"),
        ("[]", "names no root model"),
        ("{}", "names no root model"),
    ],
)
def test_a_broken_manifest_is_said(package: Path, text: str, message: str) -> None:
    (package / "Manifest.json").write_text(text)
    with pytest.raises(PackageError, match=message):
        open_package(package)


@pytest.mark.parametrize("name", ["a" * 5000, "\ud800", "a/" * 3000])
def test_a_name_that_no_file_can_have_is_refused(package: Path, name: str) -> None:
    def edit(spec: Any) -> None:
        constants = [item for item in _block(spec).operations if item.type == "const"]
        weights = next(item for item in constants if item.attributes["val"].blobFileValue.fileName)
        weights.attributes["val"].blobFileValue.fileName = f"@model_path/weights/{name}"

    if name.isascii():  # a specification holds no half of a character
        other = Path(shutil.copytree(package, package.with_name("other.mlpackage")))
        _edit_spec(other, edit)
        with pytest.raises(PackageError, match="names no possible weight file"):
            open_package(other)

    def rename(content: dict[str, Any]) -> None:
        content["itemInfoEntries"][content["rootModelIdentifier"]]["path"] = name

    _edit_manifest(package, rename)
    with pytest.raises(PackageError, match="names no possible file"):
        open_package(package)


def test_more_items_than_two_are_fine(package: Path) -> None:
    def add(content: dict[str, Any]) -> None:
        content["itemInfoEntries"]["more"] = {"path": "com.apple.CoreML/Metadata.json", "name": "Metadata"}

    _edit_manifest(package, add)
    assert "main" in open_package(package).program.functions


def test_a_truncated_specification_is_said(package: Path) -> None:
    path = package / "Data/com.apple.CoreML/model.mlmodel"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(PackageError, match=r"truncated|holds no model"):
        ReferenceModel(package)


def test_a_missing_weight_file_is_said(package: Path) -> None:
    (package / "Data/com.apple.CoreML/weights/weight.bin").unlink()
    with pytest.raises(PackageError, match="lacks its weight file"):
        ReferenceModel(package)


def test_weights_outside_the_package_are_refused(package: Path) -> None:
    def edit(spec: Any) -> None:
        for item in _block(spec).operations:
            if item.type == "const" and item.attributes["val"].blobFileValue.fileName:
                item.attributes["val"].blobFileValue.fileName = "@model_path/../../../../../../etc/passwd"

    _edit_spec(package, edit)
    with pytest.raises(PackageError, match="outside the package"):
        ReferenceModel(package)


def test_a_neural_network_is_refused_as_that(package: Path) -> None:
    def edit(spec: Any) -> None:
        spec.neuralNetwork.SetInParent()

    _edit_spec(package, edit)
    with pytest.raises(PackageError, match=r"neural network of the \.mlmodel era"):
        ReferenceModel(package)


def test_a_pipeline_is_refused_as_that(package: Path) -> None:
    _edit_spec(package, lambda spec: spec.pipeline.SetInParent())
    with pytest.raises(PackageError, match=r"not an ML Program.*pipeline"):
        ReferenceModel(package)


def test_all_unknown_ops_are_named(package: Path) -> None:
    def edit(spec: Any) -> None:
        operations = [item for item in _block(spec).operations if item.type in ("conv", "relu")]
        operations[0].type, operations[1].type = "convolve", "rectify"

    _edit_spec(package, edit)
    with pytest.raises(UnsupportedOpsError, match="convolve, rectify") as caught:
        ReferenceModel(package)
    assert caught.value.ops == ("convolve", "rectify")


def test_a_cycle_is_refused(package: Path) -> None:
    def edit(spec: Any) -> None:
        _conv(spec).inputs["x"].arguments[0].name = _block(spec).outputs[0]

    _edit_spec(package, edit)
    with pytest.raises(PackageError, match=r"not computed before it.*cyclic"):
        ReferenceModel(package)


def test_a_name_defined_twice_is_refused(package: Path) -> None:
    def edit(spec: Any) -> None:
        _conv(spec).outputs[0].name = "image"

    _edit_spec(package, edit)
    with pytest.raises(PackageError, match="one name twice"):
        ReferenceModel(package)


def test_an_absurd_shape_is_refused_before_anything_is_allocated(package: Path) -> None:
    def edit(spec: Any) -> None:
        _conv(spec).outputs[0].type.tensorType.dimensions[1].constant.size = 2**40

    _edit_spec(package, edit)
    with pytest.raises(PackageError, match="absurd shape"):
        ReferenceModel(package)


def test_inputs_that_an_op_cannot_have_and_lacks_are_named(package: Path) -> None:
    def rename(spec: Any) -> None:
        operation = _conv(spec)
        operation.inputs["wait"].CopyFrom(operation.inputs["weight"])
        del operation.inputs["weight"]

    _edit_spec(package, rename)
    with pytest.raises(PackageError, match=r"cannot have.*wait"):
        ReferenceModel(package)


def test_an_unknown_opset_is_refused(package: Path) -> None:
    def edit(spec: Any) -> None:
        spec.mlProgram.functions["main"].opset = "CoreML99"

    _edit_spec(package, edit)
    with pytest.raises(PackageError, match=r"unknown opset.*CoreML99.*CoreML5"):
        ReferenceModel(package)


def test_an_unknown_function_is_refused(package: Path) -> None:
    with pytest.raises(TinyMLError, match=r"no function.*'second'.*main"):
        ReferenceModel(package, "second")


def test_something_else_than_a_path_is_refused() -> None:
    with pytest.raises(PackageError, match=r"int.*allowed: a path"):
        open_package(3)


def test_reading_a_package_imports_neither_torch_nor_the_rest_of_coremltools(classifier_package: Path) -> None:
    """coremltools' import takes seconds; its messages are all that reading wants."""
    code = (
        "import sys; from tinyml.coreml.read.package import open_package;"
        f"print(len(open_package({str(classifier_package)!r}).program.functions), *sys.modules)"
    )
    functions, *loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert functions == "1"
    assert not {"torch", "coremltools", "sklearn"} & set(loaded)


def test_messages_are_coremltools_own() -> None:
    assert model_messages().Model is ct.proto.Model_pb2.Model
