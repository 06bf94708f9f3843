"""How long each op of a program takes here. A figure of this machine and this runtime, never of a device."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import torch

from ..plan.plan import Step
from ..run.interface import Inputs
from ..run.model import ReferenceModel
from ..run.state import State


@dataclass(frozen=True, kw_only=True)
class OpTime:
    """One op of one run: its results' shapes, their range, and its time."""

    name: str
    kind: str
    shape: tuple[int, ...] | None
    low: float | None
    high: float | None
    duration_ns: int


def profile(model: ReferenceModel, inputs: Inputs, state: State | None = None) -> list[OpTime]:
    """Runs `model` once to warm up, once to measure; in the order of computation."""
    found: list[OpTime] = []
    last = 0

    def note(step: Step, results: tuple[Any, ...]) -> None:
        nonlocal last
        duration = time.perf_counter_ns() - last
        value = results[0] if results else None
        low, high, shape = None, None, None
        if isinstance(value, torch.Tensor):
            shape = tuple(value.shape)
            if value.numel():
                low, high = float(value.min()), float(value.max())
        found.append(OpTime(name=step.name, kind=step.kind, shape=shape, low=low, high=high, duration_ns=duration))
        last = time.perf_counter_ns()

    with torch.inference_mode():
        arguments = model.arguments(inputs, state)
        if state is None:
            model.plan(*arguments)
        last = time.perf_counter_ns()
        model.plan.observe(arguments, note)
    return found
