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
        assert row.verdict == (UNSTEADY if row.variant == "onnx-w8a8" else "slower")
        assert row.same_artifact


UNSTEADY = "no verdict: unsteady in the first run, unsteady in the second run"


def flagged(run: BenchRun, *flags: str) -> BenchRun:
    results = tuple(result.model_copy(update={"flags": flags}) for result in run.results)
    return run.model_copy(update={"results": results})


def test_a_run_against_itself_shows_no_difference(linux_run: BenchRun) -> None:
    assert {row.verdict for row in compare_runs(linux_run, linux_run).rows} == {"no difference", UNSTEADY}


@pytest.mark.parametrize("flag", ["unsteady", "thermal_fair", "thermal_serious", "debug_build", "low_power_mode"])
def test_a_doubtful_run_gets_no_verdict(linux_run: BenchRun, flag: str) -> None:
    calm = flagged(linux_run)
    for first, second, which in ((flagged(linux_run, flag), calm, "first"), (calm, flagged(linux_run, flag), "second")):
        verdicts = {row.verdict for row in compare_runs(first, scaled(second, 2)).rows}
        assert verdicts == {f"no verdict: {flag} in the {which} run"}


def test_few_samples_have_a_wide_interval_and_need_no_other_doubt(linux_run: BenchRun) -> None:
    few = flagged(linux_run, "few_samples")
    assert {row.verdict for row in compare_runs(few, scaled(few, 2)).rows} == {"slower"}


def test_nothing_to_compare_is_no_success(linux_run: BenchRun, macos_run: BenchRun) -> None:
    with pytest.raises(BenchError, match=r"nothing to compare: no case has a latency in both .*not compared: densenet"):
        compare_runs(linux_run, macos_run, force=True)
    empty = linux_run.model_copy(update={"results": ()})
    with pytest.raises(BenchError, match="neither has a result"):
        compare_runs(empty, empty)


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
