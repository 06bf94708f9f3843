"""Sweeps: many trainings one after the other, each in a process of its own, and their means with intervals.

What has ended is kept after every trial; a sweep that is started again goes on: ended trials are not repeated, one that
was interrupted is resumed.
"""

from __future__ import annotations

import math
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from scipy.stats import t

from tinyml.errors import UsageError
from tinyml.progress import Progress, Silent
from tinyml.schema import Checkpoint, History, Sweep, SweepTrial
from tinyml.store import only_process, provenance, read_json, write_json
from tinyml.workspace import Workspace

CONFIDENCE = 0.95
STOP_SECONDS = 60.0
"""For a training to save itself before it is killed."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One training to make; the fields are those of SweepTrial."""

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
    """Every combination, all seeds of the first before those of the second, so that a table fills row by row."""
    return [
        Trial(
            model=model,
            recipe=recipe,
            variant=variant,
            options=options,
            seed=seed,
            run="-".join(part for part in (name, recipe, variant, f"s{seed}") if part),
        )
        for model, recipe, (variant, options), seed in product(models, recipes, variants.items(), range(seeds))
    ]


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
        progress: Told of every trial.

    Raises:
        UsageError: Another process makes this sweep, or it was made on other data.
    """
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
        for number, trial in enumerate(wanted, start=1):
            label = f"{trial.model}, {trial.recipe}{f', {trial.variant}' if trial.variant else ''}, seed {trial.seed}"
            if (before := ended.get(f"{trial.run}")) is not None and before.model == trial.model:
                progress.say(f"{number}/{len(wanted)} {label}: made before")
                continue
            progress.say(f"{number}/{len(wanted)} {label}")
            reason = _made(trial, workspace, data, options, path.parent / f"{trial.model}-{trial.run}.log")
            done = trial.ended(workspace, reason)
            others = tuple(t for t in made.trials if (t.model, t.run) != (trial.model, trial.run))
            made = made.model_copy(update={"trials": (*others, done), "provenance": provenance()})
            write_json(path, made)
            reached = f"{done.val_accuracy:.2%}" if done.val_accuracy is not None else f"failed: {done.reason}"
            progress.say(f"  {reached}")
    return made


def _made(trial: Trial, workspace: Workspace, data: str, options: Sequence[str], log: Path) -> str | None:
    """Trains, or goes on; None, or why it failed."""
    arguments = ["train", trial.model, "--results", str(workspace.root), "--run", trial.run]
    if workspace.run(trial.model, trial.run).state.exists():
        arguments.append("--resume")
    else:
        arguments += ["--data", data, "--recipe", trial.recipe, "--seed", str(trial.seed), *options, *trial.options]
    with log.open("ab") as file:
        process = subprocess.Popen([sys.executable, "-m", "tinyml", *arguments], stdout=file, stderr=subprocess.STDOUT)  # noqa: S603
        try:
            code = process.wait()
        except BaseException:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            raise
    if code == 0:
        return None
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    last = lines[-1] if lines else ""
    if "this training is complete" in last:  # ended, and stopped before it was recorded
        return None
    return f"exit code {code}: {last.removeprefix('error: ')[:300]}"


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
