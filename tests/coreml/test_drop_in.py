"""coremltools' own tools with the reference runtime under them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tinyml.coreml import ReferenceModel, linux_predict
from tinyml.coreml.tools.units import units_apart
from tinyml.errors import InputError
from tinyml.quiet import coremltools, quiet

ct = coremltools()
from coremltools.converters.mil.mil import Builder as mb  # noqa: E402, N813
from coremltools.converters.mil.mil import types  # noqa: E402


def test_predict_is_ours_within_the_block_only(classifier: Any, image: Image.Image) -> None:
    original = ct.models.MLModel.predict
    with linux_predict():
        found = classifier.predict({"image": image})
        several = classifier.predict([{"image": image}] * 2)
    assert ct.models.MLModel.predict is original
    # The fixture asks for the CPU alone, on which Core ML rounds nothing.
    assert found == ReferenceModel(classifier, compute_units="CPU_ONLY").predict({"image": image})
    assert several == [found, found]


def test_the_compute_units_decide_what_is_rounded(convert: Callable[..., Any], tmp_path: Path) -> None:
    @mb.program(input_specs=[mb.TensorSpec((3,), dtype=types.fp16)], opset_version=ct.target.iOS16)
    def program(x: Any) -> Any:
        return mb.mul(x=mb.add(x=x, y=np.float16(40)), y=np.float16(3), name="y")

    model = convert(program, minimum_deployment_target=ct.target.iOS16)
    x = np.array([-3.7, 0.1, 1e-9], np.float32)
    exact, half = (x + 40) * 3, np.float16
    rounded = (x.astype(half) + half(40)) * half(3)
    model.save(str(tmp_path / "m.mlpackage"))
    for units in ct.ComputeUnit:
        expected = exact if units is ct.ComputeUnit.CPU_ONLY else rounded
        again = ct.models.MLModel(str(tmp_path / "m.mlpackage"), compute_units=units)
        for name in (units, units.name):
            found = ReferenceModel(again, compute_units=name).predict({"x": x})["y"]
            np.testing.assert_allclose(found, expected, rtol=1e-7)
        with linux_predict():
            np.testing.assert_array_equal(again.predict({"x": x})["y"], found)
        with linux_predict(precision="declared"):
            np.testing.assert_allclose(again.predict({"x": x})["y"], rounded, rtol=1e-7)
    assert np.abs(exact - rounded).max() > 1e-3


def test_unknown_compute_units_are_refused(classifier: Any) -> None:
    with pytest.raises(InputError, match="unknown compute units: 'GPU'; allowed: ALL"):
        ReferenceModel(classifier, compute_units="GPU")


def test_coremltools_own_refusals_stay(classifier: Any, image: Image.Image) -> None:
    with linux_predict():
        with pytest.raises(KeyError, match="does not match any of the model input"):
            classifier.predict({"picture": image})
        with pytest.raises(TypeError, match="mode"):
            classifier.predict({"image": image.convert("L")})


def test_refusals_at_prediction_are_runtime_errors(convert: Callable[..., Any]) -> None:
    @mb.program(
        input_specs=[mb.TensorSpec((3,)), mb.TensorSpec((2,), dtype=types.int32)], opset_version=ct.target.iOS17
    )
    def program(x: Any, indices: Any) -> Any:
        return mb.gather(x=x, indices=indices, axis=0, validate_indices=True)

    model = convert(program, minimum_deployment_target=ct.target.iOS17)
    with linux_predict():
        inputs = {"x": np.ones(3, np.float32), "indices": np.array([0, 3], np.int32)}
        with pytest.raises(RuntimeError, match=r"Unable to compute the prediction.*out of bounds") as e:
            model.predict(inputs)
        assert isinstance(e.value, InputError)
        assert "\n" not in str(e.value)


def test_states_work(stateful: Any) -> None:
    with linux_predict():
        state = stateful.make_state()
        x = np.array([1, 2, 3], np.float32)
        stateful.predict({"x": x}, state=state)
        np.testing.assert_array_equal(stateful.predict({"x": x}, state=state)["y"], 2 * x)
        state.write_state("total", np.zeros(3))
        np.testing.assert_array_equal(state.read_state("total"), np.zeros(3))


def test_activations_are_calibrated_and_quantized(classifier: Any) -> None:
    """linear_quantize_activations needs predictions, which coremltools has on a Mac only."""
    samples = [
        {"image": Image.fromarray(np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8))}
        for seed in range(3)
    ]
    config = ct.optimize.coreml.OptimizationConfig(
        global_config=ct.optimize.coreml.experimental.OpActivationLinearQuantizerConfig(mode="linear_symmetric")
    )
    with linux_predict(), quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantized = ct.optimize.coreml.experimental.linear_quantize_activations(classifier, config, samples)
    model, original = ReferenceModel(quantized), ReferenceModel(classifier)
    assert {"quantize", "dequantize"} <= set(model.kinds.values())
    for sample in samples:
        a, b = original.predict(sample)["classLabel_probs"], model.predict(sample)["classLabel_probs"]
        # 8-bit activations: a few percent of a probability, and not nothing.
        assert 0 < max(abs(a[label] - b[label]) for label in a) < 0.1


def test_what_the_cpu_alone_computes_is_shown_beside_the_rest(classifier: Any) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3), dtype=np.uint8)
    apart = units_apart(classifier, {"image": images})
    alone = ReferenceModel(classifier, precision="float32").predict_batch({"image": images})["classLabel_probs"]
    others = ReferenceModel(classifier).predict_batch({"image": images})["classLabel_probs"]
    assert apart.samples == 5
    assert apart.largest == {"classLabel_probs": pytest.approx(np.abs(alone - others).max())}
    assert apart.parted
