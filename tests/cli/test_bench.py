import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tinyml.cli import run
from tinyml.workspace import Workspace

FIXTURES = Path(__file__).parents[1] / "fixtures" / "results"
FIXED = str(FIXTURES / "v2" / "fixture-rounds.json")


def test_a_run_is_imported_reported_and_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = str(tmp_path / "results")
    for name in ("linux", "macos"):
        file = FIXTURES / "v2" / f"fixture-{name}.json"
        assert run(["bench", "import", str(file), "--results", results]) == 0
    shown = capsys.readouterr().out
    assert "not run: needs macOS" in shown
    assert str(tmp_path / "results" / "bench" / "fixture-macos" / "index.html") in shown
    assert run(["bench", "show", "fixture-linux", "--results", results, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == "fixture-linux"
    assert run(["bench", "compare", "fixture-linux", "fixture-linux", "--results", results]) == 0
    assert "no difference" in capsys.readouterr().out
    assert run(["bench", "compare", "fixture-linux", "fixture-macos", "--results", results]) == 1
    assert "not comparable" in capsys.readouterr().err
    assert run(["bench", "compare", "fixture-linux", "fixture-linux", "--results", results]) == 0
    assert run(["bench", "compare", "fixture-linux", "fixture-macos", "--results", results, "--force"]) == 1


def test_limits_decide_the_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(FIXTURES / "v2" / "fixture-rounds.json")
    assert run(["bench", "compare", file, file, "--fail-if", "p90 > 1.1x"]) == 0
    capsys.readouterr()
    assert run(["bench", "compare", file, file, "--fail-if", "size > 1 MB", "--markdown"]) == 3
    assert "conditions failed" in capsys.readouterr().out
    budget = tmp_path / "budget.toml"
    budget.write_text('[[limits]]\nvariant = "onnx-fp32"\np90_ms = 100\n')
    assert run(["bench", "check", file, "--budget", str(budget), "--json"]) == 0
    assert [row["outcome"] for row in json.loads(capsys.readouterr().out)] == ["kept"]
    budget.write_text('[[limits]]\nvariant = "onnx-fp32"\np90_ms = 0.001\n')
    assert run(["bench", "check", file, "--budget", str(budget), "--markdown"]) == 3
    assert "1 of 1 limits not kept" in capsys.readouterr().out


def test_two_models_of_one_run_are_compared_by_pairs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = json.loads(Path(FIXED).read_text())
    other = json.loads(json.dumps(made["results"][0]))
    other["case"] |= {"variant": "onnx-int8", "artifact_sha256": "5" * 64}
    other["series"] = [series for series in other["series"] if series["name"] == "latency_ns"]
    other["series"][0]["samples"] = [2 * sample for sample in other["series"][0]["samples"]]
    for one in other["rounds"]:
        one["elapsed_ns"] *= 2
        one["began_ns"] += 10**9
    made["results"].append(other)
    file, results = tmp_path / "three.json", str(tmp_path / "results")
    file.write_text(json.dumps(made))
    assert run(["bench", "import", str(file), "--results", results]) == 0
    capsys.readouterr()
    # The newest run, where none is named.
    assert run(["bench", "compare", "--base", "onnx-fp32", "--results", results, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert (row["variant"], row["pairs"], row["pairs_of"], row["verdict"]) == ("onnx-int8", 3, "rounds", "slower")
    assert run(["bench", "compare", str(file), "--base", "onnx-fp32", "--fail-if", "p50 > 1.1x", "--markdown"]) == 3
    shown = capsys.readouterr().out
    assert "against onnx-fp32 in fixture-rounds" in shown
    assert "3 pairs" in shown
    assert run(["bench", "compare", FIXED, "--base", "onnx-fp32"]) == 1
    assert "the same batch, streams and threads" in capsys.readouterr().err


def test_a_history_of_what_was_imported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = str(tmp_path / "results")
    for name in ("rounds", "macos"):
        assert run(["bench", "import", str(FIXTURES / "v2" / f"fixture-{name}.json"), "--results", results]) == 0
    capsys.readouterr()
    assert run(["bench", "history", "--results", results]) == 0
    shown = capsys.readouterr().out
    assert "Fixture CPU 3000" in shown
    assert "Mac99,1" in shown
    assert "takes six runs" in shown


def test_a_run_without_a_result_is_no_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = FIXTURES / "v2" / "fixture-minimal.json"
    results = str(tmp_path / "results")
    for verb in ("import", "show"):
        assert run(["bench", verb, str(empty), "--results", results]) == 1
        assert "the run holds no result" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()
    assert run(["bench", "history", "--results", results]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "no case measured to rely on" in shown.err


def test_a_file_that_is_only_shown_gets_no_neighbors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "sent.json"
    shutil.copy(FIXTURES / "v2" / "fixture-rounds.json", file)
    (tmp_path / "index.html").write_text("somebody's own")
    assert run(["bench", "show", str(file)]) == 0
    assert "report:" not in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.html", "sent.json"]
    assert (tmp_path / "index.html").read_text() == "somebody's own"


def test_what_makes_a_comparison_doubtful_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    quick = json.loads((FIXTURES / "v2" / "fixture-linux.json").read_text()) | {"quick": True}
    (tmp_path / "quick.json").write_text(json.dumps(quick))
    assert run(["bench", "compare", *[str(tmp_path / "quick.json")] * 2]) == 0
    shown = capsys.readouterr().out
    assert shown.count("is quick: a first look") == 1
    assert f"{quick['id']} or {quick['id']}" not in shown


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 1, "nothing exported"),
        (["--backend", "onxruntime"], 2, "did you mean 'onnxruntime'"),
        (["--repeats", "0"], 2, "out of range"),
        (["--limit", "-3"], 2, "out of range"),
        (["--seconds", "x"], 2, "seconds"),
        (["import", "no-such.json"], 1, "no such file"),
        (["import", str(FIXTURES / "invalid" / "bad-id.json")], 1, "does not fit its schema"),
        (["show"], 1, "no bench run"),
        (["show", "gone"], 1, "no such run: 'gone'"),
        (["compare", "a", "b"], 1, "no such run: 'a'"),
        (["compare"], 2, "nothing to compare with"),
        (["compare", "--base", "x"], 1, "no bench run"),
        (["compare", FIXED, "--base", "onnx-fp23"], 2, "did you mean 'onnx-fp32'"),
        (["compare", FIXED, FIXED, "--base", "onnx-fp32"], 2, "within one run"),
        (["compare", "a", "b", "--fail-if", "p90 > fast"], 2, "not a condition"),
        (["check", "--budget", "none.toml"], 1, "cannot read the budget"),
        (["--artifact", "none.onnx"], 1, "no such model"),
        (["--artifact", str(FIXTURES / "statistics.json")], 1, "not a model to measure"),
        (["--inputs", "x.npz"], 2, "--inputs without --artifact"),
        (["--artifact", "x.onnx", "--model", "vgg"], 2, "--model and --variant are not for --artifact"),
        (["--artifact", "x.onnx", "--limit", "7"], 2, "--limit is for an accuracy"),
        (["--artifact", "x.onnx", "--data", "shapes"], 2, "--data is for an accuracy"),
        (["--artifact", "x.onnx", "--backend", "onnxruntim"], 2, "did you mean 'onnxruntime'"),
        (["--max-seconds", "inf"], 2, "--max-seconds out of range"),
        (["--rounds", "0"], 2, "out of range"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: Any,
    code: Any,
    message: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["bench", *arguments]) == code
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_was_measured_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (model,) = (Path(__file__).parents[2] / "swift_demo/App/Models").glob("*/*.mlpackage")
    assert run(["bench", "--artifact", str(model), "--results", str(tmp_path)]) == 69
    shown = capsys.readouterr()
    assert "not run: needs macOS" in shown.out
    assert "nothing was measured: 'needs macOS'" in shown.err
    assert len(list(tmp_path.glob("bench/*/run.json"))) == 1


def test_showing_an_older_run_leaves_the_newest_one_the_newest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = str(tmp_path)
    found = json.loads((FIXTURES / "v2" / "fixture-rounds.json").read_text())
    for old, new in (("b", "2026-01-03T00:00:00Z"), ("a", "2026-01-04T00:00:00Z")):
        found["id"], found["provenance"]["created_at"] = old, new
        (tmp_path / "run.json").write_text(json.dumps(found))
        assert run(["bench", "import", str(tmp_path / "run.json"), "--results", results]) == 0
    old, new = "b", "a"
    assert run(["bench", "show", old, "--results", results]) == 0
    os.utime(tmp_path / "bench" / old / "run.json")
    assert Workspace(tmp_path).newest_run().parent.name == new


def test_a_dollar_in_a_name_is_no_mathematics(tmp_path: Path) -> None:
    found = json.loads((FIXTURES / "v2" / "fixture-linux.json").read_text())
    for result in found["results"]:
        result["case"]["model"] = "a$b_$"
    (tmp_path / "run.json").write_text(json.dumps(found))
    assert run(["bench", "import", str(tmp_path / "run.json"), "--results", str(tmp_path)]) == 0
    assert next(tmp_path.glob("bench/*/latency.png")).stat().st_size > 1000
