"""A stranger's Core ML package, where there is no Mac to load it, and the inputs that one is given."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coremltools.proto import Model_pb2
from PIL import Image

from tinyml.bench.jobs import JobList, Selection, Settings, foreign_jobs
from tinyml.bench.package_inputs import package_features, package_inputs
from tinyml.errors import InputError, PackageError
from tinyml.quiet import coremltools, quiet

_DATA = Path("Data/com.apple.CoreML")
Edit = Callable[[Any], None]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture in BGR and an array go in."""
    ct = coremltools()
    from coremltools.converters.mil import Builder as mb  # noqa: N813  coremltools' own name for it

    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 3, 8, 6)), mb.TensorSpec(shape=(1, 4))])
    def program(image: Any, bias: Any) -> Any:
        weight = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
        return mb.add(x=mb.linear(x=mb.reduce_mean(x=image, axes=[2, 3]), weight=weight), y=bias, name="scores")

    path = tmp_path_factory.mktemp("package") / "theirs.mlpackage"
    with quiet():
        ct.convert(
            program,
            convert_to="mlprogram",
            inputs=[
                ct.ImageType(name="image", shape=(1, 3, 8, 6), color_layout=ct.colorlayout.BGR),
                ct.TensorType(name="bias", shape=(1, 4)),
            ],
            skip_model_load=True,
        ).save(str(path))
    return path


@pytest.fixture
def package(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / made.name))


def edit_specification(package: Path, edit: Edit) -> None:
    file = package / _DATA / "model.mlmodel"
    specification = Model_pb2.Model.FromString(file.read_bytes())
    edit(specification)
    file.write_bytes(specification.SerializeToString())


def given(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "given.npz", **arrays)
    return folder / "given.npz"


def jobs(package: Path, inputs: Path | None = None) -> JobList:
    return foreign_jobs([package], Settings(), inputs=inputs, selection=Selection())


PIXELS = np.arange(8 * 6 * 3, dtype=np.uint8).reshape(8, 6, 3)
BIAS = np.ones((1, 4), np.float32)


def test_a_sound_package_waits_for_a_mac(package: Path, tmp_path: Path) -> None:
    assert {job.obstacle for job in jobs(package).jobs} == {"needs macOS"}
    assert len(jobs(package, given(tmp_path, image=PIXELS, bias=BIAS)).jobs) == 4


def test_weights_cut_short_are_told_without_a_mac(package: Path) -> None:
    weights = package / _DATA / "weights" / "weight.bin"
    weights.write_bytes(weights.read_bytes()[:64])
    with pytest.raises(PackageError):
        jobs(package)


def test_a_damaged_specification_is_told_without_a_mac(package: Path) -> None:
    (package / _DATA / "model.mlmodel").write_bytes(b"\xff" * 40)
    with pytest.raises(PackageError, match="no Core ML model"):
        jobs(package)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"image": PIXELS}, "needs an input that is missing.*bias"),
        ({"image": PIXELS, "bias": BIAS, "more": BIAS}, "no input of this name.*more"),
        ({"image": PIXELS[:4], "bias": BIAS}, "image 'image' is of the wrong size.*6x4.*6x8"),
        ({"image": PIXELS.astype(np.int64), "bias": BIAS}, "holds no picture.*int64"),
        ({"image": PIXELS, "bias": BIAS[:, :2]}, "'bias' is of the wrong shape"),
    ],
)
def test_inputs_that_do_not_fit_are_told_without_a_mac(
    arrays: dict[str, Any], message: str, package: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        jobs(package, given(tmp_path, **arrays))


@pytest.mark.parametrize(
    "edit",
    [
        lambda specification: specification.neuralNetwork.SetInParent(),
        lambda specification: specification.treeEnsembleRegressor.SetInParent(),
    ],
)
def test_what_only_core_ml_reads_waits_for_a_mac(edit: Edit, package: Path, tmp_path: Path) -> None:
    edit_specification(package, edit)
    assert len(jobs(package).jobs) == 4
    with pytest.raises(InputError, match="missing"):
        jobs(package, given(tmp_path, image=PIXELS))


def test_an_op_that_the_reference_runtime_lacks_waits_for_a_mac(package: Path) -> None:
    def rename(specification: Any) -> None:
        (function,) = specification.mlProgram.functions.values()
        (block,) = function.block_specializations.values()
        next(operation for operation in block.operations if operation.type == "linear").type = "linear_of_ios_99"

    edit_specification(package, rename)
    assert len(jobs(package).jobs) == 4


def test_pixels_become_the_picture_that_coremltools_takes(package: Path, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    found = package_inputs(package_features(package), given(tmp_path, image=PIXELS, bias=BIAS), generator)
    assert isinstance(found["image"], Image.Image)
    assert (found["image"].mode, found["image"].size) == ("RGB", (6, 8))
    np.testing.assert_array_equal(np.asarray(found["image"]), PIXELS)
    np.testing.assert_array_equal(found["bias"], BIAS)
    random = package_inputs(package_features(package), None, generator)
    assert random["image"].size == (6, 8)
    assert random["bias"].shape == (1, 4)


def test_a_number_and_a_text_are_handed_over_as_such(package: Path, tmp_path: Path) -> None:
    def tree(specification: Any) -> None:
        specification.treeEnsembleRegressor.SetInParent()
        del specification.description.input[:]
        for name, kind in (("age", "int64Type"), ("town", "stringType")):
            getattr(specification.description.input.add(name=name).type, kind).SetInParent()

    edit_specification(package, tree)
    found = package_inputs(package_features(package), given(tmp_path, age=41, town="Ulm"), np.random.default_rng(0))
    assert found == {"age": 41, "town": "Ulm"}
    with pytest.raises(InputError, match="'age' cannot be random"):
        jobs(package)
