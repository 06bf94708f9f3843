"""What was made of a network, kept for as long as the network lives with the same weights."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from torch import nn

T = TypeVar("T")


class Remembered(Generic[T]):
    """Makes a thing of a network once a key.

    Weights are known by their bytes, not by the tensors that hold them: a network that was trained on, or rounded in
    place, is another one, and what was made of it before is dropped.
    """

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[nn.Module, tuple[str, dict[Hashable, T]]] = WeakKeyDictionary()

    def get(self, network: nn.Module, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, or gave for the same weights and key; must not be changed."""
        sha256 = _weights_sha256(network)
        known, made = self._kept.get(network, ("", {}))
        if known != sha256:
            made = {}
            self._kept[network] = (sha256, made)
        if key not in made:
            made[key] = make()
        return made[key]


def _weights_sha256(network: nn.Module) -> str:
    """Of all parameters and buffers with their names, and of the mode that the network is in."""
    found = hashlib.sha256(str(network.training).encode())
    for name, tensor in network.state_dict().items():
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        found.update(tensor.detach().cpu().contiguous().flatten().numpy().data)
    return found.hexdigest()
