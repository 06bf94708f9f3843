"""Inputs for a model from the command line: files, images, random numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from tinyml.broken_images import BROKEN_IMAGE
from tinyml.errors import InputError, UsageError, reason_of
from tinyml.npz import read_npy

from ..read.description import ArrayFeature, Feature, Features, ImageFeature

_PIL_MODES = {"RGB": "RGB", "BGR": "RGB", "GRAYSCALE": "L", "GRAYSCALE_FLOAT16": "F"}
Shape = tuple[int, ...]


def make_inputs(
    features: Features,
    arguments: Iterable[str],
    seed: int = 0,
    *,
    shapes: Mapping[str, Shape] | None = None,
    all_inputs: bool = False,
) -> dict[str, Any]:
    """The inputs that `arguments` ask for; those that they do not name are random.

    Args:
        features: the model's inputs.
        arguments: "name=FILE.npy", "name=IMAGE" or "name=random".
        seed: of the random numbers.
        shapes: by input, the shape of random numbers ([1, channels, height, width] for an image, which is also what
            a picture is resized to) where it is not the default one.
        all_inputs: also those that may be left out.

    Raises:
        UsageError: an argument that is none; InputError: a name or a file that does not suit the model.
    """
    asked: dict[str, str] = {}
    for argument in arguments:
        name, sign, source = argument.partition("=")
        if not sign or not name or not source:
            raise UsageError("not an input", value=argument, allowed="name=FILE.npy, name=IMAGE or name=random")
        if name not in features:
            raise InputError("the model has no input of this name", value=name, allowed=", ".join(features))
        if name in asked:
            raise UsageError(f"input {name!r} is given twice", value=f"{asked[name]} and {source}", allowed="once")
        asked[name] = source
    generator = np.random.default_rng(seed)
    inputs = {}
    for name, feature in features.items():
        source, shape = asked.get(name, "random"), (shapes or {}).get(name)
        if source != "random":
            inputs[name] = _from_file(feature, Path(source), shape)
        elif all_inputs or not feature.optional or name in asked or shape is not None:
            inputs[name] = _random(feature, generator, shape)
    return inputs


def image_inputs(features: Features, image: Path) -> list[str]:
    """The arguments that give `image` to every image input."""
    return [f"{name}={image}" for name, feature in features.items() if isinstance(feature, ImageFeature)]


def _from_file(feature: Feature, path: Path, shape: Shape | None) -> Any:
    if not path.is_file():
        what = "a folder, where a file is needed" if path.is_dir() else "no such file"
        raise InputError(f"input {feature.name!r}: {what}", value=path)
    is_array = path.suffix.lower() == ".npy"
    if isinstance(feature, ImageFeature) and not is_array:
        return _picture(feature, path, shape)
    try:
        array = read_npy(path)
    except InputError as error:
        raise InputError(
            f"input {feature.name!r}: no array", value=f"{path}: {error.hint}", allowed="a .npy file"
        ) from None
    if isinstance(feature, ImageFeature):
        return pixels_of(feature, array)
    if shape is not None and array.shape != shape:
        raise InputError(
            f"input {feature.name!r}: the file has another shape", value=list(array.shape), allowed=str(list(shape))
        )
    return array


def _picture(feature: ImageFeature, path: Path, shape: Shape | None) -> Image.Image:
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            converted = _in_mode(upright, _PIL_MODES[feature.color])
    except BROKEN_IMAGE as error:
        raise InputError(f"input {feature.name!r}: no image", value=f"{path}: {reason_of(error)}") from None
    if shape is not None:
        size = (shape[3], shape[2])
    else:
        flexible = bool(feature.enumerated or feature.ranges)
        size = converted.size if flexible and feature.fits(converted.size) else (feature.width, feature.height)
        if flexible and not feature.fits(converted.size):
            raise InputError(
                f"image {feature.name!r} is of a size that the model does not take",
                value=f"{converted.width}x{converted.height}",
                allowed=feature.allowed,
                hint=f"resize it with --shape {feature.name}=WIDTHxHEIGHT",
            )
    return converted if converted.size == size else converted.resize(size, Image.Resampling.BICUBIC)


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    """`image` in another mode; 16-bit gray is scaled to 8 bits, where Pillow would clip it to white."""
    if image.mode.startswith("I;16") or image.mode == "I":
        values = np.asarray(image).astype(np.float32)
        if mode == "F":
            return Image.fromarray(values)
        deep = image.mode != "I" or values.max(initial=0.0) > 255
        scaled = values / 257 if deep else values
        image = Image.fromarray(np.clip(np.rint(scaled), 0, 255).astype(np.uint8))
    return image.convert(mode)


def pixels_of(feature: ImageFeature, array: np.ndarray) -> Image.Image:
    """The image of uint8 pixels [height, width, 3] in RGB order, or [height, width] for gray (float gray: float32).

    Raises InputError where the array holds no such pixels, or not as many as the model takes.
    """
    rank = 3 if feature.color in ("RGB", "BGR") else 2
    kind = np.dtype(np.float32 if feature.color == "GRAYSCALE_FLOAT16" else np.uint8)
    fits = array.ndim == rank and (rank == 2 or array.shape[2] == 3)
    if not fits or (array.dtype != kind and not (kind.kind == "f" and array.dtype.kind == "f")):
        wanted = "[height, width, 3] in RGB order" if rank == 3 else "[height, width]"
        raise InputError(
            f"input {feature.name!r}: the array holds no picture",
            value=f"{array.dtype} {list(array.shape)}",
            allowed=f"{kind} {wanted}",
        )
    image = Image.fromarray(np.ascontiguousarray(array.astype(kind)))
    if not feature.fits(image.size):
        raise InputError(
            f"image {feature.name!r} is of the wrong size",
            value=f"{image.width}x{image.height}",
            allowed=feature.allowed,
        )
    return image


def _random(feature: Feature, generator: np.random.Generator, shape: Shape | None) -> Any:
    """Standard normal numbers, small integers (from 1 on: they may be lengths), or noise for an image."""
    if isinstance(feature, ImageFeature):
        size = (feature.height, feature.width) if shape is None else shape[2:]
        if feature.color == "GRAYSCALE_FLOAT16":
            return Image.fromarray(generator.random(size, dtype=np.float32))
        if feature.color == "GRAYSCALE":
            return Image.fromarray(generator.integers(0, 256, size, dtype=np.uint8))
        return Image.fromarray(generator.integers(0, 256, (*size, 3), dtype=np.uint8))
    if not isinstance(feature, ArrayFeature) or feature.shape is None:
        raise InputError(f"input {feature.name!r} cannot be random", value=str(feature), allowed="give it a file")
    wanted = shape or feature.shape
    if feature.dtype.startswith("int"):
        high = 2 if "length" in feature.name.lower() else 4
        return generator.integers(1, high, wanted, dtype=np.int32)
    return generator.standard_normal(wanted, dtype=np.float32)
