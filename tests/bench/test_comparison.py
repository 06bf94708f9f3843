from typing import Any

import pytest

from tinyml.bench.comparison import compare_runs
from tinyml.errors import BenchError
from tinyml.schema import BenchRun


def scaled(run: Any, factor: Any, **environment: Any) -> Any:
    results = [
        result.model_copy(
            update={
                "series": tuple(
                    s.model_copy(update={"samples": tuple(int(v * factor) for v in s.samples)}) for s in result.series
                )
            }
        )
        for result in run.results
    ]
    changed = run.environment.model_copy(update=environment)
    return run.model_copy(update={"results": tuple(results), "environment": changed, "id": "other"})


def test_a_factor_of_two_is_found_in_every_case(linux_run: BenchRun) -> None:
    comparison = compare_runs(linux_run, scaled(linux_run, 2))
    assert len(comparison.rows) == 3
    for row in comparison.rows:
        assert row.ratio == pytest.approx(2, rel=1e-6)
        assert row.low < 2 < row.high
        assert row.verdict == "slower"
        assert row.same_artifact


def test_a_run_against_itself_shows_no_difference(linux_run: BenchRun) -> None:
    assert {row.verdict for row in compare_runs(linux_run, linux_run).rows} == {"no difference"}


def test_what_has_no_latency_is_named_not_dropped(linux_run: BenchRun) -> None:
    comparison = compare_runs(linux_run, linux_run)
    assert len(comparison.rows) + len(comparison.unmatched) == len(linux_run.results)


@pytest.mark.parametrize(
    "change",
    [{"machine": "x"}, {"os_version": "2"}, {"cores": 9}, {"packages": {"torch": "9"}}, {"runtime": "python 4"}],
)
def test_other_environments_are_refused_unless_forced(linux_run: BenchRun, change: Any) -> None:
    other = scaled(linux_run, 1, **change)
    with pytest.raises(BenchError, match=r"not comparable.*--force"):
        compare_runs(linux_run, other)
    assert compare_runs(linux_run, other, force=True).warnings
