"""Core AI models in the runtime of Apple's own wheel, on Linux and on Macs."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import numpy as np

from tinyml.accuracy import Images, Scores, check_images
from tinyml.core_ai.packages import lacking
from tinyml.core_ai.program import Program, TensorType, read_program
from tinyml.core_ai.session import Session, one_by_one
from tinyml.errors import ArtifactError
from tinyml.schema import PROBABILITIES, Tensor

from ..runtime import Executable, Outputs, runtimes, spec_of

_LOGITS = "logits"
_DTYPES = {"f32": "float32", "f16": "float16"}


class CoreAIRuntime:
    """`.aimodel` wherever Apple's packages are installed."""

    title = "Apple's runtime"
    suffix = ".aimodel"

    def available(self) -> str | None:
        """Where `coreai-core` is installed."""
        return lacking("coreai")

    def open(self, path: Path) -> Executable:
        """Loads the model, with the softmax's input as one more output."""
        return CoreAIExecutable(path)


runtimes.add("coreai", CoreAIRuntime())


class CoreAIExecutable:
    """A Core AI model of ours: image [1, 3, side, side] of 0..255 to probabilities [1, classes], both float32."""

    def __init__(self, path: Path) -> None:
        program = read_program(path)
        self.facts = program.facts
        self.spec = spec_of(self.facts, path)
        self.inputs, self.outputs = _tensors(program.inputs), _tensors(program.outputs)
        self.runtime = f"Core AI {metadata.version('coreai-core')} (CPU)"
        self._session = Session(program.with_output(_logits_of(program), _LOGITS))

    def run(self, images: Images) -> Outputs:
        """Executes the program, written for one image, on all of them."""
        check_images(images, self.spec.preprocess)
        found = self._session.run(one_by_one(images))
        return Outputs(
            probabilities=np.concatenate([each[PROBABILITIES] for each in found]),
            logits=np.concatenate([each[_LOGITS] for each in found]),
        )

    def probabilities(self, images: Images) -> Scores:
        """The probabilities of `run`."""
        return self.run(images).probabilities

    def logits(self, images: Images) -> Scores | None:
        """The logits of `run`."""
        return self.run(images).logits


def _logits_of(program: Program) -> str:
    """What enters the softmax that makes the probabilities."""
    last = program.operations.get(program.returned[0])
    if len(program.returned) != 1 or last is None or last.kind != "coreai.softmax":
        raise ArtifactError("the probabilities do not come from a softmax", value=program.name)
    return last.operands[0]


def _tensors(types: Mapping[str, TensorType]) -> tuple[Tensor, ...]:
    return tuple(
        Tensor(name=name, kind="tensor", shape=found.shape, dtype=_DTYPES.get(found.dtype, found.dtype))
        for name, found in types.items()
    )
