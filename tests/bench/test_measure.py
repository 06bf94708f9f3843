"""The whole bench on real artifacts: one model, every backend that runs here."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyml.bench.jobs import Selection, Settings, list_jobs
from tinyml.bench.runs import measure, open_run
from tinyml.errors import ArtifactError, BenchError, DataError, UnknownNameError, UsageError
from tinyml.progress import Silent
from tinyml.workspace import PLAN, Workspace, read_checkpoint

FAST = Settings(warmup=1, min_repeats=6, min_seconds=0, rounds=2, limit=20, threads=(1,), timeout_s=120, quick=True)


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
    (compiled,) = (r for r in run.results if (r.case.backend, r.case.requested_units) == ("torch_compile", "cpu"))
    assert compiled.reason is not None
    assert "--backend torch_compile" in compiled.reason or "C++ compiler" in compiled.reason
    done = {(r.case.backend, r.case.requested_units) for r in run.results if r.status == "ok"}
    assert {("torch", "cpu"), ("onnxruntime", "cpu"), ("reference", "cpu")} <= done


def test_each_round_tells_when_it_began_and_they_come_in_turn(measured: Any) -> None:
    run, _ = measured
    timed = [result for result in run.results if result.rounds]
    began = [one.began_ns for number in range(FAST.rounds) for result in timed for one in [result.rounds[number]]]
    first, second = began[: len(timed)], began[len(timed) :]
    assert first == sorted(first)
    assert second[1:] + second[:1] == sorted(second)  # from another case on
    assert max(first) < min(second)


def test_whoever_is_told_of_measuring_is_not_refused_afterwards(trained_results: Any, tmp_path: Path) -> None:
    told: list[str] = []

    class Told(Silent):
        def say(self, line: str) -> None:
            told.append(line)

    settings = dataclasses.replace(FAST, data=str(tmp_path / "gone"))
    runs = set(trained_results.workspace.bench.glob("*"))
    with pytest.raises(DataError, match="gone"):
        measure(trained_results.workspace, Selection(variants=("onnx-fp32",)), settings, progress=Told())
    assert not [line for line in told if line.startswith("measuring")]
    assert set(trained_results.workspace.bench.glob("*")) == runs


@pytest.mark.slow  # compiles
@pytest.mark.skipif(not any(map(shutil.which, ("c++", "g++", "clang++"))), reason="needs a C++ compiler")
def test_torch_compile_is_measured_where_it_is_asked_for(trained_results: Any, tmp_path: Path) -> None:
    selection = Selection(variants=("checkpoint",), backends=("torch_compile",))
    settings = dataclasses.replace(FAST, timeout_s=900, rounds=1)
    run, folder = measure(Workspace(trained_results.workspace.root), selection, settings)
    shutil.rmtree(folder)  # the others' run is the newest again
    (result,) = (r for r in run.results if r.case.requested_units == "cpu")
    assert result.status == "ok", result.reason
    assert result.accuracy is not None


def test_a_strangers_model_is_measured_with_batches_streams_and_given_inputs(tmp_path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper

    shape: list[str | int | None] = ["n", 4]
    graph = helper.make_graph(
        [helper.make_node("Add", ["a", "b"], ["sum"])],
        "sum",
        [
            helper.make_tensor_value_info("a", TensorProto.FLOAT, shape),
            helper.make_tensor_value_info("b", TensorProto.FLOAT, shape),
        ],
        [helper.make_tensor_value_info("sum", TensorProto.FLOAT, shape)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    file = tmp_path / "sum.onnx"
    onnx.save(model, file)
    settings = dataclasses.replace(FAST, batches=(1, 8, 1), streams=(1, 2))
    run, folder = measure(Workspace(tmp_path), Selection(), settings, files=(file,))
    done = [result for result in run.results if result.status == "ok"]
    assert [(r.case.batch, r.case.streams) for r in done] == [(1, 1), (1, 2), (8, 1), (8, 2)]
    assert all(r.accuracy is None and r.case.variant == "file" and r.case.model == "sum" for r in done)
    assert {r.reason for r in run.results if r.status == "not_run"} == {
        "needs macOS",
        "this onnxruntime has no CUDAExecutionProvider",
    }
    assert (folder / "report.md").is_file()
    (tmp_path / "copy").mkdir()
    shutil.copy(file, tmp_path / "copy")
    with pytest.raises(UsageError, match="the same model twice"):
        measure(Workspace(tmp_path), Selection(), FAST, files=(file, tmp_path / "copy" / "sum.onnx"))
    np.savez(tmp_path / "in.npz", a=np.ones((3, 4), np.float32), b=np.ones((3, 4), np.float32))
    run, _ = measure(Workspace(tmp_path), Selection(), FAST, files=(file,), inputs=tmp_path / "in.npz")
    assert "ok" in {result.status for result in run.results}
    np.savez(tmp_path / "in.npz", a=np.ones((3, 4), np.float32))
    run, _ = measure(Workspace(tmp_path), Selection(), FAST, files=(file,), inputs=tmp_path / "in.npz")
    (result,) = (r for r in run.results if r.case.requested_units == "cpu")
    assert result.reason is not None
    assert "does not hold the model's inputs" in result.reason


def test_all_runtimes_agree_on_the_accuracy(measured: Any) -> None:
    # 20 images: at most one may tip over for fp16's rounding.
    top1 = [result.accuracy.top1 for result in measured[0].results if result.accuracy]
    assert max(top1) - min(top1) <= 1 / 20


def test_series_are_raw_and_as_many_as_asked_for(measured: Any) -> None:
    for result in measured[0].results:
        assert len(result.rounds) == (2 if result.series else 0)
        for series in result.series:
            assert len(series.samples) == (6 if series.name == "latency_ns" else 2)
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
        (Selection(models=("resnet02",)), "did you mean 'resnet20'"),
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
    root = tmp_path / "results"
    shutil.copytree(trained_results.workspace.root, root)
    workspace = Workspace(root)
    name = trained_results.model
    checkpoint = workspace.run(name, "best-1").best
    content = json.loads(checkpoint.read_text())
    checkpoint.write_text(json.dumps({**content, "sha256": "1" * 64}))
    with pytest.raises(ArtifactError, match="older than"):
        list_jobs(workspace, Selection(), FAST)
    checkpoint.write_text(json.dumps(content))
    with next((root / name / "exports" / "onnx-fp32").glob("*.onnx")).open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ArtifactError, match="changed since it was exported"):
        list_jobs(workspace, Selection(), FAST)


def test_a_manifest_without_its_file_is_passed_over_by_name(trained_results: Any, tmp_path: Path) -> None:
    root = tmp_path / "results"
    shutil.copytree(trained_results.workspace.root, root)
    exports = root / trained_results.model / "exports"
    gone = next((exports / "onnx-fp32").glob("*.onnx"))
    gone.unlink()
    listed = list_jobs(Workspace(root), Selection(), FAST)
    assert listed.jobs
    assert "onnx-fp32" not in {job.case.variant for job in listed.jobs}
    assert [line for line in listed.stale if f"onnx-fp32 has no {gone.name}; export it again: tinyml export" in line]
    with pytest.raises(ArtifactError, match=f"nothing to measure: .* has no {gone.name}"):
        list_jobs(Workspace(root), Selection(variants=("onnx-fp32",)), FAST)


def test_a_checkpoint_is_measured_where_no_exported_file_is_there(trained_results: Any, tmp_path: Path) -> None:
    root = tmp_path / "results"
    shutil.copytree(trained_results.workspace.root, root)
    for path in (root / trained_results.model / "exports").glob("*/*.*"):
        if path.name != "manifest.json":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    listed = list_jobs(Workspace(root), Selection(), FAST)
    assert {job.case.variant for job in listed.jobs} == {"checkpoint"}
    with pytest.raises(UnknownNameError) as caught:
        list_jobs(Workspace(root), Selection(variants=("foo",)), FAST)
    names = str(caught.value).partition("allowed: ")[2].partition(";")[0].split(", ")
    assert len(names) == len(set(names)) > 1


def test_many_manifests_without_their_files_are_one_line(trained_results: Any, tmp_path: Path) -> None:
    root = tmp_path / "results"
    shutil.copytree(trained_results.workspace.root, root)
    exports = root / trained_results.model / "exports"
    gone = {}
    for path in sorted(exports.glob("*/manifest.json")):
        manifest = json.loads(path.read_text())
        if manifest["variant"]["name"] != "onnx-fp32":
            model = path.parent / manifest["path"]
            shutil.rmtree(model) if model.is_dir() else model.unlink()
            gone[path.parent] = manifest["variant"]["name"]
    assert len(gone) > 1
    (line,) = list_jobs(Workspace(root), Selection(), FAST).stale
    names = ", ".join(folder.name for folder in gone)
    assert line.startswith(f"{exports} has no model files of {names}; export them again: tinyml export --checkpoint")
    planned = [folder for folder in gone if (folder / PLAN).is_file()]
    assert all(f"--variant {name}" in line for folder, name in gone.items() if folder not in planned)
    assert all(f"{folder.name}/{PLAN}" in line for folder in planned)
    assert line.count("tinyml export --checkpoint") == 1 + len(planned)
    read_checkpoint(Workspace(root).run(trained_results.model, "best-1").best)[1].unlink()
    (line,) = list_jobs(Workspace(root), Selection(variants=("onnx-fp32",), backends=("onnxruntime",)), FAST).stale
    assert "; nor are the weights of " in line
    assert line.endswith("best.json here: train it, or bring them")


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_repeats": 0},
        {"min_seconds": -1.0},
        {"limit": 0},
        {"threads": (0,)},
        {"rounds": 0},
        {"batches": (2, 0)},
        {"streams": (0,)},
        {"max_seconds": 0},
        {"timeout_s": 0},
    ],
)
def test_settings_out_of_range(wrong: Any) -> None:
    with pytest.raises(UsageError, match="out of range"):
        Settings(**wrong)


def test_a_run_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="no such run: 'gone'; allowed: none measured yet"):
        open_run("gone", Workspace(tmp_path))
