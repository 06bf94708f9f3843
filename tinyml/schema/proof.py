"""The proof of an artifact's weights: each one as it lies in the file, beside the one that it was made of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .base import SCHEMA_VERSION, Fraction, Provenance, Record, Sha256


class ProvenWeight(Record):
    """One stored weight, unpacked as the file's own ops do it and held to its source."""

    layer: str
    bits: Annotated[float, Field(gt=0)]
    """Stored bits a weight, with scales, palettes and masks."""
    error: Annotated[float, Field(ge=0)]
    """The norm of its difference from the source over that of the source."""
    of_allowed: Fraction
    """The share that this is of the error which its compression allows, in its worst output channel."""


class WeightProof(Record):
    """`proof.json` beside an artifact: written only where every weight was found as it should be."""

    schema_version: str = SCHEMA_VERSION
    kind: Literal["weight_proof"] = "weight_proof"
    artifact_sha256: Sha256
    checkpoint_sha256: Sha256
    weights: tuple[ProvenWeight, ...]
    """In the order of the network."""
    plain: tuple[str, ...]
    """The layers that the variant compresses nothing of."""
    provenance: Provenance
