"""What each layer of an exported file became: its size, its bits a weight, and how much it minds being compressed."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from tinyml.errors import TinyMLError
from tinyml.export.format import formats
from tinyml.export.size import stored_bits
from tinyml.export.weights import Encoding, Weight
from tinyml.schema import Artifact

from ..figures import MEGABYTE, Figure
from ..project import Kept, Project
from ..section import Content, sections


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One stored weight."""

    name: str
    op: str
    shape: str
    stored: str
    """How, in words: "4-bit palette, 8 groups"; plainly: its type."""
    bits: float
    """A weight, with scales, palettes and masks."""
    bytes: int
    share: float
    """Of all weights of its file, from 0 to 100."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """One artifact's layers."""

    name: str
    layers: list[Layer]
    total: str
    bits: float


@sections.register("layers")
def layers(project: Project, _: list[Figure]) -> Content | None:
    """One table an artifact, read from the file itself; a file that cannot be read is named."""
    told, unread = [], []
    for kept in project.artifacts:
        name = f"{kept.record.spec.architecture} {kept.record.variant.name}"
        weights = _weights(kept)
        if isinstance(weights, str):
            unread.append((name, weights))
        elif weights:
            told.append(_told(name, weights))
    if not told and not unread:
        return None
    return Content(place=55, title="Layer by layer", template="layers.html", values={"told": told, "unread": unread})


def _weights(kept: Kept[Artifact]) -> tuple[Weight, ...] | str:
    """The file's weights, or why there are none to tell of."""
    path = kept.path.with_name(kept.record.path)
    if not path.exists():
        return "not told: the exported file is not beside its manifest"
    try:
        return _stored(kept.record.variant.format, path, path.stat().st_mtime_ns)
    except TinyMLError as error:
        return f"not told: {error}"


@functools.lru_cache(maxsize=256)
def _stored(kind: str, path: Path, _changed: int) -> tuple[Weight, ...]:
    """Read once, however often a served page is made."""
    return formats.get(kind).stored_weights(path)


def _told(name: str, weights: tuple[Weight, ...]) -> Told:
    bits = [stored_bits(weight.encodings, weight.shape, weight.dtype) for weight in weights]
    total = sum(bits)
    return Told(
        name=name,
        layers=[
            Layer(
                name=weight.layer,
                op=weight.op,
                shape=" x ".join(map(str, weight.shape)),
                stored=", then ".join(map(_words, weight.encodings)) or weight.dtype,
                bits=each / weight.size,
                bytes=round(each / 8),
                share=100 * each / total,
            )
            for weight, each in zip(weights, bits, strict=True)
        ],
        total=f"{total / 8 / MEGABYTE:.2f} MB in {len(weights)} weights",
        bits=total / sum(weight.size for weight in weights),
    )


def _words(encoding: Encoding) -> str:
    if encoding.method == "prune":
        return f"{encoding.zeros:.0%} zeros"
    parts = 1
    for along in encoding.groups:
        parts *= along
    what = "palette" if encoding.method == "palette" else "scale"
    kind = f"{encoding.dtype.lstrip('uint')}-bit palette" if encoding.method == "palette" else encoding.dtype
    return f"{kind}, {parts} {what}{'s' if parts > 1 else ''}"
