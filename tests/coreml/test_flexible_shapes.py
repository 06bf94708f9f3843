"""Packages with flexible shapes out of Core ML again: ONNX and PyTorch at other allowed sizes against the runtime."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from tinyml.cli import run
from tinyml.coreml import ReferenceModel
from tinyml.coreml.ops.image_resizing import _fraction
from tinyml.coreml.tools.convert import convert as write
from tinyml.coreml.trace.module import TorchModel, to_torch
from tinyml.coreml.trace.onnx import onnx_runner
from tinyml.errors import InputError, PackageError, UnsupportedOpsError, VerificationError
from tinyml.quiet import coremltools, quiet

ct = coremltools()
from coremltools.converters.mil.mil import Builder as mb  # noqa: E402, N813
from coremltools.converters.mil.mil import get_new_symbol, types  # noqa: E402

Shape = tuple[int, ...]


class _Net(nn.Module):
    """A network of one function."""

    def __init__(self, compute: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.compute = compute

    def forward(self, x: Tensor) -> Tensor:
        return self.compute(x)


class _Recurrent(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.layer(x)[0]
        return found


class _ClassToken(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.linspace(-1, 1, 4).reshape(1, 1, 4))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1)


class _Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(8, 24)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        q, k, v = self.layer(x).reshape(batch, length, 3, 2, width // 2).permute(2, 0, 3, 1, 4)
        return functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, length, width)


def _upsampled(x: Tensor) -> Tensor:
    return functional.interpolate(functional.max_pool2d(x, 2), scale_factor=2.0, mode="bilinear")


def _pyramid(x: Tensor) -> Tensor:
    small = functional.avg_pool2d(x, 3, 2, 1)
    return torch.cat([small, functional.interpolate(small, scale_factor=1.0, mode="nearest")], 1)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A network, its input's flexible shape, and the sizes to compare at, the default last."""

    net: nn.Module
    shape: Any
    sizes: tuple[Shape, ...]
    target: Any = ct.target.iOS17
    options: dict[str, Any] = field(default_factory=dict)


def _length(low: int, high: int, default: int) -> Any:
    return ct.RangeDim(low, high, default=default)


_IMAGE = ct.Shape((1, 3, _length(4, 40, 8), _length(4, 64, 12)))
_IMAGES = ((1, 3, 4, 4), (1, 3, 40, 64), (1, 3, 17, 9), (1, 3, 8, 12))
_ROWS = ct.Shape((_length(1, 9, 3), 6))
_ROW_SIZES = ((1, 6), (9, 6), (3, 6))
_STEPS = ct.Shape((_length(1, 40, 6), 2, 4))
_STEP_SIZES = ((1, 2, 4), (40, 2, 4), (17, 2, 4), (6, 2, 4))

CASES: dict[str, Case] = {
    "bilinear after a pool": Case(net=_Net(_upsampled), shape=_IMAGE, sizes=_IMAGES),
    "bilinear after a pool, iOS15": Case(net=_Net(_upsampled), shape=_IMAGE, sizes=_IMAGES, target=ct.target.iOS15),
    "nearest by a fraction": Case(
        net=_Net(lambda x: functional.interpolate(x, scale_factor=1.5, mode="nearest")), shape=_IMAGE, sizes=_IMAGES
    ),
    "a pyramid": Case(net=_Net(_pyramid), shape=_IMAGE, sizes=_IMAGES),
    "lstm": Case(net=_Recurrent(nn.LSTM(4, 5)), shape=_STEPS, sizes=_STEP_SIZES),
    "lstm both ways, of open length and batch": Case(
        net=_Recurrent(nn.LSTM(4, 5, bidirectional=True)),
        shape=ct.Shape((_length(1, 40, 6), _length(1, 8, 2), 4)),
        sizes=((1, 1, 4), (40, 8, 4), (17, 3, 4), (6, 2, 4)),
    ),
    "gru": Case(net=_Recurrent(nn.GRU(4, 5)), shape=_STEPS, sizes=_STEP_SIZES),
    "gru of open length and batch": Case(
        net=_Recurrent(nn.GRU(4, 5, batch_first=True)),
        shape=ct.Shape((_length(1, 8, 2), _length(1, 40, 6), 4)),
        sizes=((1, 1, 4), (8, 40, 4), (3, 17, 4), (2, 6, 4)),
    ),
    "lstm of two layers, both ways, batch first": Case(
        net=_Recurrent(nn.LSTM(4, 5, num_layers=2, batch_first=True, bidirectional=True)),
        shape=ct.Shape((1, _length(1, 40, 6), 4)),
        sizes=((1, 1, 4), (1, 40, 4), (1, 6, 4)),
    ),
    "F.normalize": Case(net=_Net(lambda x: functional.normalize(x, dim=-1)), shape=_ROWS, sizes=_ROW_SIZES),
    "class token": Case(
        net=_ClassToken(), shape=ct.Shape((_length(1, 9, 3), 5, 4)), sizes=((1, 5, 4), (9, 5, 4), (3, 5, 4))
    ),
    "attention": Case(
        net=_Attention(),
        shape=ct.Shape((1, _length(2, 30, 7), 8)),
        sizes=((1, 2, 8), (1, 30, 8), (1, 7, 8)),
        target=ct.target.iOS18,
    ),
    "reshape by the batch": Case(
        net=_Net(lambda x: x.reshape(x.shape[0], -1, 2).mean(1)), shape=_ROWS, sizes=_ROW_SIZES
    ),
    "flatten": Case(
        net=_Net(lambda x: x.flatten(1).softmax(-1)),
        shape=ct.Shape((1, _length(1, 9, 3), _length(2, 8, 4))),
        sizes=((1, 1, 2), (1, 9, 8), (1, 9, 2), (1, 3, 4)),
    ),
    "divided by the length": Case(net=_Net(lambda x: x.sum(0) / x.shape[0]), shape=_ROWS, sizes=_ROW_SIZES),
    "positions": Case(
        net=_Net(lambda x: x + torch.arange(x.shape[0], dtype=torch.float32)[:, None]), shape=_ROWS, sizes=_ROW_SIZES
    ),
    "half of the rows": Case(net=_Net(lambda x: x[: x.shape[0] // 2 + 1]), shape=_ROWS, sizes=_ROW_SIZES),
    "nonzero": Case(net=_Net(lambda x: torch.nonzero(x > 0.5).float()), shape=_ROWS, sizes=_ROW_SIZES),
    "enumerated": Case(
        net=_Net(lambda x: x.reshape(x.shape[0], -1, 2).mean(1)),
        shape=ct.EnumeratedShapes([(1, 6), (3, 6), (4, 6)], default=(3, 6)),
        sizes=((1, 6), (4, 6), (3, 6)),
    ),
    "enumerated images": Case(
        net=_Net(_upsampled),
        shape=ct.EnumeratedShapes([(1, 3, 8, 8), (1, 3, 16, 8), (1, 3, 11, 30)], default=(1, 3, 8, 8)),
        sizes=((1, 3, 16, 8), (1, 3, 11, 30), (1, 3, 8, 8)),
    ),
}


def _converted(case: Case) -> Any:
    torch.manual_seed(0)
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(case.net.eval(), torch.rand(case.sizes[-1]))  # type: ignore[no-untyped-call]
        return ct.convert(
            traced,
            inputs=[ct.TensorType(name="x", shape=case.shape)],
            minimum_deployment_target=case.target,
            compute_precision=ct.precision.FLOAT32,
            compute_units=ct.ComputeUnit.CPU_ONLY,
            **case.options,
        )


@pytest.fixture(scope="session", params=list(CASES))
def flexible(request: pytest.FixtureRequest) -> tuple[Case, Any]:
    """A case and its package."""
    case = CASES[request.param]
    return case, _converted(case)


@pytest.mark.parametrize("to", ["onnx", "torch"])
def test_each_allowed_size_gives_what_the_runtime_gives(flexible: tuple[Case, Any], to: str, tmp_path: Path) -> None:
    case, mlmodel = flexible
    written = write(mlmodel, to, tmp_path / f"model.{'onnx' if to == 'onnx' else 'pt2'}")
    assert len(written.open) == 1
    assert len(written.checked) >= 3
    assert written.skipped == ()
    reference = ReferenceModel(mlmodel, precision="float32")
    for shape in case.sizes:
        x = torch.rand(shape, generator=torch.Generator().manual_seed(sum(shape)))
        expected = next(iter(reference.predict({"x": x.numpy()}).values()))
        with quiet(), torch.no_grad():
            if to == "onnx":
                found = onnx_runner(written.path.read_bytes())([x])[0]
            else:
                found = torch.export.load(written.path).module()(x)[0].numpy()
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_declared_output_sizes_vary_with_the_input(tmp_path: Path) -> None:
    path = write(_converted(CASES["bilinear after a pool"]), "onnx", tmp_path / "up.onnx").path
    for ports in (onnx.load(str(path)).graph.input, onnx.load(str(path)).graph.output):
        sizes = [dim.dim_value for dim in ports[0].type.tensor_type.shape.dim]
        assert sizes == [1, 3, 0, 0], "0: open"


class _Masked(_Attention):
    """Attention over as many steps as a second input says are there."""

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:  # type: ignore[override]
        batch, length, width = x.shape
        q, k, v = self.layer(x).reshape(batch, length, 3, 2, width // 2).permute(2, 0, 3, 1, 4)
        absent = ((1 - mask) * -1e4)[:, None, None, :]
        found = functional.scaled_dot_product_attention(q, k, v, attn_mask=absent)
        return found.transpose(1, 2).reshape(batch, length, width)


@pytest.mark.parametrize("to", ["onnx", "torch"])
def test_two_inputs_stay_open_together(to: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    batch, length = _length(1, 4, 2), _length(2, 30, 7)
    inputs = [ct.TensorType(name="x", shape=ct.Shape((batch, length, 8)))]
    inputs += [ct.TensorType(name="mask", shape=ct.Shape((batch, length)))]
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(_Masked().eval(), (torch.rand(2, 7, 8), torch.ones(2, 7)))  # type: ignore[no-untyped-call]
        mlmodel = ct.convert(
            traced,
            inputs=inputs,
            minimum_deployment_target=ct.target.iOS18,
            compute_precision=ct.precision.FLOAT32,
            compute_units=ct.ComputeUnit.CPU_ONLY,
        )
    written = write(mlmodel, to, tmp_path / f"m.{'onnx' if to == 'onnx' else 'pt2'}")
    assert written.open == ("x [1..4, 2..30, 8]", "mask [1..4, 2..30]")
    reference = ReferenceModel(mlmodel, precision="float32")
    run_onnx = onnx_runner(written.path.read_bytes()) if to == "onnx" else None
    program = torch.export.load(written.path).module() if to == "torch" else None
    for size in ((1, 2), (4, 30), (3, 11)):
        x, mask = torch.rand(*size, 8), (torch.rand(size) > 0.3).float()
        expected = next(iter(reference.predict({"x": x.numpy(), "mask": mask.numpy()}).values()))
        with torch.no_grad():
            found = run_onnx([x, mask])[0] if run_onnx else program(x, mask)[0].numpy()  # type: ignore[misc]
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_one_axis_can_be_fixed_and_another_stay_open(tmp_path: Path) -> None:
    written = write(_converted(CASES["flatten"]), "onnx", tmp_path / "f.onnx", shapes=["x=1,*,4"])
    assert written.open == ("x [1, 1..9, 4]",)
    assert {shapes["x"][2] for shapes in written.checked} == {4}


@pytest.mark.parametrize(
    ("asked", "error"),
    [("y=1,2", "no input of this name"), ("x=1,99,4", "may not have this shape"), ("x=1,2", "may not have this shape")],
)
def test_shapes_that_cannot_be_are_refused(asked: str, error: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=error):
        write(_converted(CASES["flatten"]), "onnx", tmp_path / "f.onnx", shapes=[asked])


def _program(convert: Callable[..., Any], function: Callable[..., Any], **options: Any) -> Any:
    options = {"compute_precision": ct.precision.FLOAT32, "minimum_deployment_target": ct.target.iOS16} | options
    return convert(function, **options)


def test_a_size_that_the_package_itself_refuses_is_no_open_axis(convert: Callable[..., Any], tmp_path: Path) -> None:
    @mb.program(input_specs=[mb.TensorSpec((get_new_symbol(), 4))])
    def program(x: Any) -> Any:
        return mb.reshape(x=x, shape=[2, 10], name="y")

    inputs = [ct.TensorType(name="x", shape=ct.Shape((_length(2, 9, 5), 4)))]
    with pytest.raises(PackageError, match="fix"):
        write(_program(convert, program, inputs=inputs), "onnx", tmp_path / "r.onnx")
    assert not list(tmp_path.iterdir())


def test_a_conversion_that_is_wrong_at_another_size_only_is_not_written(tmp_path: Path) -> None:
    def faulty(content: bytes) -> Any:
        right = onnx_runner(content)
        return lambda inputs: [v if inputs[0].shape[0] == 3 else v[:1] for v in right(inputs)]

    with pytest.raises(VerificationError, match=r"wrong at another allowed size \(x \[9, 6\]\).*--shape x=3,6"):
        write(_converted(CASES["F.normalize"]), "onnx", tmp_path / "n.onnx", run_onnx=faulty)
    assert not list(tmp_path.iterdir())


def test_states_become_inputs_and_outputs(stateful: Any, tmp_path: Path) -> None:
    for to, name in (("onnx", "s.onnx"), ("torch", "s.pt2")):
        written = write(stateful, to, tmp_path / name)
        assert (written.inputs, written.outputs) == (("x", "total"), ("y", "total_out"))
    run_onnx = onnx_runner((tmp_path / "s.onnx").read_bytes())
    x, total = np.ones(3, np.float32), np.zeros(3, np.float32)
    for turn in (1, 2, 3):
        y, total = run_onnx([x, total])
        np.testing.assert_array_equal(y, turn * x)


def test_an_inputs_default_is_carried_over(convert: Callable[..., Any], tmp_path: Path) -> None:
    @mb.program(input_specs=[mb.TensorSpec((2,)), mb.TensorSpec((2,))])
    def program(x: Any, scale: Any) -> Any:
        return mb.mul(x=x, y=scale, name="y")

    inputs = [
        ct.TensorType(name="x", shape=(2,)),
        ct.TensorType(name="scale", shape=(2,), default_value=np.full(2, 3.0, np.float32)),
    ]
    mlmodel = _program(convert, program, inputs=inputs)
    write(mlmodel, "onnx", tmp_path / "d.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "d.onnx"))
    x = np.array([1, 2], np.float32)
    np.testing.assert_array_equal(session.run(None, {"x": x})[0], 3 * x)
    np.testing.assert_array_equal(session.run(None, {"x": x, "scale": x})[0], x * x)
    write(mlmodel, "torch", tmp_path / "d.pt2")
    extra = {"tinyml.json": ""}
    with quiet():
        torch.export.load(tmp_path / "d.pt2", extra_files=extra)
    assert json.loads(extra["tinyml.json"])["defaults"] == {"scale": [3.0, 3.0]}


def test_nothing_but_nan_on_both_sides_is_no_agreement(convert: Callable[..., Any], tmp_path: Path) -> None:
    @mb.program(input_specs=[mb.TensorSpec((2,))])
    def program(x: Any) -> Any:
        return mb.log(x=mb.sub(x=mb.mul(x=mb.square(x=x), y=-1.0), y=1.0), name="y")

    with pytest.raises(VerificationError, match="'y' is NaN throughout on both sides"):
        write(_program(convert, program), "onnx", tmp_path / "n.onnx")


def test_the_verb_says_what_stayed_open_and_where_it_was_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / "n.mlpackage"
    with quiet():
        _converted(CASES["F.normalize"]).save(str(package))
    assert run(["convert", str(package), "--to", "onnx"]) == 0
    said = capsys.readouterr().out
    assert "stayed open: x [1..9, 6]" in said
    assert "checked at x [3, 6]; x [1, 6]; x [9, 6]; x [2, 6]" in said
    fixed = str(package.with_name("fixed.onnx"))
    assert run(["convert", str(package), "--to", "onnx", "--shape", "x=4,6", "--output", fixed]) == 0
    said = capsys.readouterr().out
    assert "stayed open" not in said
    assert "checked at x [4, 6]\n" in said
    assert run(["convert", str(package), "--to", "onnx", "--shape", "x=40,6", "--output", fixed]) == 1
    assert "may not have this shape: [40, 6]; allowed: [1..9, 6]" in capsys.readouterr().err


def test_mixed_enumerated_shapes_are_refused_as_core_ml_does(convert: Callable[..., Any]) -> None:
    """coremltools #2271: shapes of several inputs go together by their place in the lists."""
    a, b = get_new_symbol(), get_new_symbol()

    @mb.program(input_specs=[mb.TensorSpec((1, a)), mb.TensorSpec((1, b))])
    def program(x: Any, y: Any) -> Any:
        return mb.add(x=mb.reduce_sum(x=x, axes=[1]), y=mb.reduce_sum(x=y, axes=[1]), name="z")

    inputs = [
        ct.TensorType(name="x", shape=ct.EnumeratedShapes([(1, 2), (1, 4)], default=(1, 2))),
        ct.TensorType(name="y", shape=ct.EnumeratedShapes([(1, 20), (1, 40)], default=(1, 20))),
    ]
    model = ReferenceModel(_program(convert, program, inputs=inputs, minimum_deployment_target=ct.target.iOS18))
    for x, y in ((2, 20), (4, 40)):
        found = model.predict({"x": np.ones((1, x)), "y": np.ones((1, y))})["z"]
        np.testing.assert_array_equal(found, [x + y])
    with pytest.raises(InputError, match=r"enumerated shapes.*do not go together.*x \[1, 4\], y \[1, 20\]"):
        model.predict({"x": np.ones((1, 4)), "y": np.ones((1, 20))})


def test_mixed_enumerated_images_are_refused_too(convert: Callable[..., Any]) -> None:
    height, width, length = get_new_symbol(), get_new_symbol(), get_new_symbol()

    @mb.program(input_specs=[mb.TensorSpec((1, 3, height, width)), mb.TensorSpec((1, length))])
    def program(image: Any, y: Any) -> Any:
        return mb.add(x=mb.reduce_sum(x=image, axes=[1, 2, 3]), y=mb.reduce_sum(x=y, axes=[1]), name="z")

    sizes = ct.EnumeratedShapes([(1, 3, 4, 8), (1, 3, 8, 8)], default=(1, 3, 4, 8))
    inputs = [
        ct.ImageType(name="image", shape=sizes),
        ct.TensorType(name="y", shape=ct.EnumeratedShapes([(1, 2), (1, 4)], default=(1, 2))),
    ]
    model = ReferenceModel(_program(convert, program, inputs=inputs, minimum_deployment_target=ct.target.iOS18))
    picture = Image.new("RGB", (8, 4))
    np.testing.assert_array_equal(model.predict({"image": picture, "y": np.ones((1, 2))})["z"], [2])
    with pytest.raises(InputError, match=r"do not go together: .*image 8x4, y \[1, 4\]"):
        model.predict({"image": picture, "y": np.ones((1, 4))})


def test_the_module_computes_eagerly_at_any_size() -> None:
    module = to_torch(_converted(CASES["class token"]))
    assert isinstance(module, TorchModel)
    for size in (1, 4, 9):
        assert module(torch.rand(size, 5, 4))[0].shape == (size, 6, 4)


@pytest.mark.parametrize("scale", [0.7, 1.5, 2.0, 1 / 3])
def test_a_float32_scale_gives_an_open_axis_the_sizes_that_core_ml_gives_it(scale: float) -> None:
    top, bottom = _fraction(scale)
    for size in (1, 3, 10, 30, 224, 4096):
        assert size * top // bottom == int(np.floor(np.float32(scale) * np.float32(size)))


def test_a_scale_without_a_simple_fraction_is_refused_for_open_axes() -> None:
    with pytest.raises(PackageError, match="no fraction scales open sizes as this factor does"):
        _fraction(1.9999998)


def test_a_size_that_depends_on_values_is_refused_with_its_reason(convert: Callable[..., Any], tmp_path: Path) -> None:
    @mb.program(input_specs=[mb.TensorSpec((4,)), mb.TensorSpec((1,), dtype=types.int32)])
    def program(x: Any, n: Any) -> Any:
        return mb.slice_by_size(x=x, begin=[0], size=n, name="y")

    with pytest.raises(UnsupportedOpsError, match=r"op 'y' \(slice_by_size\) failed: .*data-dependent"):
        write(_program(convert, program), "onnx", tmp_path / "s.onnx")
    assert not list(tmp_path.iterdir())
