"""8-bit activations in an ML Program, with ranges that our own runtime observes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from tinyml.quiet import coremltools, quiet
from tinyml.schema import ActivationQuantization

from ..compression import Samples
from .calibration import Calibrator
from .ranges import SeenRange

_READERS = {"conv": ("x",), "linear": ("x",), "add": ("x", "y"), "avg_pool": ("x",), "max_pool": ("x",)}
"""The ops that integer arithmetic is for, and which of their inputs must be quantized for it."""


def quantize_activations(model: Any, settings: ActivationQuantization, samples: Samples, left: Collection[str]) -> Any:
    """`model`, the inputs of its convolutions, products, additions and pools quantized, once for all readers of each.

    uint8 with a zero point (0 where nothing is negative), or int8 without where `settings` are symmetric. What leaves
    the last product stays in float: eight bits for the softmax's input would tie classes. coremltools has a function
    for it that calibrates through `MLModel.predict`, which only a Mac has (https://github.com/apple/coremltools/issues/2227).

    Args:
        model: An MLModel for iOS17 or newer.
        settings: What to do.
        samples: Calibration inputs by name.
        left: The names of the ops whose inputs stay in float.
    """
    coremltools()
    from coremltools.converters.mil.mil import Builder, types
    from coremltools.converters.mil.mil.passes.graph_pass import AbstractGraphPass
    from coremltools.converters.mil.mil.passes.helper import block_context_manager
    from coremltools.models.utils import _apply_graph_pass

    ranges: dict[str, SeenRange] = {}
    Calibrator(model, samples).observe(lambda name, value: ranges.setdefault(name, SeenRange()).see(value))

    def pair(value: Any, before: Any) -> Any:
        low, high = ranges[value.name].within(settings.percentile, symmetric=settings.symmetric)
        dtype = np.float16 if types.builtin_to_string(value.dtype) == "fp16" else np.float32
        if settings.symmetric:
            scale, shift = max(-low, high) / 127, {}
        else:
            scale = (high - low) / 255
            shift = {"zero_point": np.uint8(round(min(max(-low / scale, 0), 255)) if scale else 0)}
        step = dtype(scale) or dtype(1)
        kind = "int8" if settings.symmetric else "uint8"
        stored = Builder.quantize(input=value, scale=step, output_dtype=kind, before_op=before, **shift)
        return Builder.dequantize(input=stored, scale=step, before_op=before, **shift)

    class Quantize(AbstractGraphPass):  # type: ignore[misc]
        """Puts a pair before the first reader of each tensor."""

        def apply(self, prog: Any) -> None:
            @block_context_manager  # type: ignore[untyped-decorator]
            def of_block(block: Any) -> None:
                made: dict[str, Any] = {}
                for op in list(block.operations):
                    values = {name: op.inputs[name] for name in _READERS.get(op.op_type, ())}
                    known = all(value.val is None and value.name in ranges for value in values.values())
                    if not values or not known or op.name in left:
                        continue
                    for value in values.values():
                        if value.name not in made:
                            made[value.name] = pair(value, op)
                    given = dict(op.inputs.items()) | {name: made[value.name] for name, value in values.items()}
                    result = getattr(Builder, op.op_type)(**given, before_op=op, name=op.name)
                    old = op.outputs[0]
                    block.replace_uses_of_var_after_op(anchor_op=op, old_var=old, new_var=result)
                    block.remove_ops([op])
                    result.name = old.name

            for function in prog.functions.values():
                of_block(function)

    with quiet():
        return _apply_graph_pass(model, Quantize(), spec_version=model.get_spec().specificationVersion)
