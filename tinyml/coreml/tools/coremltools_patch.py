"""A working `MLModel.predict` and `make_state` for every tool that is built on coremltools, off a Mac."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator
from typing import Any

from tinyml.errors import InputError
from tinyml.quiet import coremltools

from ..plan.planner import Precision
from ..run.model import ReferenceModel
from ..run.state import State


class PredictionError(InputError, RuntimeError):
    """What Core ML refuses when it predicts, which coremltools raises as a RuntimeError that begins with its words."""

    def __init__(self, refusal: InputError) -> None:
        super().__init__(
            f"Unable to compute the prediction using ML Program. {refusal.what}",
            value=refusal.value,
            allowed=refusal.allowed,
            hint=refusal.hint,
        )


@contextlib.contextmanager
def linux_predict(precision: Precision | None = None) -> Iterator[None]:
    """Within the block, coremltools' models predict through the reference runtime.

        with linux_predict():
            outputs = mlmodel.predict({"image": image})
            smaller = ct.optimize.coreml.linear_quantize_activations(mlmodel, config, samples)

    coremltools' own checks of the inputs come first, with their own exceptions; what Core ML itself would refuse raises
    PredictionError. A model is planned at its first prediction and kept as long as it lives.

    Args:
        precision: as of `ReferenceModel`; None: as Core ML computes on the model's own `compute_unit`, which is float32
            throughout on CPU_ONLY and rounds to the declared types elsewhere.
    """
    ct = coremltools()
    kind, state_kind = ct.models.MLModel, ct.models.model.MLState
    planned: weakref.WeakKeyDictionary[Any, ReferenceModel] = weakref.WeakKeyDictionary()

    def reference(model: Any) -> ReferenceModel:
        if model not in planned:
            planned[model] = ReferenceModel(
                model, function_name=model.function_name, precision=precision, compute_units=model.compute_unit
            )
        return planned[model]

    def predict(self: Any, data: Any, state: Any = None) -> Any:
        self._check_predict_data(data)
        for item in data if isinstance(data, list) else [data]:
            self._verify_input_dict(item)
            self._convert_tensor_to_numpy(item)
            self._update_float16_multiarray_input_to_float32(item)
        own = None if state is None else state.__proxy__
        if own is not None and not isinstance(own, State):
            raise InputError("the state was not made by this model's make_state()", value=type(own).__name__)
        try:
            return reference(self).predict(data, own)
        except InputError as refusal:
            raise PredictionError(refusal) from refusal

    def make_state(self: Any) -> Any:
        return state_kind(reference(self).make_state())

    originals = kind.predict, kind.make_state
    kind.predict, kind.make_state = predict, make_state
    try:
        yield
    finally:
        kind.predict, kind.make_state = originals
