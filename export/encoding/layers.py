"""Every weight of a program rounded, layer after layer as calibration images pass through it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tinyml.coreml.read.package import open_package
from tinyml.schema import Variant

from ..compression import Samples, compensates, compressions, settings_of
from ..weights import Weight
from .calibration import Calibrator, Changed, decoded
from .forms import Form, rescaled
from .reach import Reach, rounded_within
from .rounding import Kinds, Rounded, rounded
from .statistics import Products, hessian


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """What becomes of a program's constants."""

    forms: dict[str, Form] = field(default_factory=dict)
    """By the name of what is stored."""
    bias_shifts: dict[str, np.ndarray] = field(default_factory=dict)
    """By the name of the reading op: what is added to its bias, so that its mean output stays."""


def encoded(model: Any, variant: Variant, weights: tuple[Weight, ...], samples: Samples | None) -> Encoded:
    """The forms of all weights of `model` as `variant` says.

    Compensated rounding runs the program on `samples` twice, side by side: as it is, and with every layer rounded as
    soon as its inputs are there, which are those that the rounded layers before it make. Each is rounded to answer to
    these what it answered before; then the mean and, where its channels have scales of their own, the deviation of each
    output channel are made those that they were, as a batch normalization behind it would be estimated anew.
    A program that cannot run all samples at once, and layers without a matrix of inputs (transposed convolutions,
    tables, products with the weight on the left), are rounded with what is known: the former by the inputs of the
    program as it is, the latter to the nearest.

    Args:
        model: A coremltools MLModel.
        variant: What to do.
        weights: Of the model.
        samples: Calibration inputs; may be None where no kind compensates.
    """
    chosen = {weight.stored_name: kinds_of(variant, weight) for weight in weights}
    chosen = {name: kinds for name, kinds in chosen.items() if kinds}
    if not chosen:
        return Encoded()
    values = decoded(open_package(model), set(chosen))
    half = variant.precision == "fp16"
    forms: dict[str, Form] = {}
    reaches: dict[str, Reach] = {}

    def settle(weight: Weight, matrix: Products | None) -> Rounded | None:
        original, kinds = values[weight.stored_name], chosen[weight.stored_name]
        found: Rounded | None
        if matrix is None:
            found = rounded(original, weight, kinds, half=half)
        elif within := rounded_within(original, weight, kinds, half=half, hessian=matrix):
            found, reaches[weight.stored_name] = within
        else:
            found = None
        if found is not None:
            forms[weight.stored_name] = found.form
        return found

    shifts: dict[str, np.ndarray] = {}
    if compensates(variant) and samples is not None and any(map(len, samples.values())):
        layers = {w.op_name: w for w in weights if w.stored_name in chosen}
        shifts = _compensated(model, samples, layers, settle, forms, reaches)
    for weight in weights:
        if weight.stored_name in chosen and weight.stored_name not in forms:
            settle(weight, None)
    return Encoded(forms=forms, bias_shifts=shifts)


def kinds_of(variant: Variant, weight: Weight) -> Kinds:
    """What `variant` does to `weight` itself, and with which settings."""
    found = [(compressions.get(kind.method), settings_of(kind, weight.layer)) for kind in variant.compression]
    return [
        (plug, layer)
        for (plug, layer), kind in zip(found, variant.compression, strict=True)
        if layer is not None and kind.method != "activations"
    ]


def _compensated(
    model: Any,
    samples: Samples,
    layers: Mapping[str, Weight],
    settle: Any,
    forms: dict[str, Form],
    reaches: Mapping[str, Reach],
) -> dict[str, np.ndarray]:
    calibrator = Calibrator(model, samples)
    if not calibrator.at_once:
        _settle_by_inputs(calibrator, layers, settle, forms)
        return {}
    shifts: dict[str, np.ndarray] = {}
    done: dict[str, Tensor] = {}
    readers = Counter(weight.stored_name for weight in layers.values())

    def change(name: str, kind: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> Changed | None:
        weight = layers.get(name)
        if weight is None:
            return None
        stored = weight.stored_name
        if stored not in done:
            found = settle(weight, None if weight.parameter == "x" else hessian(kind, now, before))
            if found is None:
                return None
            done[stored] = torch.from_numpy(found.values)

        def finish(output: Tensor, expected: Tensor) -> Tensor:
            if kind not in ("conv", "linear"):
                return output
            bias = now.get("bias")
            if stored in reaches and readers[stored] == 1:
                stretch = (_deviation(kind, expected) / _deviation(kind, output).clamp(min=1e-12)).clamp(0.5, 2)
                stretch = reaches[stored].shortened(stretch, done[stored].numpy(), weight.output_axis)
                made = rescaled(forms[stored], stretch.numpy(), weight.output_axis, half=weight.dtype == "fp16")
                if made is not None:
                    forms[stored] = made
                    rest = torch.zeros(()) if bias is None else _along(kind, bias, output)
                    output = (output - rest) * _along(kind, stretch, output) + rest
            if bias is None:
                return output
            missing = _mean(kind, expected) - _mean(kind, output)
            shifts[name] = missing.numpy()
            return output + _along(kind, missing, output)

        return Changed(weight=done[stored], parameter=weight.parameter, finish=finish)

    calibrator.run_beside(change)
    return shifts


def _settle_by_inputs(
    calibrator: Calibrator, layers: Mapping[str, Weight], settle: Any, forms: dict[str, Form]
) -> None:
    """Rounds each layer by the inputs that it has in the program as it is."""
    matrices: dict[str, Products] = {}

    def look(name: str, kind: str, arguments: Mapping[str, Any]) -> None:
        if name not in layers or layers[name].parameter == "x":
            return
        if (found := hessian(kind, arguments)) is not None:
            matrices[name] = matrices[name] + found if name in matrices else found

    calibrator.watch(look)
    for name, matrix in matrices.items():
        if layers[name].stored_name not in forms:
            settle(layers[name], matrix)


def _mean(kind: str, output: Tensor) -> Tensor:
    """Of each output channel."""
    return output.mean(_others(kind, output))


def _deviation(kind: str, output: Tensor) -> Tensor:
    """The standard deviation of each output channel."""
    return output.std(_others(kind, output), correction=0)


def _others(kind: str, output: Tensor) -> list[int]:
    """All axes but that of the channels."""
    axis = 1 if kind.startswith("conv") else output.dim() - 1
    return [each for each in range(output.dim()) if each != axis]


def _along(kind: str, values: Tensor, output: Tensor) -> Tensor:
    """`values` of each output channel, so that they can be added to `output`."""
    return values.reshape(-1, *(1,) * (output.dim() - 2)) if kind.startswith("conv") else values
