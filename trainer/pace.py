"""How far a training has come in its schedule: by its steps, or under a time budget by the clock.

Learning rate, image size and mixing are functions of that place, so that under a budget they all arrive at their end
when the time does, however the machine's speed drifts.
"""

from __future__ import annotations

import time
from typing import Protocol

from tinyml.schema import Budget, TrainConfig

from .resolution import shares
from .team import Team

FINISH_SECONDS = 2.0
"""Kept for the last save and the plot, whatever the validation takes."""


class Pace(Protocol):
    """The place in the schedule."""

    def at(self, step: int) -> float:
        """Which planned step is due when `step` steps have been made, from 0."""

    def over(self, step: int) -> bool:
        """Whether the training ends after `step` steps."""

    @property
    def seconds(self) -> float:
        """The time that counts against a budget so far."""

    def validated(self, seconds: float) -> None:
        """Learns what a validation and its save took."""


class Counted:
    """A place is a step."""

    def __init__(self, config: TrainConfig, steps_per_epoch: int) -> None:
        self._last = config.epochs * steps_per_epoch

    def at(self, step: int) -> float:
        """See Pace."""
        return step

    def over(self, step: int) -> bool:
        """See Pace."""
        return step >= self._last

    @property
    def seconds(self) -> float:
        """See Pace."""
        return 0.0

    def validated(self, seconds: float) -> None:
        """See Pace."""


class Timed:
    """A place is a time; all shares of the plan stretch to what is left of the budget.

    Args:
        config: With a budget.
        steps_per_epoch: Of the data.
        spent: Seconds of the budget that are gone already.
    """

    def __init__(self, config: TrainConfig, budget: Budget, steps_per_epoch: int, spent: float = 0.0) -> None:
        self._budget = budget
        self._planned = config.epochs * steps_per_epoch
        self._shares = shares(config)
        self._finish = budget.finish_seconds
        self._began = time.monotonic() - spent
        self._asked = (-1, 0.0)
        self._step_seconds = 0.0

    @property
    def seconds(self) -> float:
        """See Pace."""
        return time.monotonic() - self._began

    @property
    def _end(self) -> float:
        return max(1e-3, self._budget.seconds - self._finish)

    def at(self, _step: int) -> float:
        """See Pace; whole epochs lie in proportion to the time planned for images of their size."""
        total, planning = sum(self._budget.phase_seconds), self._budget.planning_seconds
        place = min(1.0, max(0.0, self.seconds - planning) / max(1e-3, self._end - planning)) * total
        done = 0.0
        for share, seconds in zip(self._shares, self._budget.phase_seconds, strict=True):
            if place <= seconds:
                done += share * place / seconds
                break
            done += share
            place -= seconds
        return min(1.0, done) * self._planned

    def over(self, step: int) -> bool:
        """See Pace; the last step is the one whose end comes nearest to the end."""
        now = self.seconds
        earlier, since = self._asked
        if step > earlier >= 0:
            self._step_seconds = (now - since) / (step - earlier)
        self._asked = (step, now)
        return now + self._step_seconds / 2 >= self._end

    def validated(self, seconds: float) -> None:
        """See Pace; the last one will take about as long."""
        self._finish = seconds + FINISH_SECONDS
        self._asked = (-1, 0.0)


class Led:
    """The first process's Pace for all of a team: they have one clock."""

    def __init__(self, pace: Pace, team: Team) -> None:
        self._pace, self._team = pace, team

    @property
    def seconds(self) -> float:
        """See Pace."""
        return self._pace.seconds

    def at(self, step: int) -> float:
        """See Pace."""
        return self._team.decide(self._pace.at(step))

    def over(self, step: int) -> bool:
        """See Pace."""
        return self._team.decide(self._pace.over(step))

    def validated(self, seconds: float) -> None:
        """See Pace."""
        self._pace.validated(seconds)
