"""What a format must do: write a network, open what was written, run it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import nn

from tinyml.errors import ArtifactError, ManifestError
from tinyml.registry import Registry
from tinyml.schema import ModelSpec, Tensor, Variant
from tinyml.store import parse_json

from .weights import Weight

Images = NDArray[np.uint8]
"""RGB, [N, H, W, 3]."""
Floats = NDArray[np.float32]

SPEC_KEY = "tinyml.spec"
"""The metadata that holds an artifact's ModelSpec as JSON; what has it is ours."""

DATA_KEY = "tinyml.data"
"""The metadata that names the data set it was trained on."""

LAYERS_KEY = "tinyml.layers"
"""The metadata that lists, as JSON, the layers whose weights are multiplied with, in the order of the program."""


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


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """What one run of an artifact gave, both [N, classes]."""

    probabilities: Floats
    logits: Floats
    """What entered the softmax, as the artifact itself computed it."""


class Executable(Protocol):
    """An artifact, loaded and ready; a `tinyml.trainer.evaluate.Predictor` as well."""

    @property
    def spec(self) -> ModelSpec:
        """What the artifact is, from its own metadata."""

    @property
    def facts(self) -> Mapping[str, str]:
        """The metadata written with it, as in `Description.facts`."""

    @property
    def runtime(self) -> str:
        """What executes it, with its version."""

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """Its inputs."""

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """Its outputs."""

    def run(self, images: Images) -> Outputs:
        """Executes it on images of its input size; raises InputError for others."""

    def probabilities(self, images: Images) -> Floats:
        """The probabilities of `run`."""

    def logits(self, images: Images) -> Floats | None:
        """The logits of `run`."""


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

    def stored_weights(self, path: Path) -> tuple[Weight, ...]:
        """The weights and how each is stored, as found in the file itself."""


formats: Registry[Format] = Registry("format", package="tinyml.export.formats")


def spec_of(facts: Mapping[str, str], path: Path) -> ModelSpec:
    """The spec in a model's metadata; raises ArtifactError for a model that is not ours."""
    if SPEC_KEY not in facts:
        raise ArtifactError("a model that tinyml did not write", value=path, allowed=f"one with {SPEC_KEY!r} inside")
    try:
        return parse_json(facts[SPEC_KEY], ModelSpec, f"{SPEC_KEY} of {path}")
    except ManifestError as error:
        raise ArtifactError(str(error)) from None


def layers_of(facts: Mapping[str, str]) -> tuple[str, ...]:
    """The layers that a model's metadata lists; none for a model that does not say."""
    try:
        found = json.loads(facts.get(LAYERS_KEY, "[]"))
    except json.JSONDecodeError:
        return ()
    return tuple(map(str, found)) if isinstance(found, list) else ()
