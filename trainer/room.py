"""The memory that a training will take, estimated before its first step, and how it is made to fit."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tinyml.machine import available_memory_bytes
from tinyml.schema import TrainConfig

from .architecture import INPUT_SIZE, build, recomputes, set_recompute
from .team import ALONE, Team

USABLE = 0.6
"""Of the memory that is free: the rest is for the data's pages, and for whoever starts something later."""

BEYOND = {False: 1.35, True: 1.9}
"""What a process takes beside what it keeps, by whether activations are computed again: for DenseNet on a CPU 17.4 GB
beside 13.3, and 10.2 beside 5.4. Gradients and scratch come on top, what was freed is kept for the next step, and of a
part that is computed again all activations are there at once."""

COPIES = 4
"""Of the weights: themselves, their gradient, the optimizer's state (two for Adam) or an average."""

PARTS = (1, 2, 4, 8, 16, 32, 64)


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What a training needs, as far as it could be made to fit."""

    config: TrainConfig
    bytes: int
    """Estimated: activations kept for the backward pass and what comes on top, weights and their copies."""
    words: str | None
    """What was changed, or that it will not fit; None: nothing to say."""


def free_memory(device: torch.device, team: Team = ALONE) -> int | None:
    """The bytes that each process of a team may take on `device`; None: not known (MPS).

    Those on one machine share its memory; each has a GPU of its own.
    """
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type == "mps":
        return None
    return available_memory_bytes() // team.local_size


def fit_memory(config: TrainConfig, classes: int, free: int | None, processes: int = 1) -> Fitted:
    """Has a training keep less where `free` bytes are too few: activations computed again, batches in parts.

    What the user decided (`recompute`, an `accumulate` above 1) stands. Free and needed bytes are those of each of the
    `processes` that share a batch.
    """
    with torch.device("meta"):
        network = build(config.model, classes)
    able = recomputes(network) and config.recompute is None
    choices = [False, True] if able else [config.recompute]
    parts = PARTS if config.accumulate == 1 else (config.accumulate,)
    costs = {}
    for recompute in choices:
        if recompute is not None:
            set_recompute(network, recompute)
        costs[recompute] = kept_per_image(network)
    weights = COPIES * sum(parameter.numel() * parameter.element_size() for parameter in network.parameters())
    need, chosen = 0, config
    for count in parts:
        if count * processes > config.batch_size and count > 1:
            break
        for recompute in choices:
            kept = costs[recompute] * -(-config.batch_size // (count * processes))
            need = round(BEYOND[bool(recompute)] * kept) + weights
            chosen = config.model_copy(update={"accumulate": count, "recompute": recompute})
            if free is None or need <= USABLE * free:
                return Fitted(config=chosen, bytes=need, words=_words(config, chosen, need, free, fits=True))
    return Fitted(config=chosen, bytes=need, words=_words(config, chosen, need, free, fits=False))


def kept_per_image(network: nn.Module, size: int = INPUT_SIZE) -> int:
    """The bytes of the tensors that autograd saves for an image in a step of `network`, on the meta device."""
    own = {id(tensor) for tensor in (*network.parameters(), *network.buffers())}
    saved: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        if id(tensor) not in own and not isinstance(tensor, nn.Parameter):
            saved[id(tensor)] = tensor
        return tensor

    network.train()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        answer = network(torch.zeros(2, 3, size, size, device="meta"))
    kept = sum(tensor.numel() * tensor.element_size() for tensor in saved.values())
    del answer
    return kept // 2


def _words(before: TrainConfig, after: TrainConfig, need: int, free: int | None, *, fits: bool) -> str | None:
    if free is None:
        return None
    room = f"{free / 1e9:.1f} GB of memory are free"
    if not fits:
        return (
            f"{room}, and training {after.model} takes about {need / 1e9:.1f} GB however it is parted: expect "
            "swapping; a smaller model or --batch-size takes less"
        )
    done = []
    if before.recompute is None and after.recompute:
        done.append("activations are computed twice instead of kept")
    if after.accumulate > before.accumulate:
        done.append(f"batches of {after.batch_size} are computed in {after.accumulate} parts")
    return f"{room}: {' and '.join(done)}, which takes about {need / 1e9:.1f} GB" if done else None
