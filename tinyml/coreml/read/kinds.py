"""What kind of Core ML model a path or a specification holds: the one place that asks, and that refuses the others.

A kind that can be read has its reader in `package.READERS`; compiled models, neural networks and pipelines wait for
theirs, and are refused by their names until then.
"""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Any

from tinyml.errors import PackageError, UnsupportedKindError


class Kind(enum.Enum):
    """What a Core ML model is made of."""

    ML_PROGRAM = enum.auto()
    NEURAL_NETWORK = enum.auto()
    PIPELINE = enum.auto()
    COMPILED = enum.auto()
    """An .mlmodelc folder, which holds MIL as text."""
    OTHER = enum.auto()
    """Trees, vector machines and the like."""
    NOTHING = enum.auto()


_PIPELINES = ("pipeline", "pipelineClassifier", "pipelineRegressor")


def kind_of_folder(folder: Path) -> Kind | None:
    """The kind that a folder shows without being opened; None where its specification has to say."""
    if (folder / "Manifest.json").is_file():
        return None
    return Kind.COMPILED if folder.suffix == ".mlmodelc" else Kind.NOTHING


def kind_of(specification: Any) -> Kind:
    """The kind that a `Model_pb2.Model` says it is."""
    kind = specification.WhichOneof("Type")
    if kind is None:
        return Kind.NOTHING
    if kind == "mlProgram":
        return Kind.ML_PROGRAM
    if kind.startswith("neuralNetwork"):
        return Kind.NEURAL_NETWORK
    return Kind.PIPELINE if kind in _PIPELINES else Kind.OTHER


def folder_refusal(kind: Kind, folder: Path) -> PackageError:
    """Why `folder` cannot be opened."""
    hint = "a compiled model (.mlmodelc) cannot be read" if kind is Kind.COMPILED else None
    return PackageError(f"{folder} is not a Core ML package", value="it has no Manifest.json", hint=hint)


def refusal(kind: Kind, specification: Any, name: str) -> PackageError:
    """Why the model `name`, of a kind without a reader, cannot be opened."""
    if kind is Kind.NOTHING:
        return PackageError(f"{name} holds no model", hint="the file is empty, truncated or no Core ML model")
    what = "a neural network of the .mlmodel era" if kind is Kind.NEURAL_NETWORK else "not an ML Program"
    return UnsupportedKindError(
        f"{name} is {what}",
        value=specification.WhichOneof("Type"),
        allowed="only ML Programs can be executed here",
    )
