"""A checkpoint in half the bytes, to be kept in a repository or sent: what multiplies, in float16.

Vectors (biases, normalizations and their statistics) stay in float32: they are a hundredth of the bytes, and running
variances may lie below what float16 can hold. What was measured of the checkpoint is left out, since it was measured
before the weights were rounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from tinyml.errors import CheckpointError
from tinyml.shards import SUFFIX, weights_bytes
from tinyml.store import atomic_folder, file_sha256, provenance

from . import checkpoint
from .weights import stored_bytes, write_shards, write_tensors

LARGEST = torch.finfo(torch.float16).max


@dataclass(frozen=True, kw_only=True)
class Halved:
    """What was written."""

    manifest: Path
    size: int
    """Bytes of the weights."""
    size_before: int


def halve(path: Path, folder: Path, *, largest: int | None = None) -> Halved:
    """Writes the checkpoint at `path` to the new `folder`, under its own name and with its matrices in float16.

    Args:
        path: The checkpoint.
        folder: Where to write.
        largest: Bytes of a file of weights; where they are more, they go to several files. None: to one.

    Raises:
        CheckpointError: There is no such checkpoint, a weight is beyond float16 or a tensor beyond `largest`, or the
            folder is there already or cannot be written to.
    """
    loaded = checkpoint.load(path)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CheckpointError("the output is there already", value=folder, allowed="a new folder")
    name, before = loaded.manifest.stem, loaded.manifest.parent / loaded.checkpoint.path
    with atomic_folder(folder) as temporary:
        tensors = _halved(loaded.model.state_dict())
        if largest is None or stored_bytes(tensors) <= largest:
            weights = temporary / f"{name}.safetensors"
            write_tensors(weights, tensors, {"format": "pt"})
        else:
            weights = temporary / f"{name}{SUFFIX}"
            write_shards(weights, tensors, largest)
        record = loaded.checkpoint.model_copy(
            update={
                "path": weights.name,
                "sha256": file_sha256(weights),
                "metrics": (),
                "provenance": provenance(packages=checkpoint.PACKAGES, limit=loaded.checkpoint.config.limit),
            }
        )
        checkpoint.write_manifest(temporary / f"{name}.json", record)
        return Halved(manifest=folder / f"{name}.json", size=weights_bytes(weights), size_before=weights_bytes(before))


def _halved(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """All but vectors and counters in float16."""
    halved = {}
    for name, tensor in tensors.items():
        if tensor.dtype != torch.float32 or tensor.ndim < 2:
            halved[name] = tensor
            continue
        if (largest := tensor.abs().max().item()) > LARGEST:
            raise CheckpointError(f"{name} is beyond float16", value=f"{largest:.3g}", allowed=f"up to {LARGEST:g}")
        halved[name] = tensor.half()
    return halved
