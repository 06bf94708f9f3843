"""The contract of MLModel.predict: names, types, shapes, refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tinyml.coreml import ReferenceModel
from tinyml.coreml.read.description import ArrayFeature, Features, ImageFeature
from tinyml.coreml.run.batch import MOST, chunk_for, sample_tensors
from tinyml.coreml.run.images import array_image
from tinyml.errors import InputError, PackageError
from tinyml.quiet import coremltools

ct = coremltools()
from coremltools.converters.mil.mil import Builder as mb  # noqa: E402, N813
from coremltools.converters.mil.mil import types  # noqa: E402

Convert = Callable[..., Any]


def test_a_classifier_gives_label_and_probabilities(classifier: Any, image: Image.Image) -> None:
    model = ReferenceModel(classifier)
    outputs = model.predict({"image": image})
    probabilities = outputs["classLabel_probs"]
    assert list(outputs) == list(model.output_description) == ["classLabel", "classLabel_probs"]
    assert list(probabilities) == ["ant", "bee", "cat", "dog"]
    assert outputs["classLabel"] == max(probabilities, key=probabilities.__getitem__)
    assert sum(probabilities.values()) == pytest.approx(1, abs=2e-3)  # rounded to fp16
    assert model.logits_name is not None
    assert model.classes == ("ant", "bee", "cat", "dog")


def test_a_list_of_inputs_gives_a_list_of_outputs(classifier: Any, image: Image.Image) -> None:
    model = ReferenceModel(classifier)
    one = model.predict({"image": image})
    assert model.predict([{"image": image}, {"image": image}]) == [one, one]
    assert model.predict([]) == []


def test_a_data_set_gives_what_single_predictions_give(classifier: Any) -> None:
    model = ReferenceModel(classifier)
    pixels = np.random.default_rng(0).integers(0, 256, (7, 16, 16, 3), dtype=np.uint8)
    singles = [model.predict({"image": Image.fromarray(item)}) for item in pixels]
    found = model.predict_batch({"image": pixels}, chunk=3)
    # One fp16 unit in the last place of a probability: the order of summation may differ in a batch.
    expected = [list(item["classLabel_probs"].values()) for item in singles]
    np.testing.assert_allclose(found["classLabel_probs"], expected, atol=5e-4)
    assert list(found["classLabel"]) == [item["classLabel"] for item in singles]
    logits = model.predict_batch({"image": pixels}, values=["logits_cast_fp16"])["logits_cast_fp16"]
    assert logits.shape == (7, 4)
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(found["classLabel_probs"], shifted / shifted.sum(axis=1, keepdims=True), atol=2e-3)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "missing.*image"),
        ({"picture": 1}, "no input of this name.*picture.*image"),
        ({"image": np.zeros((1, 3, 16, 16))}, "must be a PIL image"),
        ({"image": Image.new("L", (16, 16))}, r"wrong mode.*'L'.*convert\('RGB'\)"),
        ({"image": Image.new("RGB", (16, 17))}, "wrong size.*16x17.*16x16"),
        (3, "must be a dictionary"),
    ],
)
def test_unsuitable_images_are_refused(classifier: Any, inputs: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ReferenceModel(classifier).predict(inputs)


def _changed(mlmodel: Any, change: Callable[[Any], None]) -> Any:
    spec = mlmodel.get_spec()
    change(spec)
    return ct.models.MLModel(spec, weights_dir=mlmodel.weights_dir, skip_model_load=True)


@pytest.fixture(scope="module")
def plain(convert: Convert) -> Any:
    """Scalars, several types and a rank-0 output."""

    @mb.program(
        input_specs=[mb.TensorSpec((2, 3)), mb.TensorSpec((2,), dtype=types.int32)], opset_version=ct.target.iOS17
    )
    def program(x: Any, n: Any) -> Any:
        total = mb.reduce_sum(x=x, axes=[0, 1], keep_dims=False, name="total")
        return mb.mul(x=x, y=2.0, name="double"), mb.add(x=n, y=1, name="next"), total

    return convert(program, compute_precision=ct.precision.FLOAT32, minimum_deployment_target=ct.target.iOS17)


def test_arrays_come_in_the_declared_types_and_shapes(plain: Any) -> None:
    x = np.arange(6, dtype=np.float64).reshape(2, 3)
    outputs = ReferenceModel(plain).predict({"x": x, "n": np.array([1.0, 2.0], np.float32)})
    np.testing.assert_array_equal(outputs["double"], 2 * x)
    np.testing.assert_array_equal(outputs["next"], [2, 3])
    assert outputs["double"].dtype == np.float32
    assert outputs["next"].dtype == np.int32
    assert outputs["total"].shape == (1,)  # Core ML has no outputs of rank 0
    assert outputs["total"] == 15


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.zeros((3, 2)), r"wrong shape.*\[3, 2\].*\[2, 3\]"),
        (np.zeros((1, 2, 3)), "wrong shape"),
        ("text", "wrong type.*str"),
        (np.array([["a"] * 3] * 2), "wrong type"),
        ([[1, 2, 3], [4]], "no array"),
    ],
)
def test_unsuitable_arrays_are_refused(plain: Any, value: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ReferenceModel(plain).predict({"x": value, "n": [1, 2]})


def test_inputs_that_the_program_has_otherwise_are_refused(plain: Any) -> None:
    def scalar(spec: Any) -> None:
        kind = spec.mlProgram.functions["main"].inputs[0].type.tensorType
        kind.rank = 0
        del kind.dimensions[:]

    def text(spec: Any) -> None:
        spec.mlProgram.functions["main"].inputs[0].type.tensorType.dataType = 2

    for change, message in ((scalar, r"'x' is a number, and described as: fp32 \[2, 3\]"), (text, "no array has")):
        with pytest.raises(PackageError, match=message):
            ReferenceModel(_changed(plain, change))


def test_tensors_and_lists_are_taken(plain: Any) -> None:
    model = ReferenceModel(plain)
    found = model.predict({"x": torch.full((2, 3), 0.5, dtype=torch.bfloat16), "n": [1, 2]})
    np.testing.assert_array_equal(found["double"], np.ones((2, 3)))
    a = model.predict({"x": torch.ones(2, 3, requires_grad=True), "n": [1, 2]})
    b = model.predict({"x": [[1, 1, 1]] * 2, "n": (1, 2)})
    np.testing.assert_array_equal(a["double"], b["double"])


def test_declared_precision_rounds_and_saturates_like_fp16(convert: Convert) -> None:
    @mb.program(input_specs=[mb.TensorSpec((4,), dtype=types.fp16)], opset_version=ct.target.iOS16)
    def program(x: Any) -> Any:
        return mb.mul(x=x, y=np.float16(3), name="y")

    mlmodel = convert(program, minimum_deployment_target=ct.target.iOS16)
    x = np.array([0.1, 1000.3, 30000, -30000], np.float32)
    declared = ReferenceModel(mlmodel).predict({"x": x})["y"]
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(declared, (x.astype(np.float16) * np.float16(3)).astype(np.float32))
    assert np.isinf(declared[2:]).all()
    assert declared.dtype == np.float32  # as coremltools hands fp16 arrays over
    exact = ReferenceModel(mlmodel, precision="float32").predict({"x": x})["y"]
    np.testing.assert_array_equal(exact, x * np.float32(3))


def test_flexible_shapes_are_checked(convert: Convert) -> None:
    @mb.program(input_specs=[mb.TensorSpec((1, mb_symbol()))])
    def program(x: Any) -> Any:
        return mb.relu(x=x, name="y")

    ranged = convert(program, inputs=[ct.TensorType(name="x", shape=ct.Shape((1, ct.RangeDim(2, 5, default=3))))])
    model = ReferenceModel(ranged)
    assert model.predict({"x": np.ones((1, 5))})["y"].shape == (1, 5)
    with pytest.raises(
        InputError, match=r"wrong shape: Size \(6\) of dimension \(1\) is not in allowed range \(2\.\.5\)"
    ):
        model.predict({"x": np.ones((1, 6))})
    listed = convert(program, inputs=[ct.TensorType(name="x", shape=ct.EnumeratedShapes([(1, 2), (1, 4)]))])
    model = ReferenceModel(listed)
    assert model.predict({"x": np.ones((1, 4))})["y"].shape == (1, 4)
    with pytest.raises(InputError, match=r"\[1, 3\].*\[1, 2\] or \[1, 4\]"):
        model.predict({"x": np.ones((1, 3))})


def mb_symbol() -> Any:
    from coremltools.converters.mil.mil import get_new_symbol

    return get_new_symbol()


def test_an_optional_input_takes_its_default(convert: Convert) -> None:
    @mb.program(input_specs=[mb.TensorSpec((2,)), mb.TensorSpec((2,))], opset_version=ct.target.iOS16)
    def program(x: Any, shift: Any) -> Any:
        return mb.add(x=x, y=shift, name="y")

    mlmodel = convert(
        program,
        inputs=[
            ct.TensorType(name="x", shape=(2,)),
            ct.TensorType(name="shift", shape=(2,), default_value=np.full(2, 7, np.float32)),
        ],
        minimum_deployment_target=ct.target.iOS16,
    )
    model = ReferenceModel(mlmodel)
    np.testing.assert_array_equal(model.predict({"x": [1, 2]})["y"], [8, 9])
    np.testing.assert_array_equal(model.predict({"x": [1, 2], "shift": [0, 1]})["y"], [1, 3])
    assert isinstance(model.input_description["shift"], ArrayFeature)


@pytest.mark.parametrize("layout", ["RGB", "BGR", "GRAYSCALE"])
def test_images_go_in_and_come_out(convert: Convert, layout: str) -> None:
    channels = 1 if layout == "GRAYSCALE" else 3

    @mb.program(input_specs=[mb.TensorSpec((1, channels, 4, 5))], opset_version=ct.target.iOS16)
    def program(x: Any) -> Any:
        return mb.sub(x=x, y=10.3, name="y")

    color = getattr(ct.colorlayout, layout)
    mlmodel = convert(
        program,
        inputs=[ct.ImageType(name="x", shape=(1, channels, 4, 5), color_layout=color)],
        compute_precision=ct.precision.FLOAT32,
        minimum_deployment_target=ct.target.iOS16,
    )
    spec = mlmodel.get_spec()  # ct.convert declares image outputs for other sources than MIL only
    spec.description.output[0].type.imageType.CopyFrom(spec.description.input[0].type.imageType)
    mlmodel = ct.models.MLModel(spec, weights_dir=mlmodel.weights_dir, skip_model_load=True)
    shape = (4, 5) if channels == 1 else (4, 5, 3)
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    found = ReferenceModel(mlmodel).predict({"x": Image.fromarray(pixels)})["y"]
    expected = np.clip(np.rint(pixels - 10.3), 0, 255)
    assert found.mode == ("L" if channels == 1 else "RGBA")
    np.testing.assert_array_equal(np.asarray(found)[..., :3] if channels == 3 else np.asarray(found), expected)


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4, 4), (1, 4, 4, 4), (1, 1, 4, 4)])
def test_an_output_that_is_no_image_is_told(shape: tuple[int, ...]) -> None:
    picture = ImageFeature(name="y", color="RGB", width=4, height=4)
    with pytest.raises(
        PackageError, match=r"output 'y' is described as an image, and is none: .*\[1, 3, height, width\]"
    ):
        array_image(picture, np.zeros(shape, np.float32))


def test_scale_and_bias_of_an_image_are_applied(convert: Convert) -> None:
    @mb.program(input_specs=[mb.TensorSpec((1, 3, 2, 2))], opset_version=ct.target.iOS16)
    def program(x: Any) -> Any:
        return mb.relu(x=x, name="y")

    mlmodel = convert(
        program,
        inputs=[ct.ImageType(name="x", shape=(1, 3, 2, 2), scale=0.5, bias=[1.0, 2.0, 3.0])],
        compute_precision=ct.precision.FLOAT32,
        minimum_deployment_target=ct.target.iOS16,
    )
    found = ReferenceModel(mlmodel).predict({"x": Image.new("RGB", (2, 2), (10, 20, 30))})["y"]
    np.testing.assert_array_equal(found[0, :, 0, 0], [6, 12, 18])


def test_states_last_from_one_prediction_to_the_next(stateful: Any) -> None:
    model = ReferenceModel(stateful)
    state, other = model.make_state(), model.make_state()
    x = np.array([1, 2, 3], np.float32)
    np.testing.assert_array_equal(model.predict({"x": x}, state)["y"], x)
    np.testing.assert_array_equal(model.predict({"x": x}, state)["y"], 2 * x)
    np.testing.assert_array_equal(model.predict({"x": x}, other)["y"], x)
    np.testing.assert_array_equal(state.read_state("total"), 2 * x)
    state.write_state("total", [0.1, 0, 0])
    np.testing.assert_array_equal(state.read_state("total"), np.array([0.1, 0, 0], np.float16).astype(np.float32))
    with pytest.raises(InputError, match=r"has states.*make_state"):
        model.predict({"x": x})
    with pytest.raises(InputError, match=r"no state of this name.*'sum'.*total"):
        state.read_state("sum")
    with pytest.raises(InputError, match="cannot take this value"):
        state.write_state("total", np.zeros(4))
    with pytest.raises(InputError, match="one prediction at a time"):
        model.predict([{"x": x}], state)


def test_a_model_without_states_makes_none(classifier: Any) -> None:
    with pytest.raises(InputError, match="no states"):
        ReferenceModel(classifier).make_state()


def test_a_trace_holds_every_value(classifier: Any, image: Image.Image) -> None:
    model = ReferenceModel(classifier)
    trace = model.trace({"image": image})
    assert trace["image"].shape == (1, 3, 16, 16)
    convolutions = [name for name, kind in model.kinds.items() if kind == "conv"]
    assert [trace[name].shape for name in convolutions] == [(1, 16, 16, 16), (1, 32, 8, 8)]
    assert trace["classLabel"] == model.predict({"image": image})["classLabel"]


# coremltools leaves temporary folders to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_several_functions(convert: Convert, tmp_path: Any) -> None:
    def program(factor: float) -> Any:
        @mb.program(input_specs=[mb.TensorSpec((2,))], opset_version=ct.target.iOS18)
        def main(x: Any) -> Any:
            return mb.mul(x=x, y=factor, name="y")

        return convert(main, minimum_deployment_target=ct.target.iOS18, compute_precision=ct.precision.FLOAT32)

    for name, factor in (("double", 2.0), ("triple", 3.0)):
        program(factor).save(str(tmp_path / f"{name}.mlpackage"))
    both = ct.utils.MultiFunctionDescriptor()
    both.add_function(str(tmp_path / "double.mlpackage"), "main", "double")
    both.add_function(str(tmp_path / "triple.mlpackage"), "main", "triple")
    both.default_function_name = "double"
    ct.utils.save_multifunction(both, str(tmp_path / "both.mlpackage"))
    path = tmp_path / "both.mlpackage"
    assert ReferenceModel(path).predict({"x": [1, 2]})["y"].tolist() == [2, 4]
    assert ReferenceModel(path, "triple").predict({"x": [1, 2]})["y"].tolist() == [3, 6]
    opened = ct.models.MLModel(str(path), function_name="triple", skip_model_load=True)
    assert ReferenceModel(opened).predict({"x": [1, 2]})["y"].tolist() == [3, 6]
    assert ReferenceModel(opened, "double").predict({"x": [1, 2]})["y"].tolist() == [2, 4]
    with pytest.raises(PackageError, match=r"no function.*'half'.*double, triple"):
        ReferenceModel(path, "half")


@pytest.mark.parametrize("option", [{"precision": "float64"}, {"engine": "tensorrt"}])
def test_unknown_options_are_refused(classifier: Any, option: dict[str, str]) -> None:
    with pytest.raises(InputError, match=r"unknown.*allowed"):
        ReferenceModel(classifier, **option)  # type: ignore[arg-type]


def test_an_output_may_be_a_weight(convert: Callable[..., Any]) -> None:
    weight = np.arange(12, dtype=np.float32).reshape(3, 4)

    @mb.program(input_specs=[mb.TensorSpec((1, 4))], opset_version=ct.target.iOS16)
    def program(x: Any) -> Any:
        return mb.matmul(x=x, y=weight, transpose_y=True, name="y"), mb.identity(x=weight, name="w")

    options = {"compute_precision": ct.precision.FLOAT32, "pass_pipeline": ct.PassPipeline.EMPTY}
    model = ReferenceModel(convert(program, minimum_deployment_target=ct.target.iOS16, **options))
    x = np.ones((1, 4), np.float32)
    np.testing.assert_array_equal(model.predict({"x": x})["w"], weight)
    np.testing.assert_array_equal(model.predict_batch({"x": np.ones((2, 4))})["w"], np.stack([weight, weight]))
    assert model.trace({"x": x})["y"].shape == (1, 3)


@pytest.mark.parametrize("precision", ["declared", "float32"])
def test_a_long_list_gives_what_single_predictions_give(classifier: Any, precision: Any) -> None:
    model = ReferenceModel(classifier, precision=precision)
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (MOST + 6, 16, 16, 3), dtype=np.uint8)  # more than one chunk
    given = [{"image": Image.fromarray(image)} for image in images]
    found = model.predict(given)
    assert len(found) == len(given)
    for inputs, outputs in zip(given, found, strict=True):
        expected = model.predict(inputs)
        assert list(outputs) == list(expected)
        assert outputs["classLabel"] == expected["classLabel"]
        assert list(outputs["classLabel_probs"]) == list(expected["classLabel_probs"])
        # float32 sums in another order; in float16 now and then one rounding of a value below 1.
        tolerance = 1e-6 if precision == "float32" else 1e-3
        values, wanted = (list(each["classLabel_probs"].values()) for each in (outputs, expected))
        np.testing.assert_allclose(values, wanted, atol=tolerance)
    given[11] = {"picture": given[11]["image"]}
    with pytest.raises(InputError, match="no input of this name"):
        model.predict(given)


def test_a_long_list_keeps_types_shapes_and_images(convert: Callable[..., Any]) -> None:
    @mb.program(
        input_specs=[mb.TensorSpec((1, 3, 4, 5)), mb.TensorSpec((1, 2), dtype=types.int32)],
        opset_version=ct.target.iOS16,
    )
    def program(x: Any, n: Any) -> Any:
        total = mb.reduce_sum(x=n, axes=[1], name="total")
        return (
            mb.mul(x=x, y=np.float32(0.5), name="picture"),
            total,
            mb.identity(x=np.array([1, 2], np.float32), name="w"),
        )

    mlmodel = convert(program, compute_precision=ct.precision.FLOAT32, minimum_deployment_target=ct.target.iOS16)
    spec = mlmodel.get_spec()  # ct.convert declares image outputs for other sources than MIL only
    picture = spec.description.output[0].type.imageType
    picture.width, picture.height, picture.colorSpace = 5, 4, 20
    model = ReferenceModel(ct.models.MLModel(spec, weights_dir=mlmodel.weights_dir, skip_model_load=True))
    generator = np.random.default_rng(0)
    given = [
        {"x": generator.uniform(0, 255, (1, 3, 4, 5)).astype(np.float32), "n": np.array([[number, 2]], np.int32)}
        for number in range(9)
    ]
    for outputs, expected in zip(model.predict(given), map(model.predict, given), strict=True):
        assert list(outputs) == list(expected) == ["picture", "total", "w"]
        assert outputs["picture"].mode == expected["picture"].mode
        np.testing.assert_array_equal(np.asarray(outputs["picture"]), np.asarray(expected["picture"]))
        for name in ("total", "w"):
            assert outputs[name].dtype == expected[name].dtype
            np.testing.assert_array_equal(outputs[name], expected[name])


@pytest.mark.parametrize(("side", "chunk"), [(16, 64), (64, 64), (100, 34), (224, 32)])
def test_fewer_large_samples_are_computed_at_a_time(side: int, chunk: int) -> None:
    assert chunk_for([torch.zeros(1, 3, side, side), torch.zeros(1)]) == chunk


def test_no_samples_and_no_chunk_are_refused(classifier: Any) -> None:
    model = ReferenceModel(classifier)
    assert model.predict([]) == []
    with pytest.raises(InputError, match="there are no samples"):
        model.predict_batch({"image": np.zeros((0, 16, 16, 3), np.uint8)})
    with pytest.raises(InputError, match="chunk must be"):
        model.predict_batch({"image": np.zeros((1, 16, 16, 3), np.uint8)}, chunk=0)


def test_samples_that_make_no_batch_are_refused(plain: Any) -> None:
    picture = ImageFeature(name="x", color="RGB", width=4, height=4, ranges=((1, 8), (1, 8)))
    mixed: list[Image.Image] = [Image.new("RGB", (4, 4)), Image.new("RGB", (5, 4))]
    for images, value in ((mixed, "4x4, 5x4"), ([], "none")):
        with pytest.raises(InputError, match=f"images 'x' make no batch: '{value}'"):
            sample_tensors(Features((picture,)), {"x": images})
    with pytest.raises(InputError, match="input 'x' is no array"):
        ReferenceModel(plain).predict_batch({"x": [[1, 2], [3]], "n": np.zeros((2, 2))})  # type: ignore[list-item]


def test_a_value_that_is_returned_twice_is_one_output(classifier: Any, image: Image.Image) -> None:
    spec = classifier.get_spec()
    outputs = spec.description.output
    block = spec.mlProgram.functions["main"].block_specializations["CoreML6"]
    outputs.add().CopyFrom(outputs[0])
    block.outputs.append(block.outputs[0])
    twice = ct.models.MLModel(spec, weights_dir=classifier.weights_dir, skip_model_load=True)
    assert ReferenceModel(twice).predict({"image": image}) == ReferenceModel(classifier).predict({"image": image})
    outputs[2].type.Clear()
    outputs[2].type.doubleType.SetInParent()
    with pytest.raises(PackageError, match=r"two ways.*classLabel"):
        ReferenceModel(ct.models.MLModel(spec, weights_dir=classifier.weights_dir, skip_model_load=True))
