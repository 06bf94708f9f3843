"""What the runner and its worker say to each other."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tinyml.schema import BenchCase, Count, DatasetIdentity, Metrics, Placement, PositiveInt, Record, Round, Series

Task = Literal["latency", "accuracy"]


class Request(Record):
    """What a worker is asked, on its standard input."""

    task: Task
    case: BenchCase
    round: Count = 0
    """Which of the case's rounds, from 0; the first one compiles anew."""
    manifest: str
    """Of a model without one: the model."""
    foreign: bool = False
    """Whether it is a stranger's model, without a manifest of ours."""
    inputs: str | None = None
    """An .npz file with the arrays to predict."""
    device: str | None = None
    """The other device to run on; None: this machine."""
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
    round: Round | None = None
    accuracy: Metrics | None = None
    placement: Placement | None = None
    flags: tuple[str, ...] = ()
    problem: str | None = None
    unsupported: bool = Field(default=False)
    """Whether the problem is that the runtime lacks what the model needs."""
