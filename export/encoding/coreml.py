"""Forms as ops of an ML Program, put in the place of its constants."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyml.quiet import coremltools, quiet

from .forms import Form, Indices, Integers, Sparse
from .layers import Encoded

COMPRESSED_SPECIFICATION = 7
"""Of iOS16, the first with compressed weights; a program of iOS15 is raised to it without any other change."""

UNSCALED = "_unscaled"
"""What is added to the name of an op whose output is scaled after it."""


def store(model: Any, encoded: Encoded) -> Any:
    """`model`, an MLModel, with its constants stored as `encoded` says."""
    if not encoded.forms:
        return model
    coremltools()
    from coremltools.converters.mil.mil import Builder, types
    from coremltools.converters.mil.mil.passes.graph_pass import AbstractGraphPass
    from coremltools.converters.mil.mil.passes.helper import block_context_manager
    from coremltools.models.utils import _apply_graph_pass

    class Store(AbstractGraphPass):  # type: ignore[misc]
        """Replaces constants and, where their outputs are scaled or their biases move, the ops that read them."""

        def apply(self, prog: Any) -> None:
            @block_context_manager  # type: ignore[untyped-decorator]
            def of_block(block: Any) -> None:
                for op in list(block.operations):
                    for inner in op.blocks:
                        of_block(inner)
                    if op.op_type == "const" and (form := encoded.forms.get(op.name)) is not None:
                        replace_constant(op, form)
                for op in list(block.operations):
                    if op.op_type in ("conv", "linear"):
                        finish(op)

            for function in prog.functions.values():
                of_block(function)

    scales: dict[str, np.ndarray] = {}

    def replace_constant(op: Any, form: Form) -> None:
        old = op.outputs[0]
        new = _op(Builder, form, op, np.asarray(old.val).dtype)
        if isinstance(form, Indices) and form.output_scale is not None:
            scales.update({reader.name: form.output_scale for reader in old.child_ops})
        op.enclosing_block.replace_uses_of_var_after_op(anchor_op=op, old_var=old, new_var=new)
        op.enclosing_block.remove_ops([op])

    def finish(op: Any) -> None:
        scale, shift = scales.get(op.name), encoded.bias_shifts.get(op.name)
        if scale is None and shift is None:
            return
        dtype = np.float16 if types.builtin_to_string(op.outputs[0].dtype) == "fp16" else np.float32
        inputs = {name: value for name, value in op.inputs.items() if name != "bias"}
        # What two ops share stays as it is; the new bias is this one's own.
        bias = getattr(op, "bias", None)
        bias = None if bias is None else np.asarray(bias.val, np.float32)
        if shift is not None:
            bias = (0 if bias is None else bias) + shift
        if scale is None:
            if bias is not None:
                inputs["bias"] = bias.astype(dtype)
            result = getattr(Builder, op.op_type)(**inputs, before_op=op, name=op.name)
        else:
            result = _scaled(Builder, op, inputs, scale.astype(dtype), bias)
        old = op.outputs[0]
        op.enclosing_block.replace_uses_of_var_after_op(anchor_op=op, old_var=old, new_var=result)
        op.enclosing_block.remove_ops([op])
        result.name = old.name

    version = max(model.get_spec().specificationVersion, COMPRESSED_SPECIFICATION)
    with quiet():
        return _apply_graph_pass(model, Store(), spec_version=version)


def _scaled(builder: Any, op: Any, inputs: dict[str, Any], scale: np.ndarray, bias: np.ndarray | None) -> Any:
    """The op and, behind it, the scale and bias of its output.

    The bias is not divided by the scale into the op itself: that of a channel with small weights leaves float16.
    """
    unscaled = getattr(builder, op.op_type)(**inputs, before_op=op, name=f"{op.name}{UNSCALED}")
    shift = np.zeros_like(scale) if bias is None else bias.astype(scale.dtype)
    if op.op_type == "conv":
        # What coremltools 9.0 would make of a multiplication and an addition, and fails to in fp16.
        return builder.batch_norm(
            x=unscaled,
            mean=np.zeros_like(scale),
            variance=np.ones_like(scale),
            gamma=scale,
            beta=shift,
            epsilon=scale.dtype.type(0),
            before_op=op,
        )
    return builder.add(x=builder.mul(x=unscaled, y=scale, before_op=op), y=shift, before_op=op)


def _op(builder: Any, form: Form, op: Any, dtype: np.dtype[Any]) -> Any:
    """The op that unpacks `form`, before the constant `op`: the kinds of iOS16 or of iOS18, whichever there are."""
    from coremltools.converters.mil._deployment_compatibility import AvailableTarget
    from coremltools.converters.mil.frontend._utils import is_current_opset_version_compatible_with

    newest = is_current_opset_version_compatible_with(AvailableTarget.iOS18)
    place: dict[str, Any] = {"before_op": op}
    if isinstance(form, Sparse):
        return _sparse(builder, form, op, dtype, newest=newest)
    place["name"] = f"{op.name}_{'palettized' if isinstance(form, Indices) else 'quantized'}"
    if isinstance(form, Indices):
        if newest:
            entries = form.palettes[..., None].astype(dtype)
            return builder.constexpr_lut_to_dense(indices=_small(form.indices, form.dtype), lut=entries, **place)
        return builder.constexpr_lut_to_dense(
            indices=_packed(form.indices, form.bits),
            lut=form.palettes.reshape(-1).astype(dtype),
            shape=np.array(form.indices.shape, np.uint32),
            **place,
        )
    if newest:
        return builder.constexpr_blockwise_shift_scale(**_steps(form, form.levels, dtype, "data"), **place)
    axis = next((axis for axis, size in enumerate(form.scale.shape) if size > 1), 0)
    offset = np.zeros(form.scale.shape, form.levels.dtype) if form.offset is None else form.offset
    return builder.constexpr_affine_dequantize(
        quantized_data=form.levels,
        zero_point=_vector(offset),
        scale=_vector(form.scale.astype(dtype)),
        axis=np.int32(axis),
        **place,
    )


def _sparse(builder: Any, form: Sparse, op: Any, dtype: np.dtype[Any], *, newest: bool) -> Any:
    name, inner = f"{op.name}_sparsified", form.inner
    if not newest:
        return builder.constexpr_sparse_to_dense(
            nonzero_data=form.values[form.kept].astype(dtype),
            mask=np.packbits(form.kept, bitorder="little"),
            shape=np.array(form.kept.shape, np.uint32),
            before_op=op,
            name=name,
        )
    mask: Any = _small(form.kept.astype(np.uint8), "uint1")
    if inner is None:
        data: Any = form.values[form.kept].astype(dtype)
    elif isinstance(inner, Integers):
        mask, data = builder.constexpr_sparse_blockwise_shift_scale(
            data_mask=mask, **_steps(inner, inner.levels[form.kept], dtype, "nonzero_data"), before_op=op
        )
    else:
        mask, data = builder.constexpr_lut_to_sparse(
            indices_mask=mask,
            indices_nonzero_data=_small(inner.indices[form.kept], inner.dtype),
            lut=inner.palettes[..., None].astype(dtype),
            before_op=op,
        )
    return builder.constexpr_sparse_to_dense(nonzero_data=data, mask=mask, before_op=op, name=name)


def _steps(form: Integers, levels: np.ndarray, dtype: np.dtype[Any], data: str) -> dict[str, Any]:
    found: dict[str, Any] = {data: _small(levels, form.dtype), "scale": form.scale.astype(dtype)}
    if form.offset is not None:
        found["offset"] = _small(form.offset, form.dtype)
    return found


def _vector(array: np.ndarray) -> np.ndarray:
    """A vector; of one element a scalar."""
    return array.reshape(-1) if array.size > 1 else array.reshape(())


def _small(array: np.ndarray, dtype: str) -> np.ndarray:
    """`array` as coremltools marks types of fewer bits than a byte."""
    from coremltools.converters.mil.mil import types

    return array.astype(types.nptype_from_builtin(types.string_to_builtin(dtype)))


def _packed(indices: np.ndarray, bits: int) -> np.ndarray:
    """Indices one behind the other, the least significant bit first, in bytes."""
    spread = np.unpackbits(indices.reshape(-1, 1), axis=1, bitorder="little", count=bits)
    return np.packbits(spread.reshape(-1), bitorder="little")[: math.ceil(indices.size * bits / 8)]
