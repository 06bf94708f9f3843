"""What a format must do: write a network, open what was written, run it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from torch import nn

from tinyml.accuracy import Images
from tinyml.evaluation.runtime import Executable
from tinyml.registry import Registry
from tinyml.schema import ModelSpec, Variant

from .proof import Held
from .weights import Weight

LAYERS_KEY = "tinyml.layers"
"""The metadata that lists, as JSON, the layers whose weights are multiplied with, in the order of the program."""


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """What a written model says of itself."""

    spec: ModelSpec
    summary: str
    author: str
    license: str
    version: str
    facts: Mapping[str, str]
    """Further key-value metadata: provenance, the data set, the spec as JSON."""


class Format(Protocol):
    """One file format, registered in `tinyml.export.formats.<name>` under the name that variants use."""

    @property
    def suffix(self) -> str:
        """Of its files' names."""

    @property
    def packages(self) -> tuple[str, ...]:
        """The distributions whose versions belong in an artifact's provenance."""

    def available(self) -> str | None:
        """Why it cannot be written on this machine; None: it can."""

    def write(self, network: nn.Module, variant: Variant, metadata: Metadata, calibration: Images, path: Path) -> None:
        """Writes `network` as `variant` to the new `path`.

        Args:
            network: The trained network in evaluation mode; not changed.
            variant: What to write.
            metadata: What it says of itself.
            calibration: Training images for a compression that needs to see activations; may be empty for others.
            path: Where to; must not exist.
        """

    def open(self, path: Path) -> Executable:
        """Loads an artifact of ours; raises ArtifactError for anything else."""

    def stored_weights(self, path: Path) -> tuple[Weight, ...]:
        """The weights and how each is stored, as found in the file itself."""

    def held_weights(self, path: Path) -> Held:
        """The weights as of `stored_weights`, each with its values as the file's own ops unpack them."""


formats: Registry[Format] = Registry("format", package="tinyml.export.formats")


def layers_of(facts: Mapping[str, str]) -> tuple[str, ...]:
    """The layers that a model's metadata lists; none for a model that does not say."""
    try:
        found = json.loads(facts.get(LAYERS_KEY, "[]"))
    except json.JSONDecodeError:
        return ()
    return tuple(map(str, found)) if isinstance(found, list) else ()
