"""What becomes of workers that crash, are killed, hang or talk nonsense: real processes, no mocks."""

import dataclasses
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from tinyml.bench.environment import this_environment
from tinyml.bench.jobs import Job, Settings
from tinyml.bench.runner import ACCURACY_ONLY, INTERRUPTED, ask, run
from tinyml.schema import BenchCase
from tinyml.store import provenance

READ = "import json, os, sys, time, signal; request = json.loads(sys.stdin.readline());"
ANSWER = '{"kind": "bench_answer", "schema_version": "1.0", %s}'
WRITE = READ + "open(request['answer'], 'w').write(%r);"
GOOD = WRITE % (ANSWER % '"series": [{"name": "latency_ns", "samples": [5, 6]}]')


def worker(code: Any) -> Any:
    return (sys.executable, "-c", code)


def planned(obstacle: Any = None, backend: Any = "torch", model: str = "resnet", batch: int = 1) -> Any:
    case = BenchCase(
        model=model,
        batch=batch,
        variant="checkpoint",
        format="coreml" if backend == "reference" else "torch",
        artifact_sha256="0" * 64,
        artifact_bytes=1,
        backend=backend,
        requested_units="cpu",
        warmup=0,
        min_repeats=1,
        min_seconds=0,
    )
    return Job(case=case, manifest=Path("none.json"), data="shapes", obstacle=obstacle)


SETTINGS = Settings(accuracy=False, timeout_s=30, rounds=1)


def run_with(cases: Any, code: Any, keep: Any = lambda _: None, **settings: Any) -> Any:
    asked = dataclasses.replace(SETTINGS, **settings)
    cases = [dataclasses.replace(job, case=job.case.model_copy(update={"rounds": asked.rounds})) for job in cases]
    return run(
        cases,
        asked,
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
    (result,) = run_with([planned()], code).results
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


def test_what_a_killed_worker_leaves_goes_with_its_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code = READ + "import tempfile; tempfile.mkdtemp(suffix='.mlpackage'); os.kill(os.getpid(), signal.SIGKILL)"
    assert "killed by signal 9" in str(ask(planned(), "latency", SETTINGS, worker(code)).problem)
    assert list(tmp_path.iterdir()) == []


def test_what_libraries_print_does_no_harm() -> None:
    noisy = "import sys; print('noise ' * 100_000); print('noise', file=sys.stderr);" + GOOD
    assert run_with([planned()], noisy).results[0].status == "ok"


def test_what_cannot_run_is_not_run_and_no_process_is_started() -> None:
    finished = run_with([planned("needs macOS")], "raise SystemExit('started')")
    assert [(r.status, r.reason) for r in finished.results] == [("not_run", "needs macOS")]


def test_an_interrupt_keeps_what_is_finished() -> None:
    kept = []

    def keep(so_far: Any) -> None:
        kept.append(so_far)
        if len(kept) == 2:
            raise KeyboardInterrupt

    finished = run_with([planned(), planned("needs macOS", batch=2), planned(batch=3)], GOOD, keep)
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
    (result,) = run_with([planned(backend="reference")], "raise SystemExit('started')").results
    assert (result.status, result.reason, result.series) == ("not_run", ACCURACY_ONLY, ())
    code = READ + "sys.exit(request['task'] == 'latency' and 9 or 8)"
    (result,) = run_with([planned(backend="reference")], code, accuracy=True).results
    assert result.reason is not None
    assert "exit code 8" in result.reason


ROUND = (
    READ
    + "from pathlib import Path; log = Path(%r); case = request['case'];"
    + "log.open('a').write(case['model'] + str(request['round']) + ' ');"
    + "n = request['round'] + 1; s = [1000] * n;"
    + "share = {'samples': n, 'warmup': 5, 'steady': True, 'elapsed_ns': 1000 * n};"
    + "answer = {'kind': 'bench_answer', 'schema_version': '1.0', 'round': share,"
    + " 'series': [{'name': 'latency_ns', 'samples': s}, {'name': 'load_ns', 'samples': [n]}]};"
    + "answer['series'] = answer['series'] if request['task'] == 'latency' else [];"
    + "answer['round'] = answer['round'] if request['task'] == 'latency' else None;"
    + "metrics = {'split': 'test', 'top1': 0.5, 'top5': 1, 'images': 2, 'total': 2};"
    + "answer['accuracy'] = metrics if request['task'] == 'accuracy' else None;"
    + "open(request['answer'], 'w').write(json.dumps(answer))"
)


def test_rounds_run_in_turn_each_from_another_case_on(tmp_path: Path) -> None:
    log = tmp_path / "log"
    jobs = [planned(model=name) for name in "abc"]
    finished = run_with(jobs, ROUND % str(log), rounds=3)
    assert log.read_text().split() == ["a0", "b0", "c0", "b1", "c1", "a1", "c2", "a2", "b2"]
    for result in finished.results:
        assert [share.samples for share in result.rounds] == [1, 2, 3]
        assert {series.name: len(series.samples) for series in result.series} == {"latency_ns": 6, "load_ns": 3}
        assert result.status == "ok"


def test_one_accuracy_serves_every_batch_of_a_model_on_the_same_units(tmp_path: Path) -> None:
    log = tmp_path / "log"
    jobs = [planned(model="a", batch=batch) for batch in (1, 8)]
    finished = run_with(jobs, ROUND % str(log), rounds=1, accuracy=True)
    assert log.read_text().split() == ["a0", "a0", "a0"]
    assert [result.accuracy and result.accuracy.top1 for result in finished.results] == [0.5, 0.5]


def test_a_case_that_fails_in_a_later_round_keeps_what_it_had_and_is_not_asked_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = READ + "request['round'] == 1 and sys.exit(5);" + (ROUND % str(log)).removeprefix(READ)
    finished = run_with([planned(model="a")], code, rounds=3)
    (result,) = finished.results
    assert log.read_text().split() == ["a0"]
    assert result.status == "failed"
    assert result.reason is not None
    assert "exit code 5" in result.reason
    assert len(result.rounds) == 1


def test_an_interrupt_between_rounds_keeps_the_whole_ones_and_says_so(tmp_path: Path) -> None:
    kept: list[Any] = []

    def keep(so_far: Any) -> None:
        kept.append(so_far)
        if len(kept) == 3:
            raise KeyboardInterrupt

    finished = run_with([planned(model="a"), planned(model="b")], ROUND % str(tmp_path / "log"), keep, rounds=2)
    assert [result.status for result in finished.results] == ["ok", "ok"]
    assert all(INTERRUPTED in result.flags for result in finished.results)
    assert all(len(result.rounds) == 1 for result in finished.results)
