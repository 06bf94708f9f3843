"""One line of a report: a result with its statistics."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from tinyml.schema import BenchResult, BenchRun

from .estimates import Estimate, percentile_estimate
from .names import Names
from .stats import Summary, summarize
from .validity import by_round, waiting_share

PERCENTILES = (50, 90, 95, 99)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A result, its latency summarized; None stands for what was not measured.

    What is measured once a round (loads, memory, energy) is told as the median of the rounds, a peak as the largest.
    """

    result: BenchResult
    variant: str
    """With the start of its checksum where its name is another file's too."""
    name: str
    """The case in words: "densenet coreml-fp16 on coreml cpu_and_ne", with a batch or streams above 1."""
    latency_ns: Summary | None
    percentiles: dict[int, Estimate]
    """The 50th, 90th, 95th and 99th with their 95% intervals; empty without a latency."""
    compile_ns: int | None
    load_ns: int | None
    cached_load_ns: int | None
    first_prediction_ns: int | None
    images_per_s: float | None
    """What all callers together get done."""
    peak_memory_bytes: int | None
    baseline_memory_bytes: int | None
    model_memory_bytes: int | None
    """The peak less the process without the model."""
    energy_uj: int | None
    """Of one prediction."""
    waiting: float | None
    """Of the time in which its threads could have run, the share without a core; above 0.05 the machine was busy."""

    @property
    def verdict(self) -> str:
        """The status, with the reason where there is one, and the flags."""
        status = self.result.status.replace("_", " ")
        if self.result.reason is not None:
            return f"{status}: {self.result.reason}"
        if self.latency_ns is None:
            status = f"{status}, accuracy only"
        return f"{status} ({', '.join(self.result.flags)})" if self.result.flags else status

    @property
    def doubtful(self) -> bool:
        """Whether a flag stands at its figures."""
        return bool(self.result.flags)


def rows(run: BenchRun) -> list[Row]:
    """One row a result, in the order of the run."""
    names = Names([run])
    return [_row(result, names) for result in run.results]


def _row(result: BenchResult, names: Names) -> Row:
    found = {series.name: series.samples for series in result.series}
    samples = found.get("latency_ns", ())

    def middle(name: str) -> int | None:
        return int(statistics.median(found[name])) if name in found else None

    peak, baseline = found.get("peak_memory_bytes"), found.get("baseline_memory_bytes")
    waits = [share for one in result.rounds if (share := waiting_share(one)) is not None]
    return Row(
        result=result,
        variant=names.variant(result.case),
        name=names.words(result.case),
        latency_ns=summarize(samples) if samples else None,
        percentiles={q: percentile_estimate(by_round(samples, result.rounds), q) for q in PERCENTILES}
        if samples
        else {},
        compile_ns=middle("compile_ns"),
        load_ns=middle("load_ns"),
        cached_load_ns=middle("cached_load_ns"),
        first_prediction_ns=middle("first_prediction_ns"),
        images_per_s=_images_per_s(result, samples),
        peak_memory_bytes=max(peak) if peak else None,
        baseline_memory_bytes=middle("baseline_memory_bytes"),
        model_memory_bytes=max(max(peak) - min(baseline), 0) if peak and baseline else None,
        energy_uj=middle("energy_uj"),
        waiting=max(waits) if waits else None,
    )


def _images_per_s(result: BenchResult, samples: tuple[int, ...]) -> float | None:
    """By the wall clock of the rounds; one caller without a record of rounds keeps busy from sample to sample."""
    if not samples:
        return None
    images = len(samples) * result.case.batch
    elapsed = sum(one.elapsed_ns for one in result.rounds) or sum(samples) / result.case.streams
    return images / elapsed * 1e9 if elapsed else None
