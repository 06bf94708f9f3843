"""A training made ready: what was asked for, a saved state, the budget and the free memory become one configuration."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from tinyml.errors import UsageError
from tinyml.machine import process_began
from tinyml.progress import Progress, Silent
from tinyml.schema import TrainConfig

from .budget import fit, seconds_of
from .data import Dataset, open_dataset
from .recipe import BUDGET_RECIPE, DEFAULT_RECIPE, changed, configure
from .room import fit_memory, free_memory
from .start import Resumed, Scratch, Start
from .state import check_continues, read_state

DEFAULT_DATA = "tiny-imagenet"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody asks to be trained."""

    model: str
    changes: Mapping[str, object]
    """Fields of TrainConfig that are not to come from the recipe."""
    recipe: str | None = None
    """None: the default one, or a budget's."""
    budget: str | None = None
    """The wall time to take, as "45m"."""
    state: Path | None = None
    """Of the training to go on with."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What `loop.train` needs."""

    config: TrainConfig
    dataset: Dataset
    start: Start
    spent: float
    """Seconds of the budget that are gone."""
    words: tuple[str, ...]
    """What was chosen to fit memory and budget."""


def prepare(wish: Wish, device: torch.device, progress: Progress = Silent()) -> Prepared:
    """Settles everything about a training before its first step.

    A budget counts from the start of the process, without the time that opening (or fetching) the data takes.

    Raises:
        UsageError: An option is unknown, out of range, or contradicts another or the training to go on with.
        DataError: The data cannot be read.
        CheckpointError: The state cannot be read.
    """
    seconds = None if wish.budget is None else seconds_of(wish.budget)
    resumed = None
    if wish.state is not None:
        if wish.budget is not None:
            raise UsageError("a resumed training keeps its budget", value=wish.budget, hint="leave --budget out")
        resumed = Resumed(read_state(wish.state, progress=progress))
        config = changed(resumed.state.position.config, wish.changes)
    else:
        recipe = wish.recipe or (DEFAULT_RECIPE if seconds is None else BUDGET_RECIPE)
        config = configure(recipe, wish.model, DEFAULT_DATA, wish.changes)
    if config.compiled and device.type == "mps":
        raise UsageError("--compile slows training down on MPS", value="mps", hint="leave it out")
    opening = time.monotonic()
    dataset = open_dataset(_words(config, resumed), progress=progress)
    began = process_began() + time.monotonic() - opening
    if resumed is not None:
        check_continues(resumed.state.position, config, dataset)
        return Prepared(config=config, dataset=dataset, start=resumed, spent=_spent(config, began), words=())
    room = fit_memory(config, len(dataset.index.labels), free_memory(device))
    config, words = room.config, () if room.words is None else (room.words,)
    if seconds is not None:
        fitting = {**wish.changes, "recompute": config.recompute, "accumulate": config.accumulate}
        planned = fit(
            seconds, config.recipe, wish.model, config.data, fitting, dataset, device, spent=time.monotonic() - began
        )
        config, words = planned.config, (*words, *planned.words)
    return Prepared(config=config, dataset=dataset, start=Scratch(), spent=_spent(config, began), words=words)


def _words(config: TrainConfig, resumed: Resumed | None) -> str:
    """What opens the data: for a training to go on with, where its images lie, not the words that were typed then."""
    position = None if resumed is None else resumed.state.position
    if position is None or position.dataset is None or config.data != position.config.data:
        return config.data
    return position.dataset.data


def _spent(config: TrainConfig, began: float) -> float:
    return time.monotonic() - began if config.budget else 0.0
