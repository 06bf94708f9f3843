"""What a user points at, opened: a checkpoint, an exported artifact, or a bare model file of ours."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch

from tinyml.accuracy import Predictor
from tinyml.errors import ArtifactError
from tinyml.schema import DatasetIdentity
from tinyml.shards import weights_bytes
from tinyml.store import file_sha256
from tinyml.trainer.checkpoint import load
from tinyml.trainer.device import device_name
from tinyml.workspace import ARTIFACT_MANIFEST, checked_artifact, find_manifest

from .checkpoint import CheckpointPredictor
from .runtime import DATA_KEY, VARIANT_KEY, runtimes


@dataclass(frozen=True, kw_only=True)
class OpenedModel:
    """A classifier and what is known of it."""

    predictor: Predictor
    variant: str
    """The variant's name, or "checkpoint"."""
    path: Path
    """The file or folder that holds the weights."""
    data: str | None
    """The data set it was trained on."""
    dataset: DatasetIdentity | None
    """Which images those were; None: it does not say."""
    runtime: str

    @property
    def sha256(self) -> str:
        """Of the weights' file or folder."""
        return file_sha256(self.path)

    @property
    def bytes(self) -> int:
        """Of the weights' file or folder."""
        return weights_bytes(self.path)


def open_predictor(path: Path, device: torch.device | str = "cpu") -> Predictor:
    """The classifier at `path`; see `open_model`."""
    return open_model(path, device).predictor


def open_model(path: Path, device: torch.device | str = "cpu") -> OpenedModel:
    """The classifier at `path`, told by what lies there.

    Args:
        path: A checkpoint's manifest or weights; an artifact's manifest, folder or model; an .mlpackage, .onnx or
            .aimodel of ours without a manifest.
        device: Where a checkpoint runs; artifacts run in their own runtime.

    Raises:
        ArtifactError: Missing, empty, changed since its manifest, or a model that tinyml did not write.
        CheckpointError: A checkpoint that cannot be loaded; a pickle, which is never opened.
        ManifestError: A JSON file that is no manifest of ours.
    """
    if not path.exists():
        known = "a checkpoint, an artifact, an .mlpackage, .onnx or .aimodel"
        raise ArtifactError("no such model", value=path, allowed=known)
    manifest = find_manifest(path)
    if manifest is not None and _kind(manifest) == "artifact":
        artifact, model = checked_artifact(manifest)
        return _opened(model, artifact.variant.format, artifact.dataset)
    for name, runtime in runtimes.items():
        if path.suffix == runtime.suffix:
            return _opened(path, name)
    if path.suffix in (".mlmodel", ".mlmodelc"):
        raise ArtifactError(
            "neither a neural network nor a compiled model can be executed", value=path, allowed="an .mlpackage"
        )
    if path.is_dir():
        raise ArtifactError(
            "no exported model in this folder", value=path, allowed=f"a folder with {ARTIFACT_MANIFEST}"
        )
    loaded = load(path)
    return OpenedModel(
        predictor=CheckpointPredictor(loaded, device),
        variant="checkpoint",
        path=loaded.manifest.parent / loaded.checkpoint.path,
        data=loaded.checkpoint.config.data,
        dataset=loaded.checkpoint.dataset,
        runtime=f"torch {torch.__version__.partition('+')[0]} ({device_name(torch.device(device))})",
    )


def _opened(path: Path, format_name: str, dataset: DatasetIdentity | None = None) -> OpenedModel:
    executable = runtimes.get(format_name).open(path)
    return OpenedModel(
        predictor=executable,
        variant=executable.facts.get(VARIANT_KEY, format_name),
        path=path,
        data=executable.facts.get(DATA_KEY),
        dataset=dataset,
        runtime=executable.runtime,
    )


def _kind(path: Path) -> object:
    """What a manifest calls itself; None for what cannot be read, which its loader explains better."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        return None
    return content.get("kind") if isinstance(content, dict) else None
