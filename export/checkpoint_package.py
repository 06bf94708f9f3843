"""A checkpoint as the Core ML program that it would be exported as, for comparison with one that was."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinyml.coreml import ReferenceModel
from tinyml.coreml.plan.planner import Precision
from tinyml.errors import UsageError
from tinyml.scratch import scratch_in, temporary_folder
from tinyml.trainer.checkpoint import load

from .format import Metadata, formats
from .variants import variants

CHECKPOINTS = (".json", ".safetensors")
"""How the file names of checkpoints end."""


def is_checkpoint(path: Path) -> bool:
    """Whether `path` is named like a checkpoint."""
    return path.suffix in CHECKPOINTS


def open_program(
    path: Path,
    function_name: str | None = None,
    *,
    precision: Precision | None = None,
    compute_units: str | None = None,
) -> ReferenceModel:
    """What lies at `path` in the reference runtime; a checkpoint as the float32 program it converts to, unrounded.

    Of a package `precision` and `compute_units` decide the rounding, as of `ReferenceModel`.

    Raises:
        UsageError: A function of a checkpoint, which has none.
        CheckpointError, ManifestError, PackageError: It cannot be loaded.
    """
    if not is_checkpoint(path):
        return ReferenceModel(path, function_name, precision, seed=0, compute_units=compute_units)
    if function_name is not None:
        raise UsageError("a checkpoint has no functions", value=function_name)
    with temporary_folder("diff") as folder, scratch_in(folder):
        return ReferenceModel(write_package(path, folder), precision="float32", seed=0)


def write_package(checkpoint: Path, folder: Path) -> Path:
    """Writes the network of `checkpoint` into `folder` as coreml-fp32 and returns the package.

    It goes the way of every export: the same graph, so the values of the program have the same names.

    Raises:
        CheckpointError, ManifestError: it cannot be loaded.
    """
    loaded = load(checkpoint)
    variant, spec = variants.get("coreml-fp32"), loaded.checkpoint.spec
    format_ = formats.get(variant.format)
    metadata = Metadata(
        spec=spec,
        summary=f"{spec.architecture}, for comparison",
        author="tinyml",
        license="",
        version=loaded.checkpoint.sha256[:12],
        facts={},
    )
    size = spec.preprocess.input_size
    path = folder / f"{spec.architecture}-{variant.name}{format_.suffix}"
    format_.write(loaded.model, variant, metadata, np.zeros((0, size, size, 3), np.uint8), path)
    return path
