"""Where a sweep trains: one after the other, and on a real Ray cluster of two nodes where Ray is installed."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinyml.cli import run
from tinyml.errors import UnavailableError, UsageError
from tinyml.schema import Sweep
from tinyml.store import read_json
from tinyml.trainer.workers import Here, workers_named

CLUSTER = """
import os, sys
from ray.cluster_utils import Cluster
from tinyml.cli.app import run
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
cluster.add_node(num_cpus=1)
os.environ["RAY_ADDRESS"] = cluster.address
code = run(sys.argv[1:])
cluster.shutdown()
sys.exit(code)
"""


def test_here_is_one_after_the_other() -> None:
    done: list[int] = []

    def work(job: int) -> str | None:
        done.append(job)
        return "odd" if job % 2 else None

    found = Here().each(work, [1, 2, 3])
    assert next(found) == (1, "odd")
    assert done == [1]
    assert list(found) == [(2, None), (3, "odd")]


def test_what_does_not_train_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="--on names nothing that trains: 'spark'; allowed: here, ray"):
        workers_named("spark")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UnavailableError, match="--on ray needs Ray: 'not installed'"):
        workers_named("ray")
    assert run(["sweep", "--models", "vgg", "--on", "ray"]) == 69
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.slow
@pytest.mark.usefixtures("cache")
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")
def test_a_cluster_of_two_nodes_trains_two_at_once(tmp_path: Path) -> None:
    look = ("--data", "shapes", "--recipes", "demo", "--epochs", "1", "--limit", "16", "--device", "cpu")
    command = ("sweep", "--models", "resnet20", "--seeds", "3", *look, "--on", "ray", "--results", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", CLUSTER, *command, "--json"],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert sorted(trial["seed"] for trial in made["trials"]) == [0, 1, 2]
    assert {trial["status"] for trial in made["trials"]} == {"ok"}
    kept = read_json(tmp_path / "sweeps" / "sweep" / "sweep.json", Sweep)
    assert len(kept.trials) == 3
    begun = [(tmp_path / "sweeps" / "sweep" / f"resnet20-sweep-demo-s{seed}.log").stat() for seed in range(3)]
    assert all(log.st_size > 0 for log in begun)
