"""The weights that a compressed model was made of: those of the same network, converted without compression."""

from __future__ import annotations

import numpy as np
from torch import nn

from tinyml.schema import ModelSpec, Variant
from tinyml.scratch import scratch_in, temporary_folder

from .format import Metadata, formats
from .proof import Held


class Sources:
    """Of one network; each is converted once a format and precision.

    Args:
        network: In evaluation mode.
        spec: Its spec.
    """

    def __init__(self, network: nn.Module, spec: ModelSpec) -> None:
        self._network, self._spec = network, spec
        self._found: dict[tuple[str, str], Held] = {}

    def of(self, variant: Variant) -> Held:
        """The weights that `variant` compresses."""
        key = (variant.format, variant.precision)
        if key not in self._found:
            format_ = formats.get(variant.format)
            bare = variant.model_copy(update={"compression": ()})
            facts = {"tinyml.version": ""}
            metadata = Metadata(spec=self._spec, summary="", author="", license="", version="", facts=facts)
            with temporary_folder("source") as folder, scratch_in(folder):
                path = folder / f"source{format_.suffix}"
                format_.write(self._network, bare, metadata, np.empty((0, 1, 1, 3), np.uint8), path)
                self._found[key] = format_.held_weights(path)
        return self._found[key]
