"""Checkpoints: a `.safetensors` file of weights and the manifest beside it that says what they are.

The manifest holds the hash of the weights, so a pair that a crash left half replaced, and any later change, is noticed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from tinyml.commands import first_training
from tinyml.errors import CheckpointError, reason_of
from tinyml.schema import Checkpoint, DatasetIdentity, Metrics, ModelSpec, Preprocess, Provenance, TrainConfig
from tinyml.shards import SUFFIX, is_index
from tinyml.store import file_sha256, provenance, read_json, write_json

from .architecture import architectures, build, count_parameters
from .weights import check_fit, looks_pickled, read_tensors, refuse_pickle_name, write_tensors

PACKAGES = ("torch", "numpy", "safetensors")


@dataclass(frozen=True, kw_only=True)
class LoadedCheckpoint:
    """A network with its trained weights, in evaluation mode on the CPU, and where it came from."""

    model: nn.Module
    checkpoint: Checkpoint
    manifest: Path


def spec_of(name: str, model: nn.Module, labels: tuple[str, ...], preprocess: Preprocess) -> ModelSpec:
    """The spec of a network of the architecture `name`."""
    return ModelSpec(architecture=name, parameters=count_parameters(model), labels=labels, preprocess=preprocess)


def save(
    folder: Path,
    name: str,
    model: nn.Module,
    *,
    spec: ModelSpec,
    config: TrainConfig,
    dataset_sha256: str,
    dataset: DatasetIdentity | None = None,
    epoch: int = 0,
    metrics: tuple[Metrics, ...] = (),
    made: Provenance | None = None,
) -> Path:
    """Writes `folder/name.safetensors` and `folder/name.json`, and returns the manifest's path.

    Args:
        folder: Made where it lacks.
        name: "best", "last", "epoch-010".
        model: The network whose `state_dict` is written.
        spec: What the network is.
        config: How it was trained.
        dataset_sha256: The hash of the index of the data set it was trained on.
        dataset: Which images those were.
        epoch: The number of epochs it has seen.
        metrics: What it was measured to reach.
        made: Its provenance; None: this process, now.

    Raises:
        CheckpointError: The folder cannot be written to, or the disk is full.
    """
    weights = folder / f"{name}.safetensors"
    write_tensors(weights, model.state_dict(), {"format": "pt"})
    record = Checkpoint(
        path=weights.name,
        sha256=file_sha256(weights),
        spec=spec,
        config=config,
        dataset_sha256=dataset_sha256,
        dataset=dataset,
        epoch=epoch,
        metrics=metrics,
        provenance=made or provenance(packages=PACKAGES, limit=config.limit),
    )
    return write_manifest(weights.with_suffix(".json"), record)


def write_manifest(path: Path, record: Checkpoint) -> Path:
    """Writes the manifest beside its weights, and returns `path`; raises CheckpointError."""
    try:
        write_json(path, record)
    except OSError as error:
        raise CheckpointError(f"cannot write {path}", value=reason_of(error)) from error
    return path


def load(path: Path) -> LoadedCheckpoint:
    """The checkpoint at `path`, its manifest or its weights.

    Raises:
        CheckpointError: The weights are missing, empty, truncated, changed since the manifest was written, a pickle, or
            do not fit the architecture that the manifest names.
        ManifestError: The manifest is no checkpoint's.
        UnknownNameError: The manifest names an architecture that is not registered.
    """
    manifest = _manifest_of(path)
    checkpoint = read_json(manifest, Checkpoint)
    if Path(checkpoint.path).name != checkpoint.path:
        raise CheckpointError(
            f"{manifest} points outside its own folder", value=checkpoint.path, allowed="a file name beside it"
        )
    weights = manifest.parent / checkpoint.path
    if not weights.exists():
        raise CheckpointError(
            f"{manifest} lies without its weights",
            value=weights.name,
            hint=f"put them beside it, or make them again: {checkpoint.provenance.command}",
        )
    tensors, _ = read_tensors(weights)
    if (actual := file_sha256(weights)) != checkpoint.sha256:
        raise CheckpointError(
            f"{weights} is not what its manifest describes",
            value=f"sha256 {actual[:12]}…",
            allowed=f"{checkpoint.sha256[:12]}…",
            hint="one of the two was changed or left over from an interrupted save; resume or repeat the training",
        )
    return LoadedCheckpoint(
        model=network(checkpoint.spec, tensors, str(weights)), checkpoint=checkpoint, manifest=manifest
    )


def network(spec: ModelSpec, tensors: Mapping[str, Tensor], origin: str) -> nn.Module:
    """The network that `spec` describes with these weights, in evaluation mode; float16 becomes float32 again.

    Raises:
        CheckpointError: A tensor is missing, too many, or of another shape or type; `origin` names the file.
    """
    architectures.get(spec.architecture)
    with torch.device("meta"):
        model = build(spec.architecture, spec.classes)
    tensors = {name: tensor.float() if tensor.dtype == torch.float16 else tensor for name, tensor in tensors.items()}
    check_fit(model.state_dict(), tensors, f"{origin} does not hold a {spec.architecture} of {spec.classes} classes")
    if count_parameters(model) != spec.parameters:
        raise CheckpointError(
            f"{origin}: the manifest's number of parameters is not that of a {spec.architecture}",
            value=spec.parameters,
            allowed=str(count_parameters(model)),
        )
    model.load_state_dict(tensors, assign=True)
    return model.eval()


def manifest_beside(weights: Path) -> Path:
    """Where the manifest of a weights file, or of the index of several, lies if there is one."""
    return weights.with_name(weights.name.removesuffix(SUFFIX).removesuffix(".safetensors") + ".json")


def _manifest_of(path: Path) -> Path:
    refuse_pickle_name(path)
    if not path.exists():
        raise CheckpointError("no such checkpoint", value=path, hint=first_training())
    if path.is_dir():
        raise CheckpointError(
            "a checkpoint is a file, not a folder", value=path, allowed="a .json or .safetensors file"
        )
    if path.suffix == ".json" and not is_index(path):
        return path
    if not is_index(path) and path.suffix != ".safetensors":
        with path.open("rb") as file:
            pickled = looks_pickled(file.read(16))
        raise CheckpointError(
            "a pickle is no checkpoint and is never loaded" if pickled else "not a checkpoint of tinyml",
            value=path,
            allowed="a .json manifest, or the .safetensors file beside it",
        )
    manifest = manifest_beside(path)
    if not manifest.exists():
        read_tensors(path)  # says what is wrong with the file itself, if anything is
        raise CheckpointError(
            "these weights have no manifest of tinyml beside them", value=path, allowed=f"with {manifest.name}"
        )
    return manifest
