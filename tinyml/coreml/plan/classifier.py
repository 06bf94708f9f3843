"""What a program says as a classifier: its labels, and where its probabilities and logits are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import ops as _ops  # noqa: F401  registers every op
from ..ops.registry import find
from ..program.program import Constant, Function, Operation, ValueName


@dataclass(frozen=True, kw_only=True)
class Classifier:
    """Names of values; all empty where the program has no `classify`."""

    outputs: tuple[str, ...] = ()
    """The outputs of `classify`: label and dictionary."""
    classes: tuple[str | int, ...] = ()
    probabilities: str = ""
    """The value that enters `classify`."""
    logits: str | None = None
    """The value that enters the softmax before it; None where there is no softmax."""


def classified(classifier: Classifier, probabilities: np.ndarray) -> dict[str, object]:
    """What `classify` makes of `probabilities`: the best label and the dictionary, by their names."""
    values = probabilities.reshape(-1).tolist()
    label, dictionary = classifier.outputs
    best = classifier.classes[max(range(len(values)), key=values.__getitem__)]
    return {label: best, dictionary: dict(zip(classifier.classes, values, strict=True))}


def find_classifier(function: Function) -> Classifier:
    """The classifier in `function`."""
    producers = {output.name: item for item in function.block.operations for output in item.outputs}
    found = next((item for item in function.block.operations if item.kind == "classify"), None)
    if found is None:
        return Classifier()
    return Classifier(
        outputs=tuple(output.name for output in found.outputs),
        classes=_classes(found, producers),
        probabilities=_name(found, "probabilities"),
        logits=_logits(_name(found, "probabilities"), producers, function.opset),
    )


def _name(operation: Operation, parameter: str) -> str:
    bindings = operation.inputs.get(parameter, ())
    return bindings[0].name if bindings and isinstance(bindings[0], ValueName) else ""


def _classes(classify: Operation, producers: dict[str, Operation]) -> tuple[str | int, ...]:
    bindings = classify.inputs.get("classes", ())
    if bindings and isinstance(bindings[0], ValueName) and bindings[0].name in producers:
        bindings = producers[bindings[0].name].inputs.get("val", ())
    binding = bindings[0] if bindings else None
    return binding.data if isinstance(binding, Constant) and isinstance(binding.data, tuple) else ()


def _logits(name: str, producers: dict[str, Operation], opset: str) -> str | None:
    while name in producers:
        operation = producers[name]
        if operation.kind == "softmax":
            return _name(operation, "x") or None
        definition = find(operation.kind, opset)
        if definition is None or not definition.transparent:
            return None
        name = _name(operation, "x")
    return None
