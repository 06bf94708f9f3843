"""Compressing a package without what it was made of, as a user types it."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tinyml.cli import run
from tinyml.cli.output import Output
from tinyml.coreml import ReferenceModel
from tinyml.coreml.read.package import open_package
from tinyml.errors import InputError, UsageError
from tinyml.export import foreign
from tinyml.export.choice import with_rounding
from tinyml.export.compression import spread
from tinyml.export.foreign import Likeness, samples_of
from tinyml.export.variants import variants

from .test_compression import Small, variant, written


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("foreign")
    return written(Small().eval(), variant(), np.zeros((0, 1, 1, 3), np.uint8), folder)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty images of three times the model's size, in folders called like classes."""
    root = tmp_path_factory.mktemp("images")
    noise = np.random.default_rng(0)
    for number in range(40):
        folder = root / f"class {number % 10}"
        folder.mkdir(exist_ok=True)
        pixels = noise.integers(0, 256, (2, 2, 3), dtype=np.uint8).repeat(24, axis=0).repeat(24, axis=1)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return root


def compress(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Any:
    assert run(["compress", *map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_weights_of_8_bits_need_no_images(package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = compress(capsys, package, "--quantize", "w8", "--output", tmp_path / "small.mlpackage")
    assert made["bytes_after"] < 0.75 * made["bytes_before"]
    assert made["proof"]["weights"] == 5
    assert made["left"] == {}
    assert ReferenceModel(tmp_path / "small.mlpackage").classes[0] == "class 0"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small.mlpackage"]


@pytest.mark.parametrize("quantize", ["w8", "palette4", "prune50"])
def test_a_package_of_ios15_is_raised_to_the_first_system_with_compressed_weights(
    quantize: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(0)
    folder = tmp_path / "first"
    folder.mkdir()
    plain = written(Small().eval(), variant(target="iOS15"), np.zeros((0, 1, 1, 3), np.uint8), folder)
    target = tmp_path / "small.mlpackage"
    made = compress(capsys, plain, "--quantize", quantize, "--rounding", "nearest", "--output", target)
    assert made["proof"]["weights"] == 5
    assert [open_package(path).specification_version for path in (plain, target)] == [6, 7]


@pytest.mark.parametrize("quantize", ["w8a8", "w2"])
def test_what_needs_images_is_close_with_them(
    quantize: str, package: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "made.mlpackage"
    made = compress(
        capsys, package, "--quantize", quantize, "--calibrate", images, "--evaluate", images, "--output", target
    )
    assert made["evaluation"]["samples"] == 40
    assert made["evaluation"]["agreement"] >= 0.95
    before, after = made["evaluation"]["top1"]
    assert abs(before - after) <= 0.05


def test_arrays_that_are_none_are_told_in_a_line(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, content in enumerate((b"", b"PK", b"PK\x03\x04" + bytes(40), b"\x93NUMPY")):
        arrays = tmp_path / f"{number}.npz"
        arrays.write_bytes(content)
        target = tmp_path / "made.mlpackage"
        command = ["compress", str(package), "--quantize", "w8a8", "--calibrate", str(arrays), "--output", str(target)]
        assert run(command) == 1
        told = capsys.readouterr().err
        assert told.startswith(f"error: not a readable .npz file: {arrays}")
        assert told.count("\n") == 1
        assert not target.exists()


def test_without_images_it_says_what_needs_them(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "made.mlpackage"
    for quantize in ("w8a8", "palette4"):
        assert run(["compress", str(package), "--quantize", quantize, "--output", str(target)]) == 2
        assert "needs inputs to calibrate on: 'none'; allowed: --calibrate" in capsys.readouterr().err
    assert (
        run(["compress", str(package), "--quantize", "palette4", "--rounding", "nearest", "--output", str(target)]) == 0
    )
    assert run(["compress", str(package), "--quantize", "w8", "--output", str(target)]) == 2
    assert "there already" in capsys.readouterr().err
    assert run(["compress", str(target), "--quantize", "w8", "--output", str(tmp_path / "twice.mlpackage")]) == 2
    assert "; 5 of its weights are compressed already" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["made.mlpackage"]


def on_the_left(folder: Path) -> Path:
    """A package that multiplies a constant from the left with what a linear layer gives."""
    from tinyml.quiet import coremltools, quiet

    ct = coremltools()
    from coremltools.converters.mil.mil import Builder as mb  # noqa: N813

    noise = np.random.default_rng(0)
    first, second = (noise.normal(size=(16, 16)).astype(np.float32) for _ in range(2))

    @mb.program(input_specs=[mb.TensorSpec((1, 16))], opset_version=ct.target.iOS18)
    def program(x: Any) -> Any:
        found = mb.linear(x=x, weight=first, bias=np.zeros(16, np.float32))
        return mb.matmul(x=second, y=mb.reshape(x=found, shape=(16, 1)), name="out")

    with quiet():
        model = ct.convert(program, minimum_deployment_target=ct.target.iOS18, skip_model_load=True)
    model.save(str(path := folder / "left.mlpackage"))
    np.savez(folder / "inputs.npz", x=noise.normal(size=(64, 1, 16)).astype(np.float32))
    return path


def test_a_weight_on_the_left_of_a_product_is_rounded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = compress(
        capsys, on_the_left(tmp_path), "--quantize", "palette6", "--calibrate", tmp_path / "inputs.npz",
        "--evaluate", tmp_path / "inputs.npz", "--output", tmp_path / "small.mlpackage",
    )  # fmt: skip
    assert made["proof"]["weights"] == 2
    assert made["evaluation"]["psnr_db"]["out"] > 20


def test_what_is_identical_has_no_psnr_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    psnr = {"a": math.inf, "b": 30.0, "c": math.nan}
    Output(json=True).document([asdict(Likeness(samples=1, psnr_db=psnr, agreement=None, top1=None))])
    (told,) = json.loads(capsys.readouterr().out)
    assert told["psnr_db"] == {"a": None, "b": 30.0, "c": None}


def test_an_output_that_is_there_is_refused_before_anything_is_searched(
    package: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign, "plan_package", lambda *_, **__: pytest.fail("searched"))
    (there := tmp_path / "there.mlpackage").mkdir()
    (file := tmp_path / "file").touch()
    for target, message in ((there, "the output is there already"), (file / "a.mlpackage", "a file, where a folder")):
        command = ["compress", package, "--quantize", "auto", "--max-drop", "1", "--calibrate", images]
        assert run([*map(str, command), "--output", str(target)]) == 2
        assert message in capsys.readouterr().err


def test_no_more_inputs_are_seen_than_are_asked_for(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def stop(model: Any, variant: Any, samples: Any, *_: Any) -> None:
        seen.append(len(samples["image"]))
        raise UsageError("enough")

    monkeypatch.setattr(foreign, "compress", stop)
    row = with_rounding(variants.get("coreml-palette4"), "compensated")
    with pytest.raises(UsageError, match="enough"):
        foreign.compress_package(
            package, row, tmp_path / "a.mlpackage", {"image": np.zeros((300, 16, 16, 3), np.uint8)}
        )
    assert seen == [256]


def test_samples_are_spread_from_end_to_end() -> None:
    found = spread({"x": np.arange(11)}, 3)
    assert found["x"].tolist() == [0, 5, 10]


def test_a_broken_picture_among_those_to_calibrate_on_is_named(package: Path, images: Path, tmp_path: Path) -> None:
    shutil.copytree(images, tmp_path / "pictures")
    broken = next(file for file in sorted((tmp_path / "pictures").rglob("*")) if file.is_file())
    broken.write_bytes(broken.read_bytes()[:20])
    with pytest.raises(InputError, match=f"no image to calibrate on.*{broken.name}"):
        samples_of(package, tmp_path / "pictures")
