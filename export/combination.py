"""Combinations of compression by their names, also such as no row of the menu has: "prune50-w4", "palette4g8"."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from tinyml.schema import (
    ActivationQuantization,
    Compression,
    LinearQuantization,
    Palettization,
    Pruning,
    SparsityPattern,
)

_KINDS: dict[str, type[Any]] = {
    "linear": LinearQuantization,
    "palette": Palettization,
    "prune": Pruning,
    "activations": ActivationQuantization,
}
_TOKENS = {
    "linear": re.compile(r"(?:w|u?int)(?P<bits>\d+)(?P<z>z?)(?:(?P<t>t)|g(?P<block>\d+))?(?:e(?P<ends>\d+))?"),
    "palette": re.compile(r"palette(?P<bits>\d+)(?:g(?P<group>\d+))?(?P<s>s?)(?:e(?P<ends>\d+))?"),
    "prune": re.compile(r"prune(?:(?P<zeros>\d+)of(?P<of>\d+)|(?P<percent>\d+(?:\.\d+)?))"),
    "activations": re.compile(r"a(?P<bits>\d+)(?P<s>s?)(?P<d>d?)"),
}
_BITS = {
    "linear": "integer weights have 2, 4 or 8 bits",
    "palette": "palettes have 1, 2, 3, 4, 6 or 8 bits",
    "activations": "integer activations have 8 bits",
}


@dataclass(frozen=True, kw_only=True)
class Combination:
    """What a name says."""

    kinds: tuple[Compression, ...]
    """Empty where one of them cannot be in itself."""
    methods: frozenset[str]
    bits: float
    """A weight, before anything is zero; 16 where nothing says."""
    reasons: tuple[str, ...] = field(default=())
    """Why a kind cannot be in itself, as clauses."""


def combination(name: str) -> Combination | None:
    """The kinds that `name` stands for, by the grammar of `name_of`; None: it is no such name."""
    kinds: list[Compression] = []
    methods, reasons = [], []
    bits = 16.0
    for token in re.sub(r"(?<=[\dtz])a(?=\d)", "-a", name.strip().lower()).split("-"):
        found = ((method, match) for method, rule in _TOKENS.items() if (match := rule.fullmatch(token)))
        method, match = next(found, (None, None))
        if method is None or match is None:
            return None
        methods.append(method)
        if method in ("linear", "palette"):
            bits = float(match["bits"])
        try:
            kinds.append(_KINDS[method].model_validate(_settings(method, match)))
        except ValidationError as error:
            where = {place for each in error.errors() for place in each["loc"]}
            ends = "the first and the last layer can have 8 bits instead"
            reasons.append(
                _BITS[method] if "bits" in where else ends if "ends_bits" in where else f"{token} is out of range"
            )
    return Combination(
        kinds=() if reasons else tuple(kinds), methods=frozenset(methods), bits=bits, reasons=tuple(reasons)
    )


def _settings(method: str, match: re.Match[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if method != "prune":
        found["bits"] = int(match["bits"])
    if method in ("linear", "palette") and match["ends"]:
        found["ends_bits"] = int(match["ends"])
    if method == "linear":
        found["symmetric"] = not match["z"]
        if match["block"]:
            found |= {"granularity": "per_block", "block_size": int(match["block"])}
        elif match["t"]:
            found["granularity"] = "per_tensor"
    elif method == "palette":
        found["per_channel_scale"] = bool(match["s"])
        if match["group"]:
            found |= {"granularity": "per_grouped_channel", "group_size": int(match["group"])}
    elif method == "activations":
        found |= {"symmetric": bool(match["s"]), "dynamic": bool(match["d"])}
    elif match["percent"]:
        found["sparsity"] = float(match["percent"]) / 100
    else:
        found["pattern"] = {"zeros": int(match["zeros"]), "of": int(match["of"])}
    return found


def words_of(kinds: tuple[Compression, ...]) -> str:
    """What they do, for people."""
    pruned = any(isinstance(kind, Pruning) for kind in kinds)
    return "".join(_clause(kind, pruned=pruned) for kind in kinds).removeprefix("; ")


def _clause(kind: Compression, *, pruned: bool) -> str:
    """With what parts it from the one before; `pruned`: what is stored are the weights that did not become zero."""
    match kind:
        case Pruning(pattern=SparsityPattern() as pattern):
            return f"; {pattern.zeros} of every {pattern.of} weights zero"
        case Pruning():
            return f"; {100 * (kind.sparsity or 0):g}% of the weights zero"
        case LinearQuantization():
            integers = f"{'' if kind.symmetric else 'u'}int{kind.bits}"
            what = f", the others {integers}" if pruned else f"; {integers} weights"
            scale = "a scale" if kind.symmetric else "a scale and a zero point"
            places = {"per_tensor": "a layer", "per_channel": "per output channel"}
            place = places.get(kind.granularity, f"per {kind.block_size} input channels of each output channel")
            return f"{what}, {scale} {place}{_ends(kind)}"
        case Palettization():
            what = ", the others" if pruned else "; weights"
            place = f"per {kind.group_size} output channels" if kind.group_size else "a layer"
            scaled = ", output channels scaled" if kind.per_channel_scale else ""
            return f"{what} from a palette of {2**kind.bits} values {place}{scaled}{_ends(kind)}"
        case ActivationQuantization():
            seen = "by the range of each input" if kind.dynamic else "calibrated on training images"
            return f"; {kind.bits}-bit activations{', symmetric' if kind.symmetric else ''}, {seen}"


def _ends(kind: LinearQuantization | Palettization) -> str:
    return "" if kind.ends_bits is None else f"; {kind.ends_bits} bits in the first and the last layer"
