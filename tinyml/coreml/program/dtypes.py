"""The data types of MIL: their names, how they are stored, and the array types that carry them while a program runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class DType:
    """One data type of MIL.

    `proto` is its number in MIL.proto, `blob` its number in a weight file (None: never stored there), `bits` the width
    of a stored element, `numpy` the array type of an element by itself, `carrier` the one that holds it while it is
    computed with.
    """

    name: str
    proto: int
    blob: int | None
    bits: int
    numpy: np.dtype[np.generic]
    carrier: np.dtype[np.generic]

    @property
    def is_float(self) -> bool:
        """Whether it is a floating-point type."""
        return self.carrier == np.float32

    @property
    def is_sub_byte(self) -> bool:
        """Whether several elements share a byte in storage."""
        return self.bits < 8


def _rows() -> list[DType]:
    table: list[tuple[str, int, int | None, int, type[np.generic], type[np.generic]]] = [
        ("bool", 1, None, 8, np.bool_, np.bool_),
        ("fp16", 10, 1, 16, np.float16, np.float32),
        ("fp32", 11, 2, 32, np.float32, np.float32),
        ("fp64", 12, None, 64, np.float64, np.float32),
        ("int8", 21, 4, 8, np.int8, np.int8),
        ("int16", 22, 6, 16, np.int16, np.int16),
        ("int32", 23, 14, 32, np.int32, np.int32),
        ("int64", 24, None, 64, np.int64, np.int64),
        ("int4", 25, 8, 4, np.int8, np.int8),
        ("uint8", 31, 3, 8, np.uint8, np.uint8),
        ("uint16", 32, 7, 16, np.uint16, np.int32),
        ("uint32", 33, 15, 32, np.uint32, np.int64),
        ("uint64", 34, None, 64, np.uint64, np.int64),
        ("uint4", 35, 11, 4, np.uint8, np.uint8),
        ("uint2", 36, 10, 2, np.uint8, np.uint8),
        ("uint1", 37, 9, 1, np.uint8, np.uint8),
        ("uint6", 38, 13, 6, np.uint8, np.uint8),
        ("uint3", 39, 12, 3, np.uint8, np.uint8),
    ]
    return [
        DType(name=name, proto=proto, blob=blob, bits=bits, numpy=np.dtype(stored), carrier=np.dtype(carrier))
        for name, proto, blob, bits, stored, carrier in table
    ]


DTYPES = {dtype.name: dtype for dtype in _rows()}
"""Every tensor type but "string", by name."""

BY_PROTO = {dtype.proto: dtype for dtype in DTYPES.values()}
BY_BLOB = {dtype.blob: dtype for dtype in DTYPES.values() if dtype.blob is not None}
STRING_PROTO = 2


def unpack_bits(packed: np.ndarray, bits: int, count: int, *, signed: bool) -> np.ndarray:
    """The first `count` elements of `bits` bits in `packed` bytes, least significant bit first, one a byte.

    Args:
        packed: uint8 [ceil(count * bits / 8)] or more.
        bits: 1 to 8.
        count: how many elements there are; later bits are padding.
        signed: whether the top bit of an element is its sign (two's complement).

    Returns:
        uint8 or int8 [count].
    """
    if 8 % bits == 0:
        per_byte = 8 // bits
        shifts = np.arange(per_byte, dtype=np.uint8) * np.uint8(bits)
        used = packed[: -(-count // per_byte)]
        values = ((used[:, None] >> shifts) & np.uint8(2**bits - 1)).reshape(-1)[:count]
    else:
        flat = np.unpackbits(packed[: -(-count * bits // 8)], bitorder="little")[: count * bits]
        values = np.packbits(flat.reshape(count, bits), axis=1, bitorder="little").reshape(-1)
    if not signed:
        return np.asarray(values)
    sign = np.uint8(1 << (bits - 1))
    return np.asarray(((values ^ sign).astype(np.int16) - int(sign)).astype(np.int8))
