"""What a model says of its inputs, outputs and states (FeatureTypes.proto), and the check of what is handed to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyml.errors import InputError, PackageError, reason_of

from ..program.limits import check_size
from .package import Package

ARRAY_TYPES = {65568: "fp32", 65600: "fp64", 131104: "int32", 131080: "int8", 65552: "fp16"}
"""ArrayFeatureType.ArrayDataType by number."""

COLORS = {10: "GRAYSCALE", 20: "RGB", 30: "BGR", 40: "GRAYSCALE_FLOAT16"}
"""ImageFeatureType.ColorSpace by number."""

Range = tuple[int, int | None]
"""Least and greatest size; None: without an upper bound."""


@dataclass(frozen=True, kw_only=True)
class ArrayFeature:
    """An array: its type ("fp32", ...), its default shape (None: not declared), and which other shapes it may have."""

    name: str
    dtype: str
    shape: tuple[int, ...] | None
    enumerated: tuple[tuple[int, ...], ...] = ()
    ranges: tuple[Range, ...] = ()
    optional: bool = False
    default: float | None = None

    def __str__(self) -> str:
        return f"{self.dtype} {self.allowed}"

    @property
    def allowed(self) -> str:
        """The shapes that it may have, in words."""
        if self.enumerated:
            return " or ".join(str(list(shape)) for shape in self.enumerated)
        if self.ranges:
            return "[" + ", ".join(_range(low, high) for low, high in self.ranges) + "]"
        return str(list(self.shape)) if self.shape is not None else "any shape"

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether an array of `shape` may be given."""
        if self.shape is None and not self.ranges and not self.enumerated:
            return True
        if shape == self.shape or shape in self.enumerated:
            return True
        if not self.ranges or len(self.ranges) != len(shape):
            return False
        return all(low <= n and (high is None or n <= high) for n, (low, high) in zip(shape, self.ranges, strict=True))


@dataclass(frozen=True, kw_only=True)
class ImageFeature:
    """An image: its color space ("RGB", "BGR", "GRAYSCALE", "GRAYSCALE_FLOAT16") and (width, height)."""

    name: str
    color: str
    width: int
    height: int
    enumerated: tuple[tuple[int, int], ...] = ()
    ranges: tuple[Range, Range] | None = None
    optional: bool = False

    def __str__(self) -> str:
        return f"{self.color} image {self.allowed}"

    @property
    def allowed(self) -> str:
        """The sizes that it may have, in words."""
        if self.enumerated:
            return " or ".join(f"{width}x{height}" for width, height in self.enumerated)
        if self.ranges:
            return "x".join(_range(low, high) for low, high in self.ranges)
        return f"{self.width}x{self.height}"

    def fits(self, size: tuple[int, int]) -> bool:
        """Whether an image of `size` (width, height) may be given."""
        if size == (self.width, self.height) or size in self.enumerated:
            return True
        return self.ranges is not None and all(
            low <= n and (high is None or n <= high) for n, (low, high) in zip(size, self.ranges, strict=True)
        )


@dataclass(frozen=True, kw_only=True)
class OtherFeature:
    """A classifier's output, or what models of other kinds take; `kind` is "int64", "double", "string", ..."""

    name: str
    kind: str
    optional: bool = False

    def __str__(self) -> str:
        return self.kind


Feature = ArrayFeature | ImageFeature | OtherFeature


class Features(Mapping[str, Feature]):
    """Features by name, in the model's order."""

    def __init__(self, features: tuple[Feature, ...]) -> None:
        self._features = {feature.name: feature for feature in features}
        for feature in features:
            # coremltools describes a value that is returned twice twice; Core ML takes it as one.
            if feature != self._features[feature.name]:
                raise PackageError("the model describes one input or output in two ways", value=feature.name)

    def __getitem__(self, name: str) -> Feature:
        return self._features[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._features)

    def __len__(self) -> int:
        return len(self._features)

    def __repr__(self) -> str:
        return ", ".join(f"{name}: {feature}" for name, feature in self._features.items())


@dataclass(frozen=True, kw_only=True)
class Description:
    """The interface of one function of a model."""

    function: str
    inputs: Features
    outputs: Features
    states: Features
    predicted_label: str
    """The name of the classifier's label output; empty where the model is none."""
    predicted_probabilities: str


def describe(package: Package, function_name: str | None) -> Description:
    """The interface of `function_name` (None: the default one); raises PackageError for a name that is not there."""
    described = describe_any(package.description, function_name)
    if described.function not in package.program.functions:
        allowed = ", ".join(package.program.functions)
        raise PackageError("no function of this name", value=described.function, allowed=allowed)
    return described


def describe_any(description: Any, function_name: str | None = None) -> Description:
    """The interface that a `Model_pb2.ModelDescription` tells of, whatever kind the model is; raises PackageError."""
    proto = description
    functions = {item.name: item for item in proto.functions}
    name = function_name or proto.defaultFunctionName or "main"
    if functions:
        if name not in functions:
            raise PackageError("no function of this name", value=name, allowed=", ".join(sorted(functions)))
        proto = functions[name]
    return Description(
        function=name,
        inputs=Features(tuple(_feature(item) for item in proto.input)),
        outputs=Features(tuple(_feature(item) for item in proto.output)),
        states=Features(tuple(_feature(item) for item in proto.state)),
        predicted_label=proto.predictedFeatureName,
        predicted_probabilities=proto.predictedProbabilitiesName,
    )


def _feature(proto: Any) -> Feature:
    kind = proto.type.WhichOneof("Type")
    if kind == "multiArrayType":
        return _array(proto.name, proto.type.multiArrayType, proto.type.isOptional)
    if kind == "stateType":
        return _array(proto.name, proto.type.stateType.arrayType, False)
    if kind == "imageType":
        return _image(proto.name, proto.type.imageType, proto.type.isOptional)
    if kind in ("int64Type", "doubleType", "stringType", "dictionaryType", "sequenceType"):
        return OtherFeature(name=proto.name, kind=kind.removesuffix("Type"), optional=proto.type.isOptional)
    raise PackageError(f"the model describes {proto.name!r} as of a type that this runtime does not know", value=kind)


def _array(name: str, proto: Any, optional: bool) -> ArrayFeature:
    if proto.dataType not in ARRAY_TYPES:
        raise PackageError(f"the model describes {name!r} as of an unknown array type", value=proto.dataType)
    shape = tuple(proto.shape)
    if any(size < 0 for size in shape):
        raise PackageError(f"the model describes {name!r} as of absurd shape", value=list(shape))
    check_size(f"the model describes {name!r} as", shape)
    flexible, default = proto.WhichOneof("ShapeFlexibility"), proto.WhichOneof("defaultOptionalValue")
    return ArrayFeature(
        name=name,
        dtype=ARRAY_TYPES[proto.dataType],
        shape=shape or None,
        enumerated=tuple(tuple(item.shape) for item in proto.enumeratedShapes.shapes)
        if flexible == "enumeratedShapes"
        else (),
        ranges=tuple(_size_range(item) for item in proto.shapeRange.sizeRanges) if flexible == "shapeRange" else (),
        optional=optional,
        default=float(getattr(proto, default)) if default else None,
    )


def _image(name: str, proto: Any, optional: bool) -> ImageFeature:
    if proto.colorSpace not in COLORS:
        raise PackageError(f"the model describes {name!r} as of an unknown color space", value=proto.colorSpace)
    if proto.width < 0 or proto.height < 0:
        raise PackageError(f"the model describes {name!r} as of absurd size", value=f"{proto.width}x{proto.height}")
    check_size(f"the model describes image {name!r} as", (proto.width, proto.height))
    flexible = proto.WhichOneof("SizeFlexibility")
    return ImageFeature(
        name=name,
        color=COLORS[proto.colorSpace],
        width=proto.width,
        height=proto.height,
        enumerated=tuple((item.width, item.height) for item in proto.enumeratedSizes.sizes)
        if flexible == "enumeratedSizes"
        else (),
        ranges=(_size_range(proto.imageSizeRange.widthRange), _size_range(proto.imageSizeRange.heightRange))
        if flexible == "imageSizeRange"
        else None,
        optional=optional,
    )


def _size_range(proto: Any) -> Range:
    return proto.lowerBound, proto.upperBound if proto.upperBound >= 0 else None


def _range(low: int, high: int | None) -> str:
    return str(low) if low == high else f"{low}..{'' if high is None else high}"


def check_array(feature: ArrayFeature, value: Any) -> np.ndarray:
    """`value` as an array that suits `feature`; a number where the shape is [1] is taken as such.

    On a Mac coremltools hands NumPy arrays of float32, float64 and int32 to Core ML whatever the feature's type, and
    Core ML converts them; float16 arrays it casts to float32 first. Here every numeric array is taken.
    """
    array = as_array(feature, value)
    if array.dtype.kind not in "fiub":
        raise InputError(f"input {feature.name!r} is of the wrong type", value=_type_name(value), allowed=str(feature))
    if array.shape == () and feature.fits((1,)):
        array = array.reshape(1)
    if not feature.fits(array.shape):
        raise InputError(
            f"input {feature.name!r} is of the wrong shape{_outside(feature, array.shape)}",
            value=list(array.shape),
            allowed=feature.allowed,
        )
    return array


def as_array(feature: ArrayFeature, value: Any) -> np.ndarray:
    """`value`, be it an array, a torch tensor or lists of numbers, as an array; raises InputError where it makes none.

    A tensor of a type that numpy lacks, such as bfloat16, is one of float32.
    """
    try:
        if hasattr(value, "detach"):
            held = value.detach().cpu()
            value = held.float().numpy() if str(held.dtype) in _NOT_IN_NUMPY else held.numpy()
        return np.asarray(value)
    except (ValueError, TypeError, RuntimeError, OverflowError) as error:
        reason = reason_of(error)
        raise InputError(f"input {feature.name!r} is no array", value=reason, allowed=str(feature)) from None


_NOT_IN_NUMPY = ("torch.bfloat16", "torch.float8_e4m3fn", "torch.float8_e5m2")


def _outside(feature: ArrayFeature, shape: tuple[int, ...]) -> str:
    """Which size is out of its range, in Core ML's own words, which tools look for."""
    if len(shape) == len(feature.ranges):
        for axis, (size, (low, high)) in enumerate(zip(shape, feature.ranges, strict=True)):
            if size < low or (high is not None and size > high):
                limits = f"{low}..{'' if high is None else high}"
                return f": Size ({size}) of dimension ({axis}) is not in allowed range ({limits})"
    return ""


def _type_name(value: object) -> str:
    return f"array of {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__


def check_names(inputs: Mapping[str, object], features: Features) -> None:
    """Raises InputError for a name that the model does not have, or one that it needs and lacks."""
    for name in inputs:
        if name not in features:
            raise InputError("the model has no input of this name", value=name, allowed=", ".join(features))
    for name, feature in features.items():
        if name not in inputs and not feature.optional:
            raise InputError("the model needs an input that is missing", value=name, allowed=str(feature))
