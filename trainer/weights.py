"""Tensors on disk: safetensors files, whole or in parts, and every way of being wrong told in a sentence."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from tinyml.errors import CheckpointError, reason_of
from tinyml.shards import SUFFIX, is_index, read_index, shard_name, write_index
from tinyml.store import atomic_file, file_sha256

ENTRY_BYTES = 256
"""More than a tensor's name and shape take in the header of a file."""


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Writes named tensors to `path`, atomically: a reader sees the old file or the new one.

    Raises:
        CheckpointError: The folder cannot be written to, or the disk is full.
    """
    # A fresh copy of each: safetensors refuses tensors that share memory, or that are views into a larger one.
    copies = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    with _told(path), atomic_file(path) as temporary:
        save_file(copies, temporary, metadata=dict(metadata or {}))


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Raises CheckpointError where `path` cannot be written."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"cannot write {path}",
            value=reason_of(error),
            hint="free some space or choose another folder with --results",
        ) from error


def stored_bytes(tensors: Mapping[str, Tensor]) -> int:
    """At most so many bytes has a file of these tensors."""
    return sum(tensor.nbytes + ENTRY_BYTES for tensor in tensors.values())


def write_shards(index: Path, tensors: Mapping[str, Tensor], largest: int) -> None:
    """Writes named tensors to several files of at most `largest` bytes beside `index`, which says what is where.

    Raises:
        CheckpointError: A tensor alone is larger, or the folder cannot be written to.
    """
    groups: list[dict[str, Tensor]] = [{}]
    used = 0
    for name, tensor in tensors.items():
        size = tensor.nbytes + ENTRY_BYTES
        if size > largest:
            raise CheckpointError(
                f"{name} alone is larger than a part may be",
                value=f"{tensor.nbytes / 1e6:.3g} MB",
                allowed=f"at most {largest / 1e6:g} MB",
            )
        if used + size > largest:
            groups.append({})
            used = 0
        groups[-1][name] = tensor
        used += size
    files: dict[str, Path] = {}
    for number, group in enumerate(groups, start=1):
        file = index.with_name(shard_name(index.name.removesuffix(SUFFIX), number, len(groups)))
        write_tensors(file, group, {"format": "pt"})
        files |= dict.fromkeys(group, file)
    with _told(index):
        write_index(index, files, sum(tensor.nbytes for tensor in tensors.values()))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a safetensors file, or of all those that an index names, on the CPU, and its metadata.

    Raises:
        CheckpointError: A file is missing, empty, truncated, changed, a pickle, or otherwise no safetensors file.
    """
    if is_index(path):
        return _joined(path), {}
    refuse_pickle_name(path)
    try:
        with path.open("rb") as file:
            head = file.read(16)
        if not head:
            raise CheckpointError("the weights file is empty", value=path, hint="train again, or fetch it again")
        with safe_open(path, framework="pt", device="cpu") as tensors:
            return {name: tensors.get_tensor(name) for name in tensors.keys()}, dict(tensors.metadata() or {})  # noqa: SIM118
    except FileNotFoundError:
        raise CheckpointError("no such weights file", value=path) from None
    except (SafetensorError, json.JSONDecodeError) as error:
        if looks_pickled(head):
            raise _pickle_refused(path) from None
        raise CheckpointError(
            f"{path} is truncated or no safetensors file", value=str(error), hint="train again, or fetch it again"
        ) from None
    except OSError as error:
        raise CheckpointError(f"cannot read {path}", value=reason_of(error)) from None


def _joined(index: Path) -> dict[str, Tensor]:
    shards = read_index(index)
    joined: dict[str, Tensor] = {}
    for file in shards.paths:
        if (expected := shards.hashes.get(file)) is not None and (actual := file_sha256(file)) != expected:
            raise CheckpointError(
                f"{file} is not what {index.name} describes",
                value=f"sha256 {actual[:12]}…",
                allowed=f"{expected[:12]}…",
                hint="bring it again",
            )
        tensors, _ = read_tensors(file)
        joined |= {name: tensor for name, tensor in tensors.items() if shards.files.get(name) == file}
    if missing := sorted(shards.files.keys() - joined.keys()):
        raise CheckpointError(f"{shards.files[missing[0]]} lacks a tensor of its index", value=missing[0])
    return joined


def check_fit(expected: Mapping[str, Tensor], actual: Mapping[str, Tensor], what: str) -> None:
    """Raises CheckpointError, beginning with `what`, unless both have the same names, shapes and types."""
    if problem := _misfit(expected, actual):
        raise CheckpointError(what, value=problem)


def _misfit(expected: Mapping[str, Tensor], actual: Mapping[str, Tensor]) -> str | None:
    if missing := sorted(expected.keys() - actual.keys()):
        return f"lacks {missing[0]} ({len(missing)} of {len(expected)} tensors missing)"
    if unknown := sorted(actual.keys() - expected.keys()):
        return f"unknown tensor {unknown[0]} ({len(unknown)} in all)"
    for name, tensor in expected.items():
        found = actual[name]
        if found.shape != tensor.shape or found.dtype != tensor.dtype:
            seen, wanted = (f"{tuple(t.shape)} {str(t.dtype).removeprefix('torch.')}" for t in (found, tensor))
            return f"{name} is {seen}, not {wanted}"
    return None


def refuse_pickle_name(path: Path) -> None:
    """Raises CheckpointError for names that only pickles have."""
    if path.suffix.lower() in (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin"):
        raise _pickle_refused(path)


def looks_pickled(head: bytes) -> bool:
    """Whether a file that is no safetensors begins as a pickle does, bare or in torch.save's zip archive."""
    return head.startswith(b"PK\x03\x04") or (len(head) > 1 and head[0] == 0x80 and head[1] <= 5)


def _pickle_refused(path: Path) -> CheckpointError:
    return CheckpointError(
        "pickled checkpoints can run any code and are never loaded",
        value=path,
        allowed="a .json manifest of tinyml, or the .safetensors file beside it",
    )
