"""All runs in the order of time: a case's latency on each machine, and where it changed."""

from __future__ import annotations

from collections.abc import Iterable

from tinyml.counting import counted
from tinyml.errors import ManifestError
from tinyml.schema import BenchResult, BenchRun, Environment, Record, Timestamp
from tinyml.store import read_json
from tinyml.workspace import BENCH_RUN, Workspace

from .changes import RUNS_A_SIDE, Change, change_points
from .measures import MEASURES
from .names import Names


class HistoryEntry(Record):
    """A case in one run."""

    run: str
    made: Timestamp
    p50_ns: float
    low_ns: float | None
    high_ns: float | None
    """The 95% interval; None where the samples allow none."""
    artifact_sha256: str
    flags: tuple[str, ...]


class HistoryChange(Record):
    """A lasting change of a case's latency."""

    run: str
    """The first run on the new level."""
    ratio: float
    """The new level over the old."""
    other_artifact: bool
    """Whether the model is another one than in the run before."""


class CaseHistory(Record):
    """One case on one machine; what other machines measured is a history of its own."""

    machine: str
    case: str
    entries: tuple[HistoryEntry, ...]
    """Oldest first."""
    changes: tuple[HistoryChange, ...]
    enough: bool
    """False: too few runs for a change to show."""


class BenchHistory(Record):
    """Everything that was measured and kept."""

    cases: tuple[CaseHistory, ...]
    left_out: tuple[str, ...]
    """Runs that cannot be read or are no measurement to rely on, as sentences."""


def read_history(workspace: Workspace, *, pattern: str = "") -> BenchHistory:
    """The history of the cases whose name contains `pattern`; nothing is written, and what cannot be read is named."""
    runs, left_out = [], []
    for path in sorted(workspace.bench.glob(f"*/{BENCH_RUN}")):
        if path.parent.name.startswith("."):
            continue
        try:
            run = read_json(path, BenchRun)
        except ManifestError as error:
            left_out.append(f"left out: {error}")
            continue
        if run.quick:
            left_out.append(f"left out: {run.id} is quick, a first look")
        else:
            runs.append(run)
    return history_of(runs, left_out=left_out, pattern=pattern)


def history_of(runs: Iterable[BenchRun], *, left_out: Iterable[str] = (), pattern: str = "") -> BenchHistory:
    """The histories in `runs`, by machine and case."""
    found: dict[tuple[str, str], list[tuple[BenchRun, BenchResult]]] = {}
    for run in sorted(runs, key=lambda run: (run.provenance.created_at, run.id)):
        names = Names([run])
        for result in run.results:
            name = names.case(result.case)
            if result.status == "ok" and pattern in name and MEASURES["p50"].told(result):
                found.setdefault((machine_name(run.environment), name), []).append((run, result))
    return BenchHistory(
        cases=tuple(_case(machine, name, results) for (machine, name), results in sorted(found.items())),
        left_out=tuple(left_out),
    )


def machine_name(environment: Environment) -> str:
    """The machine and its system: what has to be the same for two latencies to be one story."""
    if environment.device is not None:
        return environment.device
    parts = dict.fromkeys((environment.machine, environment.cpu))
    return f"{', '.join(parts)}, {counted(environment.cores, 'core')}, {environment.os} {environment.os_version}"


def _case(machine: str, name: str, results: list[tuple[BenchRun, BenchResult]]) -> CaseHistory:
    entries = tuple(_entry(run, result) for run, result in results)
    changes = change_points([entry.p50_ns for entry in entries])
    return CaseHistory(
        machine=machine,
        case=name,
        entries=entries,
        changes=tuple(_change(entries, change) for change in changes),
        enough=len(entries) >= 2 * RUNS_A_SIDE,
    )


def _entry(run: BenchRun, result: BenchResult) -> HistoryEntry:
    p50 = MEASURES["p50"]
    interval = p50.interval(result)
    return HistoryEntry(
        run=run.id,
        made=run.provenance.created_at,
        p50_ns=p50.told(result) or 0.0,
        low_ns=interval.low if interval else None,
        high_ns=interval.high if interval else None,
        artifact_sha256=result.case.artifact_sha256,
        flags=result.flags,
    )


def _change(entries: tuple[HistoryEntry, ...], change: Change) -> HistoryChange:
    before, after = entries[change.at - 1], entries[change.at]
    return HistoryChange(
        run=after.run, ratio=change.ratio, other_artifact=before.artifact_sha256 != after.artifact_sha256
    )
