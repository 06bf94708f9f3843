"""What is exported: preprocessing, the trained network and softmax in one module."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tinyml.schema import Preprocess


class Deployable(nn.Module):
    """Raw pixels to probabilities: `softmax(network((image / 255 - mean) / std))`.

    Preprocessing lies inside because a forgotten or doubled normalization is what most often breaks an app. It
    subtracts before it multiplies: in half precision the difference of two numbers of 0..255 is nearly exact, and
    coremltools 9.0 would make of a multiplication and an addition a batch_norm with an epsilon of 1e-5, which shrinks
    every pixel.
    BatchNorm stays in the module; both converters fold it into the convolution before it (a test asserts that they do).

    Args:
        network: The trained network, float [N, 3, H, W] normalized to logits [N, classes].
        preprocess: Its mean and std.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, network: nn.Module, preprocess: Preprocess) -> None:
        super().__init__()
        self.network = network
        mean = torch.tensor(preprocess.mean, dtype=torch.float64)
        std = torch.tensor(preprocess.std, dtype=torch.float64)
        self.register_buffer("mean", (255 * mean).float().view(1, 3, 1, 1))
        self.register_buffer("scale", (1 / (255 * std)).float().view(1, 3, 1, 1))

    def forward(self, image: Tensor) -> Tensor:
        """Float [N, 3, H, W] of 0..255, RGB, to probabilities [N, classes]."""
        return torch.softmax(self.network((image - self.mean) * self.scale), dim=1)


def trace(network: nn.Module, preprocess: Preprocess, *, dynamic_batch: bool) -> torch.export.ExportedProgram:
    """The program of `Deployable(network)` as torch.export sees it, in evaluation mode.

    Args:
        network: The trained network; left as it was.
        preprocess: Its preprocessing, which also fixes the image's size.
        dynamic_batch: Whether the batch may vary; else it is 1.
    """
    module = Deployable(network, preprocess).eval()
    batch = 2 if dynamic_batch else 1  # torch.export takes a batch of 1 for a constant.
    image = torch.zeros(batch, 3, preprocess.input_size, preprocess.input_size)
    shapes = ({0: torch.export.Dim("batch", min=1)},) if dynamic_batch else None
    with torch.no_grad():
        return torch.export.export(module, (image,), dynamic_shapes=shapes)


_MULTIPLY = ("conv1d", "conv2d", "conv3d", "convolution", "linear", "addmm", "mm", "matmul", "bmm")


def layers(program: torch.export.ExportedProgram) -> tuple[str, ...]:
    """The layers of a traced `Deployable` that multiply with a parameter, in order, by their modules' names.

    "features.0" for the parameter "features.0.weight"; "attention.in_proj" for "attention.in_proj_weight".
    """
    parameters = program.graph_signature.inputs_to_parameters
    found: list[str] = []
    for node in program.graph.nodes:
        if node.op != "call_function" or str(node.target).split(".")[1:2] not in [[name] for name in _MULTIPLY]:
            continue
        weights = [_source(argument) for argument in node.args if isinstance(argument, torch.fx.Node)]
        names = [parameters[weight.name] for weight in weights if weight.name in parameters]
        matrices = [name for name in names if program.state_dict[name].ndim > 1]
        found.extend(name.removeprefix("network.").removesuffix("weight").rstrip("._") for name in matrices)
    return tuple(found)


def _source(node: torch.fx.Node) -> torch.fx.Node:
    """What a transposed weight is made of."""
    while node.op == "call_function" and str(node.target).split(".")[1:2] in (["t"], ["transpose"], ["permute"]):
        node = node.args[0]  # type: ignore[assignment]
    return node
