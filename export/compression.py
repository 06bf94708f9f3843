"""What a kind of compression must do, and all of them in the order of a variant.

A kind is one file in `export/compressions/`, registered under the `method` that its record in the schema has.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from tinyml.accuracy import Images
from tinyml.errors import ArtifactError, UsageError
from tinyml.registry import Registry
from tinyml.schema import Rounding, Variant

from .encoding.grids import Grid
from .weights import Encoding, Weight

Samples = Mapping[str, NDArray[Any]]
"""Inputs of a model by name, [N, ...] each."""

COMPENSATION_IMAGES = 256
"""How many training images compensated rounding sees."""


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """What a kind needs to know of the model that it compresses."""

    variant: Variant
    weights: tuple[Weight, ...]
    """As they lay in the model before."""
    calibration: Samples
    """Inputs by name; none where no kind of the variant needs them."""


class CompressionKind(ABC):
    """One kind of compression. Settings are its record in the schema, or one of a layer's overrides."""

    @abstractmethod
    def token(self, settings: Any) -> str:
        """Its part of a variant's name: "w8", "palette4g16", "prune75"."""

    @abstractmethod
    def refusal(self, settings: Any, variant: Variant) -> str | None:
        """Why `variant` cannot have this compression, as a clause; None: it can."""

    def ends(self, settings: Any) -> Any:  # noqa: ARG002
        """What the first and the last layer have instead, as an override; None: they are as the others."""
        return None

    def prepare(self, network: nn.Module, settings: Any, calibration: Images) -> nn.Module:  # noqa: ARG002
        """What it does to the network before conversion: gives a changed copy, or `network` itself."""
        return network

    def apply(self, model: Any, settings: Any, conversion: Conversion) -> Any:  # noqa: ARG002
        """What it does to the converted model: an MLModel of coremltools or an onnx.ModelProto; gives the same type.

        Kinds of weights in Core ML do nothing here: `tinyml.export.encoding` asks them for what follows.
        """
        return model

    def prunes(self, layer: Any, weight: Weight) -> bool:  # noqa: ARG002
        """Whether it makes some of the weight zero."""
        return False

    def kept(self, layer: Any, weight: Weight, saliency: Tensor) -> Tensor | None:  # noqa: ARG002
        """Which cells of `weight` do not become zero, by how much each matters; None: this kind makes no zeros."""
        return None

    def output_scale(self, layer: Any, weight: Weight, cells: Tensor) -> Tensor | None:  # noqa: ARG002
        """What the output channels are divided by before and multiplied with behind the op; None: nothing."""
        return None

    def grid(self, layer: Any, weight: Weight, cells: Tensor, *, half: bool, **known: Tensor | None) -> Grid | None:  # noqa: ARG002
        """The values that the cells of `weight` can have; None: any.

        Args:
            layer: The settings that hold for it.
            weight: What it is.
            cells: Its values [outputs, inputs, positions].
            half: Whether what is stored is of float16.
            known: `kept`, which cells do not become zero, and `importance`, how much an error of each counts; both
                like `cells`, or None.
        """
        return None

    @abstractmethod
    def stored_as(self, settings: Any, weight: Weight, variant: Variant) -> Encoding | None:
        """How `weight` must lie in the saved file; None where this kind cannot or shall not apply to it."""


compressions: Registry[CompressionKind] = Registry("compression", package="tinyml.export.compressions")


def settings_of(kind: Any, layer: str) -> Any:
    """The settings of a kind for one layer: its override, or the kind itself; None: the layer is left as it is."""
    return kind.overrides.get(layer, kind)


def ends_token(settings: Any) -> str:
    """What a kind's part of a name ends with: "e8" where the first and the last layer have 8 bits."""
    bits = getattr(settings, "ends_bits", None)  # a layer's override has none
    return "" if bits is None else f"e{bits}"


def name_of(variant: Variant) -> str:
    """The name that a variant's contents give it.

    `<format>-<precision>` where nothing is compressed, else `<format>-<kind>[-<kind>...]`, a kind being

        w8, w4          weights of so many bits, a scale per output channel; `t`: one scale; `g32`: a scale per 32
        w8z             asymmetric: with a zero point
        palette4        a palette of 2^4 values a tensor; `g16`: one per 16 output channels; `s`: channels scaled
        w2e8            with 8 bits in the first and the last layer; palettes as well
        prune75         75% of the weights zero; `prune2of4`: 2 of every 4
        w8a8            weights and activations of 8 bits; `w8a8d`: the activations' ranges as they come

    Weights make up for each other's errors, but for those that a scale of 8 bits holds: each of them is rounded to the
    nearest. `n` at the end says "nearest" where that is not the usual, `c` "compensated".
    """
    tokens = [compressions.get(kind.method).token(kind) for kind in variant.compression] or [variant.precision]
    name = f"{variant.format}-{'-'.join(tokens)}".replace("-a8", "a8")
    roundings = {kind.rounding for kind in variant.compression if kind.method != "activations"}
    return (
        name + {"nearest": "n", "compensated": "c"}[roundings.pop()] if roundings - {usual_rounding(variant)} else name
    )


def usual_rounding(variant: Variant) -> Rounding:
    """What holds where nobody says otherwise.

    Weights that a scale of 8 bits holds lose nothing, so images are not asked for; one palette of 256 values for all
    channels of a layer does lose something (0.2 to 0.3 points).
    """
    scaled = all(kind.method in ("linear", "activations") for kind in variant.compression)
    whole = scaled and all(getattr(kind, "bits", 0) == 8 for kind in variant.compression)
    return "nearest" if whole else "compensated"


def check(variant: Variant) -> None:
    """Raises UsageError for a combination that cannot be, with the reason."""
    if found := reasons_against(variant):
        raise UsageError(f"{variant.name} cannot be", value="; ".join(found))


def reasons_against(variant: Variant) -> list[str]:
    """Why the variant cannot be, as clauses; none: it can."""
    methods = [kind.method for kind in variant.compression]
    reasons = [compressions.get(kind.method).refusal(kind, variant) for kind in variant.compression]
    if len(set(methods)) < len(methods):
        reasons.append("a kind of compression stands in it twice")
    if "prune" in methods[1:]:
        reasons.append("pruning comes first: what follows compresses the weights that remain")
    if "activations" in methods[:-1]:
        reasons.append("activations come last: they are calibrated on the compressed weights")
    if "prune" in methods and len(methods) > 1 and not at_least(variant, 18):
        reasons.append("sparse weights that are compressed as well need iOS18")
    if len({kind.rounding for kind in variant.compression if kind.method != "activations"}) > 1:
        reasons.append("all weights are rounded in the same way")
    for layer in {None, *(name for kind in variant.compression for name in kind.overrides)}:
        if layer is None and _by_layer(variant):
            continue  # a plan that names its layers; `compress`, which knows them, sees that none is left out
        reasons += [reason for reason in reasons_against_layer(variant, layer) if reason not in reasons]
    if methods and variant.format == "coreml" and not at_least(variant, 16):
        reasons.append("compressed weights need iOS16")
    return [reason for reason in reasons if reason]


def reasons_against_layer(variant: Variant, layer: str | None) -> list[str]:
    """Why one layer cannot have what the variant gives it, as clauses; None: one that no override names."""
    own = {
        kind.method: found
        for kind in variant.compression
        if (found := kind if layer is None else settings_of(kind, layer)) is not None
    }
    reasons = []
    if {"linear", "palette"} <= set(own):
        reasons.append("weights are either integers or indices into a palette")
    if "prune" in own and getattr(own.get("palette"), "per_channel_scale", False):
        reasons.append("sparse weights have palettes without a scale per channel")
    return reasons


def _by_layer(variant: Variant) -> bool:
    """Whether one kind leaves out layers that another one is for, so that what is not named has no meaning."""
    weights = [kind for kind in variant.compression if kind.method != "activations"]
    return len(weights) > 1 and any(None in kind.overrides.values() for kind in weights)


def at_least(variant: Variant, ios: int) -> bool:
    """Whether the variant's oldest system is iOS `ios` or newer; True for formats that have no such thing."""
    target = variant.minimum_target
    return target is None or int(target.removeprefix("iOS")) >= ios


def calibration_images(variant: Variant) -> int:
    """How many training images the variant must see."""
    observed = [kind.images for kind in variant.compression if kind.method == "activations" and not kind.dynamic]
    return max([*observed, COMPENSATION_IMAGES * compensates(variant)])


def spread(samples: Samples, count: int) -> Samples:
    """At most `count` of them, from end to end."""
    total = len(next(iter(samples.values()), ()))
    places = np.linspace(0, total - 1, min(count, total)).round().astype(int)
    return {name: np.asarray(array)[places] for name, array in samples.items()}


def scales_channels(kinds: Iterable[object]) -> bool:
    """Whether one of them is a palette with a scale per channel, which cannot be fine-tuned."""
    return any(getattr(kind, "per_channel_scale", False) for kind in kinds)


def compensates(variant: Variant) -> bool:
    """Whether its weights are rounded so that they make up for each other's errors."""
    return any(getattr(kind, "rounding", "") == "compensated" for kind in variant.compression)


def prepare(network: nn.Module, variant: Variant, calibration: Images) -> nn.Module:
    """`network`, made ready by every kind of the variant."""
    for kind in variant.compression:
        network = compressions.get(kind.method).prepare(network, kind, calibration)
    return network


def compress(
    model: Any,
    variant: Variant,
    calibration: Samples,
    weights_of: Callable[[Any], tuple[Weight, ...]],
    encode: Callable[[Any, Conversion], Any] | None = None,
) -> Any:
    """`model`, compressed by every kind of the variant in order.

    Args:
        model: As the format's library holds it.
        variant: What to do.
        calibration: Inputs by name; may be none where no kind needs them.
        weights_of: Reads the weights of such a model.
        encode: Stores the weights of such a model as the variant says; None: the kinds themselves do.

    Raises:
        UsageError: The variant cannot be, or an override names a layer that the network does not have.
    """
    check(variant)
    weights = weights_of(model)
    layers = {weight.layer for weight in weights}
    for kind in variant.compression:
        if unknown := sorted(set(kind.overrides) - layers):
            raise UsageError(
                f"{variant.name} overrides a layer that the network does not have",
                value=unknown[0],
                allowed=", ".join(sorted(layers)),
            )
    for layer in sorted(layers):
        if found := reasons_against_layer(variant, layer):
            raise UsageError(f"{variant.name} cannot be", value=f"{layer}: {'; '.join(found)}")
    conversion = Conversion(variant=variant, weights=weights, calibration=calibration)
    if encode is not None:
        model = encode(model, conversion)
    for kind in variant.compression:
        model = compressions.get(kind.method).apply(model, kind, conversion)
    return model


def check_weights(variant: Variant, weights: Sequence[Weight], name: str) -> tuple[str, ...]:
    """Raises ArtifactError unless every weight of a saved model is stored as the variant says.

    A converter that leaves weights as they were does so without a word; coremltools once did for a whole target
    (https://github.com/apple/coremltools/issues/2248).

    Returns:
        The layers that the variant compresses nothing of: by an override, or because a kind cannot apply to them.
    """
    if not weights:
        raise ArtifactError(f"{name} does not store its weights as {variant.name} should", value="no weights")
    problems, plain = [], []
    for weight in weights:
        kinds = [(compressions.get(kind.method), kind) for kind in variant.compression]
        demanded = [encoding for plug, kind in kinds if (encoding := plug.stored_as(kind, weight, variant)) is not None]
        if variant.compression and not demanded:
            plain.append(weight.layer)
        if problem := _problem(weight, demanded, variant.precision):
            problems.append(f"{weight.layer}: {problem}")
    if problems:
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise ArtifactError(
            f"{name} does not store its weights as {variant.name} should",
            value=f"{len(problems)} of {len(weights)} weights: {'; '.join(problems[:3])}{more}",
        )
    return tuple(plain)


def _problem(weight: Weight, demanded: Sequence[Encoding], precision: str) -> str | None:
    if weight.dtype != precision:
        return f"{weight.dtype}, not {precision}"
    found = {encoding.method: encoding for encoding in weight.encodings}
    if [encoding.method for encoding in demanded] != list(found):
        return f"{_named(weight.encodings, weight.dtype)}, not {_named(demanded, precision)}"
    for encoding in demanded:
        if problem := _difference(found[encoding.method], encoding, weight):
            return problem
    return None


def _named(encodings: Sequence[Encoding], dtype: str) -> str:
    return " and ".join(f"{encoding.method} {encoding.dtype}" for encoding in encodings) or f"plain {dtype}"


def _difference(found: Encoding, demanded: Encoding, weight: Weight) -> str | None:
    if found.dtype != demanded.dtype:
        return f"{found.method} of {found.dtype}, not {demanded.dtype}"
    if found.groups != demanded.groups:
        return f"{found.method} in groups of {list(found.groups)}, not {list(demanded.groups)}"
    if found.zeros < demanded.zeros:
        return f"{found.zeros:.2%} zeros, not {demanded.zeros:.2%}"
    if demanded.pattern is not None and not _has_pattern(found, demanded.pattern, weight):
        zeros, of = demanded.pattern
        return f"more than {of - zeros} weights of {of} neighbors are not zero"
    return None


def _has_pattern(found: Encoding, pattern: tuple[int, int], weight: Weight) -> bool:
    """Whether of every `of` neighbors along the input channels at most `of - zeros` remain."""
    zeros, of = pattern
    if found.mask is None:
        return False
    kept = np.moveaxis(found.mask, weight.input_axis, -1)
    padded = np.pad(kept, [(0, 0)] * (kept.ndim - 1) + [(0, -kept.shape[-1] % of)])
    return bool((padded.reshape(-1, of).sum(1) <= of - zeros).all())
