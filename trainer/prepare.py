"""A training made ready: what was asked for, a saved state, the budget and the free memory become one configuration."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from tinyml.errors import UsageError
from tinyml.machine import process_began
from tinyml.progress import Progress, Silent
from tinyml.schema import Origin, TrainConfig

from .answers import storable, stored_answers
from .budget import PROBE_SHARE, fit, seconds_of
from .compiling import check_compiles
from .data import Answers, Dataset, images_an_epoch, open_dataset, trained_labels
from .distill import Teacher
from .freezing import check_frozen
from .memory import out_of_memory_told
from .objective import Objective, objective_of
from .precision import SECONDS, quicker
from .recipe import (
    BUDGET_RECIPE,
    DEFAULT_RECIPE,
    TINY_IMAGENET_IMAGES,
    changed,
    configure,
    option,
    recipes,
)
from .room import fit_memory, free_memory
from .start import Resumed, Scratch, Start
from .state import check_continues, read_state
from .team import ALONE, LeftOutError, Team
from .transfer import Foreign, Initialized, read_foreign

DEFAULT_DATA = "tiny-imagenet"

TeacherOpener = Callable[[Path, TrainConfig, Dataset, torch.device], tuple[Origin, Teacher]]
"""Opens what lies at a path as a teacher: anything that classifies, which this package knows nothing of."""


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
    init: Path | None = None
    """Whose weights to begin with."""
    teacher: Path | None = None
    """Whose answers to learn."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What `loop.train` needs."""

    config: TrainConfig
    dataset: Dataset
    start: Start
    objective: Objective
    answers: Answers | None
    """The teacher's, where they are stored."""
    spent: float
    """Seconds of the budget that are gone."""
    words: tuple[str, ...]
    """What was chosen to fit memory and budget."""


def configured(wish: Wish, foreign: Foreign | None, images: int = TINY_IMAGENET_IMAGES) -> TrainConfig:
    """What `wish` asks for by its recipe, on so many `images`; `foreign` is what it begins with."""
    recipe = wish.recipe or (DEFAULT_RECIPE if wish.budget is None else BUDGET_RECIPE)
    begun = {} if foreign is None else {"init": foreign.origin}
    return configure(recipe, wish.model, DEFAULT_DATA, {**wish.changes, **begun}, images=images)


def prepare(
    wish: Wish,
    device: torch.device,
    progress: Progress = Silent(),
    *,
    open_teacher: TeacherOpener | None = None,
    decided: TrainConfig | None = None,
    team: Team = ALONE,
) -> Prepared:
    """Settles everything about a training before its first step.

    A budget counts from the start of the process, without the time that opening (or fetching) the data takes. What is
    `decided` by another process of the `team` is neither tried nor fitted again.

    Raises:
        UsageError: An option is unknown, out of range, or contradicts another or the training to go on with.
        DataError: The data cannot be read, or the teacher knows other classes.
        CheckpointError: The state, or the weights to begin with, cannot be read.
        UnavailableError: The network is to be compiled, which this machine cannot do.
        TrainingError: Memory ran out in the first steps that were tried.
    """
    seconds = None if wish.budget is None else seconds_of(wish.budget)
    resumed = foreign = None
    if wish.state is not None:
        for name, given in (("budget", wish.budget), ("init", wish.init)):
            if given is not None:
                raise _kept(name, given)
        resumed = Resumed(read_state(wish.state, progress=progress))
        config = changed(resumed.state.position.config, wish.changes)
        if wish.teacher is not None and config.teacher is None:
            raise _kept("teacher", wish.teacher)
    else:
        foreign = None if wish.init is None else read_foreign(wish.init)
        config = configured(wish, foreign)
    if config.compiled:
        check_compiles(device)
    check_frozen(config)
    _check_taught(wish, config)
    opening = time.monotonic()
    dataset = open_dataset(_words(config, resumed), progress=progress)
    began = process_began() + time.monotonic() - opening
    labels, split = dataset.index.labels, dataset.split("train")
    images = images_an_epoch(split, config)  # refuses more shots than there are
    if resumed is None:
        config = configured(wish, foreign, images)
    teacher = None
    if (taught_by := _teacher_path(wish, config)) is not None:
        if open_teacher is None:
            raise ValueError("nobody opens the teacher")
        if resumed is not None and not taught_by.exists():
            raise UsageError(
                "the teacher of this training is gone", value=taught_by, hint="say with --teacher where it lies now"
            )
        origin, teacher = open_teacher(taught_by, config, dataset, device)
        if config.teacher is not None and origin.sha256 != config.teacher.sha256:
            raise UsageError(
                "this is not the teacher that the training began with",
                value=origin.path,
                hint=f"it was {config.teacher.path}; say with --teacher where that lies now",
            )
        config = changed(config, {"teacher": origin})

    def ready(config: TrainConfig, start: Start, words: tuple[str, ...] = ()) -> Prepared:
        return Prepared(
            config=config,
            dataset=dataset,
            start=start,
            objective=objective_of(config, trained_labels(dataset, config), len(labels), teacher),
            answers=_answers(teacher, config, dataset, device, progress),
            spent=time.monotonic() - began if config.budget else 0.0,
            words=words,
        )

    if resumed is not None:
        check_continues(resumed.state.position, config, dataset)
        return ready(config, resumed)
    start: Scratch = Scratch()
    words: tuple[str, ...] = ()
    if foreign is not None:
        start = Initialized(foreign=foreign)
        words = start.words(config, labels)
    if decided is not None:
        return ready(decided, start)
    room = fit_memory(config, len(labels), free_memory(device, team), team.size)
    config, words = room.config, (*words, *(() if room.words is None else (room.words,)))
    if recipes.get(config.recipe).quicker_precision and "precision" not in wish.changes:
        allowed = SECONDS if seconds is None else seconds * PROBE_SHARE
        with out_of_memory_told(config.batch_size):
            found = quicker(config, dataset, device, start, allowed)
        config = changed(config, {"precision": found.precision})
        words = (*words, *(() if found.words is None else (found.words,)))
    if seconds is None:
        return ready(config, start, words)
    kept = ("recompute", "accumulate", "init", "teacher", "precision")
    with out_of_memory_told(config.batch_size):
        planned = fit(
            seconds,
            config.recipe,
            wish.model,
            config.data,
            {**wish.changes, **{name: getattr(config, name) for name in kept}},
            dataset,
            device,
            start=start,
            objective=objective_of(config, trained_labels(dataset, config), len(labels), teacher),
            spent=time.monotonic() - began,
            processes=team.size,
        )
    return ready(planned.config, start, (*words, *planned.words))


def prepare_together(team: Team, make: Callable[[TrainConfig | None], Prepared]) -> Prepared:
    """What each process of a team makes ready: the first one decides alone, and what it refuses it alone tells.

    Args:
        team: Whose processes all call this.
        make: `prepare`, given what is decided; None: nothing yet.

    Raises:
        LeftOutError: In the others, where the first one refused.
    """
    if team.size == 1:
        return make(None)
    if team.first:
        decided = None
        try:
            ready = make(None)
            decided = ready.config.model_dump_json()
        finally:
            team.decide(decided)
        return ready
    told = team.decide(None)
    if told is None:
        raise LeftOutError("the first process does not train")
    return make(TrainConfig.model_validate_json(told))


def _check_taught(wish: Wish, config: TrainConfig) -> None:
    """Raises UsageError where somebody says how a teacher is to be heard, and names none."""
    for field in ("distill_share", "distill_temperature"):
        if field in wish.changes and _teacher_path(wish, config) is None:
            raise UsageError(
                f"{option(field)} needs a teacher",
                value=wish.changes[field],
                hint=f"name one with --teacher, or leave {option(field)} out",
            )


def _kept(name: str, given: object) -> UsageError:
    """Of an option that a training to go on with cannot take."""
    return UsageError(f"a resumed training keeps its {name}", value=given, hint=f"leave --{name} out")


def _teacher_path(wish: Wish, config: TrainConfig) -> Path | None:
    """Where the teacher lies: a training may go on elsewhere than where it began."""
    return wish.teacher if wish.teacher is not None or config.teacher is None else Path(config.teacher.path)


def _answers(
    teacher: Teacher | None, config: TrainConfig, dataset: Dataset, device: torch.device, progress: Progress
) -> Answers | None:
    """The teacher's, stored, where this training can use them so."""
    if teacher is None or not storable(config):
        return None
    return stored_answers(teacher, config, dataset, device, progress)


def _words(config: TrainConfig, resumed: Resumed | None) -> str:
    """What opens the data: for a training to go on with, where its images lie, not the words that were typed then."""
    position = None if resumed is None else resumed.state.position
    if position is None or position.dataset is None or config.data != position.config.data:
        return config.data
    return position.dataset.data
