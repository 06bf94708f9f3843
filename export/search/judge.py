"""Whole plans, executed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tinyml.quiet import coremltools, quiet
from tinyml.schema import Variant
from tinyml.scratch import scratch_in, temporary_folder
from tinyml.store import size_bytes

from ..compression import Samples
from ..encoding.coreml import store
from ..encoding.layers import encoded
from ..weights import Weight
from .options import composed
from .program import Answers, Program
from .table import Picks, Table, computed_with

_ONE_OF_TEN = 1.2816
"""Standard deviations that a normal value is above in one case of ten."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A package that is not compressed, and the inputs that decide how it shall be."""

    package: Path
    weights: tuple[Weight, ...]
    calibration: Samples
    """What layers are rounded and measured on."""
    judging: Samples
    """What whole plans are judged on."""
    labels: NDArray[np.int64] | None
    """The classes of the latter; None: not known."""
    variant: Variant
    """The format, precision and target; its name is that of the plan to be."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A plan, and what was found when it was executed."""

    name: str
    picks: Picks
    bytes: int
    loss: float
    points_lost: float | None
    surely_lost: float | None = None
    """What all but one of ten such sets of inputs would show at most, from the answers that changed."""


class Judge:
    """Executes plans on the judging inputs, each once.

    Args:
        subject: What is compressed.
        table: The weights under each option.
        besides: Bytes of the package that are no weights.

    Attributes:
        trials: Everything that was judged, in order.
    """

    def __init__(self, subject: Subject, table: Table, besides: int) -> None:
        self._subject, self._table, self._besides = subject, table, besides
        self._program = Program(subject.package, subject.weights, subject.judging)
        self.trials: list[Trial] = []

    @property
    def top1(self) -> float | None:
        """Of the program as it is; None without labels."""
        first, labels = self._program.reference.first(), self._subject.labels
        return None if first is None or labels is None else float((first == labels).mean())

    def bytes_of(self, picks: Picks) -> int:
        """Of the package, as expected."""
        return self._besides + self._table.bytes_of(picks)

    def judged(self, name: str, picks: Picks) -> Trial:
        """The plan, executed with the weights of the table; one that was judged before keeps its name."""
        for trial in self.trials:
            if trial.picks == picks and not trial.name.startswith("stored "):
                return trial
        answers = self._program.answers(*self._table.weights(picks))
        return self._noted(name, picks, self.bytes_of(picks), answers)

    def stored(self, trial: Trial) -> Trial:
        """The plan of `trial` made as it is exported (each layer rounded behind the rounded ones), and executed."""
        subject, units = self._subject, self._program.units
        names = {layer.layer: trial.picks[n] for n, unit in enumerate(units) for layer in unit.weights}
        kinds = composed({layer: self._table.options[pick] for layer, pick in names.items()})
        variant = subject.variant.model_copy(update={"compression": kinds})
        found = encoded(subject.package, variant, subject.weights, subject.calibration)
        ct = coremltools()
        with temporary_folder("plan") as folder, scratch_in(folder):
            with quiet():
                model = ct.models.MLModel(str(subject.package), skip_model_load=True)
            model = store(model, found)
            path = folder / "plan.mlpackage"
            with quiet():
                model.save(str(path))
            written = size_bytes(path)
        changed = {
            unit.slot: computed_with(form, unit.weight)
            for unit in units
            if (form := found.forms.get(unit.weight.stored_name)) is not None
        }
        shifts: Mapping[str, Tensor] = {name: torch.from_numpy(shift) for name, shift in found.bias_shifts.items()}
        return self._noted(f"stored {trial.name}", trial.picks, written, self._program.answers(changed, shifts))

    def _noted(self, name: str, picks: Picks, size: int, answers: Answers) -> Trial:
        reference = self._program.reference
        points: float | None = None
        surely: float | None = None
        first, before, labels = answers.first(), reference.first(), self._subject.labels
        if first is not None and before is not None:
            lost = (first != before) if labels is None else (before == labels).astype(int) - (first == labels)
            points = 100 * float(lost.mean())
            surely = points + 100 * _ONE_OF_TEN * float(lost.std()) / math.sqrt(len(lost))
        loss = answers.loss(reference)
        trial = Trial(name=name, picks=picks, bytes=size, loss=loss, points_lost=points, surely_lost=surely)
        self.trials.append(trial)
        return trial
