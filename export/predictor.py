"""Opening anything that classifies: a checkpoint, an exported artifact, or a bare model file of ours."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from tinyml.errors import ArtifactError
from tinyml.trainer.checkpoint import load
from tinyml.trainer.evaluate import CheckpointPredictor, Predictor

from .format import formats
from .verify import checked_artifact

MANIFEST = "manifest.json"


def open_predictor(path: Path, device: torch.device | str = "cpu") -> Predictor:
    """The classifier at `path`, told by what lies there.

    Args:
        path: A checkpoint's manifest or weights; an artifact's manifest or folder; an .mlpackage or .onnx of ours.
        device: Where a checkpoint runs; artifacts run in their own runtime.

    Raises:
        ArtifactError: Missing, empty, changed since its manifest, or a model that tinyml did not write.
        CheckpointError: A checkpoint that cannot be loaded; a pickle, which is never opened.
        ManifestError: A JSON file that is no manifest of ours.
    """
    if not path.exists():
        raise ArtifactError("no such model", value=path, allowed="a checkpoint, an artifact, an .mlpackage or .onnx")
    if path.is_dir() and (path / MANIFEST).is_file():
        path = path / MANIFEST
    if path.suffix == ".json" and _kind(path) == "artifact":
        artifact, model = checked_artifact(path)
        return formats.get(artifact.variant.format).open(model)
    for name in formats:
        format_ = formats.get(name)
        if path.suffix == format_.suffix:
            return format_.open(path)
    if path.suffix in (".mlmodel", ".mlmodelc"):
        raise ArtifactError(
            "neither a neural network nor a compiled model can be executed", value=path, allowed="an .mlpackage"
        )
    if path.is_dir():
        raise ArtifactError("no exported model in this folder", value=path, allowed=f"a folder with {MANIFEST}")
    return CheckpointPredictor(load(path), device)


def _kind(path: Path) -> object:
    """What a manifest calls itself; None for what cannot be read, which its loader explains better."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        return None
    return content.get("kind") if isinstance(content, dict) else None
