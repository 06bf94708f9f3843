"""The scale of the loss in float16, whose smallest gradients would otherwise be zero."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.amp.grad_scaler import GradScaler

from tinyml.errors import CheckpointError

from .device import Precision
from .state import Tensors


def scaler_of(device: torch.device, precision: Precision) -> GradScaler:
    """What scales the loss, and takes the scale out of the gradients; in other precisions it does nothing."""
    return GradScaler(device.type, enabled=precision == "fp16")


@dataclass(frozen=True)
class ScalerState:
    """The scale, and for how many steps it has been kept, as a Part of the saved state."""

    scaler: GradScaler

    def tensors(self) -> Tensors:
        """See Part."""
        state = self.scaler.state_dict()
        return {name: torch.tensor(float(state[key]), dtype=torch.float64) for name, key in _KEPT.items()}

    def load(self, tensors: Tensors, origin: str) -> None:
        """See Part."""
        if tensors.keys() != _KEPT.keys():
            raise CheckpointError(f"{origin} lacks the scale of a training in float16", value=", ".join(tensors))
        kept = {"scale": float(tensors["scale"]), "_growth_tracker": int(tensors["unchanged_steps"])}
        self.scaler.load_state_dict({**self.scaler.state_dict(), **kept})


_KEPT = {"scale": "scale", "unchanged_steps": "_growth_tracker"}
