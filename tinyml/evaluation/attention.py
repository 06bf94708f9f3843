"""Which places of an image spoke for an answer: Grad-CAM (Selvaraju et al., ICCV 2017) on the last map of features."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tinyml.accuracy import Images
from tinyml.schema import Preprocess
from tinyml.trainer.predictor import network_input


def class_activation(
    network: nn.Module, preprocess: Preprocess, images: Images, classes: NDArray[np.int64]
) -> NDArray[np.float32]:
    """What spoke for `classes` [N] in `images` [N, H, W, 3]: [N, H, W], 0 to 1, the largest of each image 1.

    The map is the output of the last module whose output still has places, [N, channels, h, w] with h, w > 1; in a
    vision transformer that is the embedding of its patches.
    """
    training = network.training
    network.eval()
    maps: list[Tensor] = []

    def keep(_: nn.Module, __: object, output: object) -> None:
        if isinstance(output, Tensor) and output.dim() == 4 and min(output.shape[2:]) > 1:
            maps[:] = [output]

    handles = [m.register_forward_hook(keep) for m in network.modules() if not list(m.children())]
    try:
        device = next(network.parameters()).device
        inputs = network_input(images, preprocess, device).requires_grad_()
        logits = network(inputs)
        score = logits[torch.arange(len(images)), torch.from_numpy(np.array(classes)).to(device)].sum()
        (gradient,) = torch.autograd.grad(score, maps[0])
        weights = gradient.mean((2, 3), keepdim=True)
        raw = functional.relu((weights * maps[0].detach()).sum(1, keepdim=True))
        size = images.shape[1:3]
        shown = functional.interpolate(raw, size=size, mode="bilinear", align_corners=False)[:, 0]
        peak = shown.amax((1, 2), keepdim=True)
        result: NDArray[np.float32] = (shown / torch.where(peak > 0, peak, torch.ones_like(peak))).cpu().numpy()
        return result
    finally:
        for handle in handles:
            handle.remove()
        network.train(training)
