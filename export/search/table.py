"""The sensitivity table: what each option costs each layer, in bytes and in what the program then answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tinyml.coreml.read.package import open_package
from tinyml.progress import Progress
from tinyml.schema import PlanOption, Variant

from ..encoding.calibration import decoded
from ..encoding.forms import Form, Indices, Sparse
from ..encoding.layers import kinds_of
from ..encoding.rounding import rounded
from ..size import stored_bits
from ..weights import Encoding, Weight
from .options import encodings_of
from .program import Halt, Program, Unit

SENSITIVITY_SAMPLES = 128
"""On so many inputs the loss of a single layer is measured; it is told from others by far fewer."""
_OP, _JOINT, _OFFSET, _SCALE = 200, 500, 190, 1200
"""Bytes that a layer takes beside what is stored of its weight: for the op that unpacks it, for a second one where it
is sparse as well, for offsets, and for the op that scales its output. As found in packages of a small network."""

Picks = tuple[int, ...]
"""The option of each unit, by number."""


class Table:
    """Sizes and losses of every unit under every option, and the weights themselves.

    Args:
        package: Not compressed.
        program: The same, with the calibration inputs.
        options: What there is to choose among; the first leaves a weight as it is.
        variant: Whose precision and target hold.
        compensated: Whether weights make up for each other's errors.

    Attributes:
        sizes: int64 [options] of each unit, in bytes.
        losses: float64 [options] of each unit; nothing before `measure`.
    """

    def __init__(
        self, package: Path, program: Program, options: Sequence[PlanOption], variant: Variant, *, compensated: bool
    ) -> None:
        self.program, self.options, self._compensated = program, options, compensated
        self._variant = variant
        self._values = decoded(open_package(package), {unit.weight.stored_name for unit in program.units})
        self._forms: dict[tuple[int, int], Form] = {}
        self._shifts: dict[tuple[int, int], Tensor] = {}
        self._same = [_alike(options, unit.weight, variant) for unit in program.units]
        self.sizes = [_sizes(options, unit, variant) for unit in program.units]
        self.losses: list[NDArray[np.float64]] = []

    def measure(self, progress: Progress) -> None:
        """Rounds every unit to every option, and executes the program with each of them alone."""
        progress.start("sensitivity", sum(len(set(same)) - 1 for same in self._same), "options")
        self.losses = self._measured({}, {}, progress, each=True)
        progress.finish()

    def around(self, picks: Picks, progress: Progress) -> list[NDArray[np.float64]]:
        """The losses with every other unit as in `picks`, less what `picks` itself loses; infinite is never chosen."""
        progress.start("sensitivity around a plan", sum(len(set(same)) - 1 for same in self._same), "options")
        found = self._measured(*self.weights(picks), progress, each=False)
        progress.finish()
        return found

    def _measured(
        self, base: Mapping[int, Tensor], shifts: Mapping[str, Tensor], progress: Progress, *, each: bool
    ) -> list[NDArray[np.float64]]:
        reference = self.program.answers({}, samples=SENSITIVITY_SAMPLES)
        found = []
        for number, halt in enumerate(self.program.walk(base, shifts, SENSITIVITY_SAMPLES)):
            row = np.zeros(len(self.options))
            if each:
                self._round(number, halt)
            for option in sorted(set(self._same[number])):
                if option or not each:
                    weight, shift = self.weight(number, option), self._shifts.get((number, option))
                    row[option] = halt.answers(weight, shift).loss(reference)
                    progress.advance()
            found.append(row[self._same[number]])
        return found

    def _round(self, number: int, halt: Halt) -> None:
        unit = halt.unit
        matrix = halt.hessian() if self._compensated else None
        values = self._values[unit.weight.stored_name]
        for option in sorted(set(self._same[number]) - {0}):
            kinds = kinds_of(
                self._variant.model_copy(update={"compression": self.options[option].compression}), unit.weight
            )
            half = self._variant.precision == "fp16"
            made = rounded(values, unit.weight, kinds, half=half, hessian=matrix)
            if made is None:
                continue
            self._forms[number, option] = _slim(made.form, half=half)
            if self._compensated and (shift := halt.shift(torch.from_numpy(made.values))) is not None:
                self._shifts[number, option] = shift

    def weight(self, number: int, option: int) -> Tensor:
        """What a unit computes with under an option."""
        unit = self.program.units[number]
        option = self._same[number][option]
        form = self._forms.get((number, option))
        if form is None:
            return torch.from_numpy(self._values[unit.weight.stored_name])
        return computed_with(form, unit.weight)

    def weights(self, picks: Picks) -> tuple[dict[int, Tensor], dict[str, Tensor]]:
        """What the whole program computes with, by slot, and by op how its outputs move."""
        units = self.program.units
        changed = {units[number].slot: self.weight(number, option) for number, option in enumerate(picks) if option}
        places = {number: (number, int(self._same[number][option])) for number, option in enumerate(picks)}
        shifts = {units[n].weight.op_name: self._shifts[place] for n, place in places.items() if place in self._shifts}
        return changed, shifts

    def bytes_of(self, picks: Picks) -> int:
        """Of all units together."""
        return sum(int(row[pick]) for row, pick in zip(self.sizes, picks, strict=True))


def computed_with(form: Form, weight: Weight) -> Tensor:
    """What a layer computes with, in the weight's shape, the scale behind its op included."""
    values = form.decoded()
    if isinstance(form, Indices) and form.output_scale is not None:
        shape = [1] * values.ndim
        shape[weight.output_axis] = -1
        values = values * form.output_scale.reshape(shape)
    return torch.from_numpy(np.ascontiguousarray(values, np.float32))


def _sizes(options: Sequence[PlanOption], unit: Unit, variant: Variant) -> NDArray[np.int64]:
    return np.array([stored_bytes(option, unit.weight, variant) for option in options], np.int64)


def stored_bytes(option: PlanOption, weight: Weight, variant: Variant) -> int:
    """What a weight takes in the package under an option, with all that belongs to it."""
    encodings = encodings_of(option, weight, variant)
    bits = stored_bits(encodings, weight.shape, variant.precision)
    besides = _OP * bool(encodings) + _JOINT * (len(encodings) > 1)
    if any(encoding.method == "linear" and encoding.dtype.startswith("u") for encoding in encodings):
        besides += _OFFSET
    if any(encoding.behind for encoding in encodings):
        besides += _SCALE
    return round(bits / 8) + besides


def _alike(options: Sequence[PlanOption], weight: Weight, variant: Variant) -> NDArray[np.int64]:
    """For each option the first that makes the same of this weight: a group of 16 is all of a layer of 16 channels."""
    known: dict[tuple[Encoding, ...], int] = {}
    places = [known.setdefault(encodings_of(option, weight, variant), number) for number, option in enumerate(options)]
    return np.array(places)


def _slim(form: Form, *, half: bool) -> Form:
    """`form` without what is stored twice."""
    if not isinstance(form, Sparse):
        return form
    values = form.values if form.inner is None else np.zeros(0, np.float32)
    return replace(form, values=values.astype(np.float16) if half else values)
