"""The kinds of compression, each frozen and complete."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from .base import PositiveInt, Record


class LinearSettings(Record):
    """How one layer's weights are quantized linearly: `weight = scale * (integer - offset)`."""

    bits: Literal[2, 4, 8]
    symmetric: bool = True
    """Whether the offset is 0 and the integers are signed; else they are unsigned, with an offset a scale."""
    granularity: Literal["per_tensor", "per_channel", "per_block"] = "per_channel"
    """What shares a scale: all weights, an output channel, or `block_size` input channels of an output channel."""
    block_size: PositiveInt | None = None
    """Input channels a block, exactly for "per_block"; a layer that it does not divide takes the nearest that does."""

    @model_validator(mode="after")
    def _a_block_size_exactly_for_blocks(self) -> Self:
        if (self.block_size is not None) != (self.granularity == "per_block"):
            raise ValueError("block_size belongs to the granularity 'per_block', and that needs one")
        return self


class PaletteSettings(Record):
    """How one layer's weights are palettized: each is an index into a table of 2^bits values found by k-means."""

    bits: Literal[1, 2, 3, 4, 6, 8]
    granularity: Literal["per_tensor", "per_grouped_channel"] = "per_tensor"
    """What shares a palette: all weights, or `group_size` output channels."""
    group_size: PositiveInt | None = None
    """Output channels a group, exactly for "per_grouped_channel"; the nearest that divides a layer is taken there."""
    per_channel_scale: bool = False
    """Whether every output channel is divided by its largest weight before, and its output multiplied again."""

    @model_validator(mode="after")
    def _a_group_size_exactly_for_groups(self) -> Self:
        if (self.group_size is not None) != (self.granularity == "per_grouped_channel"):
            raise ValueError("group_size belongs to the granularity 'per_grouped_channel', and that needs one")
        return self


class SparsityPattern(Record):
    """N:M sparsity: of every `of` neighboring input channels the `zeros` smallest weights are zero."""

    zeros: PositiveInt
    of: PositiveInt

    @model_validator(mode="after")
    def _some_remain(self) -> Self:
        if self.zeros >= self.of:
            raise ValueError("zeros must be fewer than 'of'")
        return self


class PruneSettings(Record):
    """How one layer's smallest weights are set to zero: a share of all, or a pattern; exactly one of the two."""

    sparsity: Annotated[float, Field(gt=0, lt=1)] | None = None
    pattern: SparsityPattern | None = None

    @model_validator(mode="after")
    def _a_share_or_a_pattern(self) -> Self:
        if (self.sparsity is None) == (self.pattern is None):
            raise ValueError("pruning has either a sparsity or a pattern")
        return self


Rounding = Literal["nearest", "compensated"]
"""How weights are rounded: each to the nearest value that it can have, or so that they make up for each other's errors.

"compensated" needs calibration images: the layer's outputs on them change least.
"""


class LinearQuantization(LinearSettings):
    """Integer weights."""

    method: Literal["linear"] = "linear"
    rounding: Rounding = "nearest"
    ends_bits: Literal[8] | None = None
    """What the first and the last layer have instead, with a scale per output channel; None: they are as the others."""
    overrides: dict[str, LinearSettings | None] = {}
    """By layer, what holds there instead; None: the layer is left as it is."""


class Palettization(PaletteSettings):
    """Weights as indices into palettes."""

    method: Literal["palette"] = "palette"
    rounding: Rounding = "nearest"
    ends_bits: Literal[8] | None = None
    """What the first and the last layer have instead, each with one palette; None: they are as the others."""
    overrides: dict[str, PaletteSettings | None] = {}
    """By layer, what holds there instead; None: the layer is left as it is."""


class Pruning(PruneSettings):
    """Sparse weights. What follows it in a variant compresses the weights that remain."""

    method: Literal["prune"] = "prune"
    rounding: Rounding = "nearest"
    """"compensated": zero are the weights that the layer's outputs miss least, and the others make up for them."""
    overrides: dict[str, PruneSettings | None] = {}
    """By layer, what holds there instead; None: the layer is left as it is."""


class ActivationQuantization(Record):
    """Integer activations with one scale a tensor, its range observed on images of the training split."""

    method: Literal["activations"] = "activations"
    bits: Literal[8] = 8
    dynamic: bool = False
    """Whether the range is that of each input when it is there, in place of one that was observed."""
    symmetric: bool = False
    percentile: Annotated[float, Field(gt=0, le=100)] = 100.0
    """Of the absolute values seen, that the range reaches to: rare outliers would widen the step for all others. At 100
    (Core ML) it reaches as far as makes the errors of what is rounded and of what is cut off least together."""
    images: PositiveInt = 256
    """How many calibration images; ranges hardly change beyond a few hundred."""
    overrides: dict[str, None] = {}
    """The layers whose inputs and outputs stay in float."""


Compression = Annotated[
    LinearQuantization | Palettization | Pruning | ActivationQuantization, Field(discriminator="method")
]
"""One kind of compression with all of its settings."""
