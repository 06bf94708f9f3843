"""Inputs for a model from the command line: files, images, random numbers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from tinyml.errors import InputError, UsageError

from ..read.description import ArrayFeature, Feature, Features, ImageFeature

_PIL_MODES = {"RGB": "RGB", "BGR": "RGB", "GRAYSCALE": "L", "GRAYSCALE_FLOAT16": "F"}


def make_inputs(features: Features, arguments: Iterable[str], seed: int = 0) -> dict[str, Any]:
    """The inputs that `arguments` ask for; those that they do not name are random.

    Args:
        features: the model's inputs.
        arguments: "name=FILE.npy", "name=IMAGE" or "name=random".
        seed: of the random numbers.

    Raises:
        UsageError: an argument that is none; InputError: a name or a file that does not suit the model.
    """
    asked = {}
    for argument in arguments:
        name, sign, source = argument.partition("=")
        if not sign or not name or not source:
            raise UsageError("not an input", value=argument, allowed="name=FILE.npy, name=IMAGE or name=random")
        if name not in features:
            raise InputError("the model has no input of this name", value=name, allowed=", ".join(features))
        asked[name] = source
    generator = np.random.default_rng(seed)
    inputs = {}
    for name, feature in features.items():
        source = asked.get(name, "random")
        if source != "random":
            inputs[name] = _from_file(feature, Path(source))
        elif not feature.optional or name in asked:
            inputs[name] = _random(feature, generator)
    return inputs


def _from_file(feature: Feature, path: Path) -> Any:
    if not path.is_file():
        raise InputError(f"input {feature.name!r}: no such file", value=path)
    if isinstance(feature, ImageFeature):
        try:
            with Image.open(path) as image:
                return image.convert(_PIL_MODES[feature.color]).resize(
                    (feature.width, feature.height), Image.Resampling.BICUBIC
                )
        except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
            raise InputError(f"input {feature.name!r}: no image", value=f"{path}: {error}") from None
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise InputError(f"input {feature.name!r}: no array", value=f"{path}: {error}", allowed="a .npy file") from None


def _random(feature: Feature, generator: np.random.Generator) -> Any:
    """Standard normal numbers, small integers, or noise for an image."""
    if isinstance(feature, ImageFeature):
        shape = (feature.height, feature.width)
        if feature.color == "GRAYSCALE_FLOAT16":
            return Image.fromarray(generator.random(shape, dtype=np.float32))
        if feature.color == "GRAYSCALE":
            return Image.fromarray(generator.integers(0, 256, shape, dtype=np.uint8))
        return Image.fromarray(generator.integers(0, 256, (*shape, 3), dtype=np.uint8))
    if not isinstance(feature, ArrayFeature) or feature.shape is None:
        raise InputError(f"input {feature.name!r} cannot be random", value=str(feature), allowed="give it a file")
    if feature.dtype.startswith("int"):
        return generator.integers(0, 4, feature.shape, dtype=np.int32)
    return generator.standard_normal(feature.shape, dtype=np.float32)
