import json
from pathlib import Path
from typing import Any

import pytest

from tinyml.cli import run

FIXTURES = Path(__file__).parents[1] / "fixtures" / "results"


def test_a_run_is_imported_reported_and_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = str(tmp_path / "results")
    for name in ("linux", "macos"):
        file = FIXTURES / "v2" / f"fixture-{name}.json"
        assert run(["bench", "import", str(file), "--results", results]) == 0
    shown = capsys.readouterr().out
    assert "not run: needs macOS" in shown
    assert str(tmp_path / "results" / "bench" / "fixture-macos" / "index.html") in shown
    assert run(["bench", "report", "fixture-linux", "--results", results, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == "fixture-linux"
    assert run(["bench", "compare", "fixture-linux", "fixture-linux", "--results", results]) == 0
    assert "no difference" in capsys.readouterr().out
    assert run(["bench", "compare", "fixture-linux", "fixture-macos", "--results", results]) == 1
    assert "not comparable" in capsys.readouterr().err
    assert run(["bench", "compare", "fixture-linux", "fixture-linux", "--results", results]) == 0
    assert run(["bench", "compare", "fixture-linux", "fixture-macos", "--results", results, "--force"]) == 1


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
        (["report"], 1, "no bench run"),
        (["report", "gone"], 1, "no such run: 'gone'"),
        (["compare", "a", "b"], 1, "no such run: 'a'"),
        (["compare", "a"], 2, "Missing argument 'b'"),
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
