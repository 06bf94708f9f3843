"""From older major versions of the schema to the newest: one function a step, each with a kept fixture in the tests.

2.0: a variant's compression is a tuple of kinds, each complete; variants of both formats are named by one grammar
(weights and activations by their bits), so `coreml-int8` and `onnx-int8`, which were different things, part.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Data = dict[str, Any]

RENAMED = {"coreml-int8": "coreml-w8", "onnx-int8": "onnx-w8a8"}
"""The variants of version 1 whose names changed."""


def _from_1(data: Data) -> Data:
    match data.get("kind"):
        case "artifact":
            return _changed(data, "variant", _variant)
        case "bench_run":
            return _changed(data, "results", _each(lambda result: _changed(result, "case", _named)))
        case "evaluations":
            return _changed(data, "results", _each(_named))
        case _:
            return data


def _variant(variant: Data) -> Data:
    named = variant | ({"name": RENAMED[variant["name"]]} if variant.get("name") in RENAMED else {})
    return _changed(named, "compression", _kinds)


def _named(record: Data) -> Data:
    name = record.get("variant")
    return record | {"variant": RENAMED[name]} if isinstance(name, str) and name in RENAMED else record


def _kinds(compression: Data) -> list[Data]:
    """Version 1 wrote two methods: linear int8 weights (Core ML), and `qdq`, weights and activations in one (ONNX)."""
    method = compression.get("method", "none")
    if method == "none":
        return []
    if method not in ("linear", "qdq"):
        return [compression]  # never written; its own fields say what is wrong with it
    granularity = compression.get("granularity")
    weights: Data = {"method": "linear", "bits": compression.get("bits"), "granularity": granularity}
    # What the code of version 1 did without recording it.
    activations: Data = {"method": "activations", "bits": 8, "percentile": 99.999, "images": 256}
    return [weights] if method == "linear" else [weights, activations]


def _changed(data: Data, key: str, change: Callable[[Any], Any]) -> Data:
    """`data` with `key` changed; what is not of the shape that it had in version 1 is left to the schema to refuse."""
    try:
        return data | {key: change(data[key])} if key in data else data
    except (AttributeError, TypeError):
        return data


def _each(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda items: [change(item) for item in items]


UPGRADES: dict[int, Callable[[Data], Data]] = {1: _from_1}
"""From each old major version to the next one."""
