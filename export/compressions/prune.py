"""Sparse weights: the smallest of a tensor, or N of every M neighbors, are zero."""

from __future__ import annotations

from torch import Tensor

from tinyml.schema import PruneSettings, Pruning, Variant

from ..compression import CompressionKind, compressions, settings_of
from ..encoding.masks import largest, patterned
from ..weights import Encoding, Weight


class Prune(CompressionKind):
    """What remains is stored without the zeros, beside a mask of one bit a weight."""

    def token(self, settings: PruneSettings) -> str:
        """`prune75`, `prune2of4`."""
        if settings.pattern is not None:
            return f"prune{settings.pattern.zeros}of{settings.pattern.of}"
        return f"prune{100 * (settings.sparsity or 0):g}"

    def refusal(self, settings: Pruning, variant: Variant) -> str | None:  # noqa: ARG002
        """ONNX stores zeros like any other value; Core AI's converter compresses sparse weights no further."""
        if variant.format == "onnx":
            return "onnx stores zeros like any value"
        if variant.format == "coreai" and len(variant.compression) > 1:
            return "sparse weights in Core AI are not compressed further"
        return None

    def prunes(self, layer: PruneSettings, weight: Weight) -> bool:
        """Patterns are for convolutions and linear layers with at least twice as many input channels as a pattern."""
        if layer.pattern is None:
            return True
        return weight.op in ("conv", "linear") and 2 * layer.pattern.of <= weight.shape[weight.input_axis]

    def kept(self, layer: PruneSettings, weight: Weight, saliency: Tensor) -> Tensor | None:
        """All but the share, or the pattern, of those that matter least."""
        if not self.prunes(layer, weight):
            return None
        if layer.pattern is not None:
            return patterned(saliency, layer.pattern.zeros, layer.pattern.of)
        return largest(saliency, layer.sparsity or 0.0)

    def stored_as(self, settings: Pruning, weight: Weight, variant: Variant) -> Encoding | None:  # noqa: ARG002
        """A mask of one bit a weight, and zeros of the share or in the pattern that was asked for."""
        layer = settings_of(settings, weight.layer)
        if layer is None or not self.prunes(layer, weight):
            return None
        pattern = (layer.pattern.zeros, layer.pattern.of) if layer.pattern else None
        zeros = round(layer.sparsity * weight.size) / weight.size if layer.sparsity else 0.0
        return Encoding(method="prune", dtype="uint1", zeros=zeros, pattern=pattern)


compressions.add("prune", Prune())
