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

A variant's name follows from its contents; `tinyml.export.compression.name_of` has the grammar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from tinyml.errors import UnknownNameError, UsageError
from tinyml.registry import Registry
from tinyml.schema import (
    ActivationQuantization,
    Compression,
    Floor,
    LinearQuantization,
    Palettization,
    Pruning,
    Rounding,
    SparsityPattern,
    Variant,
)

from .combination import Combination, combination, words_of
from .compression import at_least, name_of, reasons_against, usual_rounding

variants: Registry[Variant] = Registry("variant")

TARGETS = ("iOS15", "iOS16", "iOS17", "iOS18")
"""What a Core ML variant can be written for; the macOS of the same year reads it as well."""

ALL = ("coreml", "onnx")
"""The formats that "all" means. Core AI is asked for by its name: its packages are not everywhere, and where they are
its runtime takes up to a second an image off a Mac."""

_FP32 = Floor(top1_agreement=0.999, psnr_db=60.0, max_accuracy_drop=0.001)
_FP16 = Floor(top1_agreement=0.99, psnr_db=40.0, max_accuracy_drop=0.005)
_8_BIT_WEIGHTS = Floor(top1_agreement=0.95, psnr_db=30.0, max_accuracy_drop=0.02)
_8_BIT = Floor(top1_agreement=0.90, psnr_db=20.0, max_accuracy_drop=0.02)
_4_BIT_WEIGHTS = Floor(top1_agreement=0.5, psnr_db=10.0, max_accuracy_drop=0.15)
_ANY = Floor(top1_agreement=0.0, psnr_db=0.0, max_accuracy_drop=1.0)


def row(
    format_: str,
    *kinds: Compression,
    summary: str,
    floor: Floor,
    target: str | None = None,
    precision: str | None = None,
) -> Variant:
    """A variant of these kinds with the name that they give it, weights rounded as is usual for them."""
    bare = Variant.model_validate(
        {
            "name": "",
            "format": format_,
            "precision": precision or ("fp32" if format_ == "onnx" else "fp16"),
            "compression": kinds,
            "minimum_target": target,
            "summary": summary,
            "floor": floor,
        }
    )
    usual = usual_rounding(bare)
    rounded = tuple(
        kind if kind.method == "activations" else kind.model_copy(update={"rounding": usual}) for kind in kinds
    )
    full = bare.model_copy(update={"compression": rounded})
    return full.model_copy(update={"name": name_of(full)})


def _add(*args: object, **settings: object) -> None:
    found = row(*args, **settings)  # type: ignore[arg-type]
    variants.add(found.name, found)


# The targets are the oldest that have what the variant needs: ML Programs came with iOS 15 and macOS 12, the ops that
# unpack compressed weights with iOS 16 and macOS 13, integer activations with iOS 17 and macOS 14, blocks, grouped
# palettes, fewer than 8 bits a step and sparse weights that are compressed as well with iOS 18 and macOS 15. An older
# target runs on every newer system.
_ENDS = "; 8 bits in the first and the last layer"
"""They hold a few percent of the weights, and at 1 and 2 bits cost half of what is lost."""
_add("coreml", summary="exact, never on the Neural Engine", floor=_FP32, target="iOS15", precision="fp32")
_add("coreml", summary="half the size, the Neural Engine's own precision", floor=_FP16, target="iOS15")
for _bits, _floor in ((8, _8_BIT_WEIGHTS), (4, _4_BIT_WEIGHTS), (2, _ANY)):
    _linear = {"bits": _bits, "ends_bits": 8 if _bits < 3 else None}
    _ends = _ENDS if _bits < 3 else ""
    _old = "iOS16" if _bits == 8 else "iOS18"
    _add(
        "coreml",
        LinearQuantization.model_validate(_linear),
        summary=f"int{_bits} weights, a scale per output channel{_ends}",
        floor=_floor,
        target=_old,
    )
    _add(
        "coreml",
        LinearQuantization.model_validate({**_linear, "symmetric": False}),
        summary=f"uint{_bits} weights, a scale and a zero point per output channel{_ends}",
        floor=_floor,
        target=_old,
    )
    _add(
        "coreml",
        LinearQuantization.model_validate({**_linear, "granularity": "per_block", "block_size": 32}),
        summary=f"int{_bits} weights, a scale per 32 input channels of each output channel{_ends}",
        floor=_floor,
        target="iOS18",
    )
for _bits in (1, 2, 3, 4, 6, 8):
    _floor = _ANY if _bits < 3 else _4_BIT_WEIGHTS if _bits < 8 else _8_BIT_WEIGHTS
    _palette, _ends = {"bits": _bits, "ends_bits": 8 if _bits < 3 else None}, _ENDS if _bits < 3 else ""
    _add(
        "coreml",
        Palettization.model_validate(_palette),
        summary=f"weights from a palette of {2**_bits} values a layer{_ends}",
        floor=_floor,
        target="iOS18" if _bits == 3 else "iOS16",
    )
    if _bits < 8:
        _add(
            "coreml",
            Palettization.model_validate({**_palette, "granularity": "per_grouped_channel", "group_size": 16}),
            summary=f"weights from a palette of {2**_bits} values per 16 output channels{_ends}",
            floor=_floor,
            target="iOS18",
        )
    _add(
        "coreml",
        Palettization.model_validate({**_palette, "per_channel_scale": True}),
        summary=f"weights from a palette of {2**_bits} values a layer, output channels scaled{_ends}",
        floor=_floor,
        target="iOS18",
    )

_W8, _W4 = LinearQuantization(bits=8), LinearQuantization(bits=4)
_HALF_OF_FOUR = Pruning(pattern=SparsityPattern(zeros=2, of=4))
_ZEROS = {
    "50% of the weights zero": Pruning(sparsity=0.5),
    "75% of the weights zero": Pruning(sparsity=0.75),
    "90% of the weights zero": Pruning(sparsity=0.9),
    "2 of every 4 weights zero": _HALF_OF_FOUR,
}
for _words, _prune in _ZEROS.items():
    _add("coreml", _prune, summary=_words, floor=_ANY, target="iOS16")
    _add("coreml", _prune, _W8, summary=f"{_words}, the others int8", floor=_ANY, target="iOS18")
    _add(
        "coreml",
        _prune,
        Palettization(bits=4),
        summary=f"{_words}, the others from a palette of 16",
        floor=_ANY,
        target="iOS18",
    )
_add(
    "coreml",
    Pruning(sparsity=0.75),
    _W4,
    summary="75% of the weights zero, the others int4",
    floor=_ANY,
    target="iOS18",
)
_add(
    "coreml",
    _W8,
    ActivationQuantization(),
    summary="int8 weights and 8-bit activations, calibrated on training images",
    floor=_8_BIT,
    target="iOS17",
)
_add("onnx", summary="any batch", floor=_FP32)
_add("onnx", summary="half the size, any batch", floor=_FP16, precision="fp16")
_add(
    "onnx",
    _W8,
    ActivationQuantization(percentile=99.99),
    summary="int8 weights and activations (QDQ), calibrated on training images",
    floor=_8_BIT,
)
_add(
    "onnx",
    LinearQuantization(bits=8, granularity="per_tensor"),
    ActivationQuantization(dynamic=True),
    summary="int8 weights with one scale a layer, activations quantized by the range of each input",
    floor=_8_BIT,
)

_add("coreai", summary="exact", floor=_FP32, precision="fp32")
_add("coreai", summary="half the size, the Neural Engine's own precision", floor=_FP16)
_add("coreai", _W8, summary="int8 weights, a scale per output channel", floor=_8_BIT_WEIGHTS)
_add(
    "coreai",
    LinearQuantization(bits=8, symmetric=False),
    summary="uint8 weights, a scale and a zero point per output channel",
    floor=_8_BIT_WEIGHTS,
)
_add(
    "coreai",
    LinearQuantization(bits=4, granularity="per_block", block_size=32),
    summary="int4 weights, a scale per 32 input channels of each output channel",
    floor=_4_BIT_WEIGHTS,
)
for _bits in (8, 6, 4):
    _add(
        "coreai",
        Palettization.model_validate({"bits": _bits}),
        summary=f"weights from a palette of {2**_bits} values a layer",
        floor=_8_BIT_WEIGHTS if _bits == 8 else _4_BIT_WEIGHTS,
    )
_add(
    "coreai",
    Palettization(bits=4, granularity="per_grouped_channel", group_size=16),
    summary="weights from a palette of 16 values per 16 output channels",
    floor=_4_BIT_WEIGHTS,
)
_add(
    "coreai",
    Palettization(bits=2, ends_bits=8),
    summary=f"weights from a palette of 4 values a layer{_ENDS}",
    floor=_ANY,
)
for _words in ("50% of the weights zero", "75% of the weights zero", "2 of every 4 weights zero"):
    _add("coreai", _ZEROS[_words], summary=_words, floor=_ANY)

_SHORT = {
    "none": ("coreml-fp16", "onnx-fp32", "coreai-fp16"),
    "int8": ("coreml-w8", "onnx-w8a8", "coreai-w8"),
    "int4": ("coreml-w4g32", "coreai-w4g32"),
    "int2": ("coreml-w2g32e8",),
}
"""What `--quantize` calls differently: the usual choice for each format."""


def quantizations() -> dict[str, tuple[str, ...]]:
    """The values of `--quantize` and the variants that each stands for; beside the short words, the names' own ends."""
    found: dict[str, tuple[str, ...]] = {}
    for name in variants:
        end = name.partition("-")[2]
        found[end] = (*found.get(end, ()), name)
    return _SHORT | found


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The variants that were asked for."""

    rows: tuple[Variant, ...]
    left_out: dict[str, str]
    """Of those that "all" means, the ones that the target does not have, with the reasons."""


def chosen(
    format_: str,
    quantize: str,
    named: Sequence[str] = (),
    *,
    everything: bool = False,
    target: str | None = None,
) -> Choice:
    """The variants asked for, without repetitions.

    Args:
        format_: A format, or "all", which are those of `ALL`.
        quantize: A key of `quantizations()`, any other combination by the grammar of `name_of`, or "all".
        named: Variants by their names; if there are any, they alone are taken.
        everything: Every variant of the format, as "all" means.
        target: The oldest system that the Core ML ones shall run on; None: the oldest that each can.

    Raises:
        UnknownNameError: One of the names is none.
        UsageError: The format or the target cannot have it: with the reason, and the nearest that it can.
    """
    formats = {row.format for _, row in variants.items()}
    if format_ not in {*formats, "all"}:
        raise UnknownNameError("format", format_, [*formats, "all"])
    if target is not None and target not in TARGETS:
        raise UnknownNameError("target", target, TARGETS)
    if target is not None and format_ not in ("coreml", "all"):
        raise UsageError("--target is for Core ML", value=f"--format {format_}", hint="leave one of them out")
    known, meant = quantizations(), ALL if format_ == "all" else (format_,)
    every = everything or (quantize == "all" and not named)
    if named:
        found = [variants.get(name) for name in dict.fromkeys(named)]
    elif every:
        found = [row for _, row in variants.items() if row.format in meant]
    else:
        found = [row for row in map(variants.get, known.get(quantize, ())) if row.format in meant]
    if not found:
        return Choice(rows=_combined(format_, quantize, target), left_out={})
    rows, left_out = [], {}
    for each in (_for_target(row, target) for row in found):
        against = _lacking(each)
        if not against:
            rows.append(each)
        elif every:
            left_out[each.name] = against
        else:
            raise UsageError(
                f"{each.name} cannot be for {each.minimum_target}", value=against, hint=f"nearest: {_nearest(each)}"
            )
    return Choice(rows=tuple(rows), left_out=left_out)


def _combined(format_: str, quantize: str, target: str | None) -> tuple[Variant, ...]:
    """What `quantize` says where no row of the format is called so: a combination of its own.

    Raises:
        UnknownNameError: It says nothing.
        UsageError: It cannot be, with the reason and the nearest row that can.
    """
    known = quantizations()
    said = combination(quantize)
    formats = ALL if format_ == "all" else (format_,)
    if said is None and quantize in known:
        others = [key for key, names in known.items() if any(variants.get(n).format == format_ for n in names)]
        raise UsageError(f"{format_} has no {quantize}", value=quantize, allowed=", ".join(others) or "none")
    if said is None:
        raise UnknownNameError("quantization", quantize, [*known, "all", "auto"])
    made, against = [], list(said.reasons)
    for each in formats if said.kinds else ():
        rows = [
            row(each, *said.kinds, summary=words_of(said.kinds), floor=_floor_of(said), target=system)
            for system in ((None,) if each != "coreml" else (target,) if target else TARGETS[1:])
        ]
        able = [found for found in rows if not reasons_against(found)]
        made += able[:1]
        against += [] if able else reasons_against(rows[-1])
    if made:
        return tuple(made)
    named = f"{formats[0]}-{quantize}"
    near = _nearest_of(said.methods, said.bits, [r for _, r in variants.items() if r.format == formats[0]], target)
    raise UsageError(f"{named} cannot be", value="; ".join(dict.fromkeys(against)), hint=f"nearest: {near}")


def _floor_of(said: Combination) -> Floor:
    if "prune" in said.methods or said.bits < 3:
        return _ANY
    if said.bits < 8:
        return _4_BIT_WEIGHTS
    return _8_BIT if "activations" in said.methods else _8_BIT_WEIGHTS


def with_rounding(row: Variant, rounding: str | None) -> Variant:
    """`row` with its weights rounded as asked, and the name that this gives it; None: as it is.

    Raises:
        UnknownNameError: There is no such rounding.
    """
    if rounding is None:
        return row
    if rounding not in get_args(Rounding):
        raise UnknownNameError("rounding", rounding, get_args(Rounding))
    kinds = tuple(
        kind if kind.method == "activations" else kind.model_copy(update={"rounding": rounding})
        for kind in row.compression
    )
    changed = row.model_copy(update={"compression": kinds})
    return changed.model_copy(update={"name": name_of(changed)})


def _for_target(row: Variant, target: str | None) -> Variant:
    if target is None or row.minimum_target is None:
        return row
    return row.model_copy(update={"minimum_target": target})


def _lacking(row: Variant) -> str:
    """Why the row's target cannot have it."""
    original = variants.get(row.name)
    reasons = reasons_against(row)
    if not reasons and original.minimum_target and not at_least(row, int(original.minimum_target.removeprefix("iOS"))):
        reasons = [f"it needs {original.minimum_target}"]
    return "; ".join(reasons)


def _nearest(row: Variant) -> str:
    """Of the variants that the row's target has, the one of the same kinds with the nearest bits a weight."""
    others = [other for _, other in variants.items() if other.format == row.format]
    methods = frozenset(kind.method for kind in row.compression)
    near = _nearest_of(methods, nominal_bits(row), others, row.minimum_target)
    return f"{near}, or --target {variants.get(row.name).minimum_target}"


def _nearest_of(methods: frozenset[str], bits: float, among: Sequence[Variant], target: str | None) -> str:
    """Of `among`, for `target`: the kinds that are the most alike, then the nearest bits a weight, more before less."""
    alike = {"linear": "weights", "palette": "weights"}

    def distance(other: Variant) -> tuple[int, float, int, float]:
        theirs = {kind.method for kind in other.compression}
        apart = {alike.get(method, method) for method in methods} ^ {alike.get(method, method) for method in theirs}
        return len(apart), abs(nominal_bits(other) - bits), len(methods ^ theirs), -nominal_bits(other)

    return min((other for other in among if not _lacking(_for_target(other, target))), key=distance).name


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
