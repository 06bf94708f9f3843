"""Ops of stored constants: dequantization, palettes, sparsity, cast (iOS16), and their blockwise forms (iOS18).

All are evaluated once, at load. iOS16 packs indices and masks in uint8 vectors; iOS18 types them (uint1 to uint8), and
the weight file's reader has unpacked those.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..program.dtypes import unpack_bits
from .registry import op


@op("constexpr_affine_dequantize", since="iOS16", stored=True)
def affine_dequantize(quantized_data: Tensor, zero_point: Tensor, scale: Tensor, axis: int) -> Tensor:
    """Shifted and scaled: scale * (quantized_data - zero_point); vectors lie along `axis`."""
    shape = [1] * quantized_data.dim()
    shape[axis] = -1
    offset = zero_point.to(torch.float32).reshape(shape if zero_point.dim() else [])
    factor = scale.reshape(shape if scale.dim() else [])
    return _shifted_and_scaled(quantized_data, offset, factor)


def _shifted_and_scaled(data: Tensor, offset: Tensor, factor: Tensor) -> Tensor:
    values = data.to(torch.float32, copy=True)  # and changed where they lie: new memory takes longer than arithmetic
    if bool(offset.any()):
        values -= offset
    return values.mul_(factor)


@op("constexpr_cast", since="iOS16", exact=True, stored=True)
def cast(source_val: Tensor, output_dtype: str) -> Tensor:
    """The same values in a wider type."""
    if output_dtype != "fp32":
        raise ValueError(f"constexpr_cast to {output_dtype}, where only fp32 is defined")
    return source_val


@op("constexpr_lut_to_dense", since="iOS16", exact=True, stored=True)
def lut_to_dense_packed(indices: Tensor, lut: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Palette entries lut[indices]; an index takes log2(len(lut)) bits of `indices`, least significant bit first."""
    bits = int(math.log2(lut.numel()))
    count = math.prod(shape)
    if 2**bits != lut.numel() or not 1 <= bits <= 8:
        raise ValueError(f"a palette of {lut.numel()} entries, where 2 to 256, a power of 2, are possible")
    if indices.numel() != -(-count * bits // 8):
        raise ValueError(f"{indices.numel()} bytes of indices for shape {list(shape)} at {bits} bits")
    unpacked = unpack_bits(indices.numpy(), bits, count, signed=False)
    return lut[torch.from_numpy(unpacked).int()].reshape(shape)


@op("constexpr_sparse_to_dense", since="iOS16", exact=True, stored=True)
def sparse_to_dense_packed(nonzero_data: Tensor, mask: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The values `nonzero_data` where a bit of the uint8 vector `mask` is set, in row-major order, 0 elsewhere."""
    count = math.prod(shape)
    if mask.numel() != -(-count // 8):
        raise ValueError(f"{mask.numel()} bytes of mask for shape {list(shape)}")
    unpacked = torch.from_numpy(unpack_bits(mask.numpy(), 1, count, signed=False))
    dense: Tensor = sparse_to_dense(nonzero_data, unpacked)
    return dense.reshape(shape)


@op("constexpr_blockwise_shift_scale", since="iOS18", stored=True)
def blockwise_shift_scale(data: Tensor, scale: Tensor, offset: Tensor | None = None) -> Tensor:
    """Shifted and scaled: scale * (data - offset); each entry of both serves an equal block of `data`."""
    shift = torch.zeros(()) if offset is None else _spread(offset.to(torch.float32), data.shape)
    return _shifted_and_scaled(data, shift, _spread(scale, data.shape))


@op("constexpr_lut_to_dense", since="iOS18", exact=True, stored=True)
def lut_to_dense(indices: Tensor, lut: Tensor, vector_axis: int | None = None) -> Tensor:
    """The palette entries that `indices` name.

    Args:
        indices: uint8 [*shape].
        lut: [*groups, palettes, vector]; each group of palettes serves an equal block of `indices`.
        vector_axis: the axis along which a palette entry of several values lies.

    Returns:
        [*shape], with `vector` times the size along `vector_axis`.
    """
    rank = indices.dim()
    if lut.dim() != rank + 2:
        raise ValueError(f"a palette of rank {lut.dim()} for indices of rank {rank}, where {rank + 2} is needed")
    groups, entries, width = lut.shape[:rank], lut.shape[-2], lut.shape[-1]
    if indices.numel() and int(indices.max()) >= entries:
        raise ValueError(f"index {int(indices.max())} into a palette of {entries} entries")
    numbers = torch.arange(math.prod(groups), dtype=torch.int32).reshape(groups)
    flat = _spread(numbers, indices.shape) * entries + indices
    values = lut.reshape(-1, width)[flat]
    if width == 1:
        return values.squeeze(-1)
    if vector_axis is None:
        raise ValueError("a palette of vectors needs a vector_axis")
    axis = vector_axis % rank
    return values.movedim(-1, axis + 1).flatten(axis, axis + 1)


@op("constexpr_sparse_to_dense", since="iOS18", exact=True, stored=True)
def sparse_to_dense(nonzero_data: Tensor, mask: Tensor) -> Tensor:
    """The values `nonzero_data` where `mask` is 1, in row-major order, 0 elsewhere; the shape is that of `mask`."""
    chosen = mask != 0
    if int(chosen.sum()) != nonzero_data.numel():
        raise ValueError(f"{nonzero_data.numel()} values for a mask with {int(chosen.sum())} ones")
    dense = torch.zeros(mask.shape, dtype=nonzero_data.dtype)
    dense[chosen] = nonzero_data
    return dense


@op("constexpr_lut_to_sparse", since="iOS18", exact=True, stored=True)
def lut_to_sparse(
    indices_mask: Tensor, indices_nonzero_data: Tensor, lut: Tensor, vector_axis: int | None = None
) -> tuple[Tensor, Tensor]:
    """The mask and the values of a sparse tensor whose values are palette entries."""
    dense = lut_to_dense(sparse_to_dense(indices_nonzero_data, indices_mask), lut, vector_axis)
    width = lut.shape[-1]
    mask = indices_mask
    if width > 1 and vector_axis is not None:
        mask = mask.repeat_interleave(width, dim=vector_axis)
    return mask, dense[mask != 0]


@op("constexpr_sparse_blockwise_shift_scale", since="iOS18", stored=True)
def sparse_blockwise_shift_scale(
    data_mask: Tensor, nonzero_data: Tensor, scale: Tensor, offset: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """The mask and the values of a sparse tensor whose values are quantized blockwise."""
    dense = blockwise_shift_scale(sparse_to_dense(nonzero_data, data_mask), scale, offset)
    return data_mask, dense[data_mask != 0]


def _spread(blocks: Tensor, shape: torch.Size) -> Tensor:
    """`blocks` repeated along each axis to `shape`, each entry over an equal share."""
    if blocks.dim() != len(shape) or any(
        have == 0 or size % have for size, have in zip(shape, blocks.shape, strict=True)
    ):
        raise ValueError(f"blocks of shape {list(blocks.shape)} do not divide shape {list(shape)}")
    for axis, size in enumerate(shape):
        if blocks.shape[axis] not in (1, size):
            blocks = blocks.repeat_interleave(size // blocks.shape[axis], dim=axis)
    return blocks.expand(shape)
