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
- 3 to 6 bits rounded without training cost published networks 1 to 10 points, so the floor only tells a rounded network
  from a broken one: half of the first classes (a weak network is unsure of many), a drop of at most 0.15, an error of
  the logits below a third of the largest.
- 1 and 2 bits and sparse weights without training may cost a network nearly everything, and are offered to be measured
  and to be trained further: what they must be is numbers. That each weight is stored as it should be is held apart.

A row is the name that its contents give it, by the grammar of `tinyml.export.compression.name_of`: kinds, words, floor
and the oldest system that has what it needs follow from the name. Only what is not compressed is written out.
"""

from __future__ import annotations

from tinyml.registry import Registry
from tinyml.schema import (
    ActivationQuantization,
    Compression,
    Floor,
    LinearQuantization,
    Palettization,
    Pruning,
    Variant,
)

from .combination import combination, words_of
from .compression import name_of, reasons_against, usual_rounding

variants: Registry[Variant] = Registry("variant")

TARGETS = ("iOS15", "iOS16", "iOS17", "iOS18")
"""What a Core ML variant can be written for; the macOS of the same year reads it as well."""

_FP32 = Floor(top1_agreement=0.999, psnr_db=60.0, max_accuracy_drop=0.001)
_FP16 = Floor(top1_agreement=0.99, psnr_db=40.0, max_accuracy_drop=0.005)
_8_BIT_WEIGHTS = Floor(top1_agreement=0.95, psnr_db=30.0, max_accuracy_drop=0.02)
_8_BIT = Floor(top1_agreement=0.90, psnr_db=20.0, max_accuracy_drop=0.02)
_4_BIT_WEIGHTS = Floor(top1_agreement=0.5, psnr_db=10.0, max_accuracy_drop=0.15)
_ANY = Floor(top1_agreement=0.0, psnr_db=0.0, max_accuracy_drop=1.0)

_PERCENTILE = {"onnx": 99.99}
"""How many percent of an activation's values its calibrated range holds, by format; all of them where none is named."""

_FLOATS = (
    ("coreml", "fp32", "exact, never on the Neural Engine"),
    ("coreml", "fp16", "half the size, the Neural Engine's own precision"),
    ("onnx", "fp32", "any batch"),
    ("onnx", "fp16", "half the size, any batch"),
    ("coreai", "fp32", "exact"),
    ("coreai", "fp16", "half the size, the Neural Engine's own precision"),
)
# The first and the last layer hold a few percent of the weights, and at 1 and 2 bits cost half of what is lost.
_COMPRESSED = {
    "coreml": (
        *("w8", "w8z", "w8g32", "w4", "w4z", "w4g32", "w2e8", "w2ze8", "w2g32e8", "w8a8"),
        *("palette1e8", "palette1g16e8", "palette1se8", "palette2e8", "palette2g16e8", "palette2se8"),
        *("palette3", "palette3g16", "palette3s", "palette4", "palette4g16", "palette4s"),
        *("palette6", "palette6g16", "palette6s", "palette8", "palette8s"),
        *("prune50", "prune50-w8", "prune50-palette4", "prune2of4", "prune2of4-w8", "prune2of4-palette4"),
        *("prune75", "prune75-w8", "prune75-w4", "prune75-palette4", "prune90", "prune90-w8", "prune90-palette4"),
    ),
    "onnx": ("w8a8", "w8ta8d"),
    "coreai": (
        *("w8", "w8z", "w4g32", "palette8", "palette6", "palette4", "palette4g16", "palette2e8"),
        *("prune50", "prune75", "prune2of4"),
    ),
}


def variant_of(
    format_: str, *kinds: Compression, precision: str | None = None, summary: str = "", target: str | None = None
) -> Variant:
    """A variant of these kinds, weights rounded as is usual for them.

    Args:
        format_: Of the file.
        kinds: What is compressed, and how; none: nothing.
        precision: Of what is not; None: what is usual for the format.
        summary: What it does, for people; empty: in the words of the kinds.
        target: The oldest system, of Core ML alone; None: the oldest that has all of it, or the newest, which then has
            a reason against it.
    """
    kinds = tuple(_calibrated(kind, format_) for kind in kinds)
    precision = precision or ("fp32" if format_ == "onnx" else "fp16")
    bare = Variant.model_validate(
        {
            "name": "",
            "format": format_,
            "precision": precision,
            "compression": kinds,
            "summary": summary or words_of(kinds),
            "floor": _floor_of(kinds, precision),
        }
    )
    named = rounded(bare, usual_rounding(bare))
    if format_ != "coreml":
        return named
    tried = [named.model_copy(update={"minimum_target": system}) for system in ((target,) if target else TARGETS)]
    return next((found for found in tried if not reasons_against(found)), tried[-1])


def rounded(variant: Variant, rounding: str) -> Variant:
    """`variant` with its weights rounded so, and the name that this gives it."""
    kinds = tuple(
        kind if kind.method == "activations" else kind.model_copy(update={"rounding": rounding})
        for kind in variant.compression
    )
    changed = variant.model_copy(update={"compression": kinds})
    return changed.model_copy(update={"name": name_of(changed)})


def _calibrated(kind: Compression, format_: str) -> Compression:
    """`kind` with the percentile that is usual for the format, if it has one and says nothing of it."""
    if not isinstance(kind, ActivationQuantization) or kind.dynamic or "percentile" in kind.model_fields_set:
        return kind
    return kind.model_copy(update={"percentile": _PERCENTILE.get(format_, kind.percentile)})


def _floor_of(kinds: tuple[Compression, ...], precision: str) -> Floor:
    """What the kinds of the menu are held to, and others by their bits."""
    methods = {kind.method for kind in kinds}
    bits = min((kind.bits for kind in kinds if isinstance(kind, LinearQuantization | Palettization)), default=8)
    if not kinds:
        return _FP32 if precision == "fp32" else _FP16
    if "prune" in methods or bits < 3:
        return _ANY
    if bits < 8:
        return _4_BIT_WEIGHTS
    return _8_BIT if "activations" in methods else _8_BIT_WEIGHTS


def nominal_bits(variant: Variant) -> float:
    """Bits a weight, without scales, palettes and what stays in float."""
    bits = {"fp32": 32.0, "fp16": 16.0}[variant.precision]
    zeros: float | None = None
    for kind in variant.compression:
        if isinstance(kind, Pruning):
            zeros = kind.sparsity if kind.pattern is None else kind.pattern.zeros / kind.pattern.of
        elif isinstance(kind, LinearQuantization | Palettization):
            bits = float(kind.bits)
    return bits if zeros is None else 1 + (1 - zeros) * bits


def _offer(found: Variant) -> None:
    variants.add(found.name, found)


for _format, _precision, _summary in _FLOATS:
    _offer(variant_of(_format, precision=_precision, summary=_summary))
for _format, _names in _COMPRESSED.items():
    for _name in _names:
        if (_said := combination(_name)) is None:
            raise ValueError(_name)
        _offer(variant_of(_format, *_said.kinds))
