"""A busy machine is told from a slow model."""

from typing import Any

import pytest

from tinyml.bench.validity import MEANINGS, by_round, flags_of, waiting_share
from tinyml.schema import BenchRun, Round

MS = 1_000_000


def share(samples: int = 100, **facts: Any) -> Round:
    quiet = {"processor_ns": 200 * MS, "waited_ns": 0, "other_load": 0.0, "throttled": False}
    known = {"warmup": 20, "steady": True, "elapsed_ns": 100 * MS, "known_work_ns": (MS, MS)}
    return Round.model_validate({"samples": samples, **quiet, **known, **facts})


@pytest.mark.parametrize(
    ("facts", "flags"),
    [
        ({}, []),
        # Perfectly steady and a hundred times too slow: two threads that wait for cores which others hold.
        ({"waited_ns": 150 * MS, "other_load": 1.9}, ["machine_busy"]),
        # A model that is slow on its own has the processor all the time.
        ({"processor_ns": 20_000 * MS, "elapsed_ns": 10_000 * MS, "waited_ns": 9 * MS}, []),
        ({"waited_ns": None, "processor_ns": None, "other_load": None, "throttled": None}, []),
        ({"steady": False}, ["not_warm"]),
        ({"throttled": True}, ["throttled"]),
        ({"known_work_ns": (MS, MS + MS // 5)}, ["machine_uneven"]),
    ],
)
def test_each_fault_of_the_machine_has_its_flag(linux_run: BenchRun, facts: Any, flags: Any) -> None:
    case = linux_run.results[0].case.model_copy(update={"rounds": 2, "min_repeats": 200})
    rounds = [share(), share(**facts)]
    assert flags_of(case, [5 * MS] * 200, rounds, linux_run.environment) == flags
    assert set(flags) <= set(MEANINGS)


def test_what_the_samples_show(linux_run: BenchRun) -> None:
    case = linux_run.results[0].case.model_copy(update={"rounds": 2, "min_repeats": 200})
    rounds = [share(), share()]
    environment = linux_run.environment
    assert flags_of(case, [5 * MS] * 100 + [6 * MS] * 100, rounds, environment) == ["unsteady", "rounds_differ"]
    assert flags_of(case, [5 * MS, 5 * MS + 9, 5 * MS + 5, 50 * MS] * 50, rounds, environment) == []
    assert flags_of(case, ([5 * MS] * 45 + [50 * MS] * 5) * 4, rounds, environment) == ["outliers"]
    few = case.model_copy(update={"min_repeats": 1024})
    assert flags_of(few, [5 * MS] * 200, rounds, environment) == ["cut_short"]


def test_the_environment_has_its_flags(linux_run: BenchRun) -> None:
    case = linux_run.results[0].case.model_copy(update={"min_repeats": 100})
    changed = {"governor": "powersave", "on_battery": True, "low_power_mode": True, "thermal_state": "serious"}
    environment = linux_run.environment.model_copy(update=changed)
    found = flags_of(case, [5 * MS] * 100, [share()], environment)
    assert found == ["governor_powersave", "on_battery", "low_power_mode", "thermal_serious"]


def test_shares() -> None:
    assert by_round([1, 2, 3], [share(1), share(2)]) == [[1], [2, 3]]
    assert by_round([1, 2, 3], []) == [[1, 2, 3]]
    assert waiting_share(share(waited_ns=50, processor_ns=150)) == 0.25
    assert waiting_share(share(waited_ns=0, processor_ns=0)) == 0
    assert waiting_share(share(waited_ns=None)) is None
