"""Files that anybody may have written or torn: a thousand mutants each, and only typed errors come of them."""

from __future__ import annotations

import contextlib
import json
import random
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tinyml.bench.budget import check, read_budget
from tinyml.bench.history import read_history
from tinyml.bench.reports.csv import text as csv_text
from tinyml.bench.reports.markdown import markdown
from tinyml.bench.runs import import_run
from tinyml.bench.verdicts import comparison_markdown, history_rows
from tinyml.errors import BenchError, ManifestError, TinyMLError
from tinyml.schema import Artifact, BenchRun, History, Record
from tinyml.store import file_sha256, parse_json, read_json
from tinyml.workspace import Workspace

from .test_comparison import compare_runs

FIXTURES = Path(__file__).parents[1] / "fixtures"
RUNS = sorted((FIXTURES / "results" / "v2").glob("*.json"))
ARTIFACTS = sorted((FIXTURES / "artifacts").glob("v?/*.json"))
MUTANTS = 1000

EVIL: tuple[Any, ...] = (
    *(None, True, -1, 0, 2**63, 2**200, 1e308, -0.0, "", "\0", "NaN", "../../etc/passwd", "\ud800", [], {}, [[]]),
    "<script>alert(1)</script>",
    "=HYPERLINK(1)",
    "x" * 5000,
    {"__proto__": 1},
)


def seeded(number: int) -> random.Random:
    """Chance that is the same each time."""
    return random.Random(number)  # noqa: S311 (no secret)


def refusal(text: str, kind: type[Record]) -> str | None:
    """Why `text` is refused; None where it is read."""
    try:
        parse_json(text, kind, "x.json")
    except ManifestError as error:
        return str(error)
    return None


def mutant(content: Any, chance: random.Random) -> Any:
    """`content` with up to three values replaced, keys lost, doubled or renamed, or lists turned over."""
    copy = json.loads(json.dumps(content))
    for _ in range(chance.randint(1, 3)):
        place = copy
        for _ in range(chance.randint(0, 6)):
            inner = list(place.values() if isinstance(place, dict) else place)
            deeper = [value for value in inner if isinstance(value, dict | list) and value]
            if not deeper:
                break
            place = chance.choice(deeper)
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            continue
        key = chance.choice(keys)
        match chance.randint(0, 4):
            case 0 | 1:
                place[key] = deepcopy(chance.choice(EVIL))  # what is put into one mutant is no part of the next
            case 2:
                del place[key]
            case 3 if isinstance(place, dict):
                place[f"{key}_"] = place.pop(key)
            case _ if isinstance(place, list):
                place.extend(place[:3])
    return copy


def torn(text: str, chance: random.Random) -> str:
    """`text` cut off, or with bytes that do not belong there."""
    place = chance.randrange(len(text))
    return chance.choice((text[:place], text[:place] + chance.choice('{}[],:"\\\0\x7f') + text[place:], text[place:]))


def mutants(paths: list[Path], chance: random.Random) -> list[str]:
    contents = [(path.read_text(), json.loads(path.read_text())) for path in paths]
    found = []
    for i in range(MUTANTS):
        text, content = contents[i % len(contents)]
        # Not strict about surrogates: a file may hold them as escapes.
        found.append(torn(text, chance) if i % 4 == 0 else json.dumps(mutant(content, chance)))
    return found


@pytest.mark.parametrize(("paths", "kind"), [(RUNS, BenchRun), (ARTIFACTS, Artifact)], ids=["runs", "manifests"])
def test_a_mutant_is_read_whole_or_refused_in_one_line(paths: list[Path], kind: type[Record]) -> None:
    refusals = [refusal(text, kind) for text in mutants(paths, seeded(1))]
    assert 0 < refusals.count(None) < MUTANTS
    assert not any("\n" in told for told in refusals if told is not None)


def test_a_mutant_of_a_training_history_is_read_whole_or_refused(tmp_path: Path) -> None:
    made = json.loads((FIXTURES / "results" / "v2" / "fixture-linux.json").read_text())
    history = {
        "schema_version": made["schema_version"],
        "kind": "history",
        "provenance": made["provenance"],
        "epochs": [{"epoch": 1, "lr": 0.1}],
    }
    (tmp_path / "history.json").write_text(json.dumps(history))
    for text in mutants([tmp_path / "history.json"], seeded(2)):
        with pytest.raises(ManifestError) as caught:
            parse_json(text, History, "history.json")
        assert "\n" not in str(caught.value)


def test_what_is_read_of_mutants_is_told_compared_and_checked_without_a_crash(tmp_path: Path) -> None:
    (tmp_path / "budget.toml").write_text("[[limits]]\np90_ms = 1\nsize_mb = 1\ntop1 = 0.5\n")
    budget = read_budget(tmp_path / "budget.toml")
    base = read_json(FIXTURES / "results" / "v2" / "fixture-rounds.json", BenchRun)
    told = 0
    for text in mutants(RUNS, seeded(3)):
        try:
            run = parse_json(text, BenchRun, "x.json")
        except ManifestError:
            continue
        assert "<script>" not in markdown(run).replace("\\<script\\>", "")
        assert not any(line.startswith("=") for line in csv_text(run).splitlines())
        check(run, budget)
        with contextlib.suppress(BenchError):  # a latency of zero has no ratio
            comparison = compare_runs(base, [run], force=True)
            assert "<script>" not in comparison_markdown(comparison, []).replace("\\<script\\>", "")
        told += 1
    assert told > 50


def test_importing_mutants_loses_and_rewrites_no_file(tmp_path: Path, linux_run: BenchRun) -> None:
    workspace = Workspace(tmp_path / "results")
    import_run(FIXTURES / "results" / "v2" / "fixture-linux.json", workspace)
    kept = workspace.bench / linux_run.id
    before = file_sha256(kept)
    chance = seeded(4)
    for i, text in enumerate(mutants([FIXTURES / "results" / "v2" / "fixture-linux.json"], chance)[:150]):
        file = tmp_path / f"{i}.json"
        file.write_text(text, errors="surrogatepass")
        content = file.read_bytes()
        with contextlib.suppress(TinyMLError):
            import_run(file, workspace)
        assert file.read_bytes() == content
        assert file_sha256(kept) == before
    outside = {path.name for path in tmp_path.iterdir()} - {f"{i}.json" for i in range(150)}
    assert outside == {"results"}


def test_a_history_over_mutants_names_those_that_it_leaves_out(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    texts = mutants(RUNS, seeded(5))[:300]
    for i, text in enumerate(texts):
        folder = workspace.bench / f"run-{i}"
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(text, errors="surrogatepass")
    before = file_sha256(tmp_path)
    found = read_history(workspace)
    history_rows(found)
    assert found.left_out
    assert all("\n" not in line for line in found.left_out)
    assert file_sha256(tmp_path) == before
