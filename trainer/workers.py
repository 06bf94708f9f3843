"""Where the trainings of a sweep run: here, one after the other, or on a Ray cluster, as many at once as it has room.

On a cluster every node needs tinyml and sees the same results folder, as on a file system that all share.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from tinyml.errors import UnavailableError, UsageError

J = TypeVar("J")

NAMES = ("here", "ray")
PASSED_ON = ("TINYML_CACHE",)
"""Of the environment, what trainings elsewhere are given as well."""

STOP_SECONDS = 60.0
"""For the trainings of a cluster to save themselves."""


class Workers(Protocol):
    """Something that does jobs."""

    def each(self, work: Callable[[J], str | None], jobs: Sequence[J]) -> Iterator[tuple[J, str | None]]:
        """Does `work` on each of the jobs, and yields each with its result as soon as it is there.

        Whoever closes the iterator early, or interrupts it, stops what is under way, which then saves itself.
        """


class Here:
    """This process, one job after the other."""

    def each(self, work: Callable[[J], str | None], jobs: Sequence[J]) -> Iterator[tuple[J, str | None]]:
        """See Workers."""
        for job in jobs:
            yield job, work(job)


@dataclass(frozen=True, kw_only=True)
class OnRay:
    """A Ray cluster: that of RAY_ADDRESS or of this machine, else one is started here."""

    cpus: float = 1.0
    """Of each job."""
    gpus: float = 0.0

    def each(self, work: Callable[[J], str | None], jobs: Sequence[J]) -> Iterator[tuple[J, str | None]]:
        """See Workers."""
        ray: Any = importlib.import_module("ray")
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        ray.init(log_to_driver=False, logging_level="ERROR", runtime_env={"env_vars": environment})
        try:
            remote = ray.remote(num_cpus=self.cpus, num_gpus=self.gpus, max_retries=0)(_function(work))
            waiting = {remote.remote(job): job for job in jobs}
            try:
                while waiting:
                    (done,), _ = ray.wait(list(waiting), num_returns=1)
                    yield waiting.pop(done), _result(ray, done)
            except BaseException:
                for reference in waiting:
                    ray.cancel(reference)  # a KeyboardInterrupt there
                ray.wait(list(waiting), num_returns=len(waiting), timeout=STOP_SECONDS)
                raise
        finally:
            ray.shutdown()


def _function(work: Callable[[J], str | None]) -> Callable[[J], str | None]:
    """`work` as a plain function, since Ray takes nothing else that can be called."""

    def task(job: J) -> str | None:
        return work(job)

    return task


def _result(ray: Any, reference: Any) -> str | None:
    try:
        result: str | None = ray.get(reference)
    except ray.exceptions.RayError as error:  # a node that was lost
        return f"Ray: {' '.join(str(error).split())[:300]}"
    return result


def workers_named(name: str, *, cpus: float = 1.0, gpus: float = 0.0) -> Workers:
    """The workers called "here" or "ray".

    Raises:
        UsageError: No such name.
        UnavailableError: Ray is not installed.
    """
    if name not in NAMES:
        raise UsageError("--on names nothing that trains", value=name, allowed=", ".join(NAMES))
    if name == "here":
        return Here()
    if importlib.util.find_spec("ray") is None:
        raise UnavailableError("--on ray needs Ray", value="not installed", hint="pip install 'tinyml-coreml[ray]'")
    return OnRay(cpus=cpus, gpus=gpus)
