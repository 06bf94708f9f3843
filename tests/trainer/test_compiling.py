"""A network is compiled where that works; where it cannot, one sentence says so before anything else is done."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import sysconfig
from pathlib import Path

import pytest
import torch

from tinyml.cli import run as cli
from tinyml.errors import UnavailableError
from tinyml.trainer import compiling
from tinyml.trainer.compiling import check_compiles, compile_absence
from tinyml.trainer.data import Dataset
from tinyml.trainer.loop import train
from tinyml.trainer.start import Resumed
from tinyml.trainer.state import read_state
from tinyml.workspace import Workspace

from .conftest import config
from .test_loop import Interrupting

CPU = torch.device("cpu")
can_compile = pytest.mark.skipif(compile_absence(CPU) is not None, reason=f"no compiler: {compile_absence(CPU)}")


def refusal(device: torch.device = CPU) -> str:
    with pytest.raises(UnavailableError) as caught:
        check_compiles(device)
    told = str(caught.value)
    assert told.startswith("--compile cannot be used here: ")
    assert "leave --compile out" in told
    return told


def test_no_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    usual = "clang++" if sys.platform == "darwin" else "g++"
    assert f"needs the compiler {usual}, which is not here'; install it or name another in CXX" in refusal()
    monkeypatch.setenv("CXX", "icpx -fast")
    assert "needs the compiler icpx, which" in refusal()


def test_no_headers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    assert (
        f"Python.h is not here'; install them (on Debian and Ubuntu python3.{sys.version_info.minor}-dev)" in refusal()
    )
    (tmp_path / "Python.h").touch()
    assert compile_absence(CPU) is None


def test_not_on_mps_nor_on_cuda_without_triton(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "slows training down on MPS'; leave --compile out" in refusal(torch.device("mps"))
    cuda = torch.device("cuda")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert "needs Triton, which is not installed'; install it: pip install triton" in refusal(cuda)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    assert "needs the compiler cc, which is not here'; install it or name another in CC" in refusal(cuda)


def test_what_else_goes_wrong_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> object:
        raise RuntimeError("backend='inductor' raised:\n  CppCompileError\n\nfoo.cpp:1: fatal error: omp.h: no\n" * 9)

    monkeypatch.setattr(compiling, "compile_absence", lambda _: None)
    monkeypatch.setattr(torch, "compile", fail)
    told = refusal()
    assert "torch.compile failed: " in told
    assert "rror" in told
    assert "\n" not in told


def test_a_training_is_refused_before_it_begins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    results = tmp_path / "results"
    assert cli(["train", "vgg", "--data", "shapes", "--device", "cpu", "--compile", "--results", str(results)]) == 69
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "--compile cannot be used here" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@can_compile
@pytest.mark.usefixtures("tiny")
def test_compiled_it_learns_the_same_and_goes_on_without(colors: Dataset, tmp_path: Path) -> None:
    check_compiles(CPU)
    losses = []
    for compiled in (False, True):
        made = train(config(compiled=compiled, dropout=0.0), colors, Workspace(tmp_path / str(compiled)), device=CPU)
        losses.append([record.train_loss for record in made.history.epochs])
    # Fused operations round otherwise (and draw other numbers for dropout, which is off here).
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    parts = Workspace(tmp_path / "parts")
    first = train(config(compiled=True, dropout=0.0), colors, parts, device=CPU, progress=Interrupting(8))
    state = read_state(first.state)
    last = train(config(compiled=False, dropout=0.0), colors, parts, device=CPU, start=Resumed(state))
    assert [record.train_loss for record in last.history.epochs] == pytest.approx(losses[0], rel=1e-3)
