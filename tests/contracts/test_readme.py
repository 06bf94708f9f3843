"""The tables of the READMEs say what `results/` holds, and nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tinyml.schema import Artifact, BenchRun, Evaluations
from tinyml.store import read_json, write_json

from ..readme_tables import DOCUMENTS, MARKED, ROOT, TABLES, generated
from ..results_picture import NAME, digest, draw, drawn_from, points

RUNS = ROOT / "tests" / "fixtures" / "results" / "v2"
TEXTS = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in DOCUMENTS}


@pytest.mark.parametrize("name", TEXTS)
def test_the_tables_are_those_of_the_results(name: str) -> None:
    assert generated(TEXTS[name], ROOT / "results") == TEXTS[name], "run: python -m tests.readme_tables"


def test_the_picture_is_of_the_results(tmp_path: Path) -> None:
    found = ROOT / "results"
    assert drawn_from(found / NAME) == digest(found), "run: python -m tests.readme_tables"
    shutil.copytree(found / "resnet20", tmp_path / "resnet20")
    assert {point.model for side in points(tmp_path) for point in side} == {"resnet20"}
    draw(tmp_path)
    assert drawn_from(tmp_path / NAME) == digest(tmp_path) != digest(found)


def test_a_file_has_what_its_checkpoint_has_less_what_it_lost(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "results" / "resnet20", tmp_path / "resnet20")
    artifact = read_json(tmp_path / "resnet20" / "exports" / "coreml-w8" / "manifest.json", Artifact)
    evaluated = read_json(tmp_path / "resnet20" / "test_results.json", Evaluations).results
    whole = next(row.metrics for row in evaluated if row.alone and row.sha256 == artifact.checkpoint_sha256)
    checked = artifact.verification
    assert checked is not None
    expected = 100 * (whole.top1 - checked.reference.top1 + checked.artifact.top1)
    sizes, times = points(tmp_path)
    assert [point.top1 for point in sizes if point.cost == artifact.bytes / 1e6] == [pytest.approx(expected)]
    assert times == []  # nothing was timed


def test_every_table_of_the_menu_stands_somewhere_once() -> None:
    whole = "".join(TEXTS.values())
    assert sorted(found["name"] for found in MARKED.finditer(whole)) == sorted(TABLES)
    assert whole.count("<!-- table ") == len(TABLES)


def test_what_was_not_measured_is_said_to_be_so(tmp_path: Path) -> None:
    for document in TEXTS.values():
        text = generated(document, tmp_path)
        assert text.count("Not measured yet: ") == len(MARKED.findall(document)) > 0
        assert generated(text, tmp_path) == text


def test_a_table_that_nobody_makes_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="weather"):
        generated("<!-- table weather -->\nsunny\n<!-- end of table -->", tmp_path)


def test_models_are_told_with_their_smallest_files(tmp_path: Path) -> None:
    linux_run = read_json(RUNS / "fixture-linux.json", BenchRun)
    write_json(tmp_path / "bench" / linux_run.id / "run.json", linux_run)
    told = TABLES["models"].told(tmp_path)
    assert told is not None
    assert "| densenet | checkpoint |" in told
    best = min(
        (r.case for r in linux_run.results if r.case.format == "onnx" and r.accuracy), key=lambda c: c.artifact_bytes
    )
    assert f"| {best.model} | {best.variant} | {best.artifact_bytes / 1e6:.2f} |" in told
    heads, _, *lines = (line for line in told.splitlines() if line.startswith("|"))
    assert heads.endswith(" Core ML on CPU, GPU, Neural Engine, ms |")
    assert all(line.endswith(("| - |", "| not run: needs macOS |")) for line in lines)
    assert any(line.endswith("| not run: needs macOS |") for line in lines)


def test_each_machine_has_a_table_with_a_column_for_what_it_measured(tmp_path: Path) -> None:
    for name in ("fixture-linux.json", "fixture-macos.json"):
        run = read_json(RUNS / name, BenchRun)
        write_json(tmp_path / "bench" / run.id / "run.json", run)
    told = TABLES["models"].told(tmp_path)
    assert told is not None
    heads = [line for line in told.splitlines() if line.startswith("| network")]
    assert len(heads) == told.count("Medians of one image at a time, on ") == 2
    assert sum("Core ML on Neural Engine, ms" in head for head in heads) == 1


def test_fidelity_is_told_of_the_most_rounds(tmp_path: Path) -> None:
    def row(verdict: str) -> dict[str, object]:
        ratio = {"faster": 0.8, "no difference": 1.0, "slower": 1.2}[verdict]
        latency = {"verdict": verdict, "ratio": ratio, "low": ratio - 0.01, "high": ratio + 0.01}
        return {"latency": latency, "processor_time": {"verdict": "slower", "ratio": 1.1, "low": 1.01, "high": 1.2}}

    trial = {
        "ended": {"a_a": row("no difference"), "planted": row("slower")},
        "runs": 1,
        "load": 7.4,
    }
    record = {"machine": {"cpu": "A", "cores": 2}, "rounds": 24, "trials": [trial, trial | {"runs": 2}]}
    (tmp_path / "bench_fidelity.json").write_text(json.dumps(record))
    told = TABLES["bench-fidelity"].told(tmp_path)
    assert told is not None
    assert "| latency | 24 to 48 pairs | 2 of 2 | 0 of 2 | 0 of 2 | 2 of 2 |" in told
    assert "| processor time | 24 to 48 pairs | 0 of 2 | 0 of 2 | 2 of 2 | 2 of 2 |" in told
    assert "load average 7 to 7" in told
