"""The whole bench on real artifacts: one model, every backend that runs here."""

import json
from pathlib import Path
from typing import Any

import pytest

from tinyml.bench.jobs import Selection, Settings, list_jobs
from tinyml.bench.runs import measure, open_run
from tinyml.errors import ArtifactError, BenchError, UnknownNameError, UsageError
from tinyml.workspace import Workspace

FAST = Settings(warmup=1, min_repeats=5, min_seconds=0, limit=20, threads=1, timeout_s=120, quick=True)


@pytest.fixture(scope="module")
def measured(trained_results: Any) -> Any:
    selection = Selection(variants=("checkpoint", "onnx-fp32", "coreml-fp16"))
    return measure(trained_results.workspace, selection, FAST)


def test_every_case_has_a_verdict_and_the_figures_that_go_with_it(measured: Any) -> None:
    run, _ = measured
    for result in run.results:
        names = {series.name for series in result.series}
        if result.case.backend == "reference":
            assert result.status == "ok"
            assert names == set()
            assert result.accuracy is not None
        elif result.status == "ok":
            assert {"load_ns", "first_prediction_ns", "latency_ns", "peak_memory_bytes"} <= names
            assert result.accuracy is not None
            assert result.accuracy.images == 20
        else:
            assert result.status == "not_run"
            assert result.reason
    done = {(r.case.backend, r.case.requested_units) for r in run.results if r.status == "ok"}
    assert {("torch", "cpu"), ("onnxruntime", "cpu"), ("reference", "cpu")} <= done


def test_all_runtimes_agree_on_the_accuracy(measured: Any) -> None:
    # 20 images: at most one may tip over for fp16's rounding.
    top1 = [result.accuracy.top1 for result in measured[0].results if result.accuracy]
    assert max(top1) - min(top1) <= 1 / 20


def test_series_are_raw_and_as_many_as_asked_for(measured: Any) -> None:
    for result in measured[0].results:
        for series in result.series:
            assert len(series.samples) == (5 if series.name == "latency_ns" else 1)
            assert all(isinstance(sample, int) and sample > 0 for sample in series.samples)


def test_a_worker_holds_only_its_own_runtime(measured: Any) -> None:
    peaks = {
        result.case.backend: next(s.samples[0] for s in result.series if s.name == "baseline_memory_bytes")
        for result in measured[0].results
        if result.status == "ok" and result.series
    }
    assert peaks["onnxruntime"] < peaks["torch"]  # torch alone is hundreds of megabytes


def test_the_run_and_its_reports_lie_on_disk_and_are_marked_quick(measured: Any, trained_results: Any) -> None:
    run, folder = measured
    assert open_run(run.id, trained_results.workspace) == (run, folder)
    assert open_run(None, trained_results.workspace)[0] == run
    assert run.quick
    assert run.provenance.limit == 20
    assert "Quick" in (folder / "report.md").read_text()
    assert "Quick" in (folder / "index.html").read_text()
    assert (folder / "results.csv").read_text().count(",true,") >= len(run.results)
    assert (folder / "accuracy.png").stat().st_size > 1000


def test_a_plan_has_every_unit_of_every_backend_for_a_format(trained_results: Any) -> None:
    cases = list_jobs(trained_results.workspace, Selection(variants=("coreml-fp16",)), FAST).jobs
    assert [(c.case.backend, c.case.requested_units) for c in cases] == [
        ("coreml", "cpu_only"),
        ("coreml", "cpu_and_gpu"),
        ("coreml", "cpu_and_ne"),
        ("coreml", "all"),
        ("reference", "cpu"),
    ]


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (Selection(models=("alexnte",)), "did you mean 'alexnet'"),
        (Selection(variants=("onnx-fp23",)), "unknown variant"),
        (Selection(backends=("onnxruntme",)), "did you mean 'onnxruntime'"),
    ],
)
def test_a_wrong_name_is_told_with_the_nearest(trained_results: Any, selection: Any, message: Any) -> None:
    with pytest.raises(UnknownNameError, match=message):
        list_jobs(trained_results.workspace, selection, FAST)


def test_nothing_exported(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="nothing exported"):
        list_jobs(Workspace(tmp_path), Selection(), FAST)


def test_a_changed_artifact_is_refused_and_an_older_one_passed_over(trained_results: Any, tmp_path: Path) -> None:
    import shutil

    root = tmp_path / "results"
    shutil.copytree(trained_results.workspace.root, root)
    workspace = Workspace(root)
    name = trained_results.model
    checkpoint = root / name / "checkpoints" / "best.json"
    content = json.loads(checkpoint.read_text())
    checkpoint.write_text(json.dumps({**content, "sha256": "1" * 64}))
    with pytest.raises(ArtifactError, match="older than"):
        list_jobs(workspace, Selection(), FAST)
    checkpoint.write_text(json.dumps(content))
    with next((root / name / "exports" / "onnx-fp32").glob("*.onnx")).open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ArtifactError, match="changed since it was exported"):
        list_jobs(workspace, Selection(), FAST)


@pytest.mark.parametrize(
    "wrong", [{"min_repeats": 0}, {"min_seconds": -1.0}, {"limit": 0}, {"threads": 0}, {"timeout_s": 0}]
)
def test_settings_out_of_range(wrong: Any) -> None:
    with pytest.raises(UsageError, match="out of range"):
        Settings(**wrong)


def test_a_run_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="no such run: 'gone'; allowed: none measured yet"):
        open_run("gone", Workspace(tmp_path))
