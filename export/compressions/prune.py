"""Sparse weights: the smallest of a tensor, or N of every M neighbors, are zero."""

from __future__ import annotations

from typing import Any

from tinyml.quiet import coremltools, quiet
from tinyml.schema import PruneSettings, Pruning, Variant

from ..compression import CompressionKind, Conversion, compressions, settings_of
from ..coremltools_options import options
from ..weights import Encoding, Weight


class Prune(CompressionKind):
    """What remains is stored without the zeros, beside a mask of one bit a weight."""

    def token(self, settings: PruneSettings) -> str:
        """`prune75`, `prune2of4`."""
        if settings.pattern is not None:
            return f"prune{settings.pattern.zeros}of{settings.pattern.of}"
        return f"prune{100 * (settings.sparsity or 0):g}"

    def refusal(self, settings: Pruning, variant: Variant) -> str | None:  # noqa: ARG002
        """ONNX stores zeros like any other value."""
        return f"{variant.format} stores zeros like any value" if variant.format != "coreml" else None

    def apply(self, model: Any, settings: Pruning, conversion: Conversion) -> Any:
        """By coremltools."""
        coreml = coremltools().optimize.coreml

        def for_layer(layer: PruneSettings, weight: Weight) -> Any:
            if not _prunable(layer, weight):
                return None
            rule = (
                {"n_m_ratio": (layer.pattern.zeros, layer.pattern.of)}
                if layer.pattern
                else {"target_sparsity": layer.sparsity}
            )
            return coreml.OpMagnitudePrunerConfig(weight_threshold=0, **rule)

        with quiet():
            return coreml.prune_weights(model, options(settings, conversion, for_layer))

    def stored_as(self, settings: Pruning, weight: Weight, variant: Variant) -> Encoding | None:  # noqa: ARG002
        """A mask of one bit a weight, and zeros of the share or in the pattern that was asked for."""
        layer = settings_of(settings, weight.layer)
        if layer is None or not _prunable(layer, weight):
            return None
        pattern = (layer.pattern.zeros, layer.pattern.of) if layer.pattern else None
        # The threshold lies between two weights, so that a share that is no whole number of them is rounded down.
        zeros = max(layer.sparsity - 1 / weight.size, 0.0) if layer.sparsity else 0.0
        return Encoding(method="prune", dtype="uint1", zeros=zeros, pattern=pattern)


compressions.add("prune", Prune())


def _prunable(layer: PruneSettings, weight: Weight) -> bool:
    """Patterns are for convolutions and linear layers with at least twice as many input channels as a pattern."""
    if layer.pattern is None:
        return True
    return weight.op in ("conv", "linear") and 2 * layer.pattern.of <= weight.shape[weight.input_axis]
