"""Measurements of speed and memory."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from .base import SCHEMA_VERSION, Count, FolderName, Fraction, Name, PositiveInt, Provenance, Record, Sha256, written_as
from .environment import Environment
from .metrics import Metrics

Status = Literal["ok", "unsupported", "failed", "not_run"]
Units = Literal["cpu_only", "cpu_and_gpu", "cpu_and_ne", "all", "cpu", "mps", "cuda", "coreml"]
Format = Literal["torch", "coreml", "onnx", "coreai"]

_APPLE: tuple[Units, ...] = ("cpu_only", "cpu_and_gpu", "cpu_and_ne", "all")
UNITS_OF_FORMAT: dict[Format, tuple[Units, ...]] = {
    "torch": ("cpu", "mps", "cuda"),
    "coreml": (*_APPLE, "cpu"),
    "onnx": ("cpu", "coreml", "cuda"),
    "coreai": _APPLE,
}
"""What a model of each format can be asked to run on, whatever the backend."""
KNOWN_BACKENDS: dict[str, tuple[Format, tuple[Units, ...]]] = {
    "coreai": ("coreai", _APPLE),
    "coreml": ("coreml", _APPLE),
    "coreml_device": ("coreml", _APPLE),
    "onnxruntime": ("onnx", ("cpu", "coreml", "cuda")),
    "reference": ("coreml", ("cpu",)),
    "torch": ("torch", ("cpu", "mps", "cuda")),
    "torch_compile": ("torch", ("cpu", "cuda")),
}
"""The format and the units of the backends that every reader knows; another's units are only held to its format."""
CLOCKS_DIFFER = timedelta(days=1)
"""How far ahead the clock of the machine that measured may be."""


class BenchCase(Record):
    """One thing to measure: an artifact on a backend with the compute units that it may use."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                {
                    "if": {"properties": {"backend": {"const": name}}},
                    "then": {"properties": {"format": {"const": known}, "requested_units": {"enum": list(units)}}},
                }
                for name, (known, units) in KNOWN_BACKENDS.items()
            ]
        }
    )

    model: Name
    """The architecture."""
    variant: Name
    """The variant's name, or "checkpoint" for the network as trained."""
    format: Format
    artifact_sha256: Sha256
    artifact_bytes: PositiveInt
    backend: Annotated[str, written_as(r"^[a-z0-9_]+$", "a name of lower-case letters, digits and _")]
    requested_units: Units
    """A permission, never a placement."""
    batch: PositiveInt = 1
    threads: PositiveInt | None = None
    """CPU threads that the backend was given; None: its own choice."""
    warmup: Count
    """At least so many unmeasured predictions in each process."""
    min_repeats: PositiveInt
    """At least so many measured ones, all rounds together."""
    min_seconds: Annotated[float, Field(ge=0)]
    """And for at least so long, all rounds together."""
    max_seconds: Annotated[float, Field(gt=0)] | None = None
    """Never for longer, however few the predictions are by then; None: no such limit."""
    rounds: PositiveInt = 1
    """Fresh processes, each with its share of the predictions."""
    streams: PositiveInt = 1
    """Callers at the same time: 1 measures latency, more measure throughput."""

    @property
    def one_image(self) -> bool:
        """Whether it is the latency of one image at a time."""
        return self.batch == self.streams == 1

    @model_validator(mode="after")
    def _the_backend_runs_it(self) -> Self:
        known = KNOWN_BACKENDS.get(self.backend)
        if known is not None and known[0] != self.format:
            raise ValueError(f"{self.backend} runs no {self.format} model: {known[0]} models only")
        units = UNITS_OF_FORMAT[self.format] if known is None else known[1]
        if self.requested_units not in units:
            raise ValueError(f"{self.backend} has no units {self.requested_units!r}: {', '.join(units)}")
        return self

    @model_validator(mode="after")
    def _the_least_is_no_more_than_the_most(self) -> Self:
        if self.max_seconds is not None and self.min_seconds > self.max_seconds:
            raise ValueError(f"at least {self.min_seconds} seconds were asked for, and at most {self.max_seconds}")
        return self


class Series(Record):
    """Raw samples in the order they were taken; the unit stands at the end of the name (`_uj`: microjoules)."""

    name: Annotated[str, written_as(r"^[a-z0-9_]+_(ns|bytes|uj)$", "a name that ends in its unit: _ns, _bytes or _uj")]
    samples: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
    """Above 0: what takes no time and no memory was not measured."""


class PlacedOp(Record):
    """One op of a compute plan."""

    operator: str
    """Its name, with its opset where it has one ("ios16.conv")."""
    device: Literal["cpu", "gpu", "neural_engine", "unknown"]
    """Where the plan prefers to run it."""
    cost: Fraction | None = None
    """Its estimated share of the whole model's cost; None: the plan does not say."""


class Placement(Record):
    """What Core ML's compute plan says of each op's preferred device; absent where nobody looked.

    Constants, compressed ones (`constexpr_*`) too, are no ops here: nothing runs them.
    """

    cpu: Count
    gpu: Count
    neural_engine: Count
    unknown: Count = 0
    ops: tuple[PlacedOp, ...] = ()
    """Each of them, in the program's order; empty: counted only."""

    @model_validator(mode="after")
    def _of_some_op(self) -> Self:
        if not self.cpu + self.gpu + self.neural_engine + self.unknown:
            raise ValueError("a placement is of at least one op")
        return self

    @model_validator(mode="after")
    def _the_counts_are_those_of_the_ops(self) -> Self:
        counts = (self.cpu, self.gpu, self.neural_engine, self.unknown)
        devices = [op.device for op in self.ops]
        if self.ops and counts != tuple(devices.count(d) for d in ("cpu", "gpu", "neural_engine", "unknown")):
            raise ValueError("a placement's counts are not those of its ops")
        return self


class Round(Record):
    """One fresh process's share of a case, and what the machine did meanwhile; None where the system does not tell."""

    samples: PositiveInt
    """Its share of `latency_ns`: the rounds' samples stand there one after the other."""
    warmup: Count
    """Unmeasured predictions until it was steady."""
    steady: bool
    """False: it was not steady when the warm-up had to end."""
    began_ns: Count | None = None
    """When its first measured prediction began, since 1970 by its clock: rounds that came in turn are compared by
    pairs."""
    elapsed_ns: PositiveInt
    """From the first measured prediction's begin to the last one's end."""
    processor_ns: Count | None = None
    """Processor time of all threads of the process in that time."""
    waited_ns: Count | None = None
    """How long its threads together were ready to run and had no core."""
    other_load: Annotated[float, Field(ge=0)] | None = None
    """Cores that everything else on the machine kept busy in that time."""
    throttled: bool | None = None
    """Whether heat or a quota held the processor back."""
    known_work_ns: tuple[Count, ...] = ()
    """How long a fixed piece of work took on one core, just before and just after."""


class BenchResult(Record):
    """What became of one case."""

    case: BenchCase
    status: Status
    reason: str | None = None
    """Why it is not `ok`; None exactly when it is."""
    series: tuple[Series, ...] = ()
    rounds: tuple[Round, ...] = ()
    """Empty: one process without such a record."""
    accuracy: Metrics | None = None
    placement: Placement | None = None
    flags: tuple[str, ...] = ()
    """What makes the measurement doubtful ("debug_build", "thermal_fair", "low_power_mode", "unsteady")."""

    @model_validator(mode="after")
    def _reason_exactly_when_not_ok(self) -> BenchResult:
        if (self.reason is None) != (self.status == "ok"):
            raise ValueError("a result has a reason exactly when its status is not 'ok'")
        if self.status in ("unsupported", "not_run") and (self.series or self.accuracy or self.placement):
            raise ValueError(f"a result that is {self.status!r} has no series, no accuracy and no placement")
        return self

    @model_validator(mode="after")
    def _ok_measured_something(self) -> Self:
        if self.status == "ok" and not self.series and self.accuracy is None:
            raise ValueError("a result that is 'ok' has series or an accuracy")
        return self

    @model_validator(mode="after")
    def _the_samples_fit(self) -> Self:
        found = {series.name: series.samples for series in self.series}
        if len(found) < len(self.series):
            raise ValueError("two series have the same name")
        peak, baseline = found.get("peak_memory_bytes"), found.get("baseline_memory_bytes")
        if peak and baseline and max(peak) < min(baseline):
            raise ValueError("the peak of the memory is below what it was before the model was loaded")
        few = 0 < len(found.get("latency_ns", ())) < self.case.min_repeats
        if self.status == "ok" and few and not set(self.flags) & {"cut_short", "interrupted"}:
            raise ValueError(f"fewer latencies than the case asks for, {self.case.min_repeats}")
        return self

    @model_validator(mode="after")
    def _rounds_share_the_samples(self) -> BenchResult:
        latencies = next((series.samples for series in self.series if series.name == "latency_ns"), ())
        if self.rounds and sum(share.samples for share in self.rounds) != len(latencies):
            raise ValueError("the rounds' samples are not as many as those of 'latency_ns'")
        begin = 0
        for number, share in enumerate(self.rounds, 1):
            taken = sum(latencies[begin : begin + share.samples])
            if share.elapsed_ns * self.case.streams < taken:
                raise ValueError(
                    f"round {number} took {share.elapsed_ns} ns, less than its latencies together, {taken}"
                )
            begin += share.samples
        return self

    @model_validator(mode="after")
    def _as_many_rounds_as_asked(self) -> Self:
        asked, found = self.case.rounds, len(self.rounds) or 1
        timed = any(series.name == "latency_ns" for series in self.series)
        if timed and (found > asked or (found < asked and self.status == "ok" and "interrupted" not in self.flags)):
            raise ValueError(f"{found} rounds of the {asked} that the case asks for")
        return self


class BenchRun(Record):
    """One result file: an environment and every case asked for in it."""

    schema_version: str = SCHEMA_VERSION
    kind: Literal["bench_run"] = "bench_run"
    id: FolderName
    quick: bool
    """A first look: fewer repeats and images than a measurement to rely on."""
    environment: Environment
    provenance: Provenance
    results: tuple[BenchResult, ...]

    @model_validator(mode="after")
    def _each_case_once(self) -> Self:
        cases = [result.case for result in self.results]
        same = Counter(
            (c.model, c.variant, c.artifact_sha256, c.backend, c.requested_units, c.batch, c.streams, c.threads)
            for c in cases
        )
        for (model, variant, _, backend, units, *_), times in same.items():
            if times > 1:
                raise ValueError(f"{model} {variant} on {backend} {units} was measured {times} times in one run")
        return self

    @model_validator(mode="after")
    def _one_file_for_one_checksum(self) -> Self:
        files: dict[str, BenchCase] = {}
        for case in (result.case for result in self.results):
            one = files.setdefault(case.artifact_sha256, case)
            if (one.artifact_bytes, one.format) != (case.artifact_bytes, case.format):
                raise ValueError(
                    f"{one.model} {one.variant} and {case.model} {case.variant} have the same checksum, and "
                    "not the same format and bytes"
                )
        return self

    @model_validator(mode="after")
    def _made_before_now(self) -> Self:
        now = datetime.now(UTC)
        if datetime.strptime(self.provenance.created_at, "%Y-%m-%dT%H:%M:%S%z") > now + CLOCKS_DIFFER:
            raise ValueError(
                f"made at {self.provenance.created_at}, in the future: the clock here says {now:%Y-%m-%dT%H:%M:%SZ}"
            )
        return self
