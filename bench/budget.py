"""Budgets: limits of latency, size, memory and accuracy that a run must keep, for continuous integration."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from tinyml.errors import BenchError, reason_of
from tinyml.schema import BenchResult, BenchRun, Fraction, PositiveInt, Record

from .backend import backends
from .measures import MEASURES
from .names import Names

MAX_BYTES = 1_000_000
Positive = Annotated[float, Field(gt=0)]
Outcome = Literal["kept", "exceeded", "not measured", "matches nothing"]


class Limit(Record):
    """Limits of the cases that its patterns match (shell patterns: "coreml-*"); times in ms, sizes in MB (1e6 bytes).

    Those of `top1` and `top5` are the least that is allowed, all others the most.
    """

    model: str = "*"
    variant: str = "*"
    backend: str = "*"
    units: str = "*"
    batch: PositiveInt = 1
    p50_ms: Positive | None = None
    p90_ms: Positive | None = None
    p95_ms: Positive | None = None
    p99_ms: Positive | None = None
    processor_time_ms: Positive | None = None
    compile_ms: Positive | None = None
    load_ms: Positive | None = None
    cached_load_ms: Positive | None = None
    first_prediction_ms: Positive | None = None
    size_mb: Positive | None = None
    peak_memory_mb: Positive | None = None
    energy_mj: Positive | None = None
    top1: Fraction | None = None
    top5: Fraction | None = None

    @model_validator(mode="after")
    def _limits_something(self) -> Limit:
        if not self.figures:
            raise ValueError("a limit names at least one figure")
        return self

    @property
    def figures(self) -> dict[str, float]:
        """What is limited, by the measure's name, in the records' units."""
        return {
            name: limit * measure.scale
            for name, measure in MEASURES.items()
            if (limit := getattr(self, f"{name}_{measure.unit.lower()}" if measure.unit else name)) is not None
        }

    def matches(self, result: BenchResult) -> bool:
        """Whether it is about the result's case."""
        case = result.case
        return (
            fnmatchcase(case.model, self.model)
            and fnmatchcase(case.variant, self.variant)
            and fnmatchcase(case.backend, self.backend)
            and fnmatchcase(case.requested_units, self.units)
            and case.batch == self.batch
        )

    @property
    def name(self) -> str:
        """Its patterns in words."""
        batch = f", batch {self.batch}" if self.batch > 1 else ""
        return f"{self.model} {self.variant} on {self.backend} {self.units}{batch}"


class Budget(Record):
    """`[[limits]]` tables of a TOML file."""

    limits: Annotated[tuple[Limit, ...], Field(min_length=1)]


class BudgetRow(Record):
    """One limited figure of one case."""

    case: str
    measure: str
    figure: str
    limit: str
    outcome: Outcome
    flags: tuple[str, ...] = ()
    """What makes the figure doubtful."""


def read_budget(path: Path) -> Budget:
    """The budget in a TOML file; raises BenchError that names the first thing wrong with it."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BenchError("file too large for a budget", value=path, allowed=f"at most {MAX_BYTES} bytes")
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise BenchError("cannot read the budget", value=f"{path}: {reason_of(error)}", allowed="a TOML file") from None
    try:
        return Budget.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise BenchError(
            f"{path} is no budget",
            value=f"{where}: {first['msg']}",
            allowed="[[limits]] tables with patterns (model, variant, backend, units, batch) and figures like p90_ms",
        ) from None


def check(run: BenchRun, budget: Budget) -> list[BudgetRow]:
    """Every limited figure of every case that a limit matches.

    What was not measured keeps no limit, and neither does a limit that matches no case. A backend that measures no
    latency at all is asked for none.
    """
    rows: list[BudgetRow] = []
    names = Names([run])
    for limit in budget.limits:
        matching = [result for result in run.results if limit.matches(result)]
        if not matching:
            rows.append(BudgetRow(case=limit.name, measure="-", figure="-", limit="-", outcome="matches nothing"))
        for result in matching:
            rows += [
                _row(names.case(result.case), result, name, allowed) for name, allowed in _asked(limit, result).items()
            ]
    return rows


def _asked(limit: Limit, result: BenchResult) -> dict[str, float]:
    name = result.case.backend
    timed = name not in backends.names() or backends.get(name).measures_latency
    return {name: value for name, value in limit.figures.items() if timed or MEASURES[name].exact}


def _row(case: str, result: BenchResult, name: str, allowed: float) -> BudgetRow:
    measure = MEASURES[name]
    value = measure.told(result) if result.status == "ok" else None
    within = value is not None and (value <= allowed if measure.better == "lower" else value >= allowed)
    least = "at most" if measure.better == "lower" else "at least"
    interval = measure.interval(result) if value is not None else None
    reach = "" if interval is None else f" ({_shown(name, interval.low)} to {_shown(name, interval.high)})"
    return BudgetRow(
        case=case,
        measure=name,
        figure=f"{_shown(name, value)}{reach}" if value is not None else result.reason or "-",
        limit=f"{least} {_shown(name, allowed)}",
        outcome="not measured" if value is None else "kept" if within else "exceeded",
        flags=result.flags if not measure.exact else (),
    )


def _shown(name: str, value: float) -> str:
    measure = MEASURES[name]
    return f"{value / measure.scale:.4g} {measure.unit}".strip()


def kept(rows: Sequence[BudgetRow]) -> bool:
    """Whether every limit was kept, and by a measurement."""
    return all(row.outcome == "kept" for row in rows)
