"""PyTorch's `torch.compile`: the network as trained, through its default compiler (inductor).

It compiles at the first prediction, which says how long that takes; torch keeps what it compiled on disk, so the first
round's may be the only cold one.
"""

from __future__ import annotations

import dataclasses
import shutil
from typing import TYPE_CHECKING, Any

from tinyml.schema import Units

from ..backend import Subject, backends
from .torch import TorchBackend

if TYPE_CHECKING:
    from tinyml.evaluation.checkpoint import CheckpointPredictor

_COMPILERS = ("c++", "g++", "clang++")


class TorchCompileBackend(TorchBackend):
    """Checkpoints in compiled PyTorch."""

    units: tuple[Units, ...] = ("cpu", "cuda")
    slow_to_start = True
    elsewhere = False

    def available(self, units: Units) -> str | None:
        """What the device lacks; on the CPU, a C++ compiler."""
        if units == "cpu" and not any(shutil.which(name) for name in _COMPILERS):
            return f"needs a C++ compiler ({', '.join(_COMPILERS)})"
        return super().available(units)

    def _open(self, subject: Subject, units: Units, threads: int | None) -> CheckpointPredictor:
        import torch

        from tinyml.evaluation.checkpoint import CheckpointPredictor
        from tinyml.trainer.checkpoint import load
        from tinyml.trainer.device import choose

        if threads is not None:
            torch.set_num_threads(threads)
        loaded = load(subject.manifest)
        compiled: Any = torch.compile(loaded.model)  # a module again, which torch's types do not say
        return CheckpointPredictor(dataclasses.replace(loaded, model=compiled), choose(units))


backends.add("torch_compile", TorchCompileBackend())
