"""What each layer of an exported file became: its size, its bits a weight, and how much it minds being compressed."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from tinyml.counting import counted
from tinyml.errors import TinyMLError
from tinyml.export.format import formats
from tinyml.export.size import stored_bits
from tinyml.export.weights import Encoding, Weight
from tinyml.schema import Artifact, Plan, WeightProof

from ...table import significant
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
    error: str | None
    """How far it is from its source; None: nothing was proved of it."""
    sensitivity: str | None
    """What it loses when it alone is compressed; None: no plan has measured it."""
    sensitive: float
    """The same beside the largest of its network, from 0 to 100."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """One artifact's layers."""

    name: str
    layers: list[Layer]
    total: str
    bits: float
    measured: str | None
    """How the sensitivity was measured."""

    @property
    def proved(self) -> bool:
        """Whether the error of any weight is known."""
        return any(layer.error is not None for layer in self.layers)


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """What each layer of a network loses when it alone is compressed, all in the same way."""

    option: str
    losses: dict[str, float]
    measure: str
    inputs: int

    def sentence(self) -> str:
        """How it was measured."""
        return (
            f"Sensitivity: {self.measure} of the outputs when this layer alone is stored as {self.option}, "
            f"measured on {counted(self.inputs, 'input')} by the search for a plan."
        )


def sensitivity_of(plan: Plan) -> Sensitivity | None:
    """From a plan's trials of single layers: those with the plain option closest in size to the plan itself.

    Layers can be told apart by one and the same option only, and best by one of few bits, as the plan has them. Plain
    are palettes and integers alone; None where no option was tried on every layer.
    """
    tried = [{m.option: m for m in layer.measured} for layer in plan.layers]
    common = set.intersection(*(set(options) for options in tried)) - {"none"} if tried else set()
    if not common:
        return None
    pairs = zip(plan.layers, tried, strict=True)
    whole = sum(each[layer.option].bytes for layer, each in pairs if layer.option in each)
    plain = {o.name for o in plan.options if len(o.compression) == 1 and o.compression[0].method != "prune"}
    option = min(sorted(common & plain or common), key=lambda name: abs(sum(m[name].bytes for m in tried) - whole))
    losses = {layer.layer: each[option].loss for layer, each in zip(plan.layers, tried, strict=True)}
    measure = {"divergence": "the Kullback-Leibler divergence", "error": "the relative squared error"}[plan.measure]
    return Sensitivity(option=option, losses=losses, measure=measure, inputs=plan.calibration_images)


@sections.register("layers")
def layers(project: Project, _: list[Figure]) -> Content | None:
    """One table an artifact, read from the file itself; a file that cannot be read is named."""
    told, unread = [], []
    held = {kept.record.artifact_sha256: kept.record for kept in project.proofs}
    known = {kept.record.source_sha256: sensitivity_of(kept.record) for kept in project.plans}
    for kept in project.artifacts:
        name = f"{kept.record.spec.architecture} {kept.record.variant.name}"
        weights = _weights(kept)
        if isinstance(weights, str):
            unread.append((name, weights))
        elif weights:
            found = known.get(kept.record.checkpoint_sha256)
            told.append(_told(name, weights, held.get(kept.record.sha256), found))
    if not told and not unread:
        return None
    return Content(place=55, title="Layers", template="layers.html", values={"told": told, "unread": unread})


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


def _told(name: str, weights: tuple[Weight, ...], held: WeightProof | None, sensitivity: Sensitivity | None) -> Told:
    losses = sensitivity.losses if sensitivity else {}
    largest = max((losses[w.layer] for w in weights if w.layer in losses), default=0.0) or 1.0
    errors = {proven.layer: f"{proven.error:.2%}" for proven in held.weights} if held is not None else {}
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
                error=errors.get(weight.layer),
                sensitivity=_loss(losses[weight.layer]) if weight.layer in losses else None,
                sensitive=100 * losses.get(weight.layer, 0.0) / largest,
            )
            for weight, each in zip(weights, bits, strict=True)
        ],
        total=f"{total / 8 / MEGABYTE:.2f} MB in {counted(len(weights), 'weight')}",
        bits=total / sum(weight.size for weight in weights),
        measured=sensitivity.sentence() if sensitivity and any(w.layer in losses for w in weights) else None,
    )


def _loss(loss: float) -> str:
    return significant(loss) if loss >= 1e-3 else f"{loss:.1e}"


def _words(encoding: Encoding) -> str:
    if encoding.method == "prune":
        return f"{encoding.zeros:.0%} zeros"
    parts = 1
    for along in encoding.groups:
        parts *= along
    what = "palette" if encoding.method == "palette" else "scale"
    kind = f"{encoding.dtype.lstrip('uint')}-bit palette" if encoding.method == "palette" else encoding.dtype
    return f"{kind}, {counted(parts, what)}"
