"""The first and the last layer, which hold few of the weights and decide much: what they have instead of few bits."""

from __future__ import annotations

from torch import nn

from tinyml.schema import Variant

from .compression import compressions


def ends_of(network: nn.Module) -> tuple[str, str]:
    """The names of the first and the last convolution or linear layer, in the order in which they were made."""
    found = [name for name, module in network.named_modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    return found[0], found[-1]


def with_ends(variant: Variant, ends: tuple[str, str]) -> Variant:
    """`variant` with overrides for `ends` where a kind keeps them at more bits; what is overridden already stays."""
    kinds = []
    for kind in variant.compression:
        instead = compressions.get(kind.method).ends(kind)
        if instead is not None:
            kind = kind.model_copy(update={"overrides": {**dict.fromkeys(ends, instead), **kind.overrides}})
        kinds.append(kind)
    return variant.model_copy(update={"compression": tuple(kinds)})
