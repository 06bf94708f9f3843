"""What `run` and `diff` make of pictures, flexible shapes, functions and states."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tinyml.cli import run
from tinyml.coreml import ReferenceModel
from tinyml.coreml.read.description import ArrayFeature, Features, ImageFeature
from tinyml.coreml.tools.inputs import make_inputs
from tinyml.coreml.trace.axes import whole_shapes
from tinyml.errors import InputError, UsageError
from tinyml.quiet import coremltools, quiet

ct = coremltools()
from coremltools.converters.mil.mil import Builder as mb  # noqa: E402, N813
from coremltools.converters.mil.mil import get_new_symbol, types  # noqa: E402

Convert = Callable[..., Any]


def _of_images(convert: Convert, color: Any, channels: int, shape: Any = None) -> Any:
    size = (1, channels, 8, 8) if shape is None else (1, channels, get_new_symbol(), get_new_symbol())

    @mb.program(input_specs=[mb.TensorSpec(size)], opset_version=ct.target.iOS16)
    def program(image: Any) -> Any:
        return mb.identity(x=mb.mul(x=image, y=np.float32(1)), name="y")

    image = ct.ImageType(name="image", shape=shape or (1, channels, 8, 8), color_layout=color)
    options = {"compute_precision": ct.precision.FLOAT32, "minimum_deployment_target": ct.target.iOS16}
    return convert(program, inputs=[image], **options)


@pytest.fixture(scope="module")
def flexible(convert: Convert) -> Any:
    """Passes an RGB image of 8x8 to 32x32 on."""
    shape = ct.Shape((1, 3, ct.RangeDim(8, 32, default=8), ct.RangeDim(8, 32, default=8)))
    return _of_images(convert, ct.colorlayout.RGB, 3, shape)


def _read(model: Any, path: Path, **options: Any) -> np.ndarray:
    reference = ReferenceModel(model)
    found: np.ndarray = reference.predict(make_inputs(reference.input_description, [f"image={path}"], **options))["y"]
    return found


def test_a_flexible_image_keeps_its_size(flexible: Any, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    np.testing.assert_array_equal(_read(flexible, tmp_path / "a.png")[0].transpose(1, 2, 0), pixels)
    assert _read(flexible, tmp_path / "a.png", shapes={"image": (1, 3, 20, 30)}).shape == (1, 3, 20, 30)


def test_a_picture_too_large_for_the_range_is_refused(flexible: Any, tmp_path: Path) -> None:
    Image.new("RGB", (40, 16)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"size that the model does not take: '40x16'; allowed: 8..32x8..32; resize"):
        _read(flexible, tmp_path / "a.png")


def test_a_picture_lies_as_a_phone_shows_it(flexible: Any, tmp_path: Path) -> None:
    pixels = np.zeros((12, 16, 3), np.uint8)
    pixels[0] = 255  # the top row as stored is the right column as shown
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    found = _read(flexible, tmp_path / "a.png")[0, 0]
    assert found.shape == (16, 12)
    assert (found[:, -1] == 255).all()
    assert (found[:, :-1] == 0).all()


def test_arrays_can_be_pictures(flexible: Any, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    np.save(tmp_path / "a.npy", pixels)
    np.testing.assert_array_equal(_read(flexible, tmp_path / "a.npy")[0].transpose(1, 2, 0), pixels)
    for wrong in (pixels.astype(np.float32), pixels.transpose(2, 0, 1), pixels[0]):
        np.save(tmp_path / "a.npy", wrong)
        with pytest.raises(InputError, match=r"holds no picture: .*allowed: uint8 \[height, width, 3\] in RGB order"):
            _read(flexible, tmp_path / "a.npy")


def test_deep_gray_is_scaled_and_not_clipped(convert: Convert, tmp_path: Path) -> None:
    gray = _of_images(convert, ct.colorlayout.GRAYSCALE, 1)
    deep = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    np.testing.assert_allclose(_read(gray, tmp_path / "deep.png")[0, 0], deep / 257, atol=0.5)


def test_random_lengths_are_never_zero(convert: Convert) -> None:
    @mb.program(input_specs=[mb.TensorSpec((4,), dtype=types.int32)])
    def program(lengths: Any) -> Any:
        return mb.add(x=lengths, y=1, name="y")

    model = ReferenceModel(convert(program, minimum_deployment_target=ct.target.iOS16))
    for seed in range(20):
        assert make_inputs(model.input_description, (), seed)["lengths"].min() >= 1


def test_outputs_come_before_the_table_of_ops(
    flexible: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with quiet():
        flexible.save(str(tmp_path / "f.mlpackage"))
    assert run(["run", str(tmp_path / "f.mlpackage"), "--shape", "image=24x16"]) == 0
    said = capsys.readouterr().out
    assert said.index("output\ttype") < said.index("op\tkind")
    assert "float32 [1, 3, 16, 24]" in said
    assert run(["run", str(tmp_path / "f.mlpackage"), "--shape", "image=24x99"]) == 1
    assert "may not have this shape" in capsys.readouterr().err


def test_diff_makes_states_itself(stateful: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with quiet():
        stateful.save(str(tmp_path / "s.mlpackage"))
    np.save(tmp_path / "x.npy", np.ones(3, np.float32))
    pair = [str(tmp_path / "s.mlpackage")] * 2
    assert run(["diff", *pair, "--input", f"x={tmp_path / 'x.npy'}", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {item["largest"] for item in found["differences"]} == {0.0}
    assert found["steepest"] is None
    assert run(["diff", *pair, "--input", f"x={tmp_path / 'x.npy'}"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "no difference in any value"


def _scaled(convert: Convert, factor: np.float32) -> Any:
    @mb.program(input_specs=[mb.TensorSpec((3,))], opset_version=ct.target.iOS18)
    def program(x: Any) -> Any:
        return mb.mul(x=x, y=factor, name="y")

    return convert(program, minimum_deployment_target=ct.target.iOS18)


def test_diff_compares_functions(convert: Convert, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, factor in (("double", 2.0), ("triple", 3.0)):
        model = _scaled(convert, np.float32(factor))
        with quiet():
            model.save(str(tmp_path / f"{name}.mlpackage"))
    both = ct.utils.MultiFunctionDescriptor()
    for name in ("double", "triple"):
        both.add_function(str(tmp_path / f"{name}.mlpackage"), "main", name)
    both.default_function_name = "double"
    with quiet():
        ct.utils.save_multifunction(both, str(tmp_path / "both.mlpackage"))
    pair = [str(tmp_path / "both.mlpackage")] * 2
    for arguments, same in (
        ([], True),
        (["--function", "triple"], True),
        (["--function", "double", "--function-b", "triple"], False),
        (["--function-b", "triple"], False),
    ):
        assert run(["diff", *pair, *arguments, "--json"]) == 0
        found = {item["name"]: item["largest"] for item in json.loads(capsys.readouterr().out)["differences"]}
        assert (max(found.values()) == 0) == same
    assert run(["diff", *pair, "--function", "half"]) == 1
    assert "no function of this name: 'half'" in capsys.readouterr().err


def test_diff_says_what_is_nan_throughout(convert: Convert, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with quiet():
        _scaled(convert, np.float32("nan")).save(str(tmp_path / "n.mlpackage"))
    assert run(["diff", *[str(tmp_path / "n.mlpackage")] * 2]) == 0
    assert "NaN throughout on both sides, which shows no agreement: y" in capsys.readouterr().out


def test_infinite_values_and_outputs_of_any_name_are_written(
    convert: Convert, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    @mb.program(input_specs=[mb.TensorSpec((3,))], opset_version=ct.target.iOS18)
    def program(x: Any) -> Any:
        return mb.mul(x=x, y=np.float32("inf"), name="file")

    with quiet():
        convert(program, minimum_deployment_target=ct.target.iOS18).save(str(tmp_path / "f.mlpackage"))
    np.save(tmp_path / "x.npy", np.ones(3, np.float32))
    given = ["--input", f"x={tmp_path / 'x.npy'}", "--output", str(tmp_path / "y.npz")]
    assert run(["run", str(tmp_path / "f.mlpackage"), *given, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [item["low"] for item in (*document["outputs"], *document["ops"])][-1] is None
    with np.load(tmp_path / "y.npz") as found:
        assert found["file"].tolist() == [np.inf] * 3


@pytest.mark.parametrize("shape", ["x=1000000000000", "x=99999999999999999999", "x=1073741825"])
def test_a_shape_beyond_memory_is_refused(shape: str) -> None:
    features = Features((ArrayFeature(name="x", dtype="fp32", shape=(4,), ranges=((1, None),)),))
    with pytest.raises(InputError, match="input 'x' of absurd shape"):
        whole_shapes(features, [shape])
    picture = ImageFeature(name="x", color="RGB", width=4, height=4, ranges=((1, None), (1, None)))
    with pytest.raises(InputError, match="input 'x' of absurd shape"):
        whole_shapes(Features((picture,)), ["x=10000000x10000000"])


def test_files_that_hold_no_array_are_refused(tmp_path: Path) -> None:
    features = Features((ArrayFeature(name="x", dtype="fp32", shape=(4,)),))
    huge, archive, later = (tmp_path / name for name in ("huge.npy", "archive.npy", "later.npy"))
    with huge.open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (10**13,)}
        np.lib.format.write_array_header_1_0(file, header)  # type: ignore[no-untyped-call]
    with zipfile.ZipFile(archive, "w") as members:
        members.writestr("x.npy", b"")
    later.write_bytes(b"\x93NUMPY\x03\x00" + bytes(100))
    for path, reason in ((huge, r"an array \[10000000000000\] of float32 in 0 bytes"), (archive, ""), (later, "3.0")):
        with pytest.raises(InputError, match=f"input 'x': no array: .*{reason}"):
            make_inputs(features, [f"x={path}"])


def test_a_picture_whose_text_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0))
    text = chunk(b"zTXt", b"k\0\0" + zlib.compress(b"a" * 3_000_000))
    pixels = chunk(b"IDAT", zlib.compress(bytes(4 * 13)))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + head + text + pixels + chunk(b"IEND", b""))
    features = Features((ImageFeature(name="image", color="RGB", width=4, height=4),))
    with pytest.raises(InputError, match="input 'image': no image"):
        make_inputs(features, [f"image={tmp_path / 'a.png'}"])


@pytest.mark.parametrize(
    ("units", "expected"), [("CPU_ONLY", 0.1), ("ALL", float(np.float16(0.1))), (None, float(np.float16(0.1)))]
)
def test_compute_units_decide_the_rounding(
    convert: Convert, tmp_path: Path, capsys: pytest.CaptureFixture[str], units: str | None, expected: float
) -> None:
    @mb.program(input_specs=[mb.TensorSpec((1,))], opset_version=ct.target.iOS16)
    def program(x: Any) -> Any:
        return mb.identity(x=x, name="y")

    package, options = str(tmp_path / "h.mlpackage"), [] if units is None else ["--compute-units", units]
    with quiet():
        convert(program, minimum_deployment_target=ct.target.iOS16, compute_precision=ct.precision.FLOAT16).save(
            package
        )
    np.save(tmp_path / "x.npy", np.full(1, 0.1, np.float32))
    given = ["--input", f"x={tmp_path / 'x.npy'}"]
    assert run(["run", package, *given, *options, "--output", str(tmp_path / "y.npz")]) == 0
    with np.load(tmp_path / "y.npz") as found:
        assert float(found["y"][0]) == pytest.approx(expected, abs=1e-8)
    assert run(["diff", package, package, *given, *options]) == 0
    capsys.readouterr()
    for verb in (["run", package], ["diff", package, package]):
        assert run([*verb, "--compute-units", "GPU"]) == 1
        assert "unknown compute units: 'GPU'; allowed: ALL" in capsys.readouterr().err


def test_an_input_that_is_given_twice_or_is_a_folder_is_refused(convert: Convert, tmp_path: Path) -> None:
    features = ReferenceModel(_of_images(convert, ct.colorlayout.RGB, 3)).input_description
    with pytest.raises(UsageError, match=r"input 'image' is given twice: 'a.png and b.npy'; allowed: once"):
        make_inputs(features, ["image=a.png", "image=b.npy"])
    with pytest.raises(InputError, match="input 'image': a folder, where a file is needed"):
        make_inputs(features, [f"image={tmp_path}"])
