import numpy as np

from tinyml.bench.changes import change_points

TRIALS = 200


def noisy(generator: np.random.Generator, levels: list[float]) -> list[float]:
    return [float(v) for v in np.array(levels) * np.exp(generator.normal(0, 0.03, len(levels)))]


def test_runs_that_stay_where_they_are_show_no_change() -> None:
    generator = np.random.default_rng(0)
    alarms = sum(bool(change_points(noisy(generator, [5.0] * 20))) for _ in range(TRIALS))
    assert alarms <= 0.05 * TRIALS


def test_a_lasting_step_is_found_where_it_is() -> None:
    generator = np.random.default_rng(1)
    found = [change_points(noisy(generator, [5.0] * 10 + [5.75] * 10)) for _ in range(TRIALS)]
    assert sum(len(changes) == 1 and abs(changes[0].at - 10) <= 1 for changes in found) >= 0.95 * TRIALS


def test_up_and_down_again_are_two_changes() -> None:
    generator = np.random.default_rng(2)
    found = [change_points(noisy(generator, [5.0] * 8 + [8.0] * 8 + [5.0] * 8)) for _ in range(TRIALS // 5)]
    right = [c for c in found if len(c) == 2 and abs(c[0].at - 8) <= 2 and abs(c[1].at - 16) <= 2]
    assert len(right) >= 0.9 * len(found)
    assert all(changes[0].ratio > 1.3 and changes[1].ratio < 0.8 for changes in right)


def test_too_few_runs_and_a_change_within_five_percent_show_none() -> None:
    assert change_points([1.0, 1.0, 9.0, 9.0, 9.0]) == []
    assert change_points([1.0, 1.001, 0.999, 1.03, 1.031, 1.029]) == []
    assert len(change_points([1.0, 1.001, 0.999, 1.1, 1.101, 1.099])) == 1
