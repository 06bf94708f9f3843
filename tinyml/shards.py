"""Weights in several files beside an index, as Hugging Face's libraries split them.

For what is carried in pieces: a mail, a repository or a machine that takes no large files. The index,
`NAME.safetensors.index.json`, says which file holds each tensor
(https://huggingface.co/docs/transformers/big_models); ours says the files' hashes as well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tinyml.errors import CheckpointError, reason_of
from tinyml.store import atomic_file, file_sha256, size_bytes

SUFFIX = ".safetensors.index.json"
LARGEST_INDEX = 16 * 2**20


@dataclass(frozen=True, kw_only=True)
class Shards:
    """What an index says."""

    files: Mapping[str, Path]
    """By tensor."""
    hashes: Mapping[Path, str]
    """SHA-256 of each file, where the index says it."""

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files, each once."""
        return tuple(sorted(set(self.files.values())))


def is_index(path: Path) -> bool:
    """Whether a file of this name is an index of several."""
    return path.name.endswith(SUFFIX)


def shard_name(name: str, number: int, count: int) -> str:
    """The file of one shard, from 1: "best-00001-of-00003.safetensors"."""
    return f"{name}-{number:05}-of-{count:05}.safetensors"


def write_index(path: Path, files: Mapping[str, Path], total_bytes: int) -> None:
    """Writes the index of `files` (by tensor, beside it already), whose tensors have so many bytes together."""
    hashes = {file.name: file_sha256(file) for file in sorted(set(files.values()))}
    content = {
        "metadata": {"total_size": total_bytes, "sha256": hashes},
        "weight_map": {name: file.name for name, file in files.items()},
    }
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_index(path: Path) -> Shards:
    """What the index at `path` says; its files all lie beside it.

    Raises:
        CheckpointError: It is missing, no index, points elsewhere, or a file of it is missing.
    """
    try:
        if path.stat().st_size > LARGEST_INDEX:
            raise CheckpointError("too large for an index of weights", value=path, allowed=f"{LARGEST_INDEX} bytes")
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError("no such weights file", value=path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(f"cannot read {path}", value=reason_of(error)) from None
    except (json.JSONDecodeError, RecursionError) as error:
        raise CheckpointError(f"{path} is not JSON", value=str(error)) from None
    names = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(names, dict) or not names or not all(isinstance(name, str) for name in names.values()):
        raise CheckpointError(f"{path} is no index of weights", allowed='a "weight_map" from tensors to files')
    for name in names.values():
        if Path(name).name != name or not name.endswith(".safetensors"):
            raise CheckpointError(
                f"{path} points outside its own folder", value=name, allowed="a .safetensors file beside it"
            )
    shards = Shards(files={tensor: path.parent / name for tensor, name in names.items()}, hashes=_hashes(path, content))
    for file in shards.paths:
        if not file.is_file():
            raise CheckpointError(
                "a part of the weights is missing", value=file, hint=f"{path.name} names {len(shards.paths)}: bring all"
            )
    return shards


def weights_bytes(path: Path) -> int:
    """The bytes of a weights file or folder, or of all the files that an index names."""
    return sum(size_bytes(file) for file in read_index(path).paths) if is_index(path) else size_bytes(path)


def _hashes(path: Path, content: Mapping[str, object]) -> dict[Path, str]:
    about = content.get("metadata")
    known = about.get("sha256") if isinstance(about, dict) else None
    return {path.parent / str(name): str(value) for name, value in known.items()} if isinstance(known, dict) else {}
