"""The rule by which a warm-up ends, on a clock that the test turns."""

from collections.abc import Iterable

import pytest

from tinyml.bench.warmup import WarmUp, warm_up


class Machine:
    """Predictions that take as long as told, in nanoseconds; the last time stays."""

    def __init__(self, times: Iterable[int]) -> None:
        self._times, self._last, self.now = iter(times), 0, 0

    def predict(self) -> None:
        self._last = next(self._times, self._last)
        self.now += self._last

    def clock(self) -> int:
        return self.now


def warmed(times: Iterable[int], least: int = 0) -> WarmUp:
    machine = Machine(times)
    return warm_up(machine.predict, least, clock=machine.clock)


def test_a_model_that_gets_no_faster_is_steady_after_four_blocks() -> None:
    # The first block is the fastest so far; three more bring nothing.
    assert warmed([1000]) == WarmUp(predictions=20, steady=True)


def test_as_many_as_asked_for() -> None:
    assert warmed([1000], least=23).predictions == 25


def test_it_goes_on_for_as_long_as_there_is_something_to_gain() -> None:
    falling = [int(1e6 * 0.99**i) for i in range(100)]
    found = warmed(falling)
    assert found.steady
    assert found.predictions == 115  # a hundred that fall, in whole blocks, then three blocks of the last time


def test_a_machine_that_only_gets_slower_does_not_hold_it_up() -> None:
    noisy = [1000] * 5 + [1800, 1500, 2500, 1001, 3000] * 10
    assert warmed(noisy) == WarmUp(predictions=20, steady=True)


def test_it_ends_after_ten_seconds_and_says_that_it_was_not_steady() -> None:
    falling = [int(1e9 * 0.97**i) for i in range(1000)]
    found = warmed(falling)
    assert not found.steady
    assert found.predictions < 15


@pytest.mark.parametrize("least", [1, 30])
def test_slow_predictions_are_done_as_often_as_asked_for_all_the_same(least: int) -> None:
    assert warmed([20_000_000_000], least).predictions == least
