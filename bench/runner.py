"""Runs cases one after the other, each in fresh processes, and turns whatever becomes of them into results."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tinyml.errors import ManifestError
from tinyml.progress import Progress, Silent
from tinyml.schema import BenchResult, BenchRun, Environment, Provenance
from tinyml.store import read_json

from .backend import backends
from .jobs import Job, Settings
from .protocol import Answer, Request, Task

INTERRUPTED = "interrupted"
WORKER = (sys.executable, "-m", "tinyml.bench.worker")


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
    """Measures `jobs`.

    Args:
        jobs: What to measure, in order.
        settings: How long.
        run_id: The run's id, a folder name.
        environment: This machine.
        provenance: Who measures.
        keep: Called after each case with everything so far, the cases to come as not run; what it wrote survives
            whatever happens next.
        worker: The command of the worker.
        progress: Counts the cases.

    Returns:
        All results. After Ctrl-C those not finished are "not_run" because "interrupted".
    """
    progress = progress or Silent()
    results = [BenchResult(case=job.case, status="not_run", reason=job.obstacle or INTERRUPTED) for job in jobs]

    def so_far() -> BenchRun:
        return BenchRun(
            id=run_id,
            quick=settings.quick,
            environment=environment,
            provenance=provenance,
            results=tuple(results),
        )

    todo = [i for i, job in enumerate(jobs) if job.obstacle is None]
    keep(so_far())
    progress.start("measuring", len(todo), "cases")
    try:
        for i in todo:
            case = jobs[i].case
            progress.advance(0, f"{case.model} {case.variant} on {case.backend} {case.requested_units}")
            results[i] = measure_case(jobs[i], settings, worker=worker)
            keep(so_far())
            progress.advance(1)
    except KeyboardInterrupt:
        progress.say("interrupted: what was finished is kept")
    progress.finish()
    return so_far()


def measure_case(job: Job, settings: Settings, *, worker: Sequence[str] = WORKER) -> BenchResult:
    """One case: its latency, where the backend measures one, and its accuracy, in a process each."""
    answers: list[Answer] = []
    tasks: list[Task] = ["latency"] if backends.get(job.case.backend).measures_latency else []
    if settings.accuracy:
        tasks.append("accuracy")
    if not tasks:
        return BenchResult(case=job.case, status="not_run", reason="measures accuracy only, which was not asked for")
    for task in tasks:
        answer = ask(job, task, settings, worker)
        answers.append(answer)
        if answer.problem is not None:
            break
    last = answers[-1]
    status = "ok" if last.problem is None else "unsupported" if last.unsupported and len(answers) == 1 else "failed"
    return BenchResult(
        case=job.case,
        status=status,
        reason=last.problem,
        series=tuple(series for answer in answers for series in answer.series),
        accuracy=last.accuracy,
        placement=answers[0].placement,
        flags=tuple(flag for answer in answers for flag in answer.flags),
    )


def ask(job: Job, task: Task, settings: Settings, worker: Sequence[str] = WORKER) -> Answer:
    """One worker's answer; a crash, a kill, a hang or nonsense become an Answer with the problem."""
    with tempfile.TemporaryDirectory(prefix="tinyml-bench-") as folder:
        request = Request(
            task=task,
            case=job.case,
            manifest=str(job.manifest.absolute()),
            data=str(Path(job.data).absolute()) if Path(job.data).is_dir() else job.data,
            dataset=job.dataset,
            given=settings.data,
            limit=settings.limit,
            answer=str(Path(folder) / "answer.json"),
        )
        log = Path(folder) / "log"
        with log.open("wb") as output, _process(worker, output.fileno()) as process:
            try:
                _hand_over(process, request)
                process.wait(settings.timeout_s)
            except subprocess.TimeoutExpired:
                return Answer(problem=f"{task}: no answer within {settings.timeout_s:g} s")
        if process.returncode != 0:
            return Answer(problem=f"{task}: {_ending(process.returncode)}{_last_line(log)}")
        try:
            return read_json(Path(request.answer), Answer)
        except ManifestError as error:
            return Answer(problem=f"{task}: the worker gave no valid answer ({error.what})")


@contextlib.contextmanager
def _process(command: Sequence[str], output: int) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own, which is gone with all its children when the block ends, however it ends.

    In a group of its own it does not see the terminal's Ctrl-C: the runner decides what becomes of it.
    """
    process = subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
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
