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
def test_a_refusal_is_in_words_and_shows_what_is_wrong(path: Any) -> None:
    with pytest.raises(ManifestError) as caught:
        read_json(path, BenchRun)
    told = str(caught.value)
    assert "..." not in told  # of what is cut for its length
    assert not set("^[]") & set(told.replace(str(path), "")), told  # of a regular expression


def test_an_invalid_run_has_nothing_else_wrong(tmp_path: Path) -> None:
    # Else a reader without one of the rules would refuse the file all the same, and nobody would know.
    run = json.loads((FOLDER / "invalid" / "bad-id.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps(run | {"id": "mended"}))
    read_json(tmp_path / "run.json", BenchRun)


SENSE = {
    "accuracy-of-no-count": "an accuracy of 0.55 is no whole number of 10 images",
    "case-twice": "densenet coreml-fp16 on coreml cpu_only was measured 2 times in one run",
    "fewer-samples-than-asked": "fewer latencies than the case asks for, 3",
    "more-images-than-there-are": "10001 images were looked at, more than the 10000",
    "no-such-day": "provenance.created_at",
    "not-run-with-accuracy": "a result that is 'not_run' has no series, no accuracy and no placement",
    "not-run-with-placement": "a result that is 'not_run' has no series, no accuracy and no placement",
    "ok-without-a-figure": "a result that is 'ok' has series or an accuracy",
    "peak-below-baseline": "the peak of the memory is below",
    "placement-miscounted": "a placement's counts are not those of its ops",
    "placement-of-nothing": "a placement is of at least one op",
    "series-twice": "two series have the same name",
    "top1-above-top5": "top-1 accuracy 0.9 is above top-5 accuracy 0.8254",
    "backend-without-name": r"case\.backend",
    "checksum-of-two-sizes": "have the same checksum, and not the same format and bytes",
    "elapsed-below-latencies": "less than its latencies together",
    "fewer-rounds-than-asked": "1 rounds of the 2 that the case asks for",
    "format-of-another-backend": "coreml runs no coreai model: coreml models only",
    "least-above-most": r"at least 2\.0 seconds were asked for, and at most 1\.0",
    "made-tomorrow": "in the future: the clock here says",
    "model-as-a-path": r"case\.model",
    "model-of-two-lines": r"case\.model",
    "model-without-name": r"case\.model",
    "more-rounds-than-asked": "2 rounds of the 1 that the case asks for",
    "no-record-of-rounds": "1 rounds of the 2 that",
    "units-of-another-backend": "reference has no units 'cpu_only': cpu",
    "units-of-another-format": "somebodys has no units 'cpu_only': cpu, coreml, cuda",
    "variant-of-spaces": r"case\.variant",
    "zero-latency": r"samples.1: Input should be greater than or equal to 1, not 0",
}


@pytest.mark.parametrize("name", SENSE)
def test_a_run_that_makes_no_sense_is_refused_by_its_own_rule(name: str) -> None:
    with pytest.raises(ManifestError, match=SENSE[name]):
        read_json(FOLDER / "invalid" / f"{name}.json", BenchRun)


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_every_invalid_file_is_explained(path: Any) -> None:
    assert f"`{path.name}`" in (FOLDER / "invalid" / "README.md").read_text()


def test_together_the_valid_ones_have_every_status() -> None:
    runs = [read_json(path, BenchRun) for path in VALID]
    assert {result.status for run in runs for result in run.results} == {"ok", "unsupported", "failed", "not_run"}
