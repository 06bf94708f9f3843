"""What the kinds of compression that coremltools' own passes do have in common: the options for each weight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyml.quiet import coremltools

from .compression import Conversion, settings_of
from .weights import Weight


def options(kind: Any, conversion: Conversion, for_layer: Callable[[Any, Weight], Any]) -> Any:
    """An OptimizationConfig that says of each weight what to do with it.

    By the names of what is stored, not of the ops that read it: two of those may share a bias, and coremltools refuses
    different options for them even though it leaves every bias alone.

    Args:
        kind: The kind's record, with its overrides.
        conversion: The weights.
        for_layer: From a layer's settings and the weight to coremltools' options; None: left as it is.
    """
    chosen = {}
    for weight in conversion.weights:
        settings = settings_of(kind, weight.layer)
        chosen[weight.stored_name] = None if settings is None else for_layer(settings, weight)
    distinct = list(chosen.values())
    if distinct and distinct[0] is not None and all(option == distinct[0] for option in distinct):
        return coremltools().optimize.coreml.OptimizationConfig(global_config=distinct[0])
    return coremltools().optimize.coreml.OptimizationConfig(op_name_configs=chosen)
