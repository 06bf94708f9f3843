"""Batches made ahead: in their order, beside the caller, without its threads, and with what they raise."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest
import torch

from tinyml.trainer.data.ahead import made_ahead

CPU = torch.device("cpu")


def test_the_next_result_is_begun_before_the_last_one_is_used() -> None:
    begun = [threading.Event() for _ in range(3)]
    asked: list[int] = []

    def made(number: int) -> int:
        begun[number].set()
        return number

    def jobs() -> Iterator[Callable[[], int]]:
        for number in range(3):
            asked.append(number)
            yield partial(made, number)

    results = made_ahead(jobs(), CPU)
    assert next(results) == 0
    assert begun[1].wait(30)
    assert asked == [0, 1]
    assert list(results) == [1, 2]


def test_another_thread_makes_them_and_takes_no_other() -> None:
    before = torch.get_num_threads()
    (found,) = made_ahead(iter([lambda: (threading.current_thread(), torch.get_num_threads())]), CPU)
    assert found[0] is not threading.current_thread()
    assert found[1] == 1
    assert torch.get_num_threads() == before
    seen: list[int] = []
    later = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    later.start()
    later.join()
    assert seen == [before]  # threads that begin later have as many as ever


def test_what_is_raised_comes_where_the_result_would() -> None:
    results = made_ahead(iter([lambda: 1, lambda: 1 // 0, lambda: 3]), CPU)
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_closed_early_it_leaves_no_thread() -> None:
    before = threading.active_count()
    results = made_ahead(iter([lambda: 1, lambda: 2, lambda: 3]), CPU)
    next(results)
    assert threading.active_count() == before + 1
    results.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


def test_elsewhere_nothing_is_made_ahead() -> None:
    results = made_ahead(iter([threading.current_thread] * 2), torch.device("meta"))
    assert list(results) == [threading.current_thread()] * 2
