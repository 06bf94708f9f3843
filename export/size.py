"""How large weights are when they are stored: from how they lie, before or after anything is written."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn

from tinyml.schema import Variant

from .compression import compressions
from .ends import ends_of, with_ends
from .weights import Encoding, Weight, is_weight

_BITS = {"fp32": 32, "fp16": 16}


def stored_bits(encodings: Sequence[Encoding], shape: Sequence[int], dtype: str) -> float:
    """The bits that a weight takes, with its scales (those behind its op as well), palettes or mask.

    Args:
        encodings: How it lies, from the first compression to the last.
        shape: Its shape.
        dtype: Of its values, unpacked.
    """
    elements, value = math.prod(shape), _BITS[dtype]
    stored, each, besides = float(elements), float(value), 0.0
    for encoding in encodings:
        groups = math.prod(encoding.groups) if encoding.groups else 1
        if encoding.method == "prune":
            zeros = encoding.zeros if encoding.pattern is None else encoding.pattern[0] / encoding.pattern[1]
            stored = elements * (1 - zeros)
            besides += elements
            continue
        each = float(encoding.dtype.lstrip("uint"))
        besides += groups * value * (2**each if encoding.method == "palette" else 1)
        besides += encoding.behind * value
        if encoding.method == "linear" and encoding.dtype.startswith("u"):
            besides += groups * each
    return stored * each + besides


def expected_bytes(variant: Variant, network: nn.Module) -> int:
    """What the weights of `network` take as `variant`; the program around them adds some kilobytes.

    Batch normalizations are taken as folded into the convolutions before them, each of which then has a bias.
    """
    total, variant = 0.0, with_ends(variant, ends_of(network))
    for name, module in network.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            continue
        for key, parameter in module.named_parameters(recurse=False):
            shape = tuple(parameter.shape)
            multiplied = key.endswith("weight") and isinstance(module, nn.Conv2d | nn.Linear | nn.MultiheadAttention)
            if key == "in_proj_weight" or is_weight(shape, multiplied=multiplied):
                total += _weight_bits(variant, module, name, shape)
            else:
                total += parameter.numel() * _BITS[variant.precision]
        if isinstance(module, nn.Conv2d) and module.bias is None:
            total += module.out_channels * _BITS[variant.precision]
    return round(total / 8)


def _weight_bits(variant: Variant, module: nn.Module, layer: str, shape: tuple[int, ...]) -> float:
    weight = Weight(
        layer=layer,
        op_name=layer,
        stored_name=layer,
        op="conv" if isinstance(module, nn.Conv2d) else "linear",
        shape=shape,
        dtype=variant.precision,
        output_axis=0,
        input_axis=1,
    )
    kinds = [(compressions.get(kind.method), kind) for kind in variant.compression]
    encodings = [found for plug, kind in kinds if (found := plug.stored_as(kind, weight, variant)) is not None]
    return stored_bits(encodings, shape, variant.precision)


def meta_network(name: str, classes: int) -> nn.Module:
    """A registered architecture without its weights."""
    from tinyml.trainer.architecture import build

    with torch.device("meta"):
        network: nn.Module = build(name, classes)
        return network
