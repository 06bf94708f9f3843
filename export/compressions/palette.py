"""Palettized weights: each an index into a table, per tensor or per group of output channels."""

from __future__ import annotations

from torch import Tensor

from tinyml.schema import PaletteSettings, Palettization, Variant

from ..compression import CompressionKind, at_least, compressions, ends_token, settings_of
from ..encoding.grids import Grid, palettes
from ..weights import Encoding, Weight, fitting, values_behind


class Palette(CompressionKind):
    """The values of a palette are the centers that k-means finds; iOS16 packs the indices, iOS18 types them.

    With a scale per channel one palette serves channels of any range: each is divided by its largest weight before,
    and the output multiplied behind the convolution or product, where that costs next to nothing. coremltools 9.0 has
    an option of its own for it that takes the largest across the output channels instead of within each, and when it
    then declines a weight it has divided it already (https://github.com/apple/coremltools/issues/2777).
    """

    def token(self, settings: PaletteSettings) -> str:
        """`palette4`, `palette4g16`, `palette4s`, `palette2e8`; see `tinyml.export.compression.name_of`."""
        group = f"g{settings.group_size}" if settings.group_size else ""
        return f"palette{settings.bits}{group}{'s' if settings.per_channel_scale else ''}{ends_token(settings)}"

    def ends(self, settings: Palettization) -> PaletteSettings | None:
        """A palette of 256 values holds few weights well without groups and scales."""
        return None if settings.ends_bits is None else PaletteSettings(bits=settings.ends_bits)

    def refusal(self, settings: Palettization, variant: Variant) -> str | None:
        """ONNX has no palettes, Core AI's converter none of 3 bits; in Core ML those and groups came with iOS18."""
        if variant.format == "onnx":
            return "onnx has no palettes"
        each = [settings, *(other for other in settings.overrides.values() if other is not None)]
        if variant.format == "coreai" and any(one.bits == 3 or one.per_channel_scale for one in each):
            return "palettes in Core AI have 1, 2, 4, 6 or 8 bits and no scale per channel"
        if not at_least(variant, 18) and any(one.bits == 3 or one.group_size or one.per_channel_scale for one in each):
            return "palettes of 3 bits, of grouped channels and with a scale per channel need iOS18"
        return None

    def output_scale(self, layer: PaletteSettings, weight: Weight, cells: Tensor) -> Tensor | None:
        """The largest magnitude of each output channel, where something behind the op can multiply."""
        if not _scaled(layer, weight):
            return None
        scale = cells.abs().amax((1, 2))
        return scale.masked_fill_(scale == 0, 1)

    def grid(
        self,
        layer: PaletteSettings,
        weight: Weight,
        cells: Tensor,
        *,
        half: bool,
        importance: Tensor | None = None,
        kept: Tensor | None = None,
        **known: Tensor | None,  # noqa: ARG002
    ) -> Grid | None:
        """Palettes; where it is known how much an error counts, k-means weighs the weights by that."""
        blocks = _groups(layer, weight)
        return palettes(cells, layer.bits, blocks=blocks, half=half, importance=importance, kept=kept)

    def stored_as(self, settings: Palettization, weight: Weight, variant: Variant) -> Encoding | None:  # noqa: ARG002
        """Indices of `bits` bits, and a palette for each group of output channels."""
        layer = settings_of(settings, weight.layer)
        if layer is None:
            return None
        groups = [1] * len(weight.shape)
        groups[weight.output_axis] = _groups(layer, weight)
        return Encoding(
            method="palette", dtype=f"uint{layer.bits}", groups=tuple(groups), behind=_behind(layer, weight)
        )


compressions.add("palette", Palette())


def _groups(layer: PaletteSettings, weight: Weight) -> int:
    """How many palettes there are along the output channels."""
    channels = weight.shape[weight.output_axis]
    return channels // fitting(channels, layer.group_size) if layer.group_size else 1


def _behind(layer: PaletteSettings, weight: Weight) -> int:
    return values_behind(weight.op, weight.shape[weight.output_axis]) if _scaled(layer, weight) else 0


def _scaled(layer: PaletteSettings, weight: Weight) -> bool:
    """Behind a convolution or a linear layer a scale can follow; a table has nothing behind it."""
    return layer.per_channel_scale and weight.op in ("conv", "linear")
