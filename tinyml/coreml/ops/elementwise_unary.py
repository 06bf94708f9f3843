"""Elementwise ops of one operand, of all opsets (iOS17 lets `epsilon` have another float type than `x`)."""

from __future__ import annotations

import torch
from torch import Tensor

from tinyml.errors import PackageError

from .kernels import Activation
from .registry import op
from .samples import broadcast


@op("abs", exact=True, samples=broadcast)
def abs(x: Tensor) -> Tensor:  # noqa: A001 (an op function is named as its op)
    """`|x|`."""
    return torch.abs(x)


@op("acos", samples=broadcast)
def acos(x: Tensor) -> Tensor:
    """The inverse cosine."""
    return torch.acos(x)


@op("asin", samples=broadcast)
def asin(x: Tensor) -> Tensor:
    """The inverse sine."""
    return torch.asin(x)


@op("atan", samples=broadcast)
def atan(x: Tensor) -> Tensor:
    """The inverse tangent."""
    return torch.atan(x)


@op("atanh", samples=broadcast)
def atanh(x: Tensor) -> Tensor:
    """The inverse hyperbolic tangent."""
    return torch.atanh(x)


@op("ceil", exact=True, samples=broadcast)
def ceil(x: Tensor) -> Tensor:
    """Rounds towards positive infinity."""
    return torch.ceil(x)


@op("clip", exact=True, samples=broadcast)
def clip(x: Tensor, alpha: float, beta: float) -> Tensor:
    """`min(max(x, alpha), beta)`."""
    return torch.clamp(x, alpha, beta)


@op("cos", samples=broadcast)
def cos(x: Tensor) -> Tensor:
    """The cosine."""
    return torch.cos(x)


@op("cosh", samples=broadcast)
def cosh(x: Tensor) -> Tensor:
    """The hyperbolic cosine."""
    return torch.cosh(x)


@op("erf", fresh=True, samples=broadcast)
def erf(x: Tensor) -> Tensor:
    """The Gaussian error function."""
    return torch.erf(x)


@op("exp", fresh=True, samples=broadcast)
def exp(x: Tensor) -> Tensor:
    """`e^x`."""
    return torch.exp(x)


@op("exp2", samples=broadcast)
def exp2(x: Tensor) -> Tensor:
    """`2^x`; of an integer, without its fraction."""
    if x.is_floating_point():
        return torch.exp2(x)
    return torch.where(x < 0, 0, torch.pow(2, x.clamp(min=0)).to(x.dtype))


@op("floor", exact=True, samples=broadcast)
def floor(x: Tensor) -> Tensor:
    """Rounds towards negative infinity."""
    return torch.floor(x)


@op("inverse", samples=broadcast)
def inverse(x: Tensor, epsilon: float = 1e-4) -> Tensor:
    """`1 / (x + epsilon)`."""
    return torch.reciprocal(x + epsilon)


@op("log", samples=broadcast)
def log(x: Tensor, epsilon: float = 1e-45) -> Tensor:
    """The natural logarithm of `x + epsilon`."""
    return torch.log(x + epsilon)


@op("logical_not", exact=True, samples=broadcast)
def logical_not(x: Tensor) -> Tensor:
    """Whether `x` is 0 or False."""
    return torch.logical_not(x)


@op("round", exact=True, samples=broadcast)
def round(x: Tensor) -> Tensor:  # noqa: A001 (an op function is named as its op)
    """Rounds to the nearest integer, halves to the even one."""
    return torch.round(x)


@op("rsqrt", fresh=True, samples=broadcast)
def rsqrt(x: Tensor, epsilon: float = 1e-12) -> Tensor:
    """`1 / sqrt(x + epsilon)`."""
    return torch.rsqrt(x + epsilon)


@op("sign", exact=True, samples=broadcast)
def sign(x: Tensor) -> Tensor:
    """-1, 0 or 1."""
    return torch.sign(x)


@op("sin", samples=broadcast)
def sin(x: Tensor) -> Tensor:
    """The sine."""
    return torch.sin(x)


@op("sinh", samples=broadcast)
def sinh(x: Tensor) -> Tensor:
    """The hyperbolic sine."""
    return torch.sinh(x)


@op("sqrt", fresh=True, samples=broadcast)
def sqrt(x: Tensor) -> Tensor:
    """The square root."""
    return torch.sqrt(x)


@op("square", fresh=True, samples=broadcast)
def square(x: Tensor) -> Tensor:
    """`x * x`."""
    return x * x


@op("tan", samples=broadcast)
def tan(x: Tensor) -> Tensor:
    """The tangent."""
    return torch.tan(x)


@op("tanh", fresh=True, samples=broadcast, activation=Activation(name="tanh", function=torch.tanh))
def tanh(x: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    return torch.tanh(x)


@op("threshold", exact=True, samples=broadcast)
def threshold(x: Tensor, alpha: Tensor) -> Tensor:
    """`max(x, alpha)`."""
    return torch.maximum(x, alpha)


_INTEGERS = {
    "int8": (-(2**7), 2**7 - 1, torch.int8),
    "uint8": (0, 2**8 - 1, torch.uint8),
    "int16": (-(2**15), 2**15 - 1, torch.int16),
    "uint16": (0, 2**16 - 1, torch.int32),
    "int32": (-(2**31), 2**31 - 1, torch.int32),
}


@op("cast", samples=broadcast, transparent=True)
def cast(x: Tensor, dtype: str) -> Tensor:
    """`x` as another type; from iOS17 on also as 8- and 16-bit integers.

    A float loses its fraction and is limited to the integer type's range, NaN becomes 0 (as the conversion
    instructions of Arm processors do it); an integer that does not fit wraps around. The rounding to fp16 is the
    plan's.

    Raises:
        PackageError: MIL has no such type to cast to.
    """
    if dtype in ("fp16", "fp32"):
        return x.to(torch.float32)
    if dtype == "bool":
        return x != 0
    if dtype not in _INTEGERS:
        raise PackageError("cast to an unknown type", value=dtype, allowed=", ".join((*_INTEGERS, "fp16, fp32, bool")))
    low, high, storage = _INTEGERS[dtype]
    if x.is_floating_point():
        # float32 has no 2^31 - 1, so the upper limit is applied to integers, after a clamp that keeps them in range.
        whole = torch.nan_to_num(x, 0.0).clamp(low, high + 1).to(torch.int64)
        return whole.clamp(low, high).to(storage)
    if dtype == "uint16":
        return x.to(torch.int32).bitwise_and(0xFFFF)
    return x.to(storage)
