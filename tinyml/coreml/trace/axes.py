"""Which axes of a program's inputs stay open in a trace, and the shapes at which a conversion is checked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tinyml.errors import InputError, PackageError, UsageError

from ..program.limits import check_size
from ..read.description import ArrayFeature, Description, Feature, Features, ImageFeature, Range

Shape = tuple[int, ...]
Shapes = dict[str, Shape]
"""By input."""

MAX_ENUMERATED = 12
"""So many of several enumerated shapes are checked."""

MAX_ELEMENTS = 2**20
"""The end of a range is checked no further than where an input has so many elements."""


@dataclass(frozen=True, kw_only=True)
class Port:
    """An input as it is traced: its example shape, the range of each axis that stays open, all enumerated shapes."""

    name: str
    shape: Shape
    open: dict[int, Range]
    enumerated: tuple[Shape, ...] = ()

    def describe(self) -> str:
        """The shape with the open axes as ranges: "x [1, 2..64, 4]"."""
        if self.enumerated:
            return f"{self.name} " + " or ".join(str(list(shape)) for shape in self.enumerated)
        sizes = [
            f"{self.open[axis][0]}..{self.open[axis][1] or ''}" if axis in self.open else str(size)
            for axis, size in enumerate(self.shape)
        ]
        return f"{self.name} [{', '.join(sizes)}]"


def ports(description: Description, asked: Iterable[str] = ()) -> list[Port]:
    """The inputs of a function as they are traced.

    Args:
        description: of the function.
        asked: "name=1,20,8" fixes an input's axes ("name=1,*,8" leaves the second open), "image=WIDTHxHEIGHT" an
            image's.

    Raises:
        UsageError: no such form; InputError: an unknown name, or a shape that the input may not have.
    """
    fixed = parse_shapes(description.inputs, asked)
    return [_port(feature, fixed.get(name)) for name, feature in description.inputs.items()]


def parse_shapes(features: Features, asked: Iterable[str]) -> dict[str, tuple[int | None, ...]]:
    """What `asked` fixes, by input, an image's as [1, channels, height, width]; None leaves an axis open."""
    found: dict[str, tuple[int | None, ...]] = {}
    for argument in asked:
        name, sign, text = argument.partition("=")
        allowed = "name=1,3,20 (* leaves an axis open), or name=WIDTHxHEIGHT for an image"
        if not sign:
            raise UsageError("not a shape", value=argument, allowed=allowed)
        if name not in features:
            raise InputError("the model has no input of this name", value=name, allowed=", ".join(features))
        feature = features[name]
        parts = text.lower().replace("x", ",").split(",")
        try:
            sizes = tuple(None if part.strip() == "*" else int(part) for part in parts)
        except ValueError:
            raise UsageError("not a shape", value=argument, allowed=allowed) from None
        if isinstance(feature, ImageFeature) and len(sizes) == 2:
            sizes = (1, _channels(feature), sizes[1], sizes[0])
        _check(feature, sizes)
        found[name] = sizes
    return found


def whole_shapes(features: Features, asked: Iterable[str]) -> Shapes:
    """The shapes that `asked` gives, by input; what it leaves open has the default size."""
    found = parse_shapes(features, asked)
    return {
        name: tuple(have if size is None else size for have, size in zip(_default(features[name]), sizes, strict=True))
        for name, sizes in found.items()
    }


def _channels(feature: ImageFeature) -> int:
    return 3 if feature.color in ("RGB", "BGR") else 1


def _default(feature: Feature) -> Shape:
    if isinstance(feature, ImageFeature):
        return (1, _channels(feature), feature.height, feature.width)
    if not isinstance(feature, ArrayFeature) or feature.shape is None:
        raise InputError("an input without a shape cannot be traced", value=feature.name)
    return feature.shape


def _enumerated(feature: Feature) -> tuple[Shape, ...]:
    if isinstance(feature, ImageFeature):
        shapes: tuple[Shape, ...] = tuple((1, _channels(feature), h, w) for w, h in feature.enumerated)
    else:
        shapes = feature.enumerated if isinstance(feature, ArrayFeature) else ()
    return tuple(dict.fromkeys(shapes))


def _ranges(feature: Feature) -> tuple[Range, ...]:
    if isinstance(feature, ImageFeature):
        if feature.ranges is None:
            return ()
        channels = _channels(feature)
        return ((1, 1), (channels, channels), feature.ranges[1], feature.ranges[0])
    return feature.ranges if isinstance(feature, ArrayFeature) else ()


def _check(feature: Feature, sizes: tuple[int | None, ...]) -> None:
    default = _default(feature)
    tried = tuple(default[axis] if size is None and axis < len(default) else size for axis, size in enumerate(sizes))
    whole = tuple(size for size in tried if size is not None)
    suits = len(whole) == len(default)
    if suits and isinstance(feature, ImageFeature):
        suits = whole[:2] == default[:2] and feature.fits((whole[3], whole[2]))
    elif suits and isinstance(feature, ArrayFeature):
        suits = feature.fits(whole) or any(_matches(shape, sizes) for shape in feature.enumerated)
    if not suits:
        allowed = feature.allowed if isinstance(feature, (ImageFeature, ArrayFeature)) else str(feature)
        shown = ["*" if size is None else size for size in sizes]
        raise InputError(f"input {feature.name!r} may not have this shape", value=shown, allowed=allowed)
    try:
        check_size(f"input {feature.name!r}", whole)
    except PackageError as error:
        raise InputError(error.what, value=error.value, allowed=error.allowed) from None


def _matches(shape: Shape, sizes: tuple[int | None, ...]) -> bool:
    return len(shape) == len(sizes) and all(b is None or a == b for a, b in zip(shape, sizes, strict=True))


def _port(feature: Feature, fixed: tuple[int | None, ...] | None) -> Port:
    default = _default(feature)
    sizes = fixed or (None,) * len(default)
    enumerated = tuple(shape for shape in _enumerated(feature) if _matches(shape, sizes))
    if enumerated:
        shape = default if default in enumerated else enumerated[0]
        spread = [sorted({each[axis] for each in enumerated}) for axis in range(len(shape))]
        opened: dict[int, Range] = {axis: (n[0], n[-1]) for axis, n in enumerate(spread) if len(n) > 1}
        return Port(name=feature.name, shape=shape, open=opened, enumerated=enumerated if opened else ())
    shape = tuple(have if size is None else size for have, size in zip(default, sizes, strict=True))
    ranges = _ranges(feature)
    opened = {axis: (a, b) for axis, (a, b) in enumerate(ranges) if a != b and sizes[axis] is None}
    return Port(name=feature.name, shape=shape, open=opened)


def alternatives(inputs: list[Port]) -> list[Shapes]:
    """Other shapes than the example's at which to check: the ends of each range, enumerated shapes up to a dozen."""
    found: list[Shapes] = []
    example = {port.name: port.shape for port in inputs}
    listed = max((len(port.enumerated) for port in inputs), default=0)
    rounds: list[tuple[int, str]] = [(n, how) for n, how in enumerate(("low", "high", "middle", "mixed"))]
    if listed:
        rounds = [(n, ("low", "high", "middle")[n % 3]) for n in range(listed)]
    for number, how in rounds:
        shapes = {port.name: _variant(port, number, how) for port in inputs}
        if shapes != example and shapes not in found:
            found.append(shapes)
    return found[:MAX_ENUMERATED]


def _variant(port: Port, number: int, how: str) -> Shape:
    if port.enumerated:
        return port.enumerated[number % len(port.enumerated)]
    sizes = list(port.shape)
    for place, (axis, (low, high)) in enumerate(port.open.items()):
        least = max(low, 1)
        most = high if high is not None else 3 * max(sizes[axis], least)
        mixed = most if place % 2 else least
        sizes[axis] = {"low": least, "high": most, "middle": (least + sizes[axis] + 1) // 2, "mixed": mixed}[how]
    while math.prod(sizes) > MAX_ELEMENTS:
        axis = max(port.open, key=lambda each: sizes[each] / max(port.open[each][0], 1), default=-1)
        if axis < 0 or sizes[axis] // 2 < max(port.open[axis][0], 1):
            break
        sizes[axis] = max(sizes[axis] // 2, port.shape[axis] + 1 if sizes[axis] > 2 * port.shape[axis] else 1)
    return tuple(sizes)


def axes(inputs: list[Port]) -> Mapping[tuple[str, int], Range]:
    """The open axes: (input, axis) to its range."""
    return {(port.name, axis): size for port in inputs for axis, size in port.open.items()}
