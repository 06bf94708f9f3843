"""What executes an exported model here: one runtime a format, registered under the format's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tinyml.accuracy import Images, Scores
from tinyml.errors import ArtifactError, ManifestError
from tinyml.registry import Registry
from tinyml.schema import ModelSpec, Tensor
from tinyml.store import parse_json

SPEC_KEY = "tinyml.spec"
"""The metadata that holds an artifact's ModelSpec as JSON; what has it is ours."""

DATA_KEY = "tinyml.data"
"""The metadata that names the data set it was trained on."""

VARIANT_KEY = "tinyml.variant"
"""The metadata that names its variant."""


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """What one run of an artifact gave, both [N, classes]."""

    probabilities: Scores
    logits: Scores
    """What entered the softmax, as the artifact itself computed it."""


class Executable(Protocol):
    """An artifact, loaded and ready; a `tinyml.accuracy.Predictor` as well."""

    @property
    def spec(self) -> ModelSpec:
        """What the artifact is, from its own metadata."""

    @property
    def facts(self) -> Mapping[str, str]:
        """The key-value metadata written with it."""

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

    def probabilities(self, images: Images) -> Scores:
        """The probabilities of `run`."""

    def logits(self, images: Images) -> Scores | None:
        """The logits of `run`."""


class Runtime(Protocol):
    """One way to execute one format, registered in `tinyml.evaluation.runtimes.<format>`."""

    @property
    def title(self) -> str:
        """What executes it, for people."""

    @property
    def suffix(self) -> str:
        """Of the format's files' names."""

    def available(self) -> str | None:
        """Why it cannot run here; None: it can."""

    def open(self, path: Path) -> Executable:
        """Loads an artifact of ours; raises ArtifactError for anything else."""


runtimes: Registry[Runtime] = Registry("runtime", package="tinyml.evaluation.runtimes")


def spec_of(facts: Mapping[str, str], path: Path) -> ModelSpec:
    """The spec in a model's metadata; raises ArtifactError for a model that is not ours."""
    if SPEC_KEY not in facts:
        raise ArtifactError("a model that tinyml did not write", value=path, allowed=f"one with {SPEC_KEY!r} inside")
    try:
        return parse_json(facts[SPEC_KEY], ModelSpec, f"{SPEC_KEY} of {path}")
    except ManifestError as error:
        raise ArtifactError(str(error)) from None
