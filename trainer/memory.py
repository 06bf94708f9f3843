"""Memory: how much training took, and what to say when there is not enough."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from tinyml.errors import TrainingError
from tinyml.machine import peak_memory_bytes
from tinyml.schema import MemoryPeak


class MemoryMeter:
    """Peak memory of a run: call `sample` once a step.

    CUDA keeps the peak of allocated memory by itself; MPS has no such counter, so the largest sample of
    `current_allocated_memory` stands for it.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._sampled = 0
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)

    def sample(self) -> None:
        """Looks at the device's memory where that is the only way to know its peak."""
        if self._device.type == "mps":
            self._sampled = max(self._sampled, torch.mps.current_allocated_memory())

    def peak(self, before: MemoryPeak | None = None) -> MemoryPeak:
        """The peak so far, or that of an earlier part of the run if it was higher."""
        device: int | None = None
        if self._device.type == "cuda":
            device = torch.cuda.max_memory_allocated(self._device)
        elif self._device.type == "mps":
            device = self._sampled
        if before is not None and before.device_bytes is not None:
            device = max(device or 0, before.device_bytes)
        return MemoryPeak(
            process_bytes=max(peak_memory_bytes(), before.process_bytes if before else 0), device_bytes=device
        )


@contextlib.contextmanager
def out_of_memory_told(batch_size: int) -> Iterator[None]:
    """Turns each device's way of running out of memory into a TrainingError with advice."""
    try:
        yield
    except MemoryError as error:
        raise _too_little("the process", batch_size) from error
    except RuntimeError as error:  # torch.OutOfMemoryError is one; MPS and the CPU raise the bare class
        text = str(error)
        if isinstance(error, torch.OutOfMemoryError) or "out of memory" in text:
            raise _too_little("the device", batch_size) from error
        if "can't allocate memory" in text:
            raise _too_little("the process", batch_size) from error
        raise


def _too_little(whose: str, batch_size: int) -> TrainingError:
    return TrainingError(
        f"{whose} ran out of memory with a batch size of {batch_size}",
        hint=f"try --batch-size {max(1, batch_size // 2)}, a smaller model, or --precision bf16",
    )
