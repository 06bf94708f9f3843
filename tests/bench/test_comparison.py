from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyml.bench.comparison import Comparison, compare
from tinyml.bench.matching import Runs, matches_between
from tinyml.bench.measures import MEASURES
from tinyml.bench.verdicts import comparison_cells
from tinyml.errors import BenchError
from tinyml.schema import BenchResult, BenchRun, Round, Series
from tinyml.store import read_json


def compare_runs(a: Runs | BenchRun, others: Iterable[Runs | BenchRun], *, force: bool = False) -> Comparison:
    return compare(matches_between(a, others, force=force))


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


UNSTEADY = "no verdict: unsteady in the first run, unsteady in the second run"


def flagged(run: BenchRun, *flags: str) -> BenchRun:
    results = tuple(result.model_copy(update={"flags": flags}) for result in run.results)
    return run.model_copy(update={"results": results})


def measured(run: BenchRun, name: str, medians: dict[str, list[float]]) -> BenchRun:
    """`run` with one case a name of `medians`, one round of twenty samples a median (in milliseconds)."""
    results = []
    for model, levels in medians.items():
        samples = [int(level * 1e6 * (1 + 0.001 * (i % 5 - 2))) for level in levels for i in range(20)]
        rounds = tuple(
            Round(samples=20, warmup=5, steady=True, elapsed_ns=sum(samples[begin : begin + 20]))
            for begin in range(0, len(samples), 20)
        )
        case = run.results[0].case.model_copy(update={"model": model, "rounds": len(levels), "min_repeats": 20})
        series = (Series(name="latency_ns", samples=tuple(samples)),)
        results.append(BenchResult(case=case, status="ok", series=series, rounds=rounds))
    return run.model_copy(update={"id": name, "results": tuple(results)})


def worked(run: BenchRun, name: str, times: list[float]) -> BenchRun:
    """A run of a busy machine: latencies all over the place, and so much processor time a prediction, in ms."""
    made = measured(run, name, {"net": [1.0 + 3 * (i % 3) for i in range(len(times))]})
    (result,) = made.results
    rounds = tuple(
        one.model_copy(update={"processor_ns": int(time * 20e6)})
        for one, time in zip(result.rounds, times, strict=True)
    )
    update = {"rounds": rounds, "flags": ("machine_busy",)}
    return made.model_copy(update={"results": (result.model_copy(update=update),)})


def test_on_a_busy_machine_the_processor_time_tells(linux_run: BenchRun) -> None:
    calm = [1.0, 1.01, 0.99, 1.0]
    base = worked(linux_run, "base", calm)
    for factor, verdict in ((1.0, "no difference"), (1.02, "within 5%"), (1.1, "slower"), (0.9, "faster")):
        other = worked(linux_run, "other", [time * factor for time in calm])
        (row,) = compare_runs(base, [other]).rows
        assert row.verdict == "undecided"  # by latencies: they say nothing here
        assert row.work is not None
        assert row.work.verdict == verdict
        assert row.work.low < factor < row.work.high
        assert verdict in comparison_cells(row)[-1]
    (row,) = compare_runs(base, [measured(linux_run, "older", {"net": [1.0, 1.1]})]).rows
    assert row.work is None
    assert comparison_cells(row)[-1] == "-"


def test_a_factor_of_two_is_found_in_every_case(linux_run: BenchRun) -> None:
    comparison = compare_runs(linux_run, [scaled(linux_run, 2)])
    assert len(comparison.rows) == 3
    for row in comparison.rows:
        assert row.ratio == pytest.approx(2, rel=1e-6)
        assert row.low < 2 < row.high
        assert row.verdict == (UNSTEADY if row.variant == "onnx-w8a8" else "slower")
        assert row.same_artifact
    assert any("one round only" in warning for warning in comparison.warnings)


def test_a_run_against_itself_shows_no_difference(linux_run: BenchRun) -> None:
    assert {row.verdict for row in compare_runs(linux_run, [linux_run]).rows} == {"no difference", UNSTEADY}


@pytest.mark.parametrize("flag", ["unsteady", "thermal_fair", "debug_build", "low_power_mode", "machine_busy"])
def test_a_doubtful_run_gets_no_verdict(linux_run: BenchRun, flag: str) -> None:
    calm = flagged(linux_run)
    for first, second, which in ((flagged(linux_run, flag), calm, "first"), (calm, flagged(linux_run, flag), "second")):
        verdicts = {row.verdict for row in compare_runs(first, [scaled(second, 2)]).rows}
        assert verdicts == {f"no verdict: {flag} in the {which} run"}


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        (("unsteady",), (), "slower"),  # the rounds' spread has it
        (("machine_busy", "unsteady"), ("machine_busy",), "slower"),  # both had the same machine
        ((), ("machine_busy",), "no verdict: machine_busy in the second run"),  # the load looks like a slower model
        (("thermal_fair",), ("thermal_fair",), "no verdict: thermal_fair in the first run, thermal_fair in the second"),
    ],
)
def test_rounds_account_for_times_that_go_up_and_down(
    linux_run: BenchRun, first: Any, second: Any, verdict: str
) -> None:
    a = flagged(measured(linux_run, "a", {"m": [5.0, 5.1, 4.9]}), *first)
    b = flagged(measured(linux_run, "b", {"m": [7.0, 7.1, 6.9]}), *second)
    assert compare_runs(a, [b]).rows[0].verdict.startswith(verdict)


def test_few_samples_have_a_wide_interval_and_need_no_other_doubt(linux_run: BenchRun) -> None:
    few = flagged(linux_run, "few_samples")
    assert {row.verdict for row in compare_runs(few, [scaled(few, 2)]).rows} == {"slower"}


def test_nothing_to_compare_is_no_success(linux_run: BenchRun, macos_run: BenchRun) -> None:
    with pytest.raises(BenchError, match=r"no case has a latency on both sides, .*not compared: densenet"):
        compare_runs(linux_run, [macos_run], force=True)
    empty = linux_run.model_copy(update={"results": ()})
    with pytest.raises(BenchError, match="neither has a result"):
        compare_runs(empty, [empty])


def test_what_has_no_latency_is_named_not_dropped(linux_run: BenchRun) -> None:
    comparison = compare_runs(linux_run, [linux_run])
    assert len(comparison.rows) + len(comparison.unmatched) == len(linux_run.results)


@pytest.mark.parametrize(
    "change",
    [{"machine": "x"}, {"os_version": "2"}, {"cores": 9}, {"packages": {"torch": "9"}}, {"runtime": "python 4"}],
)
def test_other_environments_are_refused_unless_forced(linux_run: BenchRun, change: Any) -> None:
    other = scaled(linux_run, 1, **change)
    with pytest.raises(BenchError, match=r"not comparable.*--force"):
        compare_runs(linux_run, [other])
    assert compare_runs(linux_run, [other], force=True).warnings


def test_what_an_older_run_does_not_tell_is_no_difference(linux_run: BenchRun) -> None:
    compare_runs(linux_run, [scaled(linux_run, 1, governor="performance", on_battery=False)])
    with pytest.raises(BenchError, match="governor performance and powersave"):
        compare_runs(scaled(linux_run, 1, governor="performance"), [scaled(linux_run, 1, governor="powersave")])


def test_rounds_decide_not_samples(linux_run: BenchRun) -> None:
    # Within each round the samples agree to 0.2%, yet the rounds do not: twenty samples more say nothing.
    a = measured(linux_run, "a", {"m": [5.0, 5.6, 5.1, 5.7, 5.2]})
    b = measured(linux_run, "b", {"m": [5.3, 5.9, 5.0, 5.8, 5.6]})
    (row,) = compare_runs(a, [b]).rows
    assert row.verdict == "undecided"
    assert (row.a_rounds, row.b_rounds) == (5, 5)
    (row,) = compare_runs(a, [measured(linux_run, "c", {"m": [7.1, 7.8, 7.3, 7.7, 7.2]})]).rows
    assert row.verdict == "slower"


def test_many_cases_and_many_runs_are_corrected_together(linux_run: BenchRun) -> None:
    generator = np.random.default_rng(0)
    wrong = 0
    for _ in range(100):
        draws = np.exp(generator.normal(0, 0.05, (3, 10, 5))) * 5
        runs = [measured(linux_run, f"r{i}", {f"m{j}": list(draws[i, j]) for j in range(10)}) for i in range(3)]
        comparison = compare_runs(runs[0], runs[1:])
        assert len(comparison.rows) == 20
        wrong += any(row.verdict not in ("no difference", "undecided") for row in comparison.rows)
    assert wrong <= 12  # of a hundred at 5%: more than 12 are seen once in 700 tries


def test_several_runs_as_one_find_what_one_does_not(linux_run: BenchRun) -> None:
    generator = np.random.default_rng(4)

    def runs(name: str, level: float, count: int) -> Runs:
        return Runs(
            tuple(
                measured(linux_run, f"{name}{i}", {"m": list(level * np.exp(generator.normal(0, 0.06, 5)))})
                for i in range(count)
            )
        )

    few = [compare_runs(runs("a", 5, 1), [runs("b", 5.5, 1)]).rows[0] for _ in range(20)]
    many = [compare_runs(runs("a", 5, 4), [runs("b", 5.5, 4)]).rows[0] for _ in range(20)]
    assert sum(row.verdict == "slower" for row in many) > sum(row.verdict == "slower" for row in few)
    assert many[0].a_rounds == 20


def test_a_small_sure_difference_is_within_five_percent(linux_run: BenchRun) -> None:
    a = measured(linux_run, "a", {"m": [5.0, 5.01, 4.99, 5.0]})
    b = measured(linux_run, "b", {"m": [5.1, 5.11, 5.09, 5.1]})
    assert compare_runs(a, [b]).rows[0].verdict == "within 5%"


def test_what_could_hide_a_difference_is_not_called_none(linux_run: BenchRun) -> None:
    a = measured(linux_run, "a", {"m": [5.0, 5.01, 4.99, 5.0]})
    near = measured(linux_run, "b", {"m": [5.01, 4.98, 5.0, 5.02]})
    far = measured(linux_run, "c", {"m": [5.3, 4.7, 5.2, 4.8]})
    assert compare_runs(a, [near]).rows[0].verdict == "no difference"
    (row,) = compare_runs(a, [far]).rows
    assert row.verdict == "undecided"
    assert row.low < 0.95 < 1.05 < row.high
    assert f"{row.low:.3f} to {row.high:.3f}" in comparison_cells(row)


def test_flags_of_either_side_stand_in_the_row(linux_run: BenchRun) -> None:
    a = measured(linux_run, "a", {"m": [5.0, 5.1]})
    doubted = a.model_copy(update={"results": (a.results[0].model_copy(update={"flags": ("machine_busy",)}),)})
    assert compare_runs(a, [doubted]).rows[0].flags == ("machine_busy",)


def test_processor_time_leaves_out_the_waiting() -> None:
    measure = MEASURES["processor_time"]
    run = read_json(Path(__file__).parents[1] / "fixtures" / "results" / "v2" / "fixture-rounds.json", BenchRun)
    result = next(r for r in run.results if r.rounds)
    rounds = tuple(
        one.model_copy(update={"processor_ns": 2_000_000 * one.samples, "waited_ns": n * 10**9})
        for n, one in enumerate(result.rounds)
    )
    assert set(measure.rounds(result.model_copy(update={"rounds": rounds}))) == {2_000_000.0}
    blind = tuple(one.model_copy(update={"processor_ns": None}) for one in rounds)
    assert measure.told(result.model_copy(update={"rounds": blind})) is None
