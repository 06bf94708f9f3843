"""Palettized weights: each an index into a table, per tensor or per group of output channels."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tinyml.quiet import coremltools, quiet
from tinyml.schema import PaletteSettings, Palettization, Variant

from ..channel_scale import scaled_palettes
from ..compression import CompressionKind, Conversion, at_least, compressions, settings_of
from ..coremltools_options import options
from ..weights import Encoding, Weight, fitting


class Palette(CompressionKind):
    """The values of a palette are the centers that k-means finds; iOS16 packs the indices, iOS18 types them."""

    def token(self, settings: PaletteSettings) -> str:
        """`palette4`, `palette4g16`, `palette4s`; see `tinyml.export.compression.name_of`."""
        group = f"g{settings.group_size}" if settings.group_size else ""
        return f"palette{settings.bits}{group}{'s' if settings.per_channel_scale else ''}"

    def refusal(self, settings: Palettization, variant: Variant) -> str | None:
        """ONNX has no palettes; 3 bits, groups and scales came with iOS18."""
        if variant.format != "coreml":
            return f"{variant.format} has no palettes"
        if any(kind.method == "prune" for kind in variant.compression) and settings.per_channel_scale:
            return "sparse weights have palettes without a scale per channel"
        each = [settings, *(other for other in settings.overrides.values() if other is not None)]
        if not at_least(variant, 18) and any(one.bits == 3 or one.group_size or one.per_channel_scale for one in each):
            return "palettes of 3 bits, of grouped channels and with a scale per channel need iOS18"
        return None

    def apply(self, model: Any, settings: Palettization, conversion: Conversion) -> Any:
        """By coremltools' k-means; a scale per channel by our own pass, see `tinyml.export.channel_scale`."""
        coreml = coremltools().optimize.coreml

        def for_layer(layer: PaletteSettings, weight: Weight) -> Any:
            if _scaled(layer, weight):
                return None
            grouped = {"granularity": "per_grouped_channel", "group_size": _group(layer, weight)}
            return coreml.OpPalettizerConfig(
                mode="kmeans",
                nbits=layer.bits,
                weight_threshold=0,
                **(grouped if layer.group_size else {"granularity": "per_tensor"}),
            )

        scaled = {
            weight.op_name: (layer.bits, _group(layer, weight))
            for weight in conversion.weights
            if (layer := settings_of(settings, weight.layer)) is not None and _scaled(layer, weight)
        }
        joint = conversion.variant.compression[0].method == "prune"
        with quiet(), np.errstate(invalid="ignore", divide="ignore"), warnings.catch_warnings():
            # Fewer different weights than a palette has values: k-means finds them all, and scikit-learn remarks on it.
            warnings.filterwarnings("ignore", message="Number of distinct clusters")
            if scaled:
                model = scaled_palettes(model, scaled)
            if len(scaled) == len(conversion.weights):
                return model
            return coreml.palettize_weights(model, options(settings, conversion, for_layer), joint_compression=joint)

    def stored_as(self, settings: Palettization, weight: Weight, variant: Variant) -> Encoding | None:  # noqa: ARG002
        """Indices of `bits` bits, and a palette for each group of output channels."""
        layer = settings_of(settings, weight.layer)
        if layer is None:
            return None
        groups = [1] * len(weight.shape)
        groups[weight.output_axis] = weight.shape[weight.output_axis] // _group(layer, weight)
        return Encoding(method="palette", dtype=f"uint{layer.bits}", groups=tuple(groups))


compressions.add("palette", Palette())


def _group(layer: PaletteSettings, weight: Weight) -> int:
    channels = weight.shape[weight.output_axis]
    return fitting(channels, layer.group_size) if layer.group_size else channels


def _scaled(layer: PaletteSettings, weight: Weight) -> bool:
    """Behind a convolution or a linear layer a scale can follow; a table has nothing behind it."""
    return layer.per_channel_scale and weight.op in ("conv", "linear")
