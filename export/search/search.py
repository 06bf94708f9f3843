"""The search for a plan: what each layer shall become, to be as small or as good as was asked for.

1. Each layer is executed under each option alone: the table (`table`).
2. Where losses add up, the knapsack has the best plan for every size (`knapsack`). They nearly do: errors that are
   independent add up as energies, aligned ones as amplitudes, so it is solved for both.
3. Plans are executed whole and judged by that: those of the knapsack, every uniform one that is small enough, and the
   greedy walk's (`greedy`). Where one of these is better, it is the best.
4. The losses are measured again around the best plan, with all other layers as it has them, and solved again, until
   that finds nothing better.
5. The best few are rounded and written as an export does, executed once more, and the best of these is chosen.

So the plan is never worse, on the inputs that judge it, than any uniform plan or the greedy one of its size.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tinyml.errors import UsageError
from tinyml.progress import Progress, Silent
from tinyml.schema import Compression, LayerLoss, PlanGoal, PlannedLayer, PlanOption, PlanTrial
from tinyml.store import size_bytes

from .greedy import greedy
from .judge import Judge, Subject, Trial
from .knapsack import Front, solve
from .options import composed
from .program import Program
from .table import Picks, Table

_ROUNDS = 2
"""How often the losses are measured again around the best plan."""
_FINALISTS = 3
_CORRECTIONS = 4
"""How often plans are made smaller because their packages became larger than expected."""
GREEDY, STORED = "greedy", "stored "
_HALVINGS = 10
_CLOSE = 1.005
"""Two sizes within half a percent are not told apart."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """A plan and what led to it."""

    layers: tuple[PlannedLayer, ...]
    trials: tuple[PlanTrial, ...]
    options: tuple[PlanOption, ...]
    compression: tuple[Compression, ...]
    """Of the variant that the plan is."""
    measure: Literal["divergence", "error"]
    top1: float | None
    left: dict[str, str]
    seconds: float


def search(subject: Subject, goal: PlanGoal, options: Sequence[PlanOption], progress: Progress | None = None) -> Found:
    """The best plan for `goal`; the same for the same inputs.

    Args:
        subject: What is compressed.
        goal: What to meet.
        options: What a layer can become; the first leaves it as it is.
        progress: Told of every step.

    Raises:
        UsageError: No plan meets the goal, or a drop is asked of what is no classifier.
    """
    return _Search(subject, goal, options, progress or Silent()).found()


class _Search:
    def __init__(self, subject: Subject, goal: PlanGoal, options: Sequence[PlanOption], progress: Progress) -> None:
        self._began = time.monotonic()
        self._goal, self._options, self._progress = goal, options, progress
        program = Program(subject.package, subject.weights, subject.calibration)
        if goal.max_drop is not None and not program.classifies:
            raise UsageError("points can only be lost by a classifier", hint="name a size instead: --max-size BYTES")
        if not program.units:
            raise UsageError("no weights to plan for", value=subject.package)
        compensated = any(
            getattr(kind, "rounding", "") == "compensated" for option in options for kind in option.compression
        )
        self._table = Table(subject.package, program, options, subject.variant, compensated=compensated)
        self._fronts: list[tuple[str, Front]] = []
        self._plain: Picks = (0,) * len(program.units)
        self._besides = size_bytes(subject.package) - self._table.bytes_of(self._plain)
        self._least = self._besides + sum(int(row.min()) for row in self._table.sizes)
        if goal.max_size is not None and self._least > goal.max_size:
            raise UsageError(
                "no plan is that small", value=goal.max_size, allowed=f"--max-size of about {self._least} or more"
            )
        self._table.measure(progress)
        self._judge = Judge(subject, self._table, self._besides)
        self._uniform = [
            self._judged(f"uniform {option.name}", (n,) * len(program.units)) for n, option in enumerate(options)
        ]

    def found(self) -> Found:
        """Searches."""
        chosen = self._smallest() if self._goal.max_size is None else self._within(self._goal.max_size)
        trials = [trial for trial in self._judge.trials if trial is not chosen]
        table, units = self._table, self._table.program.units
        layers = tuple(
            PlannedLayer(
                layer=layer.layer,
                weights=layer.size,
                option=self._options[chosen.picks[n]].name,
                measured=tuple(
                    LayerLoss(option=option.name, bytes=int(table.sizes[n][m]), loss=float(table.losses[n][m]))
                    for m, option in enumerate(self._options)
                ),
            )
            for n, unit in enumerate(units)
            for layer in unit.weights
        )
        picks = {layer.layer: self._options[chosen.picks[n]] for n, unit in enumerate(units) for layer in unit.weights}
        return Found(
            layers=layers,
            trials=tuple(self._record(trial, trial is chosen) for trial in [*trials, chosen]),
            options=tuple(self._options),
            compression=composed(picks),
            measure="divergence" if table.program.classifies else "error",
            top1=self._judge.top1,
            left=table.program.left,
            seconds=time.monotonic() - self._began,
        )

    def _record(self, trial: Trial, chosen: bool) -> PlanTrial:
        better = [other for other in self._judge.trials if other.bytes <= trial.bytes and other.loss < trial.loss]
        elements = sum(unit.weight.size for unit in self._table.program.units)
        return PlanTrial(
            name=trial.name,
            bytes=trial.bytes,
            bits=8 * max(1, trial.bytes - self._besides) / elements,
            loss=trial.loss,
            points_lost=trial.points_lost,
            front=not better,
            chosen=chosen,
        )

    # A size to stay within, and the least loss.

    def _within(self, limit: int) -> Trial:
        best, budget = self._best_within(limit), limit
        fitting: list[Trial] = []
        for _ in range(_CORRECTIONS):
            written = [self._stored(trial) for trial in self._finalists(best, budget)]
            fitting += [trial for trial in written if trial.bytes <= limit]
            over = [t for t in written if t.bytes > limit and all(t.loss < other.loss for other in fitting)]
            if not over:
                break
            # A package can take a little more than expected.
            budget -= max(trial.bytes for trial in over) - limit
            if budget < self._least:
                break
            best = self._best_of(self._fronts, budget)
        if not fitting:
            least = min(t.bytes for t in self._judge.trials if t.name.startswith(STORED))
            raise UsageError("no plan is that small", value=limit, allowed=f"--max-size of {least} or more")
        return min(fitting, key=_worth)

    def _best_within(self, budget: int) -> Trial:
        best = self._best_of(self._solved(self._table.losses, "knapsack"), budget)
        peers = [trial for trial in self._uniform if trial.bytes <= budget]
        walked = greedy(self._table.sizes, self._table.losses, budget - self._besides, self._plain)
        if walked is not None:
            peers.append(self._judged(GREEDY, walked))
        best = min([*peers, best], key=_worth)
        for number in range(_ROUNDS):
            losses = self._table.around(best.picks, self._progress)
            better = self._best_of(self._solved(losses, f"refined {number + 1}"), budget)
            if better.loss >= best.loss:
                break
            best = better
        return best

    def _best_of(self, fronts: Sequence[tuple[str, Front]], budget: int) -> Trial:
        trials = [self._judged(name, front.within(budget - self._besides)) for name, front in fronts]
        return min(trials, key=_worth)

    def _finalists(self, best: Trial, budget: int) -> list[Trial]:
        """The best few that are not written yet, and the best of the uniform plans and of the greedy ones."""
        written = {trial.picks for trial in self._judge.trials if trial.name.startswith(STORED)}
        fitting = [t for t in self._judge.trials if t.bytes <= budget and t.picks not in written]
        fitting.sort(key=_worth)
        chosen = [best] * (best.picks not in written) + fitting[:_FINALISTS]
        for peers in ([t for t in fitting if t in self._uniform], [t for t in fitting if t.name == GREEDY]):
            chosen += peers[:1]
        return list(dict.fromkeys(chosen))

    # Points that may be lost, and the least size.

    def _smallest(self) -> Trial:
        limit = float(self._goal.max_drop or 0.0)
        best = min((t for t in self._uniform if _lost(t) <= limit), key=lambda trial: trial.bytes)
        for name, front in self._solved(self._table.losses, "knapsack"):
            best = self._halved(name, front, best, limit)
        walked = greedy(self._table.sizes, self._table.losses, best.bytes - self._besides, self._plain)
        if walked is not None:
            self._judged(GREEDY, walked)
        for number in range(_ROUNDS):
            before = best
            losses = self._table.around(best.picks, self._progress)
            for name, front in self._solved(losses, f"refined {number + 1}"):
                best = self._halved(name, front, best, limit)
            if best.bytes * _CLOSE >= before.bytes:
                break
        fitting = [t for t in self._judge.trials if _lost(t) <= limit]
        failed = float("inf")
        for trial in sorted(fitting, key=lambda trial: (trial.bytes, trial.loss)):
            if trial.loss >= failed:
                continue
            written = self._stored(trial)
            if _lost(written) <= limit:
                return written
            failed = trial.loss
        raise UsageError("no plan loses that little", value=limit)  # cannot be: one leaves everything as it is

    def _halved(self, name: str, front: Front, best: Trial, limit: float) -> Trial:
        """The smallest plan of `front` that loses at most `limit`, or `best` where that is smaller."""
        low, high = front.smallest, best.bytes - self._besides
        for _ in range(_HALVINGS):
            if high <= low * _CLOSE:
                break
            middle = round((low * high) ** 0.5)
            trial = self._judged(name, front.within(middle))
            if _lost(trial) <= limit:
                best, high = min(best, trial, key=lambda t: t.bytes), min(middle, trial.bytes - self._besides)
            else:
                low = middle
        return best

    # Steps of both.

    def _solved(self, losses: Sequence[NDArray[np.float64]], name: str) -> list[tuple[str, Front]]:
        """For losses that add up as energies, and as amplitudes; `losses` may be relative, and below 0."""
        floor = [row - min(0.0, float(row.min())) for row in losses]
        fronts = [
            (f"{name}{suffix}", solve(self._table.sizes, [row**power for row in floor]))
            for suffix, power in (("", 1.0), (" of amplitudes", 0.5))
        ]
        self._fronts += fronts
        return fronts

    def _judged(self, name: str, picks: Picks) -> Trial:
        trial = self._judge.judged(name, picks)
        self._tell(trial)
        return trial

    def _stored(self, trial: Trial) -> Trial:
        written = self._judge.stored(trial)
        self._tell(written)
        return written

    def _tell(self, trial: Trial) -> None:
        lost = "" if trial.points_lost is None else f", {trial.points_lost:+.2f} points lost"
        self._progress.say(f"{trial.name}: {trial.bytes / 1000:.1f} kB, loss {trial.loss:.3g}{lost}")


def _worth(trial: Trial) -> tuple[float, int]:
    """The least comes first."""
    return trial.loss, trial.bytes


def _lost(trial: Trial) -> float:
    """With a margin for chance: the smallest of many plans that just meet a limit is the luckiest of them."""
    return float("inf") if trial.surely_lost is None else trial.surely_lost
