"""Evaluating a program that was written for one sample on many at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from PIL import Image

from tinyml.errors import InputError, PackageError

from ..plan.accelerate import accelerate, specialize, work_in_place
from ..plan.lift import lift, samples_first
from ..plan.plan import Plan
from ..program.types import MilType
from ..read.description import ArrayFeature, Features, ImageFeature, as_array
from .images import image_array, pixels_array

Samples = np.ndarray | Sequence[Image.Image]

FEWEST, MOST = 32, 64
"""How many samples are computed at a time, of large and of small ones."""
_VALUES = 1 << 20
"""About so many values of the inputs are computed at a time."""


def chunk_for(sample: Iterable[torch.Tensor]) -> int:
    """How many samples to compute at a time, where `sample` are the inputs of one.

    Of fewer, what is done once a call (laying a convolution's weights out anew, where no layout is kept) is a large
    part of it; of more, each value would be given new memory by the system, which takes longer than to compute it.
    """
    values = sum(tensor.numel() for tensor in sample)
    return min(MOST, max(FEWEST, _VALUES // max(1, values)))


def sample_tensors(features: Features, inputs: Mapping[str, Samples]) -> dict[str, torch.Tensor]:
    """The inputs as tensors [N, *shape of one sample], float or integer as given.

    Args:
        features: the model's inputs.
        inputs: by name, for an array [N, *shape] (a leading 1 of the model's shape may be left out), for an image uint8
            [N, height, width, 3] in RGB order, [N, height, width] for gray, or PIL images.

    Raises:
        InputError: a wrong name, type or shape, or different numbers of samples.
    """
    tensors = {}
    for name, value in inputs.items():
        if name not in features:
            raise InputError("the model has no input of this name", value=name, allowed=", ".join(features))
        feature = features[name]
        if isinstance(feature, ImageFeature):
            tensors[name] = _images(feature, value)
        elif isinstance(feature, ArrayFeature):
            tensors[name] = _arrays(feature, value)
        else:
            raise InputError(f"input {name!r} is of a type that this runtime does not take", value=str(feature))
    counts = {name: len(tensor) for name, tensor in tensors.items()}
    if len(set(counts.values())) != 1:
        raise InputError("the inputs have different numbers of samples", value=counts)
    if 0 in counts.values():
        raise InputError("there are no samples", value=counts)
    return tensors


def _images(feature: ImageFeature, value: Samples) -> torch.Tensor:
    if not isinstance(value, np.ndarray):
        arrays = [image_array(feature, image) for image in value]
        sizes = dict.fromkeys(f"{array.shape[-1]}x{array.shape[-2]}" for array in arrays)
        if len(sizes) != 1:
            allowed = "one or more, of one size"
            raise InputError(
                f"images {feature.name!r} make no batch", value=", ".join(sizes) or "none", allowed=allowed
            )
        return torch.from_numpy(np.stack(arrays))
    rank = 4 if feature.color in ("RGB", "BGR") else 3
    if value.ndim != rank or (rank == 4 and value.shape[3] != 3) or not feature.fits((value.shape[2], value.shape[1])):
        allowed = f"[N, {feature.height}, {feature.width}{', 3' if rank == 4 else ''}]"
        raise InputError(f"images {feature.name!r} are of the wrong shape", value=list(value.shape), allowed=allowed)
    return torch.from_numpy(pixels_array(feature, value)).unsqueeze(1)


def _arrays(feature: ArrayFeature, value: Samples) -> torch.Tensor:
    array = as_array(feature, value)
    if array.dtype.kind not in "fiub":
        raise InputError(f"input {feature.name!r} is of the wrong type", value=array.dtype, allowed=str(feature))
    if array.ndim == 0 or not feature.fits(array.shape[1:]):
        if array.ndim == 0 or not feature.fits((1, *array.shape[1:])):
            raise InputError(
                f"input {feature.name!r} is of the wrong shape",
                value=list(array.shape),
                allowed=f"N samples of {feature.allowed}",
            )
        array = array[:, None]
    return torch.tensor(array)


class BatchRunner:
    """Runs a plan that was written for one sample over chunks of them.

    All of a chunk at once, where every op is known to keep samples apart (`lift`); else vectorized by
    torch.func.vmap; and one by one, where ops' courses depend on values (loops, lists, sizes that are computed).
    """

    def __init__(self, plan: Plan, inputs: Sequence[MilType]) -> None:
        """Takes `plan`, whose inputs are declared as of types `inputs`, and makes it fast."""
        self.plan = plan
        self._axes = lift(plan, inputs)
        self._mapped = torch.func.vmap(plan, randomness="different") if self._axes is None else None
        if self._axes is None:
            specialize(plan)
            work_in_place(plan)
            plan.drop_unread_constants()
        else:
            accelerate(plan)

    @property
    def at_once(self) -> bool:
        """Whether a chunk is computed as one batch, the fastest of the three ways."""
        return self._axes is not None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of what `values` returns."""
        return tuple(port.name for port in self.plan.outputs)

    def values(self, inputs: Sequence[torch.Tensor]) -> list[np.ndarray]:
        """The plan's outputs [n, *shape of one sample] for inputs [n, *shape of one sample]."""
        with torch.no_grad():
            return [value.detach().numpy() for value in self._values(inputs)]

    def _values(self, inputs: Sequence[torch.Tensor]) -> Sequence[torch.Tensor]:
        if self._axes is not None:
            found, count = self.plan(*(value.squeeze(1) for value in inputs)), len(inputs[0])
            return [samples_first(value, axis, count) for value, axis in zip(found, self._axes, strict=True)]
        if self._mapped is not None:
            try:
                return self._mapped(*inputs)  # type: ignore[no-any-return]
            except PackageError:
                # What fails here for another reason than vectorization fails in the loop as well, and is raised.
                self._mapped = None
        rows = [self.plan(*sample) for sample in zip(*inputs, strict=True)]
        return [torch.stack(values) for values in zip(*rows, strict=True)]


def joined(values: np.ndarray) -> np.ndarray:
    """Values [n, *shape] of n samples; a leading 1 of the shape, the batch of a batch-1 program, is dropped."""
    return np.ascontiguousarray(values.squeeze(1) if values.ndim > 1 and values.shape[1] == 1 else values)
