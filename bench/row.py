"""One line of a report: a result with its statistics."""

from __future__ import annotations

from dataclasses import dataclass

from tinyml.schema import BenchResult, BenchRun, Series

from .stats import Summary, summarize


@dataclass(frozen=True, kw_only=True)
class Row:
    """A result, its latency summarized; None stands for what was not measured."""

    result: BenchResult
    latency_ns: Summary | None
    compile_ns: int | None
    load_ns: int | None
    first_prediction_ns: int | None
    peak_memory_bytes: int | None
    baseline_memory_bytes: int | None

    @property
    def name(self) -> str:
        """The case in words: "densenet coreml-fp16 on coreml cpu_and_ne"."""
        case = self.result.case
        return f"{case.model} {case.variant} on {case.backend} {case.requested_units}"

    @property
    def verdict(self) -> str:
        """The status, with the reason where there is one, and the flags."""
        status = self.result.status.replace("_", " ")
        if self.result.reason is not None:
            return f"{status}: {self.result.reason}"
        if self.latency_ns is None:
            status = f"{status}, accuracy only"
        return f"{status} ({', '.join(self.result.flags)})" if self.result.flags else status


def rows(run: BenchRun) -> list[Row]:
    """One row a result, in the order of the run."""
    return [_row(result) for result in run.results]


def _row(result: BenchResult) -> Row:
    found = {series.name: series for series in result.series}

    def single(name: str) -> int | None:
        series: Series | None = found.get(name)
        return series.samples[0] if series is not None else None

    return Row(
        result=result,
        latency_ns=summarize(found["latency_ns"].samples) if "latency_ns" in found else None,
        compile_ns=single("compile_ns"),
        load_ns=single("load_ns"),
        first_prediction_ns=single("first_prediction_ns"),
        peak_memory_bytes=max(found["peak_memory_bytes"].samples) if "peak_memory_bytes" in found else None,
        baseline_memory_bytes=single("baseline_memory_bytes"),
    )
