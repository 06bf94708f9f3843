"""The proof of compression: every stored weight, decompressed, against the one that it was made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyml.errors import ArtifactError
from tinyml.schema import ProvenWeight, Variant

from .compression import check_weights, compensates
from .encoding.layers import kinds_of
from .encoding.reach import FARTHEST
from .encoding.rounding import rounded
from .size import stored_bits
from .weights import Weight

Held = Sequence[tuple[Weight, NDArray[np.float32]]]
"""Weights in the order of the program, each with its values as the file's own ops unpack them."""

_NEAREST = 1.05
"""How many times the error of rounding each weight to the nearest a stored one may have; `FARTHEST` where they make up
for each other's errors: they are farther from their source one by one, which is their point."""

_FLOAT = {"fp16": 2.0**-11, "fp32": 2.0**-23}
"""The relative error of a value that is only rounded to its type."""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What was found of a model's weights; that it was found says that all of them are as they should be."""

    weights: int
    bits: float
    """Stored bits a weight, with scales, palettes and masks."""
    worst_layer: str
    worst_error: float
    """Of the layer farthest from its source: the norm of the difference over that of the source."""
    plain: tuple[str, ...]
    """The layers that the variant compresses nothing of."""
    each: tuple[ProvenWeight, ...]
    """Every weight, in the order of the source."""

    def sentence(self) -> str:
        """For people."""
        left = f"; not compressed: {', '.join(self.plain)}" if self.plain else ""
        return (
            f"{self.weights} weights proven, {self.bits:.2f} bits each, at most {self.worst_error:.2%} from their "
            f"source ({self.worst_layer}){left}"
        )


def prove(variant: Variant, stored: Held, source: Held, name: str) -> Proof:
    """Holds every weight of a saved model to its source.

    The error that a kind allows is that of this package's own plain rounding of the same source: at most 1.05 times
    that, in the whole weight and in each output channel; 6 times in the whole weight where weights make up for each
    other. So a palette whose indices are shifted, a scale along a wrong axis, a layer that was divided and then
    declined are found, whoever wrote them.

    Args:
        variant: What the model says it is.
        stored: Its weights.
        source: Those of the same network, not compressed.
        name: Of the model, for errors.

    Raises:
        ArtifactError: A weight is stored otherwise than the variant says, or too far from its source.
    """
    plain = check_weights(variant, [weight for weight, _ in stored], name)
    problems, each = [], []
    for (weight, values), original in zip(stored, _originals(stored, source, name), strict=True):
        found = _held(variant, weight, values, original)
        if isinstance(found, str):
            problems.append(f"{weight.layer}: {found}")
        else:
            each.append(found)
    if problems:
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise ArtifactError(
            f"{name} does not hold its source's weights",
            value=f"{len(problems)} of {len(stored)} weights: {'; '.join(problems[:3])}{more}",
        )
    sizes = [weight.size for weight, _ in stored]
    worst = max(each, key=lambda proven: (proven.error, proven.layer))
    return Proof(
        weights=len(each),
        bits=sum(proven.bits * size for proven, size in zip(each, sizes, strict=True)) / sum(sizes),
        worst_layer=worst.layer,
        worst_error=worst.error,
        plain=plain,
        each=tuple(each),
    )


def _originals(stored: Held, source: Held, name: str) -> list[NDArray[np.float32]]:
    """What each of the `stored` weights was made of, by its layer: a quantizer may sort a program's ops anew."""
    left: dict[tuple[str, tuple[int, ...]], list[NDArray[np.float32]]] = {}
    for weight, values in source:
        left.setdefault((weight.layer, weight.shape), []).append(values)
    ours = [(weight.layer, weight.shape) for weight, _ in stored]
    for layer, shape in {*ours, *left}:
        if (there := ours.count((layer, shape))) != (wanted := len(left.get((layer, shape), ()))):
            raise ArtifactError(
                f"{name} has other weights than its source",
                value=f"{layer} {list(shape)} {there} times in it, {wanted} times there",
            )
    return [left[each].pop(0) for each in ours]


def _held(
    variant: Variant, weight: Weight, values: NDArray[np.float32], original: NDArray[np.float32]
) -> ProvenWeight | str:
    """A weight with its error, or what is wrong with it."""
    if not np.isfinite(values).all():
        return "values that are no numbers"
    kinds = kinds_of(variant, weight)
    plain = rounded(original, weight, kinds, half=variant.precision == "fp16") if kinds else None
    expected = original if plain is None else plain.values
    # A float16 scale and a float16 value are each rounded once more when they are unpacked.
    type_error = 3 * _FLOAT[variant.precision]
    whole = compensates(variant) and plain is not None
    factor = FARTHEST if whole else _NEAREST
    axis = None if whole else weight.output_axis
    found, allowed = _norms(values - original, axis), _norms(expected - original, axis)
    size = _norms(original, axis)
    limit = factor * allowed + type_error * size + 1e-7
    if (found > limit).any():
        worst = int(np.argmax(found - limit))
        where = "" if axis is None else f" in output channel {worst}"
        return (
            f"{found[worst] / max(size[worst], 1e-30):.2%} from its source{where}, where "
            f"{limit[worst] / max(size[worst], 1e-30):.2%} is what its compression allows"
        )
    return ProvenWeight(
        layer=weight.layer,
        bits=stored_bits(weight.encodings, weight.shape, weight.dtype) / weight.size,
        error=float(_norms(values - original, None)[0] / max(_norms(original, None)[0], 1e-30)),
        of_allowed=float((found / limit).max()),
    )


def _norms(values: NDArray[np.float32], axis: int | None) -> NDArray[np.float64]:
    """Of the whole, or of each index along `axis`."""
    rows = values.reshape(1, -1) if axis is None else np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1)
    return np.asarray(np.linalg.norm(rows.astype(np.float64), axis=1))
