"""Inputs for a stranger's Core ML package: from a file, or random as the package describes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.coreml.read.description import (
    ArrayFeature,
    Feature,
    Features,
    ImageFeature,
    check_array,
    check_names,
    describe_any,
)
from tinyml.coreml.read.package import read_specification
from tinyml.coreml.tools.inputs import make_inputs, pixels_of
from tinyml.npz import read_npz


def package_features(path: Path) -> Features:
    """What the model of any kind in the .mlpackage at `path` takes; raises PackageError where it does not say so."""
    return describe_any(read_specification(path).description).inputs


def package_inputs(features: Features, given: Path | None, generator: np.random.Generator) -> dict[str, Any]:
    """One input for a model that takes `features`, as coremltools takes it.

    Args:
        features: Of `package_features`.
        given: An .npz file with an array for each input (pixels [H, W, 3] for an image); None: random values.
        generator: Of the random values.

    Raises:
        InputError: What is given does not suit it, or random values cannot be made up.
    """
    if given is None:
        return make_inputs(features, (), seed=int(generator.integers(2**31)))
    arrays = read_npz(given)
    check_names(arrays, features)
    return {name: _value(features[name], array) for name, array in arrays.items()}


def _value(feature: Feature, array: NDArray[Any]) -> Any:
    if isinstance(feature, ImageFeature):
        return pixels_of(feature, array)
    if isinstance(feature, ArrayFeature):
        return check_array(feature, array)
    return array.item() if array.ndim == 0 else array  # a number or a text
