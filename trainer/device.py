"""Which device to compute on, asked by capability, and what each one is given.

On Apple's MPS (read in PyTorch's tracker, not run here): `channels_last` breaks batch normalization's backward
(https://github.com/pytorch/pytorch/issues/175189) and slows that of convolutions down thirtyfold
(https://github.com/pytorch/pytorch/issues/193349), so it is for CUDA and the CPU only; copies with `non_blocking`
corrupt data silently (https://github.com/pytorch/pytorch/issues/189690), so all copies block there; `torch.compile`
slows training (https://github.com/pytorch/pytorch/issues/192551) and is not used.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from tinyml.counting import counted
from tinyml.errors import UnavailableError, UsageError
from tinyml.machine import cpu_name

DEVICES = ("auto", "cpu", "cuda", "mps")

Precision = Literal["fp32", "bf16", "fp16"]


def absence(name: str) -> str | None:
    """Why the device `name` ("cpu", "cuda", "mps") cannot be used here; None: it can."""
    if name == "cuda":
        if not torch.backends.cuda.is_built():  # type: ignore[no-untyped-call]
            return "this build of torch has no CUDA"
        if not torch.cuda.is_available():
            return "torch finds no CUDA device or no driver for it"
    if name == "mps":
        if not torch.backends.mps.is_built():
            return "needs macOS: this build of torch has no MPS"
        if not torch.backends.mps.is_available():
            return "needs macOS 14 or later on Apple silicon"
    return None


def choose(name: str = "auto", *, absence: Callable[[str], str | None] = absence) -> torch.device:
    """The device of that name; "auto" is CUDA where there is one, else MPS, else the CPU. `absence` says what is not.

    Raises:
        UsageError: No such name.
        UnavailableError: The device does not exist here.
    """
    if name not in DEVICES:
        raise UsageError("unknown device", value=name, allowed=", ".join(DEVICES))
    if name == "auto":
        name = next(candidate for candidate in ("cuda", "mps", "cpu") if absence(candidate) is None)
    if reason := absence(name):
        raise UnavailableError(f"the device {name} is not available here", value=reason, hint="try --device auto")
    return torch.device(name)


def bf16_absence(device: torch.device) -> str | None:
    """Why bfloat16 autocast cannot be used on `device`; None: it can."""
    if device.type == "cuda" and not torch.cuda.is_bf16_supported():
        return "this GPU has no bfloat16"
    if device.type == "mps":
        try:
            torch.zeros(1, dtype=torch.bfloat16, device=device)
        except (TypeError, RuntimeError):
            return "bfloat16 on MPS needs macOS 14 or later"
    return None


def cpu_multiplies_bf16() -> bool:
    """Whether this CPU has instructions for bfloat16; without them it is slower than float32."""
    capabilities: dict[str, object] = getattr(
        torch.cpu, "get_capabilities", dict
    )()  # newer than the oldest torch that will do
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16"))


def half_absence(device: torch.device, precision: Precision) -> str | None:
    """Why bfloat16 or float16 autocast cannot be used on `device`; None: it can."""
    return bf16_absence(device) if precision == "bf16" else None


def autocast(
    device: torch.device,
    precision: Precision,
    *,
    absence: Callable[[torch.device, Precision], str | None] = half_absence,
) -> contextlib.AbstractContextManager[object]:
    """The context of a forward pass: products in bfloat16 or float16 with float32 weights, or nothing for "fp32".

    Raises:
        UnavailableError: The device lacks the precision.
    """
    if precision == "fp32":
        return contextlib.nullcontext()
    if reason := absence(device, precision):
        raise UnavailableError(
            f"precision {precision} is not available here", value=reason, hint="use --precision fp32"
        )
    # Always the device's own type: autocast("cuda") is silently nothing on a Mac.
    return torch.autocast(device.type, dtype=torch.bfloat16 if precision == "bf16" else torch.float16)


def memory_format(device: torch.device) -> torch.memory_format:
    """How images lie in memory: channels last except on MPS."""
    return torch.contiguous_format if device.type == "mps" else torch.channels_last


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor of the CPU on `device`, of which the CPU waits for nothing where the device has a queue of its own.

    A plain copy to CUDA ends when all work does that was given to it before: each would hold up the next step. From
    pinned memory, which torch keeps until it has been read, the copy is one more piece of that work.
    """
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def synchronize(device: torch.device) -> None:
    """Waits until `device` has done all that it was given; a CPU has when the call returns."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def device_name(device: torch.device) -> str:
    """A line for people and records: "cuda (NVIDIA H100)", "cpu (AMD EPYC, 2 threads)"."""
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    if device.type == "cpu":
        return f"cpu ({cpu_name()}, {counted(torch.get_num_threads(), 'thread')})"
    return device.type
