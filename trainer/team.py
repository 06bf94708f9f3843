"""The processes that train one network together, as torchrun starts them; usually there is one.

Each computes its part of every batch, and their gradients are averaged. What must be decided once, as by a clock, the
first one decides for all, and it alone writes. torch.distributed is used as it is: what a launcher's library would add
are three calls, and torchrun sets the environment that they read, under SLURM as well (`srun torchrun ...`).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist

from tinyml.errors import TinyMLError, TrainingError

T = TypeVar("T")

PATIENCE = timedelta(hours=24)
"""For the slowest: the first one may fetch a data set while the others wait."""
ENDED = ("Connection closed by peer", "Connection reset by peer", "[c10d]", "gloo", "NCCL", "Broken pipe")
"""What is in the messages of a collective operation whose other side has gone."""


class Team:
    """One process of `size`; the first has the rank 0. This one is alone."""

    rank, size = 0, 1
    local_size = 1
    """Of these, how many share this machine."""

    @property
    def first(self) -> bool:
        """Whether this is the process that decides and writes."""
        return self.rank == 0

    def decide(self, value: T) -> T:
        """What the first process gave."""
        return value

    def any(self, flag: bool) -> bool:
        """Whether any process gave True."""
        return flag

    def sums(self, values: Sequence[float]) -> list[float]:
        """The sums over all processes."""
        return list(values)


ALONE = Team()


class Torchrun(Team):
    """One of several processes that torchrun started; every call must be made by all of them."""

    def __init__(self) -> None:
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        self.local_size = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))

    def decide(self, value: T) -> T:
        """See Team."""
        values = [value]
        with ended_told():
            dist.broadcast_object_list(values, 0, device=torch.device("cpu"))
        return values[0]

    def any(self, flag: bool) -> bool:
        """See Team."""
        return self.sums([float(flag)])[0] > 0

    def sums(self, values: Sequence[float]) -> list[float]:
        """See Team."""
        tensor = torch.tensor(values, dtype=torch.float64)
        with ended_told():
            dist.all_reduce(tensor)
        result: list[float] = tensor.tolist()
        return result


class LeftOutError(TinyMLError):
    """The first process of a team does not begin, and has said why."""


@contextlib.contextmanager
def ended_told() -> Iterator[None]:
    """Raises TrainingError in place of what a collective operation raises when its other side has gone."""
    try:
        yield
    except RuntimeError as error:
        if not any(word in str(error) for word in ENDED):
            raise
        raise TrainingError(
            "another process of this training has ended", hint="what it said stands above; go on with --resume"
        ) from None


@contextlib.contextmanager
def joined(device: torch.device) -> Iterator[tuple[Team, torch.device]]:
    """The team that this process belongs to, until the block ends, and the process's own device of that kind."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2 or "RANK" not in os.environ:
        yield ALONE, device
        return
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, timeout=PATIENCE)
    try:
        yield Torchrun(), device
    finally:
        dist.destroy_process_group()
