"""The next batch is made while the present one is learned from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

T = TypeVar("T")


def made_ahead(jobs: Iterator[Callable[[], T]], device: torch.device) -> Iterator[T]:
    """The results of `jobs` in their order, on the CPU each made in a thread of its own while the one before is used.

    A job is asked for when the result before it is taken, in the caller's thread, and begun one place ahead. On other
    devices work is queued anyway, and a thread beside would only make the one that queues it wait.

    Closed early, it waits for the job under way. What a job raises is raised where its result would be.
    """
    if device.type != "cpu":
        for job in jobs:
            yield job()
        return
    with _one_thread() as thread:
        pending: Future[T] | None = None
        for job in jobs:
            following = thread.submit(job)
            if pending is not None:
                yield pending.result()
            pending = following
        if pending is not None:
            yield pending.result()


def _one_thread() -> ThreadPoolExecutor:
    """A thread whose operations take no other: on as many cores as there are they would hold up those of the steps."""
    thread = ThreadPoolExecutor(1, thread_name_prefix="batches")
    threads = torch.get_num_threads()
    thread.submit(_limit_to_one).result()
    torch.set_num_threads(threads)  # that was for its thread, and for those that are still to come
    return thread


def _limit_to_one() -> None:
    torch.set_num_threads(1)
    torch.get_num_threads()  # until first asked in a thread, the number is not its own
