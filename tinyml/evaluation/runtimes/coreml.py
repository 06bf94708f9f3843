"""Core ML packages in our own reference runtime, in the precision that they declare."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinyml.accuracy import Images, Scores, check_images
from tinyml.coreml import ReferenceModel
from tinyml.coreml.read.package import Package, open_package
from tinyml.errors import ArtifactError
from tinyml.schema import IMAGE, LABEL, PROBABILITIES, ModelSpec, Tensor

from ..runtime import Executable, Outputs, runtimes, spec_of


class ReferenceRuntime:
    """`.mlpackage` on any machine."""

    title = "reference runtime"
    suffix = ".mlpackage"

    def available(self) -> str | None:
        """It runs wherever tinyml does."""
        return None

    def open(self, path: Path) -> Executable:
        """Loads and checks the package."""
        return CoreMLExecutable(path)


runtimes.add("coreml", ReferenceRuntime())


class CoreMLExecutable:
    """A Core ML package of ours in the reference runtime, in the precision that it declares."""

    def __init__(self, path: Path) -> None:
        from tinyml import __version__

        package = open_package(path)
        self.facts = dict(package.description.metadata.userDefined)
        self.spec = spec_of(self.facts, path)
        self.inputs, self.outputs = _interface(package, self.spec)
        self.runtime = f"tinyml reference runtime {__version__}"
        self._model = ReferenceModel(path)
        if self._model.logits_name is None:
            raise ArtifactError("the probabilities do not come from a softmax", value=path)
        if self._model.classes != self.spec.labels:
            raise ArtifactError("the classes of the program are not those of its metadata", value=path)
        self._logits = self._model.logits_name

    def run(self, images: Images) -> Outputs:
        """Executes the program, written for one image, on all of them."""
        check_images(images, self.spec.preprocess)
        values = self._model.predict_batch({IMAGE: images}, values=(PROBABILITIES, self._logits))
        return Outputs(
            probabilities=values[PROBABILITIES].astype(np.float32), logits=values[self._logits].astype(np.float32)
        )

    def probabilities(self, images: Images) -> Scores:
        """The probabilities of `run`."""
        return self.run(images).probabilities

    def logits(self, images: Images) -> Scores | None:
        """The logits of `run`."""
        return self.run(images).logits


def _interface(package: Package, spec: ModelSpec) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    description = package.description
    kinds = {"imageType": "image", "multiArrayType": "tensor", "stringType": "label", "dictionaryType": "dictionary"}
    size = spec.preprocess.input_size
    inputs = tuple(
        Tensor(name=value.name, kind="image", shape=(1, 3, size, size), dtype="uint8") for value in description.input
    )
    outputs = tuple(
        Tensor(name=LABEL, kind="label", shape=(), dtype="string")
        if kinds[value.type.WhichOneof("Type")] == "label"
        else Tensor(name=value.name, kind="dictionary", shape=(spec.classes,), dtype="float64")
        for value in description.output
    )
    return inputs, outputs
