"""Small ML Programs, built once a session with coremltools."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tinyml.quiet import coremltools, quiet

ct = coremltools()
from coremltools.converters.mil.mil import Builder as mb  # noqa: E402, N813
from coremltools.converters.mil.mil import types  # noqa: E402

LABELS = ["ant", "bee", "cat", "dog"]


def _convert(program: Any, **options: Any) -> Any:
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ct.convert(program, compute_units=ct.ComputeUnit.CPU_ONLY, **options)


@pytest.fixture(scope="session")
def convert() -> Callable[..., Any]:
    """`ct.convert`, quiet."""
    return _convert


@pytest.fixture(scope="session")
def classifier() -> Any:
    """A small convolutional classifier with an image input, fp16, iOS16, as an MLModel."""
    generator = np.random.default_rng(0)

    @mb.program(input_specs=[mb.TensorSpec((1, 3, 16, 16))], opset_version=ct.target.iOS16)
    def program(image: Any) -> Any:
        x = mb.mul(x=mb.sub(x=image, y=np.float32(127)), y=np.float32(1 / 64))
        for number, (channels_in, channels) in enumerate([(3, 16), (16, 32)]):
            weight = generator.normal(0, 0.2, (channels, channels_in, 3, 3)).astype(np.float32)
            bias = generator.normal(0, 0.1, channels).astype(np.float32)
            x = mb.conv(x=x, weight=weight, bias=bias, pad_type="same", name=f"conv{number}")
            x = mb.relu(x=x)
            x = mb.max_pool(x=x, kernel_sizes=[2, 2], strides=[2, 2], pad_type="valid")
        x = mb.reduce_mean(x=x, axes=[2, 3])
        weight = generator.normal(0, 0.5, (4, 32)).astype(np.float32)
        return mb.softmax(x=mb.linear(x=x, weight=weight, name="logits"), axis=-1, name="scores")

    return _convert(
        program,
        inputs=[ct.ImageType(name="image", shape=(1, 3, 16, 16))],
        classifier_config=ct.ClassifierConfig(LABELS),
        minimum_deployment_target=ct.target.iOS16,
    )


@pytest.fixture(scope="session")
def classifier_package(classifier: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The classifier on disk."""
    path = tmp_path_factory.mktemp("packages") / "small.mlpackage"
    with quiet():
        classifier.save(str(path))
    return path


@pytest.fixture(scope="session")
def stateful() -> Any:
    """Adds its input to a running sum, iOS18."""

    @mb.program(
        input_specs=[mb.TensorSpec((3,), dtype=types.fp16), mb.StateTensorSpec((3,), dtype=types.fp16)],
        opset_version=ct.target.iOS18,
    )
    def program(x: Any, total: Any) -> Any:
        y = mb.add(x=x, y=mb.read_state(input=total), name="y")
        mb.coreml_update_state(state=total, value=y)
        return y

    return _convert(program, minimum_deployment_target=ct.target.iOS18)


@pytest.fixture
def image() -> Image.Image:
    """Noise, 16 by 16."""
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (16, 16, 3), dtype=np.uint8))
