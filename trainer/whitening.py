"""A first convolution that begins by whitening: its outputs on patches of the training images are uncorrelated.

The idea: Jordan, 94% on CIFAR-10 in 3.29 Seconds on a Single GPU, 2024 (https://arxiv.org/abs/2404.00498), whose
whitening layer is frozen and stands before the network; here the network's own first layer begins so and is trained
on, unless `freeze` names it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from tinyml.errors import UsageError
from tinyml.schema import Preprocess

from .data import Split
from .predictor import network_input

IMAGES = 512
EPSILON = 1e-2
"""Added to the variances, so that directions which hardly occur are not blown up."""


def whiten(network: nn.Module, split: Split, images: npt.NDArray[np.int64], preprocess: Preprocess) -> None:
    """Gives the first convolution of `network` the filters that whiten patches of `images`, and their negatives.

    The directions of the largest variance come first, each with its negative, as far as there are outputs; outputs
    beyond twice the directions stay as they are.

    Raises:
        UsageError: The network does not begin with a convolution of the colors.
    """
    first = next((module for module in network.modules() if isinstance(module, nn.Conv2d)), None)
    if first is None or first.in_channels != 3 or first.groups != 1:
        raise UsageError("--whiten: the network does not begin with a convolution of the three colors")
    chosen = images[np.linspace(0, len(images) - 1, min(IMAGES, len(images))).astype(int)]
    filters = whitening_filters(network_input(split.images[chosen], preprocess), int(first.kernel_size[0]))
    pairs = torch.stack((filters, -filters), 1).flatten(0, 1)[: first.out_channels]
    with torch.no_grad():
        first.weight[: len(pairs)] = pairs.to(first.weight)


def whitening_filters(images: Tensor, size: int) -> Tensor:
    """Filters float32 [3 * size * size, 3, size, size] for normalized images [N, 3, H, W], by falling variance."""
    patches = images.double().unfold(2, size, size).unfold(3, size, size).permute(0, 2, 3, 1, 4, 5).flatten(0, 2)
    vectors = patches.flatten(1)
    vectors = vectors - vectors.mean(0)
    variances, directions = torch.linalg.eigh(vectors.T @ vectors / len(vectors))
    variances, directions = variances.flip(0), directions.flip(1).T
    largest = directions.abs().argmax(1, keepdim=True)
    directions = directions * directions.gather(1, largest).sign()  # whose sign is anybody's
    filters = directions / (variances + EPSILON).sqrt()[:, None]
    result: Tensor = filters.reshape(-1, *patches.shape[1:]).float()
    return result
