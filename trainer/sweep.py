"""Sweeps: many trainings, each in a process of its own, and their means with intervals.

What has ended is kept after every trial; a sweep that is started again goes on: ended trials are not repeated, one that
was interrupted is resumed.
"""

from __future__ import annotations

import math
import shlex
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path

from scipy.stats import t

from tinyml.child import end
from tinyml.errors import UsageError
from tinyml.progress import Progress, Silent
from tinyml.schema import Checkpoint, History, Sweep, SweepTrial
from tinyml.store import only_process, provenance, read_json, write_json
from tinyml.workspace import Workspace

from .plots import plot_runs
from .recipe import recipes as known_recipes
from .signals import Interrupts
from .workers import Here, Workers

CONFIDENCE = 0.95
OWN = "--recipe"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One training to make; the fields are those of SweepTrial."""

    sweep: str
    """The sweep's name."""
    model: str
    recipe: str
    variant: str
    options: tuple[str, ...]
    seed: int
    run: str

    def ended(self, workspace: Workspace, reason: str | None) -> SweepTrial:
        """Its record, by the files that it left."""
        folder = workspace.run(self.model, self.run)
        told = {
            "model": self.model,
            "recipe": self.recipe,
            "variant": self.variant,
            "options": self.options,
            "seed": self.seed,
            "run": self.run,
        }
        if reason is not None:
            return SweepTrial(**told, status="failed", reason=reason)
        history = read_json(folder.history, History)
        metrics = next(m for m in read_json(folder.best, Checkpoint).metrics if m.split == "val")
        return SweepTrial(
            **told,
            status="ok",
            val_accuracy=metrics.top1,
            val_images=metrics.images,
            epochs=len(history.epochs),
            seconds=sum(record.seconds for record in history.epochs),
        )


def trials(
    name: str, models: Sequence[str], recipes: Sequence[str], variants: Mapping[str, tuple[str, ...]], seeds: int
) -> list[Trial]:
    """Every combination, all seeds of the first before those of the second, so that a table fills row by row.

    A variant whose options name a recipe is made by that one alone.

    Raises:
        UsageError: A variant's --recipe lacks its value.
        UnknownNameError: No such recipe.
    """
    parted = {variant: _own_recipe(options) for variant, options in variants.items()}
    combinations = [
        (model, own or recipe, variant, options, seed)
        for model, recipe, (variant, (own, options)), seed in product(models, recipes, parted.items(), range(seeds))
    ]
    return [
        Trial(
            sweep=name,
            model=model,
            recipe=recipe,
            variant=variant,
            options=options,
            seed=seed,
            run="-".join(part for part in (name, recipe, variant, f"s{seed}") if part),
        )
        for model, recipe, variant, options, seed in dict.fromkeys(combinations)
    ]


def _own_recipe(options: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
    """The recipe that options of a training name, if any, and the other options."""
    apart = [
        part for option in options for part in (option.split("=", 1) if option.startswith(OWN + "=") else [option])
    ]
    if OWN not in apart:
        return None, options
    place = apart.index(OWN)
    if place + 1 == len(apart):
        raise UsageError("--recipe in a --variant lacks its value", value=" ".join(options))
    known_recipes.get(apart[place + 1])
    return apart[place + 1], (*apart[:place], *apart[place + 2 :])


def sweep_file(workspace: Workspace, name: str) -> Path:
    """Where a sweep is kept."""
    return workspace.root / "sweeps" / name / "sweep.json"


def sweep(
    name: str,
    wanted: Sequence[Trial],
    workspace: Workspace,
    *,
    data: str,
    options: Sequence[str] = (),
    workers: Workers | None = None,
    progress: Progress = Silent(),
) -> Sweep:
    """Makes the trials that have not ended yet, and returns all of them.

    A trial that fails does not stop the others. Ctrl-C and SIGTERM reach the training, which saves itself first.

    Args:
        name: Of the sweep, and the beginning of its trainings' names.
        wanted: The trials.
        workspace: Where trainings and the sweep are kept.
        data: The data set of all.
        options: For every training, as for `tinyml train`.
        workers: What trains; None: this machine, one after the other.
        progress: Told of every trial.

    Raises:
        UsageError: Another process makes this sweep, or it was made on other data or with other options.
    """
    wanted = [replace(trial, options=(*options, *trial.options)) for trial in wanted]
    path = sweep_file(workspace, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with only_process(path.parent / ".sweep.lock") as alone:
        if not alone:
            raise UsageError("another process makes this sweep", value=name, hint="wait for it, or choose another name")
        made = (
            read_json(path, Sweep) if path.exists() else Sweep(name=name, data=data, trials=(), provenance=provenance())
        )
        if made.data != data:
            raise UsageError("this sweep was made on other data", value=data, allowed=made.data)
        ended = {trial.run: trial for trial in made.trials if trial.status == "ok"}
        numbers = {trial.run + trial.model: number for number, trial in enumerate(wanted, start=1)}
        lacking = []
        for trial in wanted:
            if (before := ended.get(trial.run)) is not None and before.model == trial.model:
                if before.options != trial.options:
                    raise _otherwise(trial, before.options)
                progress.say(f"{_told(trial, numbers)}: made before")
            else:
                _check_begun(trial, workspace)
                lacking.append(trial)
        make = partial(_made, root=workspace.root.absolute(), data=_absolute(data))
        for trial, reason in (workers or Here()).each(make, lacking):
            done = trial.ended(workspace, reason)
            others = tuple(t for t in made.trials if (t.model, t.run) != (trial.model, trial.run))
            made = made.model_copy(update={"trials": (*others, done), "provenance": provenance()})
            write_json(path, made)
            reached = f"{done.val_accuracy:.2%}" if done.val_accuracy is not None else f"failed: {done.reason}"
            progress.say(f"{_told(trial, numbers)}: {reached}")
    return made


def _otherwise(trial: Trial, before: Sequence[str]) -> UsageError:
    return UsageError(
        f"{trial.model}'s training {trial.run} was made with other options",
        value=shlex.join(trial.options) or "none",
        allowed=shlex.join(before) or "none",
        hint="choose another --name",
    )


def _check_begun(trial: Trial, workspace: Workspace) -> None:
    """Raises UsageError where a training that is to be gone on with was begun with other options."""
    folder = workspace.run(trial.model, trial.run)
    if not (folder.state.exists() and folder.history.exists()):
        return
    began = shlex.split(read_json(folder.history, History).provenance.command.partition(" && ")[0])
    seed = [str(trial.seed)]
    places = [at + 2 for at in range(len(began)) if began[at] == "--seed" and began[at + 1 : at + 2] == seed]
    if places and (before := began[places[0] :]) != list(trial.options):
        raise _otherwise(trial, before)


def _told(trial: Trial, numbers: Mapping[str, int]) -> str:
    variant = f", {trial.variant}" if trial.variant else ""
    number = numbers[trial.run + trial.model]
    return f"{number}/{len(numbers)} {trial.model}, {trial.recipe}{variant}, seed {trial.seed}"


def _absolute(data: str) -> str:
    """A folder's whole path, for trainings that begin in another one; a name as it is."""
    return str(Path(data).absolute()) if Path(data).exists() else data


def _made(trial: Trial, *, root: Path, data: str) -> str | None:
    """Trains, or goes on; None, or why it failed."""
    workspace = Workspace(root)
    log = sweep_file(workspace, trial.sweep).with_name(f"{trial.model}-{trial.run}.log")
    arguments = ["train", trial.model, "--results", str(root), "--run", trial.run]
    if workspace.run(trial.model, trial.run).state.exists():
        arguments.append("--resume")
    else:
        arguments += ["--data", data, "--recipe", trial.recipe, "--seed", str(trial.seed), *trial.options]
    process: subprocess.Popen[bytes] | None = None
    with log.open("ab") as file, Interrupts().installed() as interrupts:
        try:
            with interrupts.held():  # an interrupt in the middle of it would leave a process that nobody stops
                process = subprocess.Popen(  # noqa: S603
                    [sys.executable, "-m", "tinyml", *arguments], stdout=file, stderr=subprocess.STDOUT
                )
            code = process.wait()
        except BaseException:
            if process is not None:
                end(process)
            if interrupts.number is None:
                raise
    if interrupts.number is not None:
        signal.raise_signal(interrupts.number)  # by the handler that was there before
        raise KeyboardInterrupt
    if code == 0:
        return None
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    last = lines[-1] if lines else ""
    if "this training is complete" in last:  # ended, and stopped before it was recorded
        return None
    return f"exit code {code}: {last.removeprefix('error: ')[:300]}"


def curves(made: Sweep, workspace: Workspace) -> Path | None:
    """Draws the trainings that ended, beside the sweep's file; None: none did, or their histories have gone."""
    runs = [
        (" ".join(part for part in (trial.model, trial.recipe, trial.variant) if part), history)
        for trial in made.trials
        if trial.status == "ok" and (history := _history(workspace, trial)) is not None
    ]
    if not runs:
        return None
    path = sweep_file(workspace, made.name).with_suffix(".png")
    plot_runs(runs, f"Sweep {made.name} on {made.data}", path)
    return path


def _history(workspace: Workspace, trial: SweepTrial) -> History | None:
    path = workspace.run(trial.model, trial.run).history
    return read_json(path, History) if path.exists() else None


@dataclass(frozen=True, kw_only=True)
class Row:
    """All seeds of one combination; `half_width` of the mean's 95% interval by Student's t, None for fewer than two."""

    model: str
    recipe: str
    variant: str
    seeds: int
    failed: int
    mean: float | None
    half_width: float | None
    seconds: float


def rows(made: Sweep) -> Iterator[Row]:
    """One row for each combination, in the order in which they were made."""
    groups: dict[tuple[str, str, str], list[SweepTrial]] = {}
    for trial in made.trials:
        groups.setdefault((trial.model, trial.recipe, trial.variant), []).append(trial)
    for (model, recipe, variant), members in groups.items():
        reached = [trial.val_accuracy for trial in members if trial.val_accuracy is not None]
        half = None
        if len(reached) > 1:
            half = (
                float(t.ppf((1 + CONFIDENCE) / 2, len(reached) - 1))
                * statistics.stdev(reached)
                / math.sqrt(len(reached))
            )
        yield Row(
            model=model,
            recipe=recipe,
            variant=variant,
            seeds=len(reached),
            failed=len(members) - len(reached),
            mean=statistics.fmean(reached) if reached else None,
            half_width=half,
            seconds=sum(trial.seconds for trial in members),
        )
