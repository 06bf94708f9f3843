"""Models that run in the page: onnxruntime-web's files and the exported models as ONNX, packed into the page itself."""

from __future__ import annotations

import base64
import functools
import gzip
from dataclasses import dataclass
from pathlib import Path

from tinyml.errors import ArtifactError, BenchError
from tinyml.onnx_session import open_session
from tinyml.schema import Artifact
from tinyml.store import size_bytes
from tinyml.workspace import cache_dir, checked_artifact

from .project import Kept

MODULE, WASM = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
"""The two files of onnxruntime-web's folder `dist` that a page needs: its module with the loader inside, and the code.

https://onnxruntime.ai/docs/tutorials/web/env-flags-and-session-options.html (`env.wasm.wasmBinary`, `numThreads`)
"""

LARGEST_BYTES = 60_000_000
"""Of all models of a page together, as ONNX; more would keep a browser busy for long."""


@dataclass(frozen=True, kw_only=True)
class Packed:
    """A model ready for the page."""

    content: str
    """The ONNX file, gzip, base64."""
    input: str
    output: str


def checked_runtime(folder: Path) -> Path:
    """`folder` where it holds onnxruntime-web's files; raises BenchError for what is missing."""
    missing = [name for name in (MODULE, WASM) if not (folder / name).is_file()]
    if missing:
        raise BenchError(
            "the folder lacks files of onnxruntime-web",
            value=f"{folder}: no {', no '.join(missing)}",
            allowed=f"a folder with {MODULE} and {WASM}",
            hint="they lie in the folder dist of the npm package onnxruntime-web",
        )
    return folder


def packed_file(path: Path) -> str:
    """A file as text, gzip and base64; the same file gives the same text."""
    return _packed(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _packed(path: Path, _changed: int) -> str:
    return base64.b64encode(gzip.compress(path.read_bytes(), mtime=0)).decode()


def as_onnx(kept: Kept[Artifact]) -> Path:
    """An artifact as an ONNX file: itself, or its package converted, verified against it and kept in the cache.

    Raises:
        ArtifactError: The model is not what its manifest says, of a format that is not converted, or not convertible.
    """
    artifact, path = checked_artifact(kept.path)
    if artifact.variant.format == "onnx":
        return path
    if artifact.variant.format != "coreml":
        raise ArtifactError(f"a model of the format {artifact.variant.format} is not converted to ONNX")
    if size_bytes(path) > LARGEST_BYTES:
        raise ArtifactError("larger than a page holds", value=f"{size_bytes(path) / 1e6:.0f} MB")
    target = cache_dir() / "in-page" / f"{artifact.sha256}.onnx"
    if not target.is_file():
        from tinyml.coreml.tools.convert import convert

        target.parent.mkdir(parents=True, exist_ok=True)
        convert(path, "onnx", target)
    return target


def packed(model: Path, labels: int) -> Packed:
    """An ONNX classifier for the page; raises ArtifactError where no output has a value a label."""
    session = open_session(model, threads=1)
    (image,) = session.get_inputs()
    outputs = [output.name for output in session.get_outputs() if output.shape[-1:] == [labels]]
    if not outputs:
        raise ArtifactError("no output has one value for each label", value=model)
    return Packed(content=packed_file(model), input=image.name, output=outputs[0])
