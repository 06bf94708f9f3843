"""`tinyml report` as typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tinyml.cli.app import run
from tinyml.schema import BenchRun
from tinyml.store import read_json, write_json

FIXTURE = Path(__file__).parents[1] / "fixtures" / "results" / "v2" / "fixture-linux.json"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    root = tmp_path / "results"
    write_json(root / "bench" / "a" / "run.json", read_json(FIXTURE, BenchRun))
    return root


def test_it_writes_one_page(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "--results", str(results)]) == 0
    assert "densenet" in (results / "report.html").read_text()
    assert str(results / "report.html") in capsys.readouterr().out
    other = results.parent / "deep" / "page.html"
    assert run(["report", "--results", str(results), "--output", str(other), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"page": str(other), "left_out": []}
    assert other.is_file()


def test_what_cannot_be_read_is_said(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (results / "bench" / "b").mkdir()
    (results / "bench" / "b" / "run.json").write_text("[]")
    assert run(["report", "--results", str(results)]) == 0
    assert "left out: " in capsys.readouterr().out


@pytest.mark.parametrize("make", [False, True])
def test_nothing_to_report_is_refused(tmp_path: Path, make: bool, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "none"
    if make:
        folder.mkdir()
    assert run(["report", "--results", str(folder)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: no results to report")
    assert "tinyml train" in error
    assert not (folder / "report.html").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report", "--serve", "--output", "x.html"], "--serve writes no page"),
        (["report", "--port", "80"], "--port without --serve"),
        (["ops", "--markdown", "--json"], "--markdown and --json"),
    ],
)
def test_options_that_do_not_go_together(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    assert message in capsys.readouterr().err


def test_missing_ops_as_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ops", "--markdown"]) == 0
    whole = capsys.readouterr().out
    assert run(["ops", "--markdown", "--missing"]) == 0
    missing = capsys.readouterr().out
    assert set(missing.splitlines()) < set(whole.splitlines())
