"""Runs cases in fresh processes, their rounds in turn, and turns whatever becomes of them into results."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tinyml.errors import ManifestError
from tinyml.progress import Progress, Silent
from tinyml.schema import BenchResult, BenchRun, Environment, Provenance, Series
from tinyml.scratch import temporary_folder
from tinyml.store import read_json

from .backend import backends
from .jobs import Job, Settings
from .protocol import Answer, Request, Task
from .validity import flags_of

INTERRUPTED = "interrupted"
ACCURACY_ONLY = "measures accuracy only, which was not asked for"
WORKER = (sys.executable, "-m", "tinyml.bench.worker")


@dataclass
class _Progressing:
    """A job and what is known of it so far."""

    job: Job
    rounds: list[Answer] = field(default_factory=list)
    accuracy: Answer | None = None
    problem: Answer | None = None
    """The first answer that told of one; nothing more is asked then."""
    finished: bool = False


def run(
    jobs: Sequence[Job],
    settings: Settings,
    *,
    run_id: str,
    environment: Environment,
    provenance: Provenance,
    keep: Callable[[BenchRun], None] = lambda _: None,
    worker: Sequence[str] = WORKER,
    progress: Progress | None = None,
) -> BenchRun:
    """Measures `jobs`, their rounds in turn: first of all, second of all and so on, so that a drift hits all alike.

    Args:
        jobs: What to measure.
        settings: How long.
        run_id: The run's id, a folder name.
        environment: This machine.
        provenance: Who measures.
        keep: Called after each worker with everything so far, the cases to come as not run; what it wrote survives
            whatever happens next.
        worker: The command of the worker.
        progress: Counts the workers.

    Returns:
        All results, in the order of `jobs`. After Ctrl-C those without a whole round are "not_run" because
        "interrupted"; those with some are told of those and flagged "interrupted".
    """
    progress = progress or Silent()
    states = [_Progressing(job=job) for job in jobs]

    def so_far() -> BenchRun:
        results = tuple(_result(state, settings, environment) for state in states)
        return BenchRun(
            id=run_id, quick=settings.quick, environment=environment, provenance=provenance, results=results
        )

    steps = _steps(states, settings)
    keep(so_far())
    progress.start("measuring", len(steps), "rounds")
    try:
        for step in steps:
            progress.advance(0, step.name)
            if step.take(worker):
                keep(so_far())
            progress.advance(1)
    except KeyboardInterrupt:
        progress.say("interrupted: what was finished is kept")
    progress.finish()
    return so_far()


@dataclass(frozen=True, kw_only=True)
class _Step:
    """One worker's work."""

    states: tuple[_Progressing, ...]
    """Whom the answer is for: an accuracy serves every case of an artifact on the same units."""
    task: Task
    round: int
    last: bool
    settings: Settings

    @property
    def name(self) -> str:
        case = self.states[0].job.case
        what = f"round {self.round + 1}" if self.task == "latency" else "accuracy"
        return f"{case.model} {case.variant} on {case.backend} {case.requested_units}: {what}"

    def take(self, worker: Sequence[str]) -> bool:
        """Asks a worker unless it is settled already; whether anything is new."""
        waiting = [state for state in self.states if not state.finished]
        if not waiting:
            return False
        answer = ask(waiting[0].job, self.task, self.settings, worker, number=self.round)
        for state in waiting:
            if answer.problem is not None:
                state.problem = answer
            elif self.task == "latency":
                state.rounds.append(answer)
            else:
                state.accuracy = answer
            state.finished = self.last or answer.problem is not None
        return True


def _steps(states: Sequence[_Progressing], settings: Settings) -> list[_Step]:
    """Every worker to start, in order: the rounds in turn, each from another case on, then the accuracies."""
    todo = [state for state in states if state.job.obstacle is None]
    timed = [state for state in todo if backends.get(state.job.case.backend).measures_latency]
    weighed: dict[tuple[str, ...], list[_Progressing]] = {}
    for state in todo:
        if settings.accuracy and not state.job.foreign:
            case = state.job.case
            weighed.setdefault((str(state.job.manifest), case.backend, case.requested_units), []).append(state)
    more = {id(state) for group in weighed.values() for state in group}
    steps = []
    for number in range(settings.rounds):
        first = number % max(1, len(timed))
        steps += [
            _Step(
                states=(state,),
                task="latency",
                round=number,
                last=number == settings.rounds - 1 and id(state) not in more,
                settings=settings,
            )
            for state in (*timed[first:], *timed[:first])
        ]
    steps += [
        _Step(states=tuple(group), task="accuracy", round=0, last=True, settings=settings) for group in weighed.values()
    ]
    return steps


def _result(state: _Progressing, settings: Settings, environment: Environment) -> BenchResult:
    case, problem = state.job.case, state.problem
    if state.job.obstacle is not None:
        return BenchResult(case=case, status="not_run", reason=state.job.obstacle)
    if problem is None and not state.rounds and state.accuracy is None:
        timed = backends.get(case.backend).measures_latency
        reason = INTERRUPTED if timed or settings.accuracy else ACCURACY_ONLY
        return BenchResult(case=case, status="not_run", reason=reason)
    if problem is not None and problem.unsupported and not state.rounds:
        return BenchResult(case=case, status="unsupported", reason=problem.problem)
    series = _joined(state.rounds)
    rounds = tuple(answer.round for answer in state.rounds if answer.round is not None)
    flags = list(dict.fromkeys(flag for answer in state.rounds for flag in answer.flags))
    samples = next((found.samples for found in series if found.name == "latency_ns"), ())
    if samples:
        flags += flags_of(case, samples, rounds, environment)
    if not state.finished:
        flags.append(INTERRUPTED)
    return BenchResult(
        case=case,
        status="ok" if problem is None else "failed",
        reason=None if problem is None else problem.problem,
        series=series,
        rounds=rounds,
        accuracy=None if state.accuracy is None else state.accuracy.accuracy,
        placement=next((answer.placement for answer in state.rounds if answer.placement), None),
        flags=tuple(flags),
    )


def _joined(rounds: Sequence[Answer]) -> tuple[Series, ...]:
    """The series of all rounds, one after the other."""
    samples: dict[str, list[int]] = {}
    for answer in rounds:
        for series in answer.series:
            samples.setdefault(series.name, []).extend(series.samples)
    return tuple(Series(name=name, samples=tuple(values)) for name, values in samples.items())


def ask(job: Job, task: Task, settings: Settings, worker: Sequence[str] = WORKER, *, number: int = 0) -> Answer:
    """One worker's answer; a crash, a kill, a hang or nonsense become an Answer with the problem."""
    with temporary_folder("bench") as folder:
        request = Request(
            task=task,
            case=job.case,
            round=number,
            manifest=str(job.manifest.absolute()),
            foreign=job.foreign,
            inputs=None if job.inputs is None else str(job.inputs.absolute()),
            device=settings.device,
            data=str(Path(job.data).absolute()) if job.data and Path(job.data).is_dir() else job.data,
            dataset=job.dataset,
            given=settings.data,
            limit=settings.limit,
            answer=str(folder / "answer.json"),
        )
        log = folder / "log"
        with log.open("wb") as output, _process(worker, output.fileno(), folder) as process:
            try:
                _hand_over(process, request)
                process.wait(settings.timeout_s)
            except subprocess.TimeoutExpired:
                return Answer(problem=f"{task}: no answer within {settings.timeout_s:g} s")
        if process.returncode != 0:
            return Answer(problem=f"{task}: {_ending(process.returncode)}{_last_line(log)}")
        try:
            answer = read_json(Path(request.answer), Answer)
        except ManifestError as error:
            return Answer(problem=f"{task}: the worker gave no valid answer ({error.what})")
    if answer.problem is None and task == "latency" and not any(s.name == "latency_ns" for s in answer.series):
        return Answer(problem=f"{task}: the worker gave no valid answer (no latency)")
    return answer


@contextlib.contextmanager
def _process(command: Sequence[str], output: int, scratch: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own, which is gone with all its children when the block ends, however it ends.

    In a group of its own it does not see the terminal's Ctrl-C: the runner decides what becomes of it. Its temporary
    files lie in `scratch`, but for what torch.compile keeps for the next process.
    """
    kept = Path(tempfile.gettempdir()) / f"torchinductor_{os.getuid()}"
    process = subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env={"TORCHINDUCTOR_CACHE_DIR": str(kept)} | os.environ | {"TMPDIR": str(scratch)},
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()


def _hand_over(process: subprocess.Popen[bytes], request: Request) -> None:
    """Writes the request as one line; standard input stays open, and its end tells the worker that we are gone."""
    assert process.stdin is not None  # noqa: S101 (it was asked for)
    with contextlib.suppress(BrokenPipeError):  # it has died already, and its exit code says of what
        process.stdin.write(request.model_dump_json().encode() + b"\n")
        process.stdin.flush()


def _ending(code: int) -> str:
    if code < 0:
        return f"the worker was killed by signal {-code} ({signal.Signals(-code).name})"
    return f"the worker ended with exit code {code}"


def _last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return f": {lines[-1][:300]}" if lines else ""
