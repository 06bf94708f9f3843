"""Palettes of weights whose output channels were scaled to a largest magnitude of 1 before.

One palette then serves channels of any range. coremltools 9.0 has an option for it, and takes the largest weight across
the output channels instead of within each (so that every input channel and kernel position gets a scale, and every one
of them a palette of its own in the file); when it then declines a weight it has divided it already
(https://github.com/apple/coremltools/issues/2777). So this pass does it itself, and multiplies behind the convolution
or product instead, where the scales cost next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinyml.quiet import coremltools

UNSCALED = "_unscaled"
"""What is added to the name of an op whose output is scaled after it."""


def scaled_palettes(model: Any, ops: Mapping[str, tuple[int, int]]) -> Any:
    """`model`, the weights of `ops` palettized with a scale for each output channel.

    Args:
        model: An MLModel for iOS18 or newer.
        ops: By the name of the `conv` or `linear` that reads the weight: the bits of an index, and the output
            channels that share a palette (a divisor of their number).
    """
    coremltools()
    from coremltools.converters.mil.frontend._utils import _construct_constexpr_lut_op
    from coremltools.converters.mil.mil import Builder
    from coremltools.converters.mil.mil.passes.graph_pass import AbstractGraphPass
    from coremltools.converters.mil.mil.passes.helper import block_context_manager
    from coremltools.models.utils import _apply_graph_pass
    from coremltools.optimize.coreml._quantization_passes import palettize_weights

    class ScaledPalettes(AbstractGraphPass):  # type: ignore[misc]
        """Replaces each op by one on palettes, and a scale and shift of its output."""

        def apply(self, prog: Any) -> None:
            @block_context_manager  # type: ignore[untyped-decorator]
            def of_block(block: Any) -> None:
                for op in list(block.operations):
                    if op.name in ops:
                        replace(op.weight.op, op, *ops[op.name])

            for function in prog.functions.values():
                of_block(function)

    def replace(weight: Any, reader: Any, bits: int, group: int) -> None:
        values = np.asarray(weight.outputs[0].val)
        scale = np.abs(values).max(axis=tuple(range(1, values.ndim)), keepdims=True)
        scale[scale == 0] = 1
        blocks = [group, *(0 for _ in values.shape[1:])]
        found = palettize_weights.blockwise_compress(values / scale, "KMEANS", bits, blocks, channel_axis=0)
        palettized = _construct_constexpr_lut_op(
            found.indices, found.lut, found.vector_axis, name=f"{weight.name}_palettized", before_op=reader
        )
        inputs = {name: value for name, value in reader.inputs.items() if name not in ("weight", "bias")}
        unscaled = getattr(Builder, reader.op_type)(
            **inputs, weight=palettized, before_op=reader, name=f"{reader.name}{UNSCALED}"
        )
        # The bias is not divided by the scale into the op itself: that of a channel with small weights leaves fp16.
        scale, bias = scale.reshape(-1), getattr(reader, "bias", None)
        shift = np.zeros_like(scale) if bias is None else bias.val
        if reader.op_type == "conv":
            # What coremltools 9.0 would make of a multiplication and an addition, and fails to in fp16.
            ones = np.ones_like(scale)
            result = Builder.batch_norm(
                x=unscaled,
                mean=np.zeros_like(scale),
                variance=ones,
                gamma=scale,
                beta=shift,
                epsilon=scale.dtype.type(0),
                before_op=reader,
            )
        else:
            scaled = Builder.mul(x=unscaled, y=scale, before_op=reader)
            result = Builder.add(x=scaled, y=shift, before_op=reader)
        block = reader.enclosing_block
        block.replace_uses_of_var_after_op(anchor_op=reader, old_var=reader.outputs[0], new_var=result)
        block.remove_ops([reader])
        if not weight.outputs[0].child_ops:
            block.remove_ops([weight])

    return _apply_graph_pass(model, ScaledPalettes())
