import csv
import io
from pathlib import Path
from typing import Any

import pytest

from tinyml.bench.page.project import of_run
from tinyml.bench.page.render import html
from tinyml.bench.report import folder_of, write
from tinyml.bench.reports.csv import text
from tinyml.bench.reports.markdown import markdown
from tinyml.bench.row import rows
from tinyml.bench.runs import import_run
from tinyml.bench.scatter import by_size, ticks
from tinyml.bench.table import COLUMNS, milliseconds, table
from tinyml.errors import BenchError, ManifestError
from tinyml.schema import BenchRun
from tinyml.store import write_json
from tinyml.workspace import Workspace

EVIL = "<script>alert(1)</script>|=1+1"


def with_reason(run: BenchRun, reason: str) -> BenchRun:
    broken = [r.model_copy(update={"reason": reason}) if r.reason else r for r in run.results]
    return run.model_copy(update={"results": tuple(broken)})


def test_no_cell_is_blank_and_what_was_not_run_says_why(linux_run: BenchRun, macos_run: BenchRun) -> None:
    for run in (linux_run, macos_run):
        for result, line in zip(run.results, table(run), strict=True):
            assert len(line) == len(COLUMNS)
            assert all(cell.strip() for cell in line)
            assert result.reason is None or result.reason in line[4]


def test_a_result_without_a_time_shows_none(linux_run: BenchRun) -> None:
    reference = [line for line in table(linux_run) if line[2] == "reference"]
    assert reference
    assert all(line[9:] == ["-"] * 11 and line[4] == "ok, accuracy only" for line in reference)


def test_csv_keeps_the_raw_figures(macos_run: BenchRun) -> None:
    lines = list(csv.DictReader(io.StringIO(text(macos_run))))
    assert len(lines) == len(macos_run.results)
    assert lines[2]["ops_on_neural_engine"] == "308"
    latency = rows(macos_run)[0].latency_ns
    assert latency is not None
    assert float(lines[0]["p50_ns"]) == latency.p50
    assert lines[4]["p50_ns"] == ""
    assert lines[4]["reason"].startswith("the worker was killed")


def test_a_hostile_run_stays_text(linux_run: BenchRun) -> None:
    run = with_reason(linux_run, EVIL)
    assert "<script>alert" not in html(of_run(run, Path("run.json")))
    assert "&lt;script&gt;alert(1)" in html(of_run(run, Path("run.json")))
    assert "<script>" not in markdown(run).replace("\\<script\\>", "")
    cells = list(csv.DictReader(io.StringIO(text(with_reason(linux_run, "=HYPERLINK(1)")))))
    assert cells[1]["reason"] == "'=HYPERLINK(1)"


def test_the_page_asks_for_nothing_from_outside(linux_run: BenchRun) -> None:
    page = html(of_run(linux_run, Path("run.json")))
    assert "http://" not in page
    assert "https://" not in page
    assert "src=" not in page.replace("script-src", "")


def test_quick_stands_in_every_report(linux_run: BenchRun, tmp_path: Path) -> None:
    quick = linux_run.model_copy(update={"quick": True})
    write(quick, tmp_path)
    assert "Quick" in (tmp_path / "index.html").read_text()
    assert "Quick" in (tmp_path / "report.md").read_text()
    assert all(line["quick"] == "true" for line in csv.DictReader(io.StringIO((tmp_path / "results.csv").read_text())))
    assert '"quick": true' in (tmp_path / "run.json").read_text()


def test_a_run_without_results_has_reports(minimal_run: Any, tmp_path: Path) -> None:
    write(minimal_run, tmp_path)
    assert "no results" in (tmp_path / "index.html").read_text()
    assert not (tmp_path / "accuracy.png").exists()


def test_a_run_without_accuracies_has_no_picture_of_them(linux_run: BenchRun, tmp_path: Path) -> None:
    results = tuple(result.model_copy(update={"accuracy": None}) for result in linux_run.results)
    write(linux_run.model_copy(update={"results": results}), tmp_path)
    assert not (tmp_path / "accuracy.png").exists()
    assert (tmp_path / "latency.png").exists()
    page = (tmp_path / "report.md").read_text()
    assert "(accuracy.png)" not in page
    assert "(latency.png)" in page
    write(linux_run, tmp_path)
    assert (tmp_path / "accuracy.png").exists()
    assert "(accuracy.png)" in (tmp_path / "report.md").read_text()


def test_the_front_has_what_nothing_beats(linux_run: BenchRun) -> None:
    points = {p.label: p.best for p in by_size(rows(linux_run))}
    assert points["densenet coreml-w8 on reference cpu"]
    assert not points["densenet onnx-w8a8 on onnxruntime cpu"]


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.5, 0.5), (60.09, 60.12), (0, 4500), (-3, 7)])
def test_ticks_enclose_the_values(low: Any, high: Any) -> None:
    marks = ticks(low, high)
    assert marks[0] <= low
    assert marks[-1] >= high
    assert 2 <= len(marks) <= 9


@pytest.mark.parametrize(
    ("ns", "shown"),
    [(None, "-"), (1234, "0.00123"), (625_000, "0.625"), (2_000_000, "2.00"), (1.5e8, "150"), (2e9, "2000")],
)
def test_milliseconds(ns: Any, shown: Any) -> None:
    assert milliseconds(ns) == shown


def test_a_run_from_elsewhere_is_taken_over_once(linux_run: BenchRun, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "results")
    write_json(tmp_path / "file.json", linux_run)
    run, folder = import_run(tmp_path / "file.json", workspace)
    assert run == linux_run
    assert folder == workspace.bench / linux_run.id
    assert (folder / "index.html").exists()
    assert import_run(tmp_path / "file.json", workspace)[0] == run
    write_json(tmp_path / "other.json", linux_run.model_copy(update={"quick": True}))
    with pytest.raises(BenchError, match="another run of this id"):
        import_run(tmp_path / "other.json", workspace)


@pytest.mark.parametrize("content", ["", "not json", "[]", '{"kind": "artifact"}'])
def test_what_is_no_run_is_not_taken_over(content: Any, tmp_path: Path) -> None:
    (tmp_path / "file.json").write_text(content)
    with pytest.raises(ManifestError):
        import_run(tmp_path / "file.json", Workspace(tmp_path / "results"))
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("run_id", [".", "..", "..."])
def test_an_id_that_leaves_its_folder_is_refused(minimal_run: Any, tmp_path: Path, run_id: Any) -> None:
    with pytest.raises(BenchError, match="no folder name"):
        folder_of(tmp_path, minimal_run.model_copy(update={"id": run_id}))
