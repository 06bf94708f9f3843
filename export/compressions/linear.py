"""Integer weights: per tensor, per channel or per block."""

from __future__ import annotations

from torch import Tensor

from tinyml.schema import LinearQuantization, LinearSettings, Variant

from ..compression import CompressionKind, at_least, compressions, ends_token, settings_of
from ..encoding.grids import Grid, steps
from ..weights import Encoding, Weight, fitting


class Linear(CompressionKind):
    """2^bits equal steps; the largest weight that shares a scale decides it, or what serves the outputs best."""

    def token(self, settings: LinearSettings) -> str:
        """`w8`, `w4g32`, `w2e8`; see `tinyml.export.compression.name_of`."""
        share = {"per_tensor": "t", "per_channel": "", "per_block": f"g{settings.block_size}"}[settings.granularity]
        return f"w{settings.bits}{'' if settings.symmetric else 'z'}{share}{ends_token(settings)}"

    def ends(self, settings: LinearQuantization) -> LinearSettings | None:
        """A scale per output channel holds 8 bits well without blocks."""
        if settings.ends_bits is None:
            return None
        return LinearSettings(bits=settings.ends_bits, symmetric=settings.symmetric)

    def refusal(self, settings: LinearQuantization, variant: Variant) -> str | None:
        """Core ML has 4 bits and blocks since iOS18; ONNX gets integer weights together with activations."""
        if variant.format == "onnx" and all(kind.method != "activations" for kind in variant.compression):
            return "integer weights in ONNX go with integer activations"
        if variant.format == "onnx":
            dynamic = any(kind.method == "activations" and kind.dynamic for kind in variant.compression)
            granularity, words = ("per_tensor", "one scale") if dynamic else ("per_channel", "a scale a channel")
            if (settings.bits, settings.granularity) != (8, granularity):
                return (
                    f"integer weights in ONNX have 8 bits and {words}{' with dynamic activations' if dynamic else ''}"
                )
        if variant.format == "onnx" and settings.rounding != "nearest":
            return "integer weights in ONNX are rounded to the nearest"
        each = [settings, *(other for other in settings.overrides.values() if other is not None)]
        if not at_least(variant, 18) and any(one.bits < 8 or one.granularity == "per_block" for one in each):
            return "weights of fewer than 8 bits and blocks need iOS18"
        return None

    def grid(
        self,
        layer: LinearSettings,
        weight: Weight,
        cells: Tensor,
        *,
        half: bool,
        importance: Tensor | None = None,
        **known: Tensor | None,  # noqa: ARG002
    ) -> Grid | None:
        """Steps; where it is known how much an error counts, clipped to serve that."""
        return steps(
            cells,
            layer.bits,
            symmetric=layer.symmetric,
            blocks=_blocks(layer, weight),
            half=half,
            importance=importance,
        )

    def stored_as(self, settings: LinearQuantization, weight: Weight, variant: Variant) -> Encoding | None:
        """Integers, and a scale for each output channel and block; of 2 bits palettes, see `Steps.form`."""
        layer = settings_of(settings, weight.layer)
        if layer is None or (variant.format == "onnx" and _left_in_float(weight, variant)):
            return None
        groups = [1] * len(weight.shape)
        groups[weight.output_axis], groups[weight.input_axis] = _blocks(layer, weight)
        if layer.bits < 4:
            return Encoding(method="palette", dtype=f"uint{layer.bits}", groups=tuple(groups))
        dtype = f"{'' if layer.symmetric else 'u'}int{layer.bits}"
        return Encoding(method="linear", dtype=dtype, groups=tuple(groups))


compressions.add("linear", Linear())


def _blocks(layer: LinearSettings, weight: Weight) -> tuple[int, int]:
    """How many scales there are along the output and the input channels."""
    outputs, inputs = weight.shape[weight.output_axis], weight.shape[weight.input_axis]
    return (
        1 if layer.granularity == "per_tensor" else outputs,
        1 if layer.block_size is None else inputs // fitting(inputs, layer.block_size),
    )


def _left_in_float(weight: Weight, variant: Variant) -> bool:
    return any(kind.method == "activations" and weight.layer in kind.overrides for kind in variant.compression)
