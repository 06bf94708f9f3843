"""Tensors on disk: safetensors files written atomically, and read with every way of being wrong told in a sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from tinyml.errors import CheckpointError, reason_of
from tinyml.store import atomic_file


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Writes named tensors to `path`, atomically: a reader sees the old file or the new one.

    Raises:
        CheckpointError: The folder cannot be written to, or the disk is full.
    """
    # A fresh copy of each: safetensors refuses tensors that share memory, or that are views into a larger one.
    copies = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    try:
        with atomic_file(path) as temporary:
            save_file(copies, temporary, metadata=dict(metadata or {}))
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"cannot write {path}",
            value=reason_of(error),
            hint="free some space or choose another folder with --results",
        ) from error


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a safetensors file, on the CPU, and its metadata.

    Raises:
        CheckpointError: The file is missing, empty, truncated, a pickle, or otherwise no safetensors file.
    """
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
