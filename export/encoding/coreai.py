"""Forms as the modules that Apple's converter knows, in the place of a network's weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from tinyml.core_ai.packages import library
from tinyml.errors import UsageError

from .forms import Form, Indices, Integers, Values


def parameter_of(network: nn.Module, layer: str) -> tuple[nn.Module, str] | None:
    """The module and the name of the weight of `layer`, called as by `tinyml.export.network.layers`; None: it has none.

    "features.0" for the weight of that module, "attention.in_proj" for the `in_proj_weight` of "attention".
    """
    modules = dict(network.named_modules())
    owner, _, last = layer.rpartition(".")
    for module, name in ((modules.get(layer), "weight"), (modules.get(owner), f"{last}_weight")):
        if module is not None and isinstance(getattr(module, name, None), Tensor):
            return module, name
    return None


def store(network: nn.Module, forms: Mapping[str, Form], shifts: Mapping[str, Values], *, half: bool) -> None:
    """Has the weights of `network` unpacked from what is stored of them, in place.

    Args:
        network: In evaluation mode; its floats already are what the converter shall see, float16 where `half`.
        forms: By layer.
        shifts: By layer, what is added to its bias, [output channels].
        half: Whether weights are unpacked into float16.
    """
    dtype = torch.float16 if half else torch.float32
    found = {layer: parameter_of(network, layer) for layer in forms}
    for layer, form in forms.items():
        place = found[layer]
        if place is None:
            raise UsageError("no such layer", value=layer)
        module, name = place
        if layer in shifts:
            bias = name.replace("weight", "bias")
            own = getattr(module, bias)
            shift = torch.from_numpy(shifts[layer]).to(torch.float32)
            setattr(module, bias, nn.Parameter((shift if own is None else own.detach().float() + shift).to(dtype)))
        parametrize.register_parametrization(module, name, _unpacking(form, dtype), unsafe=True)


def _unpacking(form: Form, dtype: torch.dtype) -> nn.Module:
    """A parametrization that gives the weight, whatever it replaces."""
    with library():
        from coreai_torch._compression import custom_layers as apple
        from coreai_torch._compression.utils import wrap_for_parametrization as wrapped

    def floats(values: Values) -> Tensor:
        return torch.from_numpy(np.array(values, np.float32)).to(dtype)

    def integers(levels: np.ndarray[Any, Any]) -> Tensor:
        return torch.from_numpy(np.array(levels))

    made: nn.Module
    if isinstance(form, Indices):
        made = wrapped(apple.PalettizeModule)(integers(form.indices), floats(form.palettes[..., None]))
    elif isinstance(form, Integers):
        offset = None if form.offset is None else integers(form.offset.astype(form.levels.dtype))
        made = wrapped(apple.WeightDequantizeModule)(
            integers(form.levels), floats(form.scale), zero_point=offset, input_dtype=getattr(torch, form.dtype)
        )
    else:
        assert form.inner is None  # noqa: S101 (refused before)
        made = wrapped(apple.SparseModule)(floats(form.values[form.kept]), torch.from_numpy(np.array(form.kept)))
    return made
