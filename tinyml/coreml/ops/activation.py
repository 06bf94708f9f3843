"""Activations, of all opsets (iOS17 only lets their constants have another float type than `x`)."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from tinyml.errors import PackageError

from .kernels import Activation
from .registry import op
from .samples import along, broadcast, by_image

_GELU = {
    "EXACT": Activation(name="gelu", algorithm="none", function=functional.gelu),
    "TANH_APPROXIMATION": Activation(
        name="gelu", algorithm="tanh", function=partial(functional.gelu, approximate="tanh")
    ),
}
"""oneDNN's forms of gelu, by mode."""


@op("clamped_relu", samples=broadcast)
def clamped_relu(x: Tensor, alpha: float, beta: float) -> Tensor:
    """`min(beta, x)` where `x >= 0`, else `min(beta, alpha * x)`."""
    return torch.where(x >= 0, x, x * alpha).clamp(max=beta)


@op("elu", samples=broadcast)
def elu(x: Tensor, alpha: float) -> Tensor:
    """`x` where positive, else `alpha * (e^x - 1)`."""
    return functional.elu(x, alpha)


@op("gelu", fresh=True, samples=broadcast, activation=_GELU)
def gelu(x: Tensor, mode: str = "EXACT") -> Tensor:
    """The Gaussian error linear unit, by the error function or one of two approximations."""
    if mode == "EXACT":
        return functional.gelu(x)
    if mode == "TANH_APPROXIMATION":
        return functional.gelu(x, approximate="tanh")
    if mode == "SIGMOID_APPROXIMATION":
        return x * torch.sigmoid(x * 1.702)
    raise PackageError("unknown mode of gelu", value=mode, allowed="EXACT, TANH_APPROXIMATION, SIGMOID_APPROXIMATION")


@op("leaky_relu", samples=broadcast)
def leaky_relu(x: Tensor, alpha: float) -> Tensor:
    """`x` where `x >= 0`, else `alpha * x`."""
    return functional.leaky_relu(x, alpha)


@op("linear_activation", samples=broadcast)
def linear_activation(x: Tensor, alpha: float, beta: float) -> Tensor:
    """`alpha * x + beta`."""
    return x * alpha + beta


@op("prelu", samples=by_image)
def prelu(x: Tensor, alpha: Tensor) -> Tensor:
    """`x` where positive, else `alpha[channel] * x`; x [B, C, *D], alpha [C]."""
    return torch.where(x > 0, x, x * _by_channel(alpha, x))


# oneDNN has a relu too, but one that turns NaN into 0.
@op("relu", exact=True, samples=broadcast, in_place=torch.relu_)
def relu(x: Tensor) -> Tensor:
    """`max(x, 0)`."""
    return torch.relu(x)


@op("relu6", exact=True, samples=broadcast)
def relu6(x: Tensor) -> Tensor:
    """`min(max(x, 0), 6)`."""
    return torch.clamp(x, 0.0, 6.0)


@op("scaled_tanh", samples=broadcast)
def scaled_tanh(x: Tensor, alpha: float, beta: float) -> Tensor:
    """`alpha * tanh(beta * x)`."""
    return torch.tanh(x * beta) * alpha


@op("sigmoid", fresh=True, samples=broadcast, activation=Activation(name="sigmoid", function=torch.sigmoid))
def sigmoid(x: Tensor) -> Tensor:
    """`1 / (1 + e^-x)`."""
    return torch.sigmoid(x)


@op("sigmoid_hard", samples=broadcast)
def sigmoid_hard(x: Tensor, alpha: float, beta: float) -> Tensor:
    """`min(max(alpha * x + beta, 0), 1)`."""
    return (x * alpha + beta).clamp(0.0, 1.0)


@op("silu", fresh=True, samples=broadcast, activation=Activation(name="swish", function=functional.silu))
def silu(x: Tensor) -> Tensor:
    """`x * sigmoid(x)`."""
    return functional.silu(x)


@op("softmax", fresh=True, samples=along("axis"))
def softmax(x: Tensor, axis: int = -1) -> Tensor:
    """`e^x / sum(e^x)` along `axis`."""
    return torch.softmax(x, axis)


@op("softplus", samples=broadcast)
def softplus(x: Tensor) -> Tensor:
    """`log(1 + e^x)`, without overflow."""
    # torch's softplus returns x itself above a threshold of 20, which float32 cannot tell apart.
    return functional.softplus(x)


@op("softplus_parametric", samples=by_image)
def softplus_parametric(x: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    """`alpha[c] * log(1 + e^(beta[c] * x))`; x [B, C, *D], alpha and beta [C]."""
    return _by_channel(alpha, x) * functional.softplus(_by_channel(beta, x) * x)


@op("softsign", samples=broadcast)
def softsign(x: Tensor) -> Tensor:
    """`x / (1 + |x|)`."""
    return functional.softsign(x)


@op("thresholded_relu", exact=True, samples=broadcast)
def thresholded_relu(x: Tensor, alpha: float) -> Tensor:
    """`x` where `x >= alpha`, else 0."""
    return torch.where(x >= alpha, x, torch.zeros_like(x))


def _by_channel(vector: Tensor, x: Tensor) -> Tensor:
    """`vector` [C] shaped to multiply x [B, C, *D]."""
    return vector.reshape(-1, *[1] * (x.dim() - 2))
