"""How far a model on the CPU alone, where Core ML rounds nothing, is from itself on other compute units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tinyml.numerics import largest_error

from ..run.batch import Samples
from ..run.model import ReferenceModel


@dataclass(frozen=True, kw_only=True)
class UnitsApart:
    """Over `samples` samples: the largest difference of any output, by output's name, and how many labels differ."""

    samples: int
    largest: Mapping[str, float]
    labels: int

    @property
    def parted(self) -> bool:
        """Whether there is any difference."""
        return self.labels > 0 or any(value > 0 for value in self.largest.values())


def units_apart(package: Any, inputs: Mapping[str, Samples], function_name: str | None = None) -> UnitsApart:
    """Compares the outputs on CPU_ONLY with those in the declared types, as `ReferenceModel.predict_batch` gives them.

    Args:
        package: a path to an .mlpackage, or a coremltools MLModel.
        inputs: by name, N samples each.
        function_name: which function; None: the default one.
    """
    alone, others = (
        ReferenceModel(package, function_name, compute_units=units).predict_batch(inputs)
        for units in ("CPU_ONLY", "ALL")
    )
    labels, largest = 0, {}
    for name, value in alone.items():
        if value.dtype.kind in "fiub":
            largest[name] = largest_error(value, others[name])
        else:
            labels += int((value != others[name]).sum())
    return UnitsApart(samples=len(next(iter(alone.values()))), largest=largest, labels=labels)
