"""A Core AI program, loaded into the runtime of Apple's wheel: on Linux the CPU's, which interprets op by op."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.schema import IMAGE
from tinyml.scratch import temporary_folder

from .packages import library, silent_stderr
from .program import open_asset

_AT_ONCE = 16
"""Calls that wait for each other in one go."""


def one_by_one(images: NDArray[np.uint8]) -> list[dict[str, NDArray[np.float32]]]:
    """Images [N, H, W, 3] as the inputs of N calls: programs of ours are written for one image."""
    pixels = np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32)
    return [{IMAGE: pixels[i : i + 1]} for i in range(len(pixels))]


class Session:
    """The function `main` of a program, ready to be called.

    Args:
        source: An `.aimodel`, or the text of a program.
        options: `coreai.runtime.SpecializationOptions`, which Macs alone have; None: Core AI's own choice.
    """

    def __init__(self, source: Path | str, options: Any = None) -> None:
        self._loop = asyncio.Runner()
        weakref.finalize(self, self._loop.close)
        with library():
            if isinstance(source, Path):
                self._model = self._loop.run(_loaded(open_asset(source), options))
            else:
                with temporary_folder("core-ai") as folder:
                    self._model = self._loop.run(_loaded(_saved(source, folder / "program.aimodel"), options))
            with silent_stderr():
                self._function = self._model.load_function("main")

    def run(self, inputs: Sequence[Mapping[str, NDArray[Any]]]) -> list[dict[str, NDArray[Any]]]:
        """The outputs of `main` for each of `inputs`, by name."""
        found: list[dict[str, NDArray[Any]]] = []
        for begin in range(0, len(inputs), _AT_ONCE):
            made = [self.example(values) for values in inputs[begin : begin + _AT_ONCE]]
            found += [
                {name: value.numpy().copy() for name, value in outputs.items()}
                for outputs in self._loop.run(self._all(made))
            ]
        return found

    def example(self, values: Mapping[str, NDArray[Any]]) -> Any:
        """`values` as the runtime takes them, for `call`."""
        from coreai.runtime import NDArray as Array

        return {name: Array(value) for name, value in values.items()}

    def call(self, example: Any) -> Any:
        """The runtime's own answer to what `example` made."""
        return self._loop.run(self._function(example))

    async def _all(self, examples: Sequence[Any]) -> list[Any]:
        return list(await asyncio.gather(*map(self._function, examples)))


async def _loaded(asset: Any, options: Any) -> Any:
    """The model; what it is made into in a temporary folder is in memory by the time that this is removed."""
    async with asset.executable(options) as model:
        return model


def _saved(text: str, path: Path) -> Any:
    """The asset of a program's text, which Apple's packages can only make of what they converted themselves."""
    from coreai._compiler.ir import Module
    from coreai.authoring import AIProgram
    from coreai.authoring.context import Context

    context = Context()._mlir_context
    with context:
        return AIProgram._from_mlir_module(Module.parse(text, context)).save_asset(path)
