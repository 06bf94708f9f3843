"""A search for the learning rate and the weight decay that train best, by Optuna's tree-structured Parzen estimator.

Each trial is a training of a sweep, kept as that keeps it. The search has no memory of its own: started again, it asks
the same questions of the same seed and is told what is known already.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinyml.errors import TrainingError, UnavailableError, UsageError
from tinyml.progress import Progress, Silent
from tinyml.schema import Sweep, SweepTrial, TrainConfig
from tinyml.workspace import Workspace

from .sweep import Trial, sweep

AROUND = 10.0
"""Where no range is given, this factor below and above what the recipe sets."""
DECAY_WITHOUT = 1e-4
"""What is searched around where the recipe has no weight decay."""


def check_available() -> None:
    """Raises UnavailableError where Optuna is not installed."""
    if importlib.util.find_spec("optuna") is None:
        raise UnavailableError("tune needs Optuna", value="not installed", hint="pip install 'tinyml-coreml[search]'")


@dataclass(frozen=True, kw_only=True)
class Range:
    """From `low` to `high`, both above 0, searched by their logarithms."""

    low: float
    high: float


def range_of(option: str, text: str) -> Range:
    """The range of "0.01:1"; raises UsageError, naming the `option`."""
    number = r"\d*\.?\d+(?:[eE][+-]?\d+)?"
    found = re.fullmatch(rf"({number}):({number})", text)
    if found is None or not 0 < float(found[1]) < float(found[2]):
        raise UsageError(f"{option} is no range", value=text, allowed="LOW:HIGH above 0, as 0.01:1")
    return Range(low=float(found[1]), high=float(found[2]))


def ranges_of(config: TrainConfig, given: Mapping[str, Range]) -> dict[str, Range]:
    """The ranges of "lr" and "weight_decay": as given, else around those of `config`."""
    centers = {"lr": config.lr, "weight_decay": config.weight_decay or DECAY_WITHOUT}
    return {name: given.get(name, Range(low=center / AROUND, high=center * AROUND)) for name, center in centers.items()}


def tune(
    name: str,
    model: str,
    recipe: str,
    ranges: Mapping[str, Range],
    count: int,
    workspace: Workspace,
    *,
    data: str,
    seed: int = 0,
    options: Sequence[str] = (),
    progress: Progress = Silent(),
) -> tuple[SweepTrial, ...]:
    """Makes the trials that lack and returns all of them, the best first.

    Args:
        name: Of the search; a sweep of that name keeps it.
        model: What is trained.
        recipe: By which recipe.
        ranges: Of "lr" and "weight_decay".
        count: How many trainings.
        workspace: Where trainings and the search are kept.
        data: The data set.
        seed: Of the search and of all trainings.
        options: For every training, as for `tinyml train`.
        progress: Told of every trial.

    Raises:
        UnavailableError: Optuna is not installed.
        UsageError: A search of that name had other ranges or options.
        TrainingError: No training came to its end.
    """
    check_available()
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    floats: dict[str, optuna.distributions.BaseDistribution] = {
        key: optuna.distributions.FloatDistribution(r.low, r.high, log=True) for key, r in ranges.items()
    }
    made: Sweep | None = None
    names = []
    for number in range(count):
        asked = study.ask(floats)
        chosen = tuple(
            word
            for key in ranges
            for word in (f"--{key.replace('_', '-')}", f"{asked.params[key]:.4g}")
        )  # fmt: skip
        run = f"{name}-{recipe}-t{number}"
        trial = Trial(sweep=name, model=model, recipe=recipe, variant=f"t{number}", options=chosen, seed=seed, run=run)
        made = sweep(name, [trial], workspace, data=data, options=options, progress=progress)
        done = next(t for t in made.trials if (t.model, t.run) == (model, run))
        names.append(run)
        if done.val_accuracy is None:
            study.tell(asked, state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(asked, done.val_accuracy)
    trials = [trial for trial in (made.trials if made else ()) if trial.run in names and trial.model == model]
    if all(trial.val_accuracy is None for trial in trials):
        raise TrainingError("no training of the search came to its end", value=trials[0].reason if trials else "none")
    return tuple(sorted(trials, key=lambda trial: -(trial.val_accuracy or 0.0)))
