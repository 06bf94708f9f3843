"""Integer weights: per tensor, per channel or per block."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyml.quiet import coremltools, quiet
from tinyml.schema import LinearQuantization, LinearSettings, Variant

from ..compression import CompressionKind, Conversion, at_least, compressions, settings_of
from ..coremltools_options import options
from ..weights import Encoding, Weight, fitting


class Linear(CompressionKind):
    """Rounded to the nearest of 2^bits equal steps; the largest weight that shares a scale decides it."""

    def token(self, settings: LinearSettings) -> str:
        """`w8`, `w4g32`; see `tinyml.export.compression.name_of`."""
        share = {"per_tensor": "t", "per_channel": "", "per_block": f"g{settings.block_size}"}[settings.granularity]
        return f"w{settings.bits}{'' if settings.symmetric else 'z'}{share}"

    def refusal(self, settings: LinearQuantization, variant: Variant) -> str | None:
        """Core ML has 4 bits and blocks since iOS18; ONNX gets integer weights together with activations."""
        if variant.format == "onnx" and all(kind.method != "activations" for kind in variant.compression):
            return "integer weights in ONNX go with integer activations"
        if variant.format == "onnx" and (settings.bits, settings.granularity) != (8, "per_channel"):
            return "integer weights in ONNX have 8 bits and a scale a channel"
        each = [settings, *(other for other in settings.overrides.values() if other is not None)]
        if not at_least(variant, 18) and any(one.bits < 8 or one.granularity == "per_block" for one in each):
            return "4-bit weights and blocks need iOS18"
        return None

    def apply(self, model: Any, settings: LinearQuantization, conversion: Conversion) -> Any:
        """By coremltools; in ONNX the activations' kind does both, since onnxruntime quantizes them in one go.

        The size threshold is set to zero, so that small convolutions are not left out unseen.
        """
        if conversion.variant.format == "onnx":
            return model
        coreml = coremltools().optimize.coreml

        def for_layer(layer: LinearSettings, weight: Weight) -> Any:
            block = fitting(weight.shape[weight.input_axis], layer.block_size) if layer.block_size else None
            whole = block == weight.shape[weight.input_axis]
            return coreml.OpLinearQuantizerConfig(
                mode="linear_symmetric" if layer.symmetric else "linear",
                dtype=_dtype(layer),
                granularity="per_channel" if whole else layer.granularity,
                weight_threshold=0,
                **({} if block is None or whole else {"block_size": block}),
            )

        # A channel of zeros (BatchNorm's scale may be 0) has a step of 0, and coremltools divides by it; 0 x anything
        # is 0.
        joint = conversion.variant.compression[0].method == "prune"
        with quiet(), np.errstate(invalid="ignore"):
            return coreml.linear_quantize_weights(
                model, options(settings, conversion, for_layer), joint_compression=joint
            )

    def stored_as(self, settings: LinearQuantization, weight: Weight, variant: Variant) -> Encoding | None:
        """Integers, and a scale for each output channel and block."""
        layer = settings_of(settings, weight.layer)
        if layer is None or (variant.format == "onnx" and _left_in_float(weight, variant)):
            return None
        groups = [1] * len(weight.shape)
        if layer.granularity != "per_tensor":
            groups[weight.output_axis] = weight.shape[weight.output_axis]
        if layer.block_size is not None:
            inputs = weight.shape[weight.input_axis]
            groups[weight.input_axis] = inputs // fitting(inputs, layer.block_size)
        return Encoding(method="linear", dtype=_dtype(layer), groups=tuple(groups))


compressions.add("linear", Linear())


def _dtype(layer: LinearSettings) -> str:
    return f"{'' if layer.symmetric else 'u'}int{layer.bits}"


def _left_in_float(weight: Weight, variant: Variant) -> bool:
    return any(kind.method == "activations" and weight.layer in kind.overrides for kind in variant.compression)
