"""A training that begins with another network's weights, as far as they fit.

The other network is a checkpoint of ours, or a state dict in a safetensors file, as torchvision and timm give them.
Tensors are matched by name, through `Architecture.elsewhere` where others call a layer otherwise, and by shape. The
classifier is new where the classes are others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from tinyml.errors import CheckpointError
from tinyml.schema import Origin, TrainConfig
from tinyml.shards import is_index
from tinyml.store import file_sha256

from . import checkpoint
from .architecture import architectures
from .start import Scratch
from .weights import read_tensors


@dataclass(frozen=True, kw_only=True)
class Foreign:
    """The weights of another network."""

    origin: Origin
    tensors: Mapping[str, Tensor]
    labels: tuple[str, ...] | None
    """Its classes; None: it does not say."""


@dataclass(frozen=True, kw_only=True)
class Matched:
    """Which tensors of another network a network takes."""

    taken: Mapping[str, Tensor]
    """By the names of this network."""
    left: tuple[str, ...]
    """What the other one has besides, each with the reason."""
    fresh: tuple[str, ...]
    """What this one has to learn from nothing."""


@dataclass(frozen=True, kw_only=True)
class Initialized(Scratch):
    """The weights of another network where they fit, fresh ones elsewhere."""

    foreign: Foreign

    def network(self, config: TrainConfig, labels: tuple[str, ...]) -> nn.Module:
        """See Start."""
        network = super().network(config, labels)
        taken = matched(network, self.foreign, config.model, labels).taken
        network.load_state_dict({**network.state_dict(), **taken})
        return network

    def words(self, config: TrainConfig, labels: tuple[str, ...]) -> tuple[str, ...]:
        """What is taken, what is not and why, for people."""
        with torch.device("meta"):
            network = super().network(config, labels)
        found = matched(network, self.foreign, config.model, labels)
        count = len(found.taken) + len(found.fresh)
        lines = [f"{len(found.taken)} of {count} tensors begin as in {self.foreign.origin.path}"]
        if found.left:
            lines.append(f"not taken from there: {', '.join(found.left)}")
        if found.fresh:
            lines.append(f"new here: {', '.join(found.fresh)}")
        return tuple(lines)


def read_foreign(path: Path) -> Foreign:
    """The weights in a checkpoint of ours, or in a safetensors file, or an index of several, without a manifest.

    Raises:
        CheckpointError: The file is missing, truncated, a pickle, or no safetensors file.
    """
    if (path.suffix == ".json" and not is_index(path)) or checkpoint.manifest_beside(path).is_file():
        loaded = checkpoint.load(path)
        weights = loaded.manifest.absolute().parent / loaded.checkpoint.path
        return Foreign(
            origin=Origin(path=str(path), sha256=file_sha256(weights)),
            tensors=loaded.model.state_dict(),
            labels=loaded.checkpoint.spec.labels,
        )
    tensors, _ = read_tensors(path)
    return Foreign(origin=Origin(path=str(path), sha256=file_sha256(path)), tensors=tensors, labels=None)


def matched(network: nn.Module, foreign: Foreign, model: str, labels: tuple[str, ...]) -> Matched:
    """What `network`, of the architecture `model` with these classes, takes from `foreign`.

    Raises:
        CheckpointError: Nothing fits.
    """
    own = network.state_dict()
    names = architectures.get(model).elsewhere
    heads = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)][-1:]
    other_classes = foreign.labels is not None and foreign.labels != labels
    taken, left = {}, []
    for name, tensor in foreign.tensors.items():
        here = _called(name.removeprefix("module."), own, names)
        if here is None:
            left.append(f"{name} (has no place here)")
        elif own[here].shape != tensor.shape:
            left.append(f"{name} ({_shape(tensor)} there, {_shape(own[here])} here)")
        elif other_classes and any(here.startswith(f"{head}.") for head in heads):
            left.append(f"{name} (of other classes)")
        else:
            taken[here] = tensor.to(own[here].dtype)
    if not any(name.endswith("weight") for name in taken):
        first = next(iter(left), "it is empty")
        raise CheckpointError(
            f"--init: nothing there fits a {model}",
            value=foreign.origin.path,
            hint=f"{len(left)} tensors, the first: {first}",
        )
    return Matched(taken=taken, left=tuple(left), fresh=tuple(sorted(own.keys() - taken.keys())))


def _called(name: str, own: Mapping[str, Tensor], elsewhere: Mapping[str, str]) -> str | None:
    """What a tensor that others call `name` is called here; None: there is no such one."""
    layer, _, quantity = name.rpartition(".")
    for found in (f"{elsewhere[layer]}.{quantity}" if layer in elsewhere else None, elsewhere.get(name), name):
        if found is not None and found in own:
            return found
    return None


def _shape(tensor: Tensor) -> str:
    return "x".join(str(size) for size in tensor.shape) or "one value"
