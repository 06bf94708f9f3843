"""Loops, branches and slices whose course values or open sizes decide: out of Core ML as what they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from tinyml.coreml import ReferenceModel
from tinyml.coreml.tools.convert import Converted
from tinyml.coreml.tools.convert import convert as write
from tinyml.coreml.trace.onnx import onnx_runner
from tinyml.errors import TinyMLError, UnsupportedOpsError
from tinyml.quiet import coremltools, quiet

ct = coremltools()
from coremltools.converters.mil.mil import Builder as mb  # noqa: E402, N813
from coremltools.converters.mil.mil import get_new_symbol, types  # noqa: E402

Convert = Callable[..., Any]
FORMATS = ("onnx", "torch")
OPEN = get_new_symbol()
WEIGHT = np.random.default_rng(0).standard_normal((3, 3)).astype(np.float32)
ZERO = np.array([0], np.int32)


def _model(convert: Convert, function: Any, *shapes: Any, length: tuple[int, int, int] | None = None) -> Any:
    """`function` as a float32 package; `length`: the range and default of the first axis of its first input."""
    specs = [mb.TensorSpec(shape) if isinstance(shape, tuple) else shape for shape in shapes]
    options: dict[str, Any] = {"compute_precision": ct.precision.FLOAT32, "minimum_deployment_target": ct.target.iOS18}
    if length is not None:
        sizes = (ct.RangeDim(length[0], length[1], default=length[2]), *shapes[0][1:])
        options["inputs"] = [ct.TensorType(name="x", shape=ct.Shape(sizes))]
    with quiet():
        return convert(mb.program(input_specs=specs, opset_version=ct.target.iOS18)(function), **options)


def _agree(mlmodel: Any, to: str, folder: Path, *inputs: dict[str, np.ndarray]) -> Converted:
    """Writes `mlmodel` and holds what was written against the runtime on each of `inputs`."""
    written = write(mlmodel, to, folder / f"m.{'onnx' if to == 'onnx' else 'pt2'}")
    reference = ReferenceModel(mlmodel, precision="float32")
    for given in inputs:
        expected = reference.predict(given)
        values = [torch.from_numpy(given[name]) for name in written.inputs]
        with quiet(), torch.no_grad():
            if to == "onnx":
                found = onnx_runner(written.path.read_bytes())(values)
            else:
                found = [value.numpy() for value in torch.export.load(written.path).module()(*values)]
        for name, value in zip(written.outputs, found, strict=True):
            assert value.reshape(-1).shape == expected[name].reshape(-1).shape
            np.testing.assert_allclose(value.reshape(-1), expected[name].reshape(-1), atol=1e-5)
    return written


def _x(*shape: int) -> dict[str, np.ndarray]:
    return {"x": np.random.default_rng(sum(shape)).standard_normal(shape, dtype=np.float32)}


def _length_of(x: Any) -> Any:
    return mb.squeeze(x=mb.slice_by_index(x=mb.shape(x=x), begin=[0], end=[1]), axes=[0])


def _of_lists(x: Any, length: Any, read: Callable[[Any], Any]) -> tuple[Any, ...]:
    """A recurrent layer as TensorFlow's `while_loop` with an array of results becomes one."""
    results = mb.make_list(init_length=length, elem_shape=(2, 3), dynamic_length=not isinstance(length, int))

    def turn(i: Any, h: Any, results: Any) -> tuple[Any, ...]:
        h = mb.tanh(x=mb.add(x=mb.matmul(x=h, y=WEIGHT), y=read(i)))
        return mb.add(x=i, y=1), h, mb.list_write(ls=results, index=i, value=h)

    start = (mb.const(val=0), mb.const(val=np.zeros((2, 3), np.float32)), results)
    i, h, results = mb.while_loop(_cond=lambda i, h, results: mb.less(x=i, y=length), _body=turn, loop_vars=start)
    taken = mb.list_gather(ls=results, indices=mb.range_1d(start=0, end=length, step=1), name="y")
    return taken, mb.identity(x=h, name="last"), mb.cast(x=i, dtype="fp32", name="turns")


@pytest.mark.parametrize("to", FORMATS)
def test_a_loop_with_lists_keeps_its_length_open(convert: Convert, to: str, tmp_path: Path) -> None:
    model = _model(
        convert, lambda x: _of_lists(x, _length_of(x), lambda i: mb.gather(x=x, indices=i, axis=0)), (OPEN, 2, 3),
        length=(1, 20, 5),
    )  # fmt: skip
    written = _agree(model, to, tmp_path, _x(1, 2, 3), _x(20, 2, 3), _x(7, 2, 3))
    assert written.open == ("x [1..20, 2, 3]",)


def _scattered(length: int) -> Callable[[Any], tuple[Any, ...]]:
    def program(x: Any) -> tuple[Any, ...]:
        steps = mb.make_list(init_length=length, elem_shape=(2, 3), dynamic_length=False)
        steps = mb.list_scatter(ls=steps, indices=list(range(length)), value=x)
        return _of_lists(x, length, lambda i: mb.list_read(ls=steps, index=i))

    return program


def test_a_loop_of_constant_length_is_as_large_however_long(convert: Convert, tmp_path: Path) -> None:
    nodes = []
    for length in (3, 30):
        model = _model(convert, _scattered(length), (length, 2, 3))
        graph = onnx.load(str(_agree(model, "onnx", tmp_path, _x(length, 2, 3)).path)).graph
        assert [node.op_type for node in graph.node].count("Loop") == 1
        nodes.append(len(graph.node))
    assert nodes[0] == nodes[1]


@pytest.mark.parametrize("to", FORMATS)
def test_a_loop_whose_variables_grow_is_unrolled(convert: Convert, to: str, tmp_path: Path) -> None:
    def program(x: Any) -> Any:
        _, v = mb.while_loop(
            _cond=lambda i, v: mb.less(x=i, y=3),
            _body=lambda i, v: (mb.add(x=i, y=1), mb.concat(values=[v, v], axis=0)),
            loop_vars=(mb.const(val=0), x),
        )
        return mb.mul(x=v, y=2.0, name="y")

    _agree(_model(convert, program, (1, 2)), to, tmp_path, _x(1, 2))


@pytest.mark.parametrize("to", FORMATS)
def test_values_decide_how_long_a_loop_runs(convert: Convert, to: str, tmp_path: Path) -> None:
    def program(x: Any) -> Any:
        found = mb.while_loop(
            _cond=lambda v: mb.less(x=mb.reduce_sum(x=v), y=9.0),
            _body=lambda v: (mb.add(x=v, y=mb.add(x=mb.abs(x=v), y=1.0)),),
            loop_vars=(x,),
        )
        return mb.identity(x=found, name="y")

    inputs = [{"x": np.full(2, value, np.float32)} for value in (-3, 0, 2, 50)]
    _agree(_model(convert, program, (2,)), to, tmp_path, *inputs)


@pytest.mark.parametrize("to", FORMATS)
def test_values_decide_which_branch_is_taken(convert: Convert, to: str, tmp_path: Path) -> None:
    def program(x: Any) -> Any:
        return mb.cond(
            pred=mb.greater(x=mb.reduce_sum(x=x, keep_dims=False), y=0.5),
            _true_fn=lambda: mb.mul(x=x, y=WEIGHT[0]),
            _false_fn=lambda: mb.sub(x=1.0, y=x),
            name="y",
        )

    inputs = [{"x": np.full(3, value, np.float32)} for value in (-1, 1)]
    _agree(_model(convert, program, (3,)), to, tmp_path, *inputs)


@pytest.mark.parametrize("to", FORMATS)
def test_a_slice_begins_where_a_value_says(convert: Convert, to: str, tmp_path: Path) -> None:
    def program(x: Any, at: Any) -> tuple[Any, ...]:
        begin = mb.concat(values=[at, ZERO], axis=0)
        end = mb.concat(values=[mb.add(x=at, y=1), ZERO], axis=0)
        masks = {"begin_mask": [False, True], "end_mask": [False, True]}
        return (
            mb.slice_by_size(x=x, begin=begin, size=[2, -1], name="rows"),
            mb.slice_by_index(x=x, begin=begin, end=end, squeeze_mask=[True, False], name="row", **masks),
            mb.slice_update(x=x, update=mb.const(val=WEIGHT[:1]), begin=begin, end=end, name="written", **masks),
        )

    model = _model(convert, program, (5, 3), mb.TensorSpec((1,), dtype=types.int32))
    _agree(model, to, tmp_path, *(_x(5, 3) | {"at": np.array([at], np.int32)} for at in (0, 1, 3)))


@pytest.mark.parametrize("op", ["slice_by_index", "slice_update"])
def test_a_slice_backwards_from_an_open_begin_is_refused(convert: Convert, op: str, tmp_path: Path) -> None:
    """It would begin at the end of the axis, which only the size of what is sliced says, not that of the slice."""

    def program(x: Any, at: Any) -> Any:
        bounds = {"begin": mb.concat(values=[at, ZERO], axis=0), "end": [3, 0], "stride": [-1, 1]}
        masks = {"begin_mask": [True, False], "end_mask": [False, True]}
        if op == "slice_by_index":
            return mb.slice_by_index(x=x, **bounds, **masks, name="y")
        return mb.slice_update(x=x, update=mb.const(val=WEIGHT[:1]), **bounds, **masks, name="y")

    model = _model(convert, program, (5, 3), mb.TensorSpec((1,), dtype=types.int32))
    with pytest.raises(TinyMLError, match="a slice backwards from an open begin"):
        write(model, "onnx", tmp_path / "y.onnx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("to", FORMATS)
def test_a_loop_slices_at_its_counter(convert: Convert, to: str, tmp_path: Path) -> None:
    def program(x: Any) -> Any:
        length = mb.slice_by_index(x=mb.shape(x=x), begin=[0], end=[1])

        def turn(i: Any, h: Any) -> tuple[Any, ...]:
            row = mb.slice_by_size(x=x, begin=mb.concat(values=[i, ZERO], axis=0), size=[1, 2])
            return mb.add(x=i, y=1), mb.add(x=mb.mul(x=h, y=0.5), y=row)

        start = (mb.const(val=ZERO), mb.const(val=np.zeros((1, 2), np.float32)))
        _, h = mb.while_loop(_cond=lambda i, h: mb.less(x=i, y=length), _body=turn, loop_vars=start)
        return mb.mul(x=h, y=2.0, name="y")

    model = _model(convert, program, (OPEN, 2), length=(1, 20, 5))
    assert _agree(model, to, tmp_path, _x(1, 2), _x(20, 2), _x(6, 2)).open == ("x [1..20, 2]",)


def test_a_loop_that_the_exporter_does_not_know_is_unrolled(
    convert: Convert, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = _model(convert, _scattered(3), (3, 2, 3))
    export = torch.onnx.export

    def picky(program: Any, **options: Any) -> Any:
        if any("while_loop" in str(node.target) for node in program.graph.nodes):
            raise RuntimeError("no translation of while_loop")
        return export(program, **options)

    monkeypatch.setattr(torch.onnx, "export", picky)
    graph = onnx.load(str(_agree(model, "onnx", tmp_path, _x(3, 2, 3)).path)).graph
    assert "Loop" not in {node.op_type for node in graph.node}


def test_a_growing_loop_of_open_length_is_refused_with_both_reasons(convert: Convert, tmp_path: Path) -> None:
    def program(x: Any) -> Any:
        length = _length_of(x)
        _, v = mb.while_loop(
            _cond=lambda i, v: mb.less(x=i, y=length),
            _body=lambda i, v: (mb.add(x=i, y=1), mb.concat(values=[v, v], axis=0)),
            loop_vars=(mb.const(val=0), mb.const(val=WEIGHT)),
        )
        return mb.mul(x=v, y=2.0, name="y")

    model = _model(convert, program, (OPEN, 2), length=(1, 5, 2))
    why = r"cannot be unrolled: a size that stays open.*a variable changes from turn to turn.*fix the size with --shape"
    for to, name in (("onnx", "g.onnx"), ("torch", "g.pt2")):
        with pytest.raises(UnsupportedOpsError, match=why):
            write(model, to, tmp_path / name)
        assert not list(tmp_path.iterdir())
    written = write(model, "onnx", tmp_path / "g.onnx", shapes=["x=3,2"])
    assert (written.open, written.checked) == ((), ({"x": (3, 2)},))
