"""Which variants are asked for, by names or the words of `--quantize`, and the nearest to what cannot be."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from tinyml.errors import UnknownNameError, UsageError
from tinyml.schema import Rounding, Variant

from .combination import combination
from .compression import at_least, reasons_against
from .variants import TARGETS, nominal_bits, rounded, variant_of, variants

ALL = ("coreml", "onnx")
"""The formats that "all" means. Core AI is asked for by its name: its packages are not everywhere, and where they are
its runtime takes up to a second an image off a Mac."""

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


def check_one_way(
    format_: str, quantize: str, named: Sequence[str], *, everything: bool = False, plan: object = None
) -> None:
    """Refuses options of which each says what to export, and variants of another format than the one asked for.

    Raises UsageError.
    """
    ways = {
        "--variant": bool(named),
        "--all": everything and quantize != "all",
        "--plan": plan is not None,
        f"--quantize {quantize}": quantize != "none",
    }
    said = [option for option, given in ways.items() if given]
    if len(said) > 1:
        raise UsageError("what to export is said twice", value=" and ".join(said), allowed="one of them")
    others = [name for name in named if format_ not in (_called(name).format, "all")]
    if others:
        raise UsageError(f"no variant of the format {format_}", value=", ".join(others), hint="leave --format out")


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
        found = [_called(name) for name in dict.fromkeys(named)]
    elif every:
        found = [row for _, row in variants.items() if row.format in meant]
    else:
        found = [row for row in map(variants.get, known.get(quantize, ())) if row.format in meant]
    if not found:
        return Choice(rows=_combined(format_, quantize, target), left_out={})
    rows, left_out = [], {}
    for each in [_for_target(row, target) for row in found]:
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


def _called(name: str) -> Variant:
    """The variant of that name: on the menu, or as `--quantize` and `--rounding` make it; raises UnknownNameError."""
    if name in variants:
        return variants.get(name)
    format_, _, end = name.partition("-")
    for rounding in get_args(Rounding):
        for text in (end, end[:-1]):
            with contextlib.suppress(UnknownNameError, UsageError):
                for row in chosen(format_, text).rows if format_ != "all" else ():
                    if (found := with_rounding(row, rounding)).name == name:
                        return found
    return variants.get(name)


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
        found = variant_of(each, *said.kinds, target=target if each == "coreml" else None)
        if reasons := reasons_against(found):
            against += reasons
        else:
            made.append(found)
    if made:
        return tuple(made)
    named = f"{formats[0]}-{quantize}"
    near = _nearest_of(said.methods, said.bits, [r for _, r in variants.items() if r.format == formats[0]], target)
    raise UsageError(f"{named} cannot be", value="; ".join(dict.fromkeys(against)), hint=f"nearest: {near}")


def with_rounding(row: Variant, rounding: str | None) -> Variant:
    """`row` with its weights rounded as asked, and the name that this gives it; None: as it is.

    Raises:
        UnknownNameError: There is no such rounding.
    """
    if rounding is None:
        return row
    if rounding not in get_args(Rounding):
        raise UnknownNameError("rounding", rounding, get_args(Rounding))
    return rounded(row, rounding)


def _for_target(row: Variant, target: str | None) -> Variant:
    if target is None or row.minimum_target is None:
        return row
    return row.model_copy(update={"minimum_target": target})


def _lacking(row: Variant) -> str:
    """Why the row's target cannot have it."""
    reasons = reasons_against(row)
    if row.name not in variants:
        return "; ".join(reasons)
    original = variants.get(row.name)
    if not reasons and original.minimum_target and not at_least(row, int(original.minimum_target.removeprefix("iOS"))):
        reasons = [f"it needs {original.minimum_target}"]
    return "; ".join(reasons)


def _nearest(row: Variant) -> str:
    """Of the variants that the row's target has, the one of the same kinds with the nearest bits a weight."""
    others = [other for _, other in variants.items() if other.format == row.format]
    methods = frozenset(kind.method for kind in row.compression)
    near = _nearest_of(methods, nominal_bits(row), others, row.minimum_target)
    return f"{near}, or --target {variants.get(row.name).minimum_target}" if row.name in variants else near


def _nearest_of(methods: frozenset[str], bits: float, among: Sequence[Variant], target: str | None) -> str:
    """Of `among`, for `target`: the kinds that are the most alike, then the nearest bits a weight, more before less."""
    alike = {"linear": "weights", "palette": "weights"}

    def distance(other: Variant) -> tuple[int, float, int, float]:
        theirs = {kind.method for kind in other.compression}
        apart = {alike.get(method, method) for method in methods} ^ {alike.get(method, method) for method in theirs}
        return len(apart), abs(nominal_bits(other) - bits), len(methods ^ theirs), -nominal_bits(other)

    return min((other for other in among if not _lacking(_for_target(other, target))), key=distance).name
