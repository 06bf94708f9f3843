"""Opening what holds an ML Program: an .mlpackage folder, an .mlmodel file, or a coremltools MLModel in memory."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyml.errors import ArtifactError, PackageError, reason_of

from ..program.dtypes import DType
from ..program.program import Program
from .blob import BlobFile
from .kinds import Kind, folder_refusal, kind_of, kind_of_folder, refusal
from .messages import model_messages
from .protobuf import parse_program

MAX_SPECIFICATION_BYTES = 2**31 - 1
"""Protobuf's own limit for one message."""

_WEIGHTS = "weights"
_MODEL_PATH = f"@model_path/{_WEIGHTS}/"


@dataclass(frozen=True, kw_only=True, eq=False)
class Package:
    """An opened ML Program."""

    name: str
    """What to call it in errors: the path, or "the model in memory"."""
    description: Any
    """Its `Model_pb2.ModelDescription`."""
    specification_version: int
    program: Program


def open_package(source: Any) -> Package:
    """Opens `source`: a path (str or Path) or a coremltools MLModel.

    Raises:
        PackageError: It is unsound; UnsupportedKindError where it may be sound, and is no ML Program.
    """
    if isinstance(source, (str, Path)):
        return _open_path(Path(source))
    if not hasattr(source, "get_spec"):
        raise PackageError(
            "no Core ML package",
            value=type(source).__name__,
            allowed="a path to an .mlpackage, or a coremltools MLModel",
        )
    weights = getattr(source, "weights_dir", None)
    return _open_specification(source.get_spec(), Path(weights) if weights else None, "the model in memory")


def read_specification(path: Path) -> Any:
    """The `Model_pb2.Model` at `path`, of whatever kind it is; its weights are not looked at. Raises PackageError."""
    return _parsed(_specification_file(path))


def _open_path(path: Path) -> Package:
    file = _specification_file(path)
    folder = file.parent / _WEIGHTS if path.is_dir() else None
    return _open_specification(_parsed(file), folder, str(path))


def _specification_file(path: Path) -> Path:
    if path.is_dir():
        return _model_file(path)
    if path.is_file():
        return path
    raise ArtifactError("no such Core ML package", value=path)


def _model_file(package: Path) -> Path:
    """The specification inside `package`, by its manifest."""
    kind = kind_of_folder(package)
    if kind is not None:
        raise folder_refusal(kind, package)
    try:
        content = json.loads((package / "Manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise PackageError(f"the manifest of {package} cannot be read", value=reason_of(error)) from None
    items = content.get("itemInfoEntries") if isinstance(content, dict) else None
    root = content.get("rootModelIdentifier") if isinstance(content, dict) else None
    entry = items.get(root) if isinstance(items, dict) and isinstance(root, str) else None
    relative = entry.get("path") if isinstance(entry, dict) else None
    if not isinstance(relative, str) or "\0" in relative:
        raise PackageError(f"the manifest of {package} names no root model", value=root)
    data = package / "Data"
    file = data / relative
    if not _lies_in(data, file, f"the manifest of {package} names no possible file"):
        raise PackageError(f"the manifest of {package} leads out of the package", value=relative)
    if not file.is_file():
        raise PackageError(f"the manifest of {package} names a model that is not there", value=relative)
    return file.resolve()


def _lies_in(folder: Path, file: Path, what: str) -> bool:
    """Whether `file` lies in `folder`, links followed; raises PackageError that says `what` of a name that cannot be.

    Such names are too long, of characters that no file system encodes, or of links that lead in a circle.
    """
    try:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            file.lstat()  # which fails for names that resolve() takes
        return file.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError) as error:
        raise PackageError(what, value=ascii(file.name), hint=reason_of(error)) from None


def _parsed(path: Path) -> Any:
    from google.protobuf.message import DecodeError

    size = path.stat().st_size
    if size > MAX_SPECIFICATION_BYTES:
        raise PackageError(f"{path} is too large for a model specification", value=f"{size} bytes")
    specification = model_messages().Model()
    try:
        specification.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise PackageError(f"{path} is no Core ML model, or a truncated one", value=str(error)) from None
    except OSError as error:
        raise PackageError(f"cannot read {path}", value=reason_of(error)) from None
    return specification


def _open_specification(specification: Any, folder: Path | None, name: str) -> Package:
    kind = kind_of(specification)
    if kind not in READERS:
        raise refusal(kind, specification, name)
    return READERS[kind](specification, folder, name)


def _read_program(specification: Any, folder: Path | None, name: str) -> Package:
    files: dict[str, BlobFile] = {}

    def read_blob(file: str, offset: int, dtype: DType, shape: tuple[int, ...], constant: str) -> np.ndarray:
        if file not in files:
            files[file] = BlobFile(_weight_file(file, folder, name))
        return files[file].read(offset, dtype, shape, constant)

    program = parse_program(specification.mlProgram, read_blob)
    return Package(
        name=name,
        description=specification.description,
        specification_version=specification.specificationVersion,
        program=program,
    )


READERS: dict[Kind, Callable[[Any, Path | None, str], Package]] = {Kind.ML_PROGRAM: _read_program}
"""What reads a specification of each kind: with the folder of its weights (None: it has none) and a name for errors."""


def _weight_file(file: str, folder: Path | None, name: str) -> Path:
    """Where the weight file `file` ("@model_path/weights/weight.bin") lies; `folder` is that of the weights."""
    if folder is None:
        raise PackageError(f"{name} keeps its weights in a file, but has no folder for it", value=file)
    path = folder / file.removeprefix(_MODEL_PATH).replace("\0", "")
    if not _lies_in(folder, path, f"{name} names no possible weight file"):
        raise PackageError(f"{name} has its weights outside the package", value=file)
    if not path.is_file():
        raise PackageError(f"{name} lacks its weight file", value=file)
    return path
