from pathlib import Path

import numpy as np

from tinyml.bench.history import history_of, read_history
from tinyml.schema import BenchRun
from tinyml.store import write_json
from tinyml.workspace import Workspace

from .test_comparison import measured


def made(linux_run: BenchRun, day: int, level: float, machine: str = "ours") -> BenchRun:
    run = measured(linux_run, f"{machine}-{day:02}", {"m": [level, level * 1.01, level * 0.99]})
    provenance = run.provenance.model_copy(update={"created_at": f"2026-11-{day:02}T00:00:00Z"})
    environment = run.environment.model_copy(update={"machine": machine})
    return run.model_copy(update={"provenance": provenance, "environment": environment})


def test_a_lasting_change_is_flagged_at_its_run(linux_run: BenchRun) -> None:
    generator = np.random.default_rng(0)
    levels = [5 if day < 10 else 6 for day in range(1, 19)]
    runs = [
        made(linux_run, day, level * float(np.exp(generator.normal(0, 0.02)))) for day, level in enumerate(levels, 1)
    ]
    (case,) = history_of(reversed(runs)).cases
    assert [entry.run for entry in case.entries] == [run.id for run in runs]
    (change,) = case.changes
    assert change.run == "ours-10"
    assert 1.15 < change.ratio < 1.25
    assert not change.other_artifact
    assert case.enough


def test_machines_are_never_mixed(linux_run: BenchRun) -> None:
    runs = [made(linux_run, day, 5.0) for day in range(1, 6)]
    runs += [made(linux_run, day, 50.0, "theirs") for day in range(6, 12)]
    found = history_of(runs)
    assert len(found.cases) == 2
    assert {case.machine.split(",")[0] for case in found.cases} == {"ours", "theirs"}
    assert all(case.changes == () for case in found.cases)
    assert [case.enough for case in found.cases] == [False, True]


def test_what_cannot_be_read_is_named_and_left_as_it_is(linux_run: BenchRun, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    write_json(workspace.bench / "good" / "run.json", made(linux_run, 1, 5.0))
    write_json(workspace.bench / "quick" / "run.json", made(linux_run, 2, 5.0).model_copy(update={"quick": True}))
    bad = workspace.bench / "bad" / "run.json"
    bad.parent.mkdir()
    bad.write_text('{"kind": "bench_run"')
    found = read_history(workspace)
    assert [len(case.entries) for case in found.cases] == [1]
    assert len(found.left_out) == 2
    assert "bad" in found.left_out[0]
    assert "is quick" in found.left_out[1]
    assert bad.read_text() == '{"kind": "bench_run"'
    assert read_history(workspace, pattern="no such case").cases == ()
