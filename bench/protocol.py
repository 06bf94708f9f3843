"""What the runner and its worker say to each other."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tinyml.schema import BenchCase, DatasetIdentity, Metrics, Placement, PositiveInt, Record, Series

Task = Literal["latency", "accuracy"]


class Request(Record):
    """What a worker is asked, on its standard input."""

    task: Task
    case: BenchCase
    manifest: str
    data: str
    """The data set's name or path; only the accuracy needs it."""
    dataset: DatasetIdentity | None = None
    """Which images those are."""
    given: str | None = None
    """The user's own choice of a data set."""
    limit: PositiveInt | None = None
    """How many test images; None: all."""
    answer: str
    """The file to write the answer to."""


class Answer(Record):
    """What a worker found; exactly one of `problem` and the rest."""

    kind: Literal["bench_answer"] = "bench_answer"
    schema_version: str = "1.0"
    series: tuple[Series, ...] = ()
    accuracy: Metrics | None = None
    placement: Placement | None = None
    flags: tuple[str, ...] = ()
    problem: str | None = None
    unsupported: bool = Field(default=False)
    """Whether the problem is that the runtime lacks what the model needs."""
