"""`ReferenceModel(engine="onnxruntime")`: the program as ONNX, executed by onnxruntime in float32."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..plan.classifier import Classifier, classified
from ..trace.module import to_torch
from ..trace.onnx import onnx_bytes, onnx_runner


def onnx_engine(
    model: Any, function_name: str | None, classifier: Classifier
) -> Callable[[Sequence[np.ndarray]], dict[str, Any]]:
    """From the function's inputs to its outputs by name.

    Raises:
        UnsupportedOpsError: the program cannot become an ONNX model.
    """
    module = to_torch(model, function_name)
    run, names = onnx_runner(onnx_bytes(module)), module.output_names

    def run_by_name(inputs: Sequence[np.ndarray]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in zip(names, run(inputs), strict=True):
            if name in classifier.outputs:
                found |= classified(classifier, value)
            else:
                found[name] = value
        return found

    return run_by_name
