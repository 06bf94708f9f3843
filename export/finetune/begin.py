"""A network to fine-tune that begins as good as rounding without training made it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

_SHIFTED = (nn.Conv2d, nn.Linear, nn.BatchNorm2d)
"""What adds a bias to each channel."""


@torch.no_grad()
def begin_from(network: nn.Module, weights: Mapping[str, NDArray[np.float32]], seen: Tensor) -> None:
    """Puts rounded weights into `network`, and moves biases until each channel has the mean that it had before.

    The weights of one that compensates make up for each other's errors only together with the biases that it moved, so
    that these are found again here: all inputs pass through twice, with the weights before and with those put in.

    Args:
        network: The folded network.
        weights: By the path of the module that reads them; of the shape of its own.
        seen: float32 [N, 3, H, W].
    """
    network.eval()
    modules = dict(network.named_modules())
    shifted = {name: m for name, m in modules.items() if isinstance(m, _SHIFTED) and m.bias is not None}
    means: dict[str, Tensor] = {}

    def note(name: str, module: nn.Module, inputs: Any, output: Tensor) -> None:  # noqa: ARG001
        means[name] = _channel_means(output)

    def restore(name: str, module: Any, inputs: Any, output: Tensor) -> Tensor:  # noqa: ARG001
        missing = means[name] - _channel_means(output)
        module.bias.add_(missing)
        return output + (missing[:, None, None] if output.dim() == 4 else missing)

    for hook in (note, restore):
        handles = [module.register_forward_hook(partial(hook, name)) for name, module in shifted.items()]
        network(seen)
        for handle in handles:
            handle.remove()
        if hook is note:
            for name, values in weights.items():
                modules[name].get_parameter("weight").copy_(torch.from_numpy(values))


def _channel_means(output: Tensor) -> Tensor:
    """Of [N, C, H, W] or [..., C]: [C]."""
    return output.mean((0, 2, 3)) if output.dim() == 4 else output.flatten(0, -2).mean(0)
