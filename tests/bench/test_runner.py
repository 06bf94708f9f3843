"""What becomes of workers that crash, are killed, hang or talk nonsense: real processes, no mocks."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tinyml.bench.environment import this_environment
from tinyml.bench.jobs import Job, Settings
from tinyml.bench.runner import INTERRUPTED, ask, measure_case, run
from tinyml.schema import BenchCase
from tinyml.store import provenance

READ = "import json, os, sys, time, signal; request = json.loads(sys.stdin.readline());"
ANSWER = '{"kind": "bench_answer", "schema_version": "1.0", %s}'
WRITE = READ + "open(request['answer'], 'w').write(%r);"
GOOD = WRITE % (ANSWER % '"series": [{"name": "latency_ns", "samples": [5, 6]}]')


def worker(code: Any) -> Any:
    return (sys.executable, "-c", code)


def planned(obstacle: Any = None, backend: Any = "torch") -> Any:
    case = BenchCase(
        model="resnet",
        variant="checkpoint",
        format="torch",
        artifact_sha256="0" * 64,
        artifact_bytes=1,
        backend=backend,
        requested_units="cpu",
        warmup=0,
        min_repeats=1,
        min_seconds=0,
    )
    return Job(case=case, manifest=Path("none.json"), data="shapes", obstacle=obstacle)


SETTINGS = Settings(accuracy=False, timeout_s=30)


def run_with(cases: Any, code: Any, keep: Any = lambda _: None) -> Any:
    return run(
        cases,
        SETTINGS,
        run_id="test",
        environment=this_environment(()),
        provenance=provenance(),
        keep=keep,
        worker=worker(code),
    )


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (READ + "os.kill(os.getpid(), signal.SIGKILL)", "latency: the worker was killed by signal 9 (SIGKILL)"),
        (READ + "os.kill(os.getpid(), signal.SIGSEGV)", "killed by signal 11 (SIGSEGV)"),
        (READ + "sys.exit(3)", "latency: the worker ended with exit code 3"),
        ("import sys; sys.exit(4)", "exit code 4"),
        (READ + "raise RuntimeError('no such luck')", "exit code 1: RuntimeError: no such luck"),
        (READ, "the worker gave no valid answer (no such file)"),
        (WRITE % "garbage \x00", "the worker gave no valid answer"),
        (WRITE % "[1, 2]", "the worker gave no valid answer"),
        (WRITE % (ANSWER % '"surprise": 1'), "the worker gave no valid answer"),
        (WRITE % (ANSWER % '"series": [{"name": "latency_ns", "samples": []}]'), "the worker gave no valid answer"),
        (WRITE % (ANSWER % '"problem": "no memory left"'), "no memory left"),
    ],
)
def test_a_worker_that_fails_is_a_failed_result_with_the_reason(code: Any, reason: Any) -> None:
    result = measure_case(planned(), SETTINGS, worker=worker(code))
    assert result.status == "failed"
    assert result.reason is not None
    assert reason in result.reason
    assert result.series == ()


def test_a_worker_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    child = "import time; time.sleep(600)"
    code = READ + (
        f"import subprocess; c = subprocess.Popen([sys.executable, '-c', {child!r}]);"
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{c.pid}}'); time.sleep(600)"
    )
    answer = ask(planned(), "latency", Settings(timeout_s=5), worker(code))
    assert answer.problem == "latency: no answer within 5 s"
    for pid in pids.read_text().split():
        assert _gone(int(pid))


def _gone(pid: Any) -> Any:
    for _ in range(100):
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.05)
    return False


def test_what_libraries_print_does_no_harm() -> None:
    noisy = "import sys; print('noise ' * 100_000); print('noise', file=sys.stderr);" + GOOD
    assert measure_case(planned(), SETTINGS, worker=worker(noisy)).status == "ok"


def test_what_cannot_run_is_not_run_and_no_process_is_started() -> None:
    finished = run_with([planned("needs macOS")], "raise SystemExit('started')")
    assert [(r.status, r.reason) for r in finished.results] == [("not_run", "needs macOS")]


def test_an_interrupt_keeps_what_is_finished() -> None:
    kept = []

    def keep(so_far: Any) -> None:
        kept.append(so_far)
        if len(kept) == 2:
            raise KeyboardInterrupt

    finished = run_with([planned(), planned("needs macOS"), planned()], GOOD, keep)
    assert [(r.status, r.reason) for r in finished.results] == [
        ("ok", None),
        ("not_run", "needs macOS"),
        ("not_run", INTERRUPTED),
    ]
    assert kept[-1] == finished


def test_a_worker_ends_when_its_runner_is_killed(tmp_path: Path) -> None:
    """The real worker: it waits on a request's data for ever, its runner dies, and so does it."""
    script = (
        "import subprocess, sys, os, time;"
        "w = subprocess.Popen([sys.executable, '-c', "
        "'import sys, threading, time; import tinyml.bench.worker as w; sys.stdin.readline();"
        "threading.Thread(target=w._end_with_the_runner, daemon=True).start(); print(1, flush=True); time.sleep(600)'],"
        "stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True);"
        "w.stdin.write(b'{}\\n'); w.stdin.flush(); w.stdout.readline(); print(w.pid, flush=True); time.sleep(600)"
    )
    runner = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert runner.stdout is not None
    pid = int(runner.stdout.readline())
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    runner.stdout.close()
    assert _gone(pid)


def test_the_reference_runtime_never_has_a_latency() -> None:
    item = planned(backend="reference")
    result = measure_case(item, SETTINGS, worker=worker("raise SystemExit('started')"))
    assert (result.status, result.series) == ("not_run", ())
    asked: list[str] = []
    code = READ + "sys.exit(request['task'] == 'latency' and 9 or 8)"
    result = measure_case(item, Settings(accuracy=True, timeout_s=30), worker=worker(code))
    asked.append(result.reason or "")
    assert "exit code 8" in asked[0]
