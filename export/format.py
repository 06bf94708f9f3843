"""What a format must do: write a network, open what was written, run it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from torch import nn

from tinyml.accuracy import Images
from tinyml.evaluation.runtime import Executable
from tinyml.registry import Registry
from tinyml.schema import ModelSpec, Variant


@dataclass(frozen=True, kw_only=True)
class Description:
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

    def write(
        self, network: nn.Module, variant: Variant, description: Description, calibration: Images, path: Path
    ) -> None:
        """Writes `network` as `variant` to the new `path`.

        Args:
            network: The trained network in evaluation mode; not changed.
            variant: What to write.
            description: Its metadata.
            calibration: Training images for a compression that needs to see activations; may be empty for others.
            path: Where to; must not exist.
        """

    def open(self, path: Path) -> Executable:
        """Loads an artifact of ours; raises ArtifactError for anything else."""

    def weight_elements(self, path: Path) -> Mapping[str, int]:
        """How many weights are stored in which type ("int8", "fp16"), as found in the file itself."""


formats: Registry[Format] = Registry("format", package="tinyml.export.formats")
