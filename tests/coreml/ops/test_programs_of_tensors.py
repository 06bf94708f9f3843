"""Whole programs of tensor ops, saved and run, in every opset."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyml.coreml import ReferenceModel
from tinyml.coreml.ops.registry import OPSETS
from tinyml.errors import InputError
from tinyml.quiet import coremltools, quiet

# coremltools leaves the removal of its temporary packages to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:Implicitly cleaning up:ResourceWarning")

ct = coremltools()
mb, types = ct.converters.mil.Builder, ct.converters.mil.mil.types


def _model(folder: Path, opset: str, body: Callable[..., Any], **inputs: tuple[tuple[int, ...], Any]) -> ReferenceModel:
    """A saved and opened package of the program `body` over inputs of (shape, type)."""
    target = getattr(ct.target, opset)
    specs = [mb.TensorSpec(shape=shape, dtype=dtype) for shape, dtype in inputs.values()]
    path = folder / "model.mlpackage"
    with quiet():
        model = ct.convert(
            mb.program(input_specs=specs, opset_version=target)(body),
            convert_to="mlprogram",
            compute_precision=ct.precision.FLOAT32,
            minimum_deployment_target=target,
            skip_model_load=True,
            pass_pipeline=ct.PassPipeline.EMPTY,
        )
        model.save(str(path))
    return ReferenceModel(path)


def _image(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("opset", OPSETS)
def test_a_patch_embedding(tmp_path: Path, opset: str) -> None:
    def body(x: Any) -> Any:
        patches = mb.reshape(x=x, shape=[3, 2, 4, 2, 4])
        patches = mb.transpose(x=patches, perm=[1, 3, 0, 2, -1])
        patches = mb.reshape(x=patches, shape=[1, 4, -1])
        token = mb.slice_by_index(
            x=patches, begin=[0, 0, 0], end=[0, 1, 0], begin_mask=[True, False, True], end_mask=[True, False, True]
        )
        patches = mb.concat(values=[token, patches], axis=1)
        first, rest = mb.split(x=patches, split_sizes=[2, 3], axis=-2)
        stacked = mb.stack(
            values=[mb.squeeze(x=first, axes=[0]), mb.slice_by_size(x=mb.squeeze(x=rest), begin=[1, 0], size=[-1, 48])],
            axis=0,
        )
        return mb.tile(x=mb.expand_dims(x=stacked, axes=[-1]), reps=[1, 1, 1, 2], name="result")

    x = _image(1, 3, 8, 8)
    found = _model(tmp_path, opset, body, x=((1, 3, 8, 8), types.fp32)).predict({"x": x})["result"]
    patches = x.reshape(3, 2, 4, 2, 4).transpose(1, 3, 0, 2, 4).reshape(4, 48)
    tokens = np.concatenate([patches[:1], patches])
    want = np.tile(np.stack([tokens[:2], tokens[3:]])[..., None], (1, 1, 1, 2))
    np.testing.assert_array_equal(found, want)


@pytest.mark.parametrize("opset", OPSETS)
def test_sizes_that_the_run_computes(tmp_path: Path, opset: str) -> None:
    def body(x: Any, count: Any) -> Any:
        rows, columns = mb.split(x=mb.shape(x=x), num_splits=2, axis=0)
        flat = mb.reshape(x=x, shape=mb.concat(values=[np.array([1], np.int32), mb.mul(x=rows, y=columns)], axis=0))
        part = mb.slice_by_index(
            x=flat, begin=np.array([0, 1], np.int32), end=mb.concat(values=[np.array([1], np.int32), count], axis=0)
        )
        repeated = mb.tile(x=part, reps=mb.concat(values=[count, np.array([1], np.int32)], axis=0))
        last = mb.squeeze(x=count)
        order = mb.range_1d(start=np.int32(0), end=last, step=np.int32(2))
        marks = mb.one_hot(indices=order, one_hot_vector_size=last, on_value=np.float32(1), off_value=np.float32(0))
        filled = mb.fill(shape=mb.concat(values=[rows, count], axis=0), value=np.float32(0.5))
        return (
            mb.identity(x=repeated, name="repeated"),
            mb.identity(x=marks, name="marks"),
            mb.identity(x=filled, name="filled"),
            mb.identity(x=mb.non_zero(x=mb.greater(x=x, y=np.float32(0))), name="positive"),
        )

    model = _model(tmp_path, opset, body, x=((2, 3), types.fp32), count=((1,), types.int32))
    x = _image(2, 3)
    for count in (3, 5):
        found = model.predict({"x": x, "count": np.array([count], np.int32)})
        np.testing.assert_array_equal(found["repeated"], np.tile(x.reshape(1, 6)[:, 1:count], (count, 1)))
        np.testing.assert_array_equal(found["marks"], np.eye(count, dtype=np.float32)[::2])
        np.testing.assert_array_equal(found["filled"], np.full((2, count), 0.5))
        np.testing.assert_array_equal(found["positive"], np.argwhere(x > 0))


@pytest.mark.parametrize("opset", OPSETS)
def test_a_detector_head(tmp_path: Path, opset: str) -> None:
    modern = opset in ("iOS17", "iOS18")

    def body(boxes: Any, scores: Any) -> Any:
        common = {"iou_threshold": np.float32(0.4), "max_boxes": np.int32(3)}
        if modern:
            swapped = {"boxes": mb.transpose(x=boxes, perm=[0, 2, 1]), "scores": mb.transpose(x=scores, perm=[0, 2, 1])}
            places = mb.non_maximum_suppression(**swapped, **common)[2]
        else:
            both = {"boxes": boxes, "scores": scores}
            places = mb.non_maximum_suppression(**both, score_threshold=np.float32(-9), **common)[2]
        best = mb.gather(x=boxes, indices=mb.squeeze(x=places, axes=[0]), axis=1)
        values, indices = mb.topk(x=mb.squeeze(x=scores), k=2, axis=0)
        return (
            mb.identity(x=best, name="best"),
            mb.identity(x=values, name="values"),
            mb.cast(x=indices, dtype="int32", name="indices"),
        )

    boxes = np.array([[[5, 5, 4, 4], [5.2, 5, 4, 4], [20, 20, 2, 2], [40, 8, 3, 3]]], np.float32)
    scores = np.array([[[0.3], [0.9], [0.5], [0.1]]], np.float32)
    shapes = {"boxes": ((1, 4, 4), types.fp32), "scores": ((1, 4, 1), types.fp32)}
    found = _model(tmp_path, opset, body, **shapes).predict({"boxes": boxes, "scores": scores})
    np.testing.assert_array_equal(found["best"], boxes[:, [1, 2, 3]])
    np.testing.assert_array_equal(found["values"], np.array([0.9, 0.5], np.float32))
    assert found["indices"].dtype == np.int32
    assert found["indices"].tolist() == [1, 2]


@pytest.mark.parametrize("opset", OPSETS)
def test_a_decoder_of_images(tmp_path: Path, opset: str) -> None:
    def body(x: Any) -> Any:
        x = mb.pixel_shuffle(x=x, upscale_factor=2)
        x = mb.pad(x=x, pad=[0, 0, 0, 0, 1, 1, 1, 1], mode="reflect")
        x = mb.upsample_nearest_neighbor(x=x, scale_factor_height=np.int32(2), scale_factor_width=np.int32(2))
        x = mb.crop(x=x, crop_height=[2, 2], crop_width=[2, 2])
        x = mb.resize_bilinear(x=x, target_size_height=4, target_size_width=4, sampling_mode="STRICT_ALIGN_CORNERS")
        if opset in ("iOS17", "iOS18"):
            x = mb.resize(x=x, shape=[4, 4], resized_dims=np.uint32(2), sampling_mode="UNALIGN_CORNERS")
        return mb.identity(x=x, name="result")

    x = _image(1, 4, 4, 4)
    found = _model(tmp_path, opset, body, x=((1, 4, 4, 4), types.fp32)).predict({"x": x})["result"]
    shuffled = x.reshape(2, 2, 4, 4).transpose(2, 0, 3, 1).reshape(8, 8)
    large = np.repeat(np.repeat(shuffled, 2, 0), 2, 1)
    # Four samples of sixteen pixels from corner to corner fall on every fifth pixel.
    np.testing.assert_allclose(found[0, 0], large[::5, ::5], atol=1e-6)


@pytest.mark.parametrize("opset", OPSETS)
def test_a_cache_that_is_written(tmp_path: Path, opset: str) -> None:
    def body(x: Any, position: Any) -> Any:
        new = mb.fill(shape=[1, 3], value=np.float32(7))
        written = mb.scatter(data=x, indices=position, updates=new, axis=0, mode="update")
        if opset == "iOS18":
            end = mb.add(x=position, y=np.int32(1))
            part = mb.fill(shape=[1, 1], value=np.float32(9))
            begins = mb.concat(values=[position, np.array([1], np.int32)], axis=0)
            ends = mb.concat(values=[end, np.array([2], np.int32)], axis=0)
            written = mb.slice_update(x=written, update=part, begin=begins, end=ends)
        return mb.identity(x=written, name="written")

    x, want = _image(4, 3), _image(4, 3)
    want[2] = [7, 9, 7] if opset == "iOS18" else 7
    model = _model(tmp_path, opset, body, x=((4, 3), types.fp32), position=((1,), types.int32))
    found = model.predict({"x": x, "position": np.array([2], np.int32)})["written"]
    np.testing.assert_array_equal(found, want)


def test_a_program_refuses_indices_that_it_validates(tmp_path: Path) -> None:
    def body(x: Any, index: Any) -> Any:
        return mb.gather(x=x, indices=index, axis=0, validate_indices=True, name="taken")

    model = _model(tmp_path, "iOS17", body, x=((4,), types.fp32), index=((2,), types.int32))
    assert model.predict({"x": _image(4), "index": np.array([3, 0], np.int32)})["taken"].shape == (2,)
    with pytest.raises(InputError, match="out of bounds"):
        model.predict({"x": _image(4), "index": np.array([4, 0], np.int32)})
