"""The export menu: one row a variant, its floor stated with the reason.

A floor is what the artifact must reach against its own checkpoint, so an untrained or weak network is measured fairly.
It judges the conversion, not how undecided the network is: where the checkpoint puts two classes closer together than
errors of the allowed size can turn round, either of them counts as agreement, and an accuracy has dropped only where
McNemar's test says that chance alone would hardly do it.

- fp32 changes only the order of float operations, so every decision must stay: 99.9 % of the first classes leaves one
  tie in a thousand; 60 dB is an error of a thousandth of the largest logit, far above what reordering costs.
- fp16 rounds weights and activations to 11 bits; 99 % and 40 dB (an error of a hundredth) hold for every architecture
  here, and a wrong layer or preprocessing ends far below.
- 8 bits are held to MLPerf Mobile's rule for classifiers, 98 % of the accuracy of fp32: an absolute drop of at most
  0.02 (stricter than 98 % of any accuracy below 1). Weights alone must agree in 95 % of the first classes, weights and
  activations in 90 %: where the checkpoint itself is unsure, either answer costs nothing on average.
- 4 bits rounded without training cost published networks 1 to 10 points, so the floor only tells a rounded network
  from a broken one: half of the first classes (a weak network is unsure of many), a drop of at most 0.15, an error of
  the logits below a third of the largest.

A variant's name follows from its contents; `tinyml.export.compression.name_of` has the grammar.
"""

from __future__ import annotations

from collections.abc import Sequence

from tinyml.errors import UnknownNameError, UsageError
from tinyml.registry import Registry
from tinyml.schema import ActivationQuantization, Floor, LinearQuantization, Palettization, Variant

variants: Registry[Variant] = Registry("variant")

_FP32 = Floor(top1_agreement=0.999, psnr_db=60.0, max_accuracy_drop=0.001)
_FP16 = Floor(top1_agreement=0.99, psnr_db=40.0, max_accuracy_drop=0.005)
_8_BIT_WEIGHTS = Floor(top1_agreement=0.95, psnr_db=30.0, max_accuracy_drop=0.02)
_8_BIT = Floor(top1_agreement=0.90, psnr_db=20.0, max_accuracy_drop=0.02)
_4_BIT_WEIGHTS = Floor(top1_agreement=0.5, psnr_db=10.0, max_accuracy_drop=0.15)


def _row(variant: Variant) -> None:
    variants.add(variant.name, variant)


# The targets are the oldest that have what the variant needs: ML Programs came with iOS 15 and macOS 12, the ops that
# unpack compressed weights with iOS 16 and macOS 13, blocks and 4-bit integers with iOS 18 and macOS 15. An older
# target runs on every newer system.
_row(
    Variant(
        name="coreml-fp32",
        format="coreml",
        precision="fp32",
        minimum_target="iOS15",
        summary="Core ML, float32: exact, never on the Neural Engine",
        floor=_FP32,
    )
)
_row(
    Variant(
        name="coreml-fp16",
        format="coreml",
        precision="fp16",
        minimum_target="iOS15",
        summary="Core ML, float16: half the size, the Neural Engine's own precision",
        floor=_FP16,
    )
)
_row(
    Variant(
        name="coreml-w8",
        format="coreml",
        precision="fp16",
        compression=(LinearQuantization(bits=8),),
        minimum_target="iOS16",
        summary="Core ML, int8 weights with a scale per output channel, float16 computation",
        floor=_8_BIT_WEIGHTS,
    )
)
_row(
    Variant(
        name="coreml-w4g32",
        format="coreml",
        precision="fp16",
        compression=(LinearQuantization(bits=4, granularity="per_block", block_size=32),),
        minimum_target="iOS18",
        summary="Core ML, int4 weights with a scale per 32 input channels of each output channel, float16 computation",
        floor=_4_BIT_WEIGHTS,
    )
)
_row(
    Variant(
        name="coreml-palette4",
        format="coreml",
        precision="fp16",
        compression=(Palettization(bits=4),),
        minimum_target="iOS16",
        summary="Core ML, weights from a palette of 16 values a layer, float16 computation",
        floor=_4_BIT_WEIGHTS,
    )
)
_row(
    Variant(
        name="onnx-fp32",
        format="onnx",
        precision="fp32",
        summary="ONNX, float32, any batch",
        floor=_FP32,
    )
)
_row(
    Variant(
        name="onnx-w8a8",
        format="onnx",
        precision="fp32",
        compression=(LinearQuantization(bits=8), ActivationQuantization(percentile=99.999)),
        summary="ONNX, int8 weights and activations (QDQ), calibrated on training images",
        floor=_8_BIT,
    )
)

_SHORT = {
    "none": ("coreml-fp16", "onnx-fp32"),
    "int8": ("coreml-w8", "onnx-w8a8"),
    "int4": ("coreml-w4g32",),
}
"""What `--quantize` calls differently: the usual choice for each format."""


def quantizations() -> dict[str, tuple[str, ...]]:
    """The values of `--quantize` and the variants that each stands for; beside the short words, the names' own ends."""
    found: dict[str, tuple[str, ...]] = {}
    for name, row in variants.items():
        if row.compression:
            found.setdefault(name.partition("-")[2], ())
            found[name.partition("-")[2]] += (name,)
    return _SHORT | found


def chosen(format_: str, quantize: str, named: Sequence[str] = (), *, everything: bool = False) -> list[Variant]:
    """The variants asked for, without repetitions.

    Args:
        format_: A format, or "all".
        quantize: A key of `quantizations()`.
        named: Variants by their names; if there are any, they alone are taken.
        everything: Every variant of the format.

    Raises:
        UnknownNameError: One of the names is none.
        UsageError: The format has no such quantization.
    """
    formats = {row.format for _, row in variants.items()}
    if format_ not in {*formats, "all"}:
        raise UnknownNameError("format", format_, [*formats, "all"])
    known = quantizations()
    if quantize not in known:
        raise UnknownNameError("quantization", quantize, known)
    if named:
        return [variants.get(name) for name in dict.fromkeys(named)]
    if everything:
        return [row for _, row in variants.items() if format_ in ("all", row.format)]
    found = [row for row in map(variants.get, known[quantize]) if format_ in ("all", row.format)]
    if not found:
        others = sorted(key for key, names in known.items() if any(variants.get(n).format == format_ for n in names))
        raise UsageError(
            f"{format_} has no quantization of this name", value=quantize, allowed=", ".join(others) or "none"
        )
    return found
