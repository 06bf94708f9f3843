import textwrap
from pathlib import Path
from typing import Any

import pytest

from tinyml.bench.budget import check, kept, read_budget
from tinyml.errors import BenchError
from tinyml.schema import BenchRun


def budget(tmp_path: Path, text: str) -> Any:
    (tmp_path / "budget.toml").write_text(text)
    return read_budget(tmp_path / "budget.toml")


def test_limits_are_kept_or_exceeded_by_the_figures_of_the_tables(linux_run: BenchRun, tmp_path: Path) -> None:
    found = budget(
        tmp_path,
        """
        [[limits]]
        variant = "onnx-*"
        backend = "onnxruntime"
        units = "cpu"
        p90_ms = 1e9
        size_mb = 9.05
        top1 = 0.01
        """,
    )
    rows = check(linux_run, found)
    measured = {(row.measure, row.outcome) for row in rows}
    assert ("p90", "kept") in measured
    assert ("top1", "kept") in measured
    by_size = [row for row in rows if row.measure == "size"]
    sizes = [
        result.case.artifact_bytes
        for result in linux_run.results
        if result.case.variant.startswith("onnx-") and result.case.requested_units == "cpu"
    ]
    assert sorted(row.outcome for row in by_size) == sorted("kept" if s <= 9.05e6 else "exceeded" for s in sizes)
    assert not kept(rows)


def test_what_was_not_run_keeps_no_limit(linux_run: BenchRun, tmp_path: Path) -> None:
    rows = check(linux_run, budget(tmp_path, '[[limits]]\nunits = "cuda"\np50_ms = 1e9\n'))
    assert {row.outcome for row in rows} == {"not measured"}
    assert "needs an NVIDIA GPU" in rows[0].figure


def test_a_limit_that_matches_nothing_is_not_kept(linux_run: BenchRun, tmp_path: Path) -> None:
    (row,) = check(linux_run, budget(tmp_path, '[[limits]]\nmodel = "vitt"\nsize_mb = 1\n'))
    assert row.outcome == "matches nothing"
    assert not kept([row])


def test_a_runtime_that_measures_no_latency_is_asked_for_none(linux_run: BenchRun, tmp_path: Path) -> None:
    rows = check(linux_run, budget(tmp_path, '[[limits]]\nbackend = "reference"\np50_ms = 1\ntop1 = 0\n'))
    assert {row.measure for row in rows} == {"top1"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("limits = 3", "limits"),
        ("", "limits: Field required"),
        ("limits = []", "at least 1 item"),
        ("[[limits]]\nmodel = 'x'", "at least one figure"),
        ("[[limits]]\np91_ms = 3", "Extra inputs are not permitted"),
        ("[[limits]]\np90_ms = -3", "greater than 0"),
        ("[[limits]]\np90_ms = inf", "finite"),
        ("[[limits]]\ntop1 = 55", "less than or equal to 1"),
        ("[[limits", "cannot read the budget"),
        ("a = " + "[" * 5000, "cannot read the budget"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BenchError, match=message) as caught:
        budget(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_the_readmes_budget_is_one(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    block = readme[readme.index("    [[limits]]") :].split("\n\n")[0]
    (limit,) = budget(tmp_path, textwrap.dedent(block)).limits
    assert set(limit.figures) == {"p90", "size", "top1"}


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="cannot read the budget"):
        read_budget(tmp_path / "none.toml")
