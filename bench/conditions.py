"""Conditions under which a comparison fails: "p90 > 1.1x", "size > 12 MB", "top1 < 0.99x"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tinyml.errors import UnknownNameError, UsageError
from tinyml.schema import Record

from .comparison import Told, told_of, values_of
from .estimates import holm
from .matching import Match
from .measures import MEASURES, Measure

Outcome = Literal["kept", "failed", "undecided", "not measured"]

_UNITS: dict[str, dict[str, float]] = {
    "ms": {"ms": 1e6, "s": 1e9, "us": 1e3},
    "MB": {"MB": 1e6, "kB": 1e3, "GB": 1e9},
    "mJ": {"mJ": 1e3, "uJ": 1.0, "J": 1e6},
    "": {"": 1.0, "%": 0.01},
}
"""What limits of a measure may be given in, in units of the records."""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A condition that must not come true."""

    text: str
    measure: Measure
    above: bool
    limit: float
    """A ratio to the base, or a figure in the record's units."""
    relative: bool

    def true_of(self, value: float) -> bool:
        """Whether it comes true of a ratio or a figure."""
        return value > self.limit if self.above else value < self.limit


class ConditionRow(Record):
    """One condition and one case."""

    condition: str
    case: str
    run: str
    figure: str
    """The ratio or the figure, with its interval where it has one."""
    outcome: Outcome
    """"failed": it came true. "undecided": it did, but the interval of the ratio includes 1, so chance may have. "not
    measured": there is no figure, or none that says something of both sides; that is no pass."""


def parse(text: str) -> Condition:
    """A condition; raises UsageError for what is none."""
    match = re.fullmatch(r"\s*([a-z0-9_]+)\s*([<>])\s*(\d+(?:\.\d+)?)\s*(x|[A-Za-z%]*)\s*", text)
    if match is None:
        raise UsageError("not a condition", value=text, allowed='like "p90 > 1.1x" or "size > 12 MB"')
    name, sign, number, unit = match.groups()
    if name not in MEASURES:
        raise UnknownNameError("measure", name, MEASURES)
    measure = MEASURES[name]
    units = _UNITS[measure.unit]
    if unit != "x" and unit not in units:
        raise UsageError(
            f"no unit of {name}", value=unit or text, allowed=", ".join(f"{one!r}" for one in ("x", *units))
        )
    return Condition(
        text=" ".join(text.split()),
        measure=measure,
        above=sign == ">",
        limit=float(number) * (1.0 if unit == "x" else units[unit]),
        relative=unit == "x",
    )


def hold(conditions: Sequence[Condition], matches: Sequence[Match]) -> list[ConditionRow]:
    """Every condition on every case that the base measured; what another run did not measure is no pass.

    A ratio fails where it is beyond its limit and its interval, corrected for the number of cases, excludes 1.
    """
    rows: list[ConditionRow] = []
    for condition in conditions:
        tested: list[tuple[Match, Told]] = []
        for match in matches:
            x, y = (values_of(condition.measure, results) for results in (match.a, match.b))
            if not x and (condition.relative or not y):
                continue  # the base has no such figure of this case either
            if not y:
                rows.append(_row(condition, match, "none", "not measured"))
            elif condition.relative:
                tested.append((match, told_of(condition.measure, match)))
            else:
                rows.append(_absolute(condition, match))
        levels = holm([told.ratio.p for _, told in tested])
        rows += [_relative(condition, match, told, level) for (match, told), level in zip(tested, levels, strict=True)]
    return rows


def _relative(condition: Condition, match: Match, told: Told, level: float) -> ConditionRow:
    figure, beyond = f"{told.ratio.value:.3f}x", condition.true_of(told.ratio.value)
    if told.doubt is not None:
        # That a single round is within a limit is as good as that many are; that it is not may be chance.
        known = not beyond and not condition.measure.exact
        return _row(condition, match, f"{figure} {told.doubt}", "kept" if known else "not measured")
    interval = told.ratio.interval(1 - level)
    if not condition.measure.exact:
        figure += f" ({interval.low:.3f} to {interval.high:.3f})"
    outcome: Outcome = "kept" if not beyond else "undecided" if interval.low <= 1 <= interval.high else "failed"
    return _row(condition, match, figure, outcome)


def _absolute(condition: Condition, match: Match) -> ConditionRow:
    measure = condition.measure
    found = [value for result in match.b if (value := measure.told(result)) is not None]
    value = sum(found) / len(found)
    figure = f"{value / measure.scale:.4g} {measure.unit}".strip()
    return _row(condition, match, figure, "failed" if condition.true_of(value) else "kept")


def _row(condition: Condition, match: Match, figure: str, outcome: Outcome) -> ConditionRow:
    return ConditionRow(condition=condition.text, case=match.case, run=match.run, figure=figure, outcome=outcome)
