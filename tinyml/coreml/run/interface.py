"""Between a caller's values and those of a program: arrays and images in and out, by what the model says of them."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
import torch

from tinyml.errors import InputError, PackageError

from ..ops.carriers import CARRIERS
from ..program.dtypes import DTYPES
from ..program.program import Function, NamedType
from ..program.types import StateType, ValueType
from ..read.description import ArrayFeature, Description, ImageFeature, check_array, check_names
from .images import array_image, image_array

Inputs = Mapping[str, Any]


class Interface:
    """The inputs and outputs of one function; raises PackageError where program and description disagree on them."""

    def __init__(self, function: Function, description: Description, *, rounds: bool) -> None:
        """`rounds`: whether float16 inputs are rounded to that type."""
        self.description = description
        self._rounds = rounds
        names = {item.name for item in function.inputs}
        for item in function.inputs:
            if isinstance(item.type, StateType):
                continue
            if item.name not in description.inputs or not isinstance(item.type, ValueType):
                raise PackageError("the program has an input that the model does not describe", value=item.name)
            _check_type(item, item.type, description.inputs[item.name])
        for name in description.inputs:
            if name not in names:
                raise PackageError("the model describes an input that its program does not have", value=name)
        for name in description.outputs:
            if name not in function.block.outputs:
                raise PackageError("the model describes an output that its program does not have", value=name)

    def checked(self, inputs: object) -> Inputs:
        """`inputs` if they are a dictionary of the inputs' names; raises InputError otherwise."""
        if not isinstance(inputs, Mapping):
            raise InputError("inputs must be a dictionary, or a list of them", value=type(inputs).__name__)
        check_names(inputs, self.description.inputs)
        self._check_enumerated(inputs)
        return inputs

    def _check_enumerated(self, inputs: Inputs) -> None:
        """Core ML takes the n-th enumerated shape of one input with the n-th of another only (coremltools #2271)."""
        given = {name: _shape(self.description.inputs[name], value) for name, value in inputs.items()}
        listed = {name: _enumerated(self.description.inputs[name]) for name, shape in given.items() if shape}
        listed = {name: shapes for name, shapes in listed.items() if len(shapes) > 1}
        places = {name: {n for n, each in enumerate(shapes) if each == given[name]} for name, shapes in listed.items()}
        fits = [found for found in places.values() if found]
        lengths = {len(shapes) for shapes in listed.values()}
        if len(lengths) == 1 and len(fits) > 1 and not set.intersection(*fits):
            raise InputError(
                "these enumerated shapes do not go together",
                value=", ".join(self._shown(name, given[name]) for name in listed),
                allowed=" or ".join(self._together(list(listed), n) for n in range(lengths.pop())),
            )

    def _together(self, names: list[str], place: int) -> str:
        return ", ".join(self._shown(name, _enumerated(self.description.inputs[name])[place]) for name in names)

    def _shown(self, name: str, shape: tuple[int, ...]) -> str:
        is_image = isinstance(self.description.inputs[name], ImageFeature)
        return f"{name} {'x'.join(map(str, shape)) if is_image else list(shape)}"

    def array(self, item: NamedType, inputs: Inputs) -> np.ndarray:
        """What the program's input `item` is given: an array of its own, of the carrier type and the declared rank.

        Raises:
            InputError: a value of the wrong type, shape, size or mode.
        """
        feature, dtype = self.description.inputs[item.name], DTYPES[_type(item).dtype].carrier
        if item.name not in inputs:
            if not isinstance(feature, ArrayFeature) or feature.shape is None:
                raise InputError("the model needs an input that is missing", value=item.name)
            array = np.full(feature.shape, feature.default or 0.0, dtype)
        elif isinstance(feature, ImageFeature):
            array = image_array(feature, inputs[item.name])
        elif isinstance(feature, ArrayFeature):
            with np.errstate(invalid="ignore", over="ignore"):
                array = np.array(check_array(feature, inputs[item.name]), dtype)
        else:
            raise InputError(f"input {item.name!r} is of a type that this runtime does not take", value=str(feature))
        if _type(item).shape != ():
            return array
        if array.size != 1:
            raise InputError(f"input {item.name!r} must be one number", value=list(array.shape))
        return array.reshape(())

    def tensor(self, item: NamedType, value: torch.Tensor) -> torch.Tensor:
        """`value`, or many samples of it, in the carrier type of the program's input `item`, rounded to its own."""
        dtype = _type(item).dtype
        value = value.to(CARRIERS[dtype])
        if dtype == "fp16" and self._rounds:
            value = value.to(torch.float16).to(torch.float32)
        return value

    def output(self, name: str, value: Any) -> Any:
        """The program's output `name` as coremltools hands it over."""
        feature = self.description.outputs[name]
        if isinstance(feature, ImageFeature):
            return array_image(feature, value)
        if not isinstance(value, np.ndarray):
            return value
        dtype = feature.dtype if isinstance(feature, ArrayFeature) else "fp32"
        array = value.astype(np.float32 if dtype == "fp16" else DTYPES[dtype].numpy)
        return array.reshape(1) if array.shape == () else array


def _check_type(item: NamedType, kind: ValueType, feature: object) -> None:
    """Raises PackageError for an input that no array can be, and for a number that is described as many."""
    if kind.dtype not in DTYPES:
        raise PackageError(f"the program has an input {item.name!r} of a type that no array has", value=kind.dtype)
    shape = feature.shape if isinstance(feature, ArrayFeature) else None
    if kind.shape == () and (isinstance(feature, ImageFeature) or (shape is not None and prod(shape) != 1)):
        raise PackageError(f"the program's input {item.name!r} is a number, and described as", value=feature)


def _type(item: NamedType) -> ValueType:
    if not isinstance(item.type, ValueType):
        raise PackageError("the program has an input that is no tensor", value=item.name)
    return item.type


def _shape(feature: object, value: Any) -> tuple[int, ...]:
    """The shape of an array, or an image's (width, height); empty where it has neither, which is refused later."""
    found = getattr(value, "size" if isinstance(feature, ImageFeature) else "shape", ())
    return tuple(found) if isinstance(found, tuple) else ()


def _enumerated(feature: object) -> tuple[tuple[int, ...], ...]:
    return feature.enumerated if isinstance(feature, (ArrayFeature, ImageFeature)) else ()
