"""The weight file, written by coremltools and read by us."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyml.coreml.program.dtypes import DTYPES, unpack_bits
from tinyml.coreml.read.blob import BlobFile
from tinyml.errors import PackageError
from tinyml.quiet import coremltools

coremltools()
from coremltools.libmilstoragepython import _BlobStorageWriter as Writer  # noqa: E402

ROWS: list[tuple[str, str, Any]] = [
    ("fp32", "float", np.linspace(-3, 3, 13, dtype=np.float32)),
    ("fp16", "fp16", np.linspace(-3, 3, 13).astype(np.float16)),
    ("int8", "int8", np.arange(-6, 7, dtype=np.int8)),
    ("uint8", "uint8", np.arange(243, 256, dtype=np.uint8)),
    ("int16", "int16", np.arange(-6, 7, dtype=np.int16) * 1000),
    ("uint16", "uint16", np.arange(13, dtype=np.uint16) * 5000),
    ("int32", "int32", np.arange(-6, 7, dtype=np.int32) * 10**8),
    ("uint32", "uint32", np.arange(13, dtype=np.uint32) * 3 * 10**8),
    ("int4", "int4", np.arange(-8, 5, dtype=np.int8)),
    ("uint1", "uint1", np.array([1, 0, 1, 1, 0, 0, 0, 1, 1, 0, 1, 0, 1], np.uint8)),
    ("uint2", "uint2", np.arange(13, dtype=np.uint8) % 4),
    ("uint3", "uint3", np.arange(13, dtype=np.uint8) % 8),
    ("uint4", "uint4", np.arange(13, dtype=np.uint8)),
    ("uint6", "uint6", np.arange(13, dtype=np.uint8) * 4 + 3),
]


@pytest.fixture
def weights(tmp_path: Path) -> tuple[Path, dict[str, int]]:
    path = tmp_path / "weight.bin"
    writer = Writer(str(path))
    offsets = {}
    for name, method, values in ROWS:
        stored = values.view(np.uint16) if name == "fp16" else values
        offsets[name] = getattr(writer, f"write_{method}_data")(stored)
    del writer
    return path, offsets


@pytest.mark.parametrize(("name", "method", "values"), ROWS, ids=[row[0] for row in ROWS])
def test_every_type_reads_as_it_was_written(
    weights: tuple[Path, dict[str, int]], name: str, method: str, values: np.ndarray
) -> None:
    path, offsets = weights
    found = BlobFile(path).read(offsets[name], DTYPES[name], (13,), "w")
    np.testing.assert_array_equal(found, values)


@given(st.integers(1, 8), st.integers(0, 50), st.booleans(), st.randoms(use_true_random=False))
def test_unpacking_reverses_packing(bits: int, count: int, signed: bool, random: object) -> None:
    low = -(2 ** (bits - 1)) if signed else 0
    values = np.array([low + random.randrange(2**bits) for _ in range(count)], np.int64)  # type: ignore[attr-defined]
    number = sum((int(value) & (2**bits - 1)) << (bits * place) for place, value in enumerate(values))
    packed = np.frombuffer(number.to_bytes(-(-count * bits // 8), "little"), np.uint8)
    np.testing.assert_array_equal(unpack_bits(packed, bits, count, signed=signed), values)


def test_a_truncated_file_is_refused(weights: tuple[Path, dict[str, int]]) -> None:
    path, offsets = weights
    path.write_bytes(path.read_bytes()[: offsets["uint32"] + 70])
    with pytest.raises(PackageError, match=r"past the end of the weight file.*truncated"):
        BlobFile(path).read(offsets["uint32"], DTYPES["uint32"], (13,), "w")
    with pytest.raises(PackageError, match="outside the weight file"):
        BlobFile(path).read(offsets["uint6"], DTYPES["uint6"], (13,), "w")
    path.write_bytes(b"")
    with pytest.raises(PackageError, match="truncated"):
        BlobFile(path)


def test_what_is_wrong_is_said(weights: tuple[Path, dict[str, int]]) -> None:
    path, offsets = weights
    file = BlobFile(path)
    with pytest.raises(PackageError, match="no record"):
        file.read(offsets["fp32"] + 64, DTYPES["fp32"], (13,), "w")
    with pytest.raises(PackageError, match="declared fp16"):
        file.read(offsets["fp32"], DTYPES["fp16"], (13,), "w")
    with pytest.raises(PackageError, match="needs 56 bytes"):
        file.read(offsets["fp32"], DTYPES["fp32"], (14,), "w")
    raw = bytearray(path.read_bytes())
    raw[4:8] = struct.pack("<I", 1)
    path.write_bytes(raw)
    with pytest.raises(PackageError, match="version 1"):
        BlobFile(path)
