"""Reading the weight file of an ML Program (MIL blob storage, version 2).

The file begins with a header of 64 bytes (uint32 count of blobs, uint32 version). A constant's offset in the program
names a record of 64 bytes: uint32 sentinel 0xDEADBEEF, uint32 data type, uint64 size in bytes, uint64 offset of the
data; the rest is reserved. Elements narrower than a byte are packed from the least significant bit on. Everything is
little-endian. Format: Apple's MILBlob, StorageFormat.hpp and BlobDataType.hpp in the coremltools repository.
"""

from __future__ import annotations

import math
import mmap
import struct
from pathlib import Path

import numpy as np

from tinyml.errors import PackageError, reason_of

from ..program.dtypes import BY_BLOB, DType, unpack_bits

_HEADER = struct.Struct("<II")
_RECORD = struct.Struct("<IIQQ")
_RECORD_BYTES = 64
_SENTINEL = 0xDEADBEEF


class BlobFile:
    """One weight file, memory mapped; nothing is read before its place in the file was checked."""

    def __init__(self, path: Path) -> None:
        """Opens `path`; raises PackageError where it is missing or no blob storage of version 2."""
        self.path = path
        try:
            with path.open("rb") as file:
                self._bytes: mmap.mmap | bytes = (
                    mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if path.stat().st_size else b""
                )
        except OSError as error:
            raise PackageError("cannot read the weight file", value=f"{path.name}: {reason_of(error)}") from None
        if len(self._bytes) < _RECORD_BYTES:
            raise PackageError(
                "the weight file is truncated",
                value=f"{path.name} has {len(self._bytes)} bytes",
                allowed=f"at least the {_RECORD_BYTES} of its header",
            )
        _, version = _HEADER.unpack_from(self._bytes, 0)
        if version != 2:
            raise PackageError("the weight file is of an unknown format", value=f"version {version}", allowed="2")
        self._arrays: dict[tuple[int, str, tuple[int, ...]], np.ndarray] = {}

    @property
    def size(self) -> int:
        """The bytes of the file."""
        return len(self._bytes)

    def read(self, offset: int, dtype: DType, shape: tuple[int, ...], name: str) -> np.ndarray:
        """The constant at `offset`; elements narrower than a byte come one a byte.

        Args:
            offset: of its record, in bytes from the start of the file.
            dtype: as the program declares it.
            shape: as the program declares it.
            name: of the constant, for errors.

        Returns:
            An array of `shape`, read-only; of wider types a view into the mapped file.
        """
        key = (offset, dtype.name, shape)
        if key not in self._arrays:
            array = self._read(offset, dtype, shape, name)
            array.flags.writeable = False
            self._arrays[key] = array
        return self._arrays[key]

    def _read(self, offset: int, dtype: DType, shape: tuple[int, ...], name: str) -> np.ndarray:
        start, size, stored = self._record(offset, name)
        if stored.name != dtype.name:
            raise PackageError(
                f"constant {name!r} is declared {dtype.name}, but the weight file holds another type", value=stored.name
            )
        count = math.prod(shape)
        if dtype.is_sub_byte:
            self._check_size(name, shape, -(-count * dtype.bits // 8), size)
            packed = np.frombuffer(self._bytes, np.uint8, size, start)
            return unpack_bits(packed, dtype.bits, count, signed=dtype.name == "int4").reshape(shape)
        self._check_size(name, shape, count * (dtype.bits // 8), size)
        return np.frombuffer(self._bytes, np.uint8, size, start).view(dtype.numpy).reshape(shape)

    @staticmethod
    def _check_size(name: str, shape: tuple[int, ...], needed: int, held: int) -> None:
        if needed != held:
            raise PackageError(
                f"constant {name!r} of shape {list(shape)} needs {needed} bytes", value=f"the file holds {held}"
            )

    def _record(self, offset: int, name: str) -> tuple[int, int, DType]:
        if offset < 0 or offset + _RECORD_BYTES > self.size:
            raise PackageError(
                f"constant {name!r} lies outside the weight file", value=f"offset {offset} of {self.size} bytes"
            )
        sentinel, code, size, start = _RECORD.unpack_from(self._bytes, offset)
        if sentinel != _SENTINEL:
            raise PackageError(f"constant {name!r} points at no record of the weight file", value=f"offset {offset}")
        if code not in BY_BLOB:
            raise PackageError(f"constant {name!r} is stored in an unknown data type", value=code)
        if start > self.size or size > self.size - start:
            raise PackageError(
                f"the data of constant {name!r} runs past the end of the weight file",
                value=f"{size} bytes at {start} of {self.size}",
                hint="the file is truncated",
            )
        return start, size, BY_BLOB[code]
