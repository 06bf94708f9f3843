"""Images changed by as little as possible to mislead a network whose gradients are known.

FGSM: Goodfellow et al., "Explaining and Harnessing Adversarial Examples", ICLR 2015. PGD: Madry et al., "Towards Deep
Learning Models Resistant to Adversarial Attacks", ICLR 2018. What comes out are images of whole values again, as a
file would hold them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tinyml.accuracy import BATCH, Images
from tinyml.schema import Preprocess


@dataclass(frozen=True, kw_only=True)
class Attack:
    """How images are changed: in `steps`, by at most `epsilon` 255ths a value."""

    name: Literal["fgsm", "pgd"]
    epsilon: int
    steps: int


ATTACKS = (Attack(name="fgsm", epsilon=1, steps=1), Attack(name="pgd", epsilon=1, steps=10))


def attacked(
    network: nn.Module, preprocess: Preprocess, images: Images, truth: NDArray[np.int64]
) -> Iterator[tuple[Attack, Images]]:
    """`images` [N, H, W, 3] under each attack on `network`, which must give logits; its mode is kept."""
    training = network.training
    network.eval()
    try:
        for attack in ATTACKS:
            parts = [
                _attacked(network, preprocess, images[i : i + BATCH], truth[i : i + BATCH], attack)
                for i in range(0, len(images), BATCH)
            ]
            yield attack, np.concatenate(parts)
    finally:
        network.train(training)


def _attacked(
    network: nn.Module, preprocess: Preprocess, images: Images, truth: NDArray[np.int64], attack: Attack
) -> Images:
    clean = torch.from_numpy(np.array(images)).float()
    targets = torch.from_numpy(np.array(truth))
    size = attack.epsilon if attack.steps == 1 else 2.5 * attack.epsilon / attack.steps
    changed = clean.clone()
    for _ in range(attack.steps):
        changed = changed + size * _uphill(network, preprocess, changed, targets)
        changed = torch.clamp(
            torch.minimum(torch.maximum(changed, clean - attack.epsilon), clean + attack.epsilon), 0, 255
        )
    whole: Images = changed.round().to(torch.uint8).numpy()
    return whole


def _uphill(network: nn.Module, preprocess: Preprocess, pixels: Tensor, targets: Tensor) -> Tensor:
    """The sign of the loss's gradient by pixel values [N, H, W, 3] of 0 to 255."""
    device = next(network.parameters()).device
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (preprocess.mean, preprocess.std))
    inputs = pixels.clone().requires_grad_()
    normal = (inputs.permute(0, 3, 1, 2) / 255 - mean) / std
    loss = functional.cross_entropy(network(normal.to(device)), targets.to(device))
    (gradient,) = torch.autograd.grad(loss, inputs)
    return gradient.sign()
