"""What a layer can become, and a choice for each layer as a variant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tinyml.schema import Compression, PlanOption, Record, Rounding, Variant

from ..compression import compressions, reasons_against
from ..variants import variants
from ..weights import Encoding, Weight

NONE = "none"


def options_for(target: str, rounding: Rounding, among: Sequence[str] | None = None) -> tuple[PlanOption, ...]:
    """Every compression of weights alone that the menu has for Core ML and `target` can have, and none at all, first.

    Args:
        target: The oldest system, as a variant names it.
        rounding: How all of them round.
        among: The only ones to take, by their names in a variant's; None: all.
    """
    found = {NONE: PlanOption(name=NONE, compression=())}
    for row in map(variants.get, variants):
        at_target = row.model_copy(update={"minimum_target": target})
        weights_alone = row.compression and all(kind.method != "activations" for kind in row.compression)
        if row.format != "coreml" or not weights_alone or reasons_against(at_target):
            continue
        kinds = tuple(_of_one_layer(kind, rounding) for kind in row.compression)
        name = "-".join(compressions.get(kind.method).token(kind) for kind in kinds)
        if among is None or name in among:
            found[name] = PlanOption(name=name, compression=kinds)
    return tuple(found.values())


def encodings_of(option: PlanOption, weight: Weight, variant: Variant) -> tuple[Encoding, ...]:
    """How `weight` lies in the file under `option`."""
    kinds = [(compressions.get(kind.method), kind) for kind in option.compression]
    return tuple(found for plug, kind in kinds if (found := plug.stored_as(kind, weight, variant)) is not None)


def composed(picks: Mapping[str, PlanOption]) -> tuple[Compression, ...]:
    """The kinds of compression that give each layer the option picked for it, by overrides of the most frequent."""
    found = []
    for method in ("prune", "linear", "palette"):
        settings: dict[str, Any] = {
            layer: next((kind for kind in option.compression if kind.method == method), None)
            for layer, option in picks.items()
        }
        there = [kind for kind in settings.values() if kind is not None]
        if not there:
            continue
        tokens = Counter(compressions.get(method).token(kind) for kind in there)
        usual = max(there, key=lambda kind: (tokens[compressions.get(kind.method).token(kind)], kind.model_dump_json()))
        overrides = {layer: _bare(kind) for layer, kind in settings.items() if kind != usual}
        found.append(usual.model_copy(update={"overrides": overrides}))
    return tuple(found)


def _bare(kind: Any) -> Any:
    """The settings of a kind for one layer: those of the record that it extends."""
    if kind is None:
        return None
    base: type[Record] = type(kind).__mro__[1]
    return base.model_validate(kind.model_dump(include=set(base.model_fields)))


def _of_one_layer(kind: Any, rounding: Rounding) -> Any:
    """A kind that knows nothing of first and last layers, rounded as asked."""
    ends = {"ends_bits": None} if hasattr(kind, "ends_bits") else {}
    return kind.model_copy(update={"rounding": rounding, **ends})
