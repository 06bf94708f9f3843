"""A program for one sample, lifted to many, computes what it computes one by one; else it is not lifted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml.coreml.plan.lift import lift, samples_first
from tinyml.coreml.plan.planner import build
from tinyml.coreml.read.package import open_package
from tinyml.quiet import coremltools

ct = coremltools()
from coremltools.converters.mil.mil import Builder as mb  # noqa: E402, N813

SAMPLES = 3
Body = Callable[[Any], Any]


def weight(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


KEPT: dict[str, tuple[tuple[int, ...], Body]] = {
    "elementwise of constants": ((1, 3, 4), lambda x: mb.mul(x=mb.exp(x=x), y=weight(3, 1))),
    "elementwise of a higher rank": ((1, 4), lambda x: mb.add(x=mb.relu(x=x), y=weight(3, 1, 4))),
    "elementwise of itself": ((1, 3, 4), lambda x: mb.sub(x=mb.sigmoid(x=x), y=mb.clip(x=x, alpha=-0.5, beta=0.5))),
    "select": ((1, 3, 4), lambda x: mb.select(cond=mb.greater(x=x, y=np.float32(0)), a=x, b=weight(1, 1, 4))),
    "conv": ((1, 4, 6, 6), lambda x: mb.conv(x=x, weight=weight(8, 2, 3, 3), groups=2, pad_type="same")),
    "conv of one dimension": ((1, 4, 6), lambda x: mb.conv(x=x, weight=weight(8, 4, 3), pad_type="valid")),
    "conv_transpose": ((1, 4, 6, 6), lambda x: mb.conv_transpose(x=x, weight=weight(4, 2, 3, 3), pad_type="valid")),
    "pools": ((1, 4, 6, 6), lambda x: mb.avg_pool(x=mb.max_pool(
        x=x, kernel_sizes=[2, 2], strides=[1, 1], pad_type="same"), kernel_sizes=[3, 3], pad_type="valid")),
    "batch_norm": ((1, 4, 3, 3), lambda x: mb.batch_norm(x=x, mean=weight(4), variance=np.abs(weight(4)) + 1)),
    "instance_norm": ((1, 4, 3, 3), lambda x: mb.instance_norm(x=x, gamma=weight(4), beta=weight(4))),
    "layer_norm": ((1, 5, 4), lambda x: mb.layer_norm(x=x, axes=[-1], gamma=weight(4), beta=weight(4))),
    "l2_norm": ((1, 4, 3, 3), lambda x: mb.l2_norm(x=x)),
    "linear": ((1, 4), lambda x: mb.linear(x=x, weight=weight(5, 4), bias=weight(5))),
    "linear of a sequence": ((1, 3, 4), lambda x: mb.linear(x=x, weight=weight(5, 4))),
    "matmul by a constant": ((1, 4), lambda x: mb.matmul(x=x, y=weight(4, 5))),
    "matmul by constants": ((1, 4), lambda x: mb.matmul(x=x, y=weight(2, 4, 5))),
    "matmul of itself": ((1, 2, 3, 4), lambda x: mb.matmul(x=x, y=x, transpose_y=True)),
    "matmul of a constant": ((1, 3, 4), lambda x: mb.matmul(x=weight(2, 3), y=x)),
    "einsum": ((1, 2, 3, 4), lambda x: mb.einsum(
        values=(x, mb.transpose(x=x, perm=[0, 3, 2, 1])), equation="nchw,nwhu->nchu")),
    "softmax and reductions": ((1, 3, 4), lambda x: mb.reduce_sum(
        x=mb.reduce_mean(x=mb.softmax(x=x, axis=-1), axes=[1], keep_dims=True), axes=[-1])),
    "argmax": ((1, 3, 4), lambda x: mb.reduce_argmax(x=x, axis=1)),
    "topk": ((1, 3, 4), lambda x: mb.topk(x=x, k=2, axis=2)[0]),
    "concat": ((1, 3, 4), lambda x: mb.concat(values=[x, mb.relu(x=x)], axis=1)),
    "concat with a constant": ((1, 3, 4), lambda x: mb.concat(values=[weight(1, 1, 4), x], axis=1)),
    "stack": ((1, 3, 4), lambda x: mb.stack(values=[x, mb.relu(x=x)], axis=0)),
    "stack behind": ((1, 3, 4), lambda x: mb.stack(values=[x, mb.relu(x=x)], axis=3)),
    "split": ((1, 4, 4), lambda x: mb.add(x=mb.split(x=x, num_splits=2, axis=1)[0], y=np.float32(1))),
    "flatten": ((1, 2, 3, 4), lambda x: mb.reshape(x=x, shape=[1, -1])),
    "flatten2d": ((1, 2, 3, 4), lambda x: mb.flatten2d(x=x, axis=1)),
    "heads": ((1, 5, 12), lambda x: mb.transpose(x=mb.reshape(x=x, shape=[1, 5, 3, 2, 2]), perm=[2, 0, 3, 1, 4])),
    "heads taken apart": ((1, 5, 12), lambda x: mb.squeeze(axes=[0], x=mb.slice_by_index(
        x=mb.transpose(x=mb.reshape(x=x, shape=[1, 5, 3, 2, 2]), perm=[2, 0, 3, 1, 4]),
        begin=[1, 0, 0, 0, 0], end=[2, 1, 2, 5, 2]))),
    "expand_dims": ((1, 3), lambda x: mb.expand_dims(x=x, axes=[0, -1])),
    "slices": ((1, 5, 4), lambda x: mb.slice_by_index(
        x=x, begin=[0, 4, 1], end=[1, 0, 0], stride=[1, -2, 1], squeeze_mask=[False, False, True])),
    "slice_by_size": ((1, 5, 4), lambda x: mb.slice_by_size(x=x, begin=[0, 1, 0], size=[1, 3, -1])),
    "pad": ((1, 2, 5, 4), lambda x: mb.pad(x=x, pad=[1, 2, 0, 1], mode="reflect")),
    "tile": ((1, 2, 3), lambda x: mb.tile(x=x, reps=[1, 2, 3])),
    "gather": ((1, 5, 4), lambda x: mb.gather(x=x, indices=np.array([[0, 2], [4, 1]], np.int32), axis=1)),
    "gather of a row": ((1, 5, 4), lambda x: mb.gather(x=x, indices=np.int32(2), axis=1)),
    "resizes": ((1, 2, 4, 4), lambda x: mb.resize_bilinear(
        x=mb.upsample_nearest_neighbor(x=x, scale_factor_height=2, scale_factor_width=2),
        target_size_height=5, target_size_width=3)),
    "rearrangements": ((1, 8, 4, 4), lambda x: mb.pixel_shuffle(
        x=mb.space_to_depth(x=x, block_size=2), upscale_factor=2)),
    "a constant beside": ((1, 3), lambda x: (mb.relu(x=x), mb.identity(x=weight(4)))),
}  # fmt: skip

MIXED: dict[str, tuple[tuple[int, ...], Body]] = {
    "a sum over the samples": ((1, 3, 4), lambda x: mb.reduce_sum(x=x, axes=[0])),
    "a sum over everything": ((1, 3, 4), lambda x: mb.reduce_sum(x=x)),
    "softmax over the samples": ((1, 3), lambda x: mb.softmax(x=x, axis=0)),
    "samples side by side": ((1, 3), lambda x: mb.concat(values=[x, x], axis=0)),
    "repeated samples": ((1, 3), lambda x: mb.tile(x=x, reps=[2, 1])),
    "samples broadcast": ((1, 3), lambda x: mb.add(x=x, y=weight(2, 3))),
    "samples against samples": ((1, 3), lambda x: mb.matmul(x=x, y=x, transpose_y=True)),
    "samples in another place": ((1, 1, 3), lambda x: mb.add(x=x, y=mb.transpose(x=x, perm=[1, 0, 2]))),
    "the samples' dimension gone": ((1, 3), lambda x: mb.reshape(x=x, shape=[3])),
    "the samples' dimension squeezed": ((1, 3), lambda x: mb.squeeze(x=x, axes=[0])),
    "channels of samples": ((1, 1, 4, 4), lambda x: mb.conv(
        x=mb.transpose(x=x, perm=[1, 0, 2, 3]), weight=weight(2, 1, 3, 3), pad_type="valid")),
    "padded samples": ((1, 3), lambda x: mb.pad(x=x, pad=[1, 0, 0, 0])),
    "normalized over samples": ((1, 3, 4), lambda x: mb.layer_norm(x=x, axes=[0, 1, 2])),
    "no rule": ((1, 3, 4), lambda x: mb.reverse_sequence(
        x=x, lengths=np.array([2], np.int32), seq_axis=1, batch_axis=0)),
    "not one sample": ((2, 3), lambda x: mb.relu(x=x)),
}  # fmt: skip


def _function(convert: Callable[..., Any], shape: tuple[int, ...], body: Body) -> Any:
    @mb.program(input_specs=[mb.TensorSpec(shape)], opset_version=ct.target.iOS16)
    def program(x: Any) -> Any:
        return body(x)

    # Without optimization, which would take the op under test for another.
    options = {"compute_precision": ct.precision.FLOAT32, "pass_pipeline": ct.PassPipeline.EMPTY}
    return open_package(convert(program, minimum_deployment_target=ct.target.iOS16, **options)).program.functions[
        "main"
    ]


@pytest.mark.parametrize("case", KEPT)
def test_samples_together_are_samples_one_by_one(convert: Callable[..., Any], case: str) -> None:
    shape, body = KEPT[case]
    function = _function(convert, shape, body)
    plain, lifted = (build(function, precision="float32") for _ in range(2))
    axes = lift(lifted, [item.type for item in function.inputs])
    assert axes is not None
    x = torch.from_numpy(weight(SAMPLES, *shape[1:]))
    with torch.inference_mode():
        single = [plain(sample[None]) for sample in x]
        for count in (SAMPLES, 1):
            for place, (value, axis) in enumerate(zip(lifted(x[:count]), axes, strict=True)):
                expected = torch.stack([values[place] for values in single[:count]])
                # The same sums, in another order.
                torch.testing.assert_close(samples_first(value, axis, count), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("case", MIXED)
def test_what_would_mix_samples_is_left_as_it_is(convert: Callable[..., Any], case: str) -> None:
    shape, body = MIXED[case]
    function = _function(convert, shape, body)
    plan = build(function, precision="float32")
    steps = plan.steps
    assert lift(plan, [item.type for item in function.inputs]) is None
    assert plan.steps is steps


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_reshapes_keep_samples_apart_or_are_refused(convert: Callable[..., Any], data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.sampled_from([1, 2, 3]), min_size=1, max_size=4))
    order = data.draw(st.permutations([1, *sizes]))
    perm = data.draw(st.permutations(range(len(order))))

    def body(x: Any) -> Any:
        moved = mb.transpose(x=mb.reshape(x=x, shape=order), perm=perm)
        return mb.reshape(x=moved, shape=[1, *sizes])

    function = _function(convert, (1, *sizes), body)
    plain, lifted = (build(function, precision="float32") for _ in range(2))
    axes = lift(lifted, [item.type for item in function.inputs])
    if axes is None:
        return
    x = torch.from_numpy(weight(SAMPLES, *sizes))
    expected = torch.stack([plain(sample[None])[0] for sample in x])
    assert torch.equal(samples_first(lifted(x)[0], axes[0], SAMPLES), expected)
