"""Control flow, lists and stored constants, against NumPy and against coremltools' own decompression."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml.coreml import ReferenceModel
from tinyml.coreml.plan.planner import build, carry
from tinyml.errors import PackageError
from tinyml.quiet import coremltools, quiet

ct = coremltools()
cto = ct.optimize.coreml
from coremltools.converters.mil.mil import Builder as mb  # noqa: E402, N813
from coremltools.converters.mil.mil import types  # noqa: E402

Convert = Callable[..., Any]
FP32 = ct.precision.FLOAT32


def _model(convert: Convert, build: Callable[..., Any], *shapes: Any, target: Any = ct.target.iOS17) -> ReferenceModel:
    program = mb.program(input_specs=[mb.TensorSpec(*spec) for spec in shapes], opset_version=target)(build)
    return ReferenceModel(convert(program, compute_precision=FP32, minimum_deployment_target=target))


def test_cond_runs_one_branch(convert: Convert) -> None:
    def build(x: Any) -> Any:
        outer = mb.mul(x=x, y=10.0)
        positive = mb.greater(x=mb.reduce_sum(x=x), y=0.0)
        return mb.cond(
            pred=positive, _true_fn=lambda: mb.add(x=outer, y=1.0), _false_fn=lambda: mb.sub(x=x, y=1.0), name="y"
        )

    model = _model(convert, build, ((2,),))
    assert model.predict({"x": [1, 2]})["y"].tolist() == [11, 21]
    assert model.predict({"x": [-1, -2]})["y"].tolist() == [-2, -3]


def test_nested_loops(convert: Convert) -> None:
    """x doubled n times, where each doubling adds x in an inner loop."""

    def build(x: Any, n: Any) -> Any:
        def body(i: Any, total: Any) -> Any:
            inner = mb.while_loop(
                _cond=lambda j, acc: mb.less(x=j, y=i),
                _body=lambda j, acc: (mb.add(x=j, y=1.0), mb.add(x=acc, y=x)),
                loop_vars=(np.array([0], np.float32), total),
            )
            return mb.add(x=i, y=1.0), inner[1]

        result = mb.while_loop(
            _cond=lambda i, total: mb.less(x=i, y=n), _body=body, loop_vars=(np.array([0], np.float32), x)
        )
        return mb.identity(x=result[1], name="y")

    model = _model(convert, build, ((1,),), ((1,),))
    for n in (0, 1, 4):
        expected = 3.0 + 3.0 * sum(range(n))
        assert model.predict({"x": [3], "n": [n]})["y"].tolist() == [expected]


def test_a_loop_without_an_end_is_refused(convert: Convert, monkeypatch: pytest.MonkeyPatch) -> None:
    from tinyml.coreml.ops import control_flow

    monkeypatch.setattr(control_flow, "MAX_ITERATIONS", 50)

    def build(x: Any) -> Any:
        grown = mb.while_loop(
            _cond=lambda v: mb.greater(x=mb.reduce_sum(x=v), y=-1.0), _body=lambda v: (mb.abs(x=v),), loop_vars=(x,)
        )
        return mb.identity(x=grown, name="y")

    with pytest.raises(PackageError, match=r"while_loop.*no end after 50"):
        _model(convert, build, ((1,),)).predict({"x": [1]})


def test_lists_are_written_grown_and_gathered(convert: Convert) -> None:
    def build(x: Any) -> Any:
        ls = mb.make_list(init_length=1, elem_shape=(2,), dynamic_length=True)
        ls = mb.list_write(ls=ls, index=0, value=x)
        ls = mb.list_write(ls=ls, index=2, value=mb.mul(x=x, y=3.0))
        ls = mb.list_scatter(
            ls=ls, indices=[1, 3], value=mb.stack(values=[mb.add(x=x, y=1.0), mb.add(x=x, y=2.0)], axis=0)
        )
        length = mb.list_length(ls=ls)
        return (
            mb.list_gather(ls=ls, indices=[3, 0, 2], name="gathered"),
            mb.list_read(ls=ls, index=1, name="read"),
            mb.cast(x=length, dtype="fp32", name="length"),
        )

    found = _model(convert, build, ((2,),)).predict({"x": [1, 2]})
    assert found["gathered"].tolist() == [[3, 4], [1, 2], [3, 6]]
    assert found["read"].tolist() == [2, 3]
    assert found["length"].tolist() == [4]


def test_select_broadcasts(convert: Convert) -> None:
    def build(x: Any) -> Any:
        return mb.select(cond=mb.greater(x=x, y=0.0), a=x, b=np.array([[5]], np.float32), name="y")

    found = _model(convert, build, ((2, 2),)).predict({"x": [[1, -1], [-2, 2]]})
    assert found["y"].tolist() == [[1, 5], [5, 2]]


WEIGHT = np.random.default_rng(0).normal(0, 1, (32, 16, 3, 3)).astype(np.float32)


def _conv_model(convert: Convert, target: Any) -> Any:
    @mb.program(input_specs=[mb.TensorSpec((1, 16, 8, 8))], opset_version=target)
    def program(x: Any) -> Any:
        return mb.conv(x=x, weight=WEIGHT, pad_type="same", name="y")

    return convert(program, minimum_deployment_target=target)


def _linear(**options: Any) -> Any:
    return lambda model: cto.linear_quantize_weights(
        model, _config(cto.OpLinearQuantizerConfig(weight_threshold=0, **options))
    )


def _palette(**options: Any) -> Any:
    return lambda model: cto.palettize_weights(model, _config(cto.OpPalettizerConfig(weight_threshold=0, **options)))


def _prune(model: Any) -> Any:
    return cto.prune_weights(model, _config(cto.OpMagnitudePrunerConfig(target_sparsity=0.7, weight_threshold=0)))


def _config(op: Any) -> Any:
    return cto.OptimizationConfig(global_config=op)


def _joint(second: Any) -> Any:
    def compress(model: Any) -> Any:
        op = cto.OpPalettizerConfig if second == "palette" else cto.OpLinearQuantizerConfig
        config = _config(op(weight_threshold=0, **({"nbits": 2} if second == "palette" else {})))
        function = cto.palettize_weights if second == "palette" else cto.linear_quantize_weights
        return function(_prune(model), config, joint_compression=True)

    return compress


COMPRESSIONS = {
    "int8": (ct.target.iOS16, _linear()),
    "int8 asymmetric": (ct.target.iOS16, _linear(mode="linear")),
    "palette of 16": (ct.target.iOS16, _palette(nbits=4, mode="kmeans")),
    "palette of 64": (ct.target.iOS16, _palette(nbits=6, mode="uniform")),
    "palette of 2": (ct.target.iOS16, _palette(nbits=1, mode="kmeans")),
    "sparse": (ct.target.iOS16, _prune),
    "int4 per block": (ct.target.iOS18, _linear(dtype="int4", granularity="per_block", block_size=4)),
    "uint4 per channel": (ct.target.iOS18, _linear(dtype="uint4", mode="linear", granularity="per_channel")),
    "int8 iOS18": (ct.target.iOS18, _linear()),
    "palette of 8, grouped": (ct.target.iOS18, _palette(nbits=3, granularity="per_grouped_channel", group_size=4)),
    "palette of vectors": (ct.target.iOS18, _palette(nbits=4, cluster_dim=4)),
    "palette with scales": (ct.target.iOS18, _palette(nbits=4, enable_per_channel_scale=True)),
    "sparse iOS18": (ct.target.iOS18, _prune),
    "sparse palette": (ct.target.iOS18, _joint("palette")),
    "sparse int8": (ct.target.iOS18, _joint("int8")),
}


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_compressed_weights_are_what_coremltools_decompresses(convert: Convert, name: str) -> None:
    """The oracle is coremltools' decompress_weights; fp16 on both sides, one rounding apart at most."""
    target, compress = COMPRESSIONS[name]
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compressed = compress(_conv_model(convert, target))
        dense = cto.decompress_weights(compressed)
    model = ReferenceModel(compressed)
    assert any("constexpr" in item.kind for item in model.function.block.operations)
    found = [p.detach().numpy() for p in build(model.function).parameters() if p.shape == WEIGHT.shape]
    constants = [
        carry(item.inputs["val"][0]).numpy()  # type: ignore[arg-type]
        for item in ReferenceModel(dense).function.block.operations
        if item.kind == "const" and item.outputs[0].type.shape == WEIGHT.shape  # type: ignore[union-attr]
    ]
    assert len(found) == len(constants) == 1
    np.testing.assert_allclose(found[0], constants[0], rtol=2**-10, atol=1e-6)
    assert np.abs(found[0] - WEIGHT).max() < 4.5  # no weight is wilder than what it stands for


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_blockwise_scales_spread_over_their_blocks(data: st.DataObject) -> None:
    import torch

    from tinyml.coreml.ops.constexpr import blockwise_shift_scale

    blocks = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    sizes = data.draw(st.lists(st.integers(1, 3), min_size=len(blocks), max_size=len(blocks)))
    shape = [a * b for a, b in zip(blocks, sizes, strict=True)]
    generator = np.random.default_rng(data.draw(st.integers(0, 99)))
    values = generator.integers(-8, 8, shape).astype(np.int8)
    scale, offset = generator.normal(size=blocks).astype(np.float32), generator.integers(-8, 8, blocks).astype(np.int8)
    expected = np.empty(shape, np.float32)
    for place in np.ndindex(*shape):
        block = tuple(i // size for i, size in zip(place, sizes, strict=True))
        expected[place] = scale[block] * (float(values[place]) - float(offset[block]))
    found = blockwise_shift_scale(torch.tensor(values), torch.tensor(scale), torch.tensor(offset))
    np.testing.assert_array_equal(found.numpy(), expected)


def test_a_state_read_before_a_write_keeps_its_old_value(convert: Convert) -> None:
    @mb.program(
        input_specs=[mb.TensorSpec((1,), dtype=types.fp16), mb.StateTensorSpec((1,), dtype=types.fp16)],
        opset_version=ct.target.iOS18,
    )
    def program(x: Any, s: Any) -> Any:
        old = mb.read_state(input=s)
        mb.coreml_update_state(state=s, value=x)
        return mb.add(x=old, y=np.float16(0), name="old"), mb.read_state(input=s, name="new")

    model = ReferenceModel(convert(program, minimum_deployment_target=ct.target.iOS18))
    state = model.make_state()
    first, second = model.predict({"x": [1]}, state), model.predict({"x": [2]}, state)
    assert (first["old"][0], first["new"][0], second["old"][0], second["new"][0]) == (0, 1, 1, 2)
