"""Every weight of a program rounded, layer after layer as calibration images pass through it."""

from __future__ import annotations

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
from .forms import Form
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

    Compensated rounding runs the program on `samples` twice: once as it is, for the mean output of each layer; once
    with every layer rounded as soon as its inputs are there, which are those that the rounded layers before it make.
    A program that cannot run all samples at once, and layers without a matrix of inputs (transposed convolutions,
    tables), are rounded with what is known: the former by the inputs of the program as it is, the latter to the
    nearest.

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

    def settle(weight: Weight, matrix: Products | None) -> Rounded | None:
        found = rounded(values[weight.stored_name], weight, chosen[weight.stored_name], half=half, hessian=matrix)
        if found is not None:
            forms[weight.stored_name] = found.form
        return found

    shifts: dict[str, np.ndarray] = {}
    if compensates(variant) and samples is not None and any(map(len, samples.values())):
        shifts = _compensated(model, samples, {w.op_name: w for w in weights if w.stored_name in chosen}, settle, forms)
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
    model: Any, samples: Samples, layers: Mapping[str, Weight], settle: Any, forms: dict[str, Form]
) -> dict[str, np.ndarray]:
    calibrator = Calibrator(model, samples)
    means: dict[str, Tensor] = {}
    matrices: dict[str, Products] = {}

    def look(name: str, kind: str, arguments: Mapping[str, Any]) -> Changed | None:
        if name not in layers:
            return None
        if not calibrator.at_once:
            found = hessian(kind, arguments)
            if found is not None:
                matrices[name] = matrices[name] + found if name in matrices else found
            return None

        def note(output: Tensor) -> Tensor:
            means[name] = _mean(kind, output)
            return output

        return Changed(finish=note)

    calibrator.run(look)
    if not calibrator.at_once:
        for name, matrix in matrices.items():
            if layers[name].stored_name not in forms:
                settle(layers[name], matrix)
        return {}
    shifts: dict[str, np.ndarray] = {}
    done: dict[str, Tensor] = {}

    def change(name: str, kind: str, arguments: Mapping[str, Any]) -> Changed | None:
        weight = layers.get(name)
        if weight is None:
            return None
        if weight.stored_name not in done:
            found = settle(weight, hessian(kind, arguments))
            if found is None:
                return None
            done[weight.stored_name] = torch.from_numpy(found.values)

        def shift(output: Tensor) -> Tensor:
            if arguments.get("bias") is None or kind not in ("conv", "linear"):
                return output
            missing = means[name] - _mean(kind, output)
            shifts[name] = missing.numpy()
            return output + (missing.reshape(-1, *(1,) * (output.dim() - 2)) if kind == "conv" else missing)

        return Changed(weight=done[weight.stored_name], finish=shift)

    calibrator.run(change)
    return shifts


def _mean(kind: str, output: Tensor) -> Tensor:
    """Of each output channel."""
    axis = 1 if kind.startswith("conv") else output.dim() - 1
    return output.mean([each for each in range(output.dim()) if each != axis])
