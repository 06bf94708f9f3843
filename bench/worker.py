"""A round of a case, or its accuracy, in one fresh process: `python -m tinyml.bench.worker`, a Request on its input.

A process of its own, so that no case inherits another's memory, caches or threads, and a crash ends one case only.
The answer is written to a file: libraries may print what they like. An expected error is part of the answer; anything
else ends the process with a traceback, which the runner reports as a failure.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from tinyml.errors import TinyMLError, UnsupportedOpsError
from tinyml.machine import peak_memory_bytes
from tinyml.progress import Silent
from tinyml.schema import BenchCase, Series
from tinyml.store import parse_json, write_json
from tinyml.workspace import read_artifact, read_checkpoint

from .backend import Backend, Elsewhere, LoadedElsewhere, LoadedModel, Subject, backends
from .compiled import compiled_model
from .protocol import Answer, Request
from .steady import measure_steady

_EXAMPLES = 16
"""Random inputs that are predicted in turn, so that no two calls in a row see the same one."""

T = TypeVar("T")


def main() -> None:
    """Answers one request."""
    request = parse_json(sys.stdin.readline(), Request, "the request")
    threading.Thread(target=_end_with_the_runner, daemon=True).start()
    try:
        answer = work(request)
    except UnsupportedOpsError as error:
        answer = Answer(problem=str(error), unsupported=True)
    except TinyMLError as error:
        answer = Answer(problem=str(error))
    write_json(Path(request.answer), answer)


def _end_with_the_runner() -> None:
    """Ends this process when the runner's end of standard input closes, however the runner ended."""
    os.read(0, 1)
    os._exit(1)


def work(request: Request) -> Answer:
    """Measures what the request asks for, in this process."""
    backend = backends.get(request.case.backend)
    if reason := backend.available(request.case.requested_units):
        return Answer(problem=reason)
    subject = open_subject(Path(request.manifest), request.case.format, foreign=request.foreign, inputs=request.inputs)
    subject = replace(subject, device=request.device)
    if request.task == "latency":
        return measured_round(backend, subject, request.case, request.round)
    return _accuracy(backend, subject, request)


def open_subject(manifest: Path, kind: str, *, foreign: bool = False, inputs: str | None = None) -> Subject:
    """The model that a manifest describes; `kind` is "torch" for a checkpoint. A foreign model is its own manifest."""
    if foreign:
        return Subject(manifest=manifest, path=manifest, spec=None, given=Path(inputs) if inputs else None)
    if kind == "torch":
        checkpoint, path = read_checkpoint(manifest)
        return Subject(manifest=manifest, path=path, spec=checkpoint.spec)
    artifact, path = read_artifact(manifest)
    return Subject(manifest=manifest, path=path, spec=artifact.spec)


def _accuracy(backend: Backend, subject: Subject, request: Request) -> Answer:
    from tinyml.accuracy import accuracy_on
    from tinyml.trainer.data import reopen

    predictor = backend.predictor(subject, request.case.requested_units, request.case.threads)
    split = reopen(request.data, request.dataset, request.given, progress=Silent()).split("test")
    return Answer(accuracy=accuracy_on(predictor, split, "test", limit=request.limit))


def measured_round(backend: Backend, subject: Subject, case: BenchCase, number: int) -> Answer:
    """One round: compile, load and first prediction once each, then the steady state, all on the monotonic clock.

    `baseline_memory_bytes` is the process's peak after its imports and before the model, so the difference to
    `peak_memory_bytes` is what the model and its runtime took. The first round compiles anew, and its load is the first
    one of what it compiled; later rounds load what was compiled then, which the system may have cached by now. A second
    load in the same process is the cached one of backends that compile nothing.
    """
    series: dict[str, list[int]] = {}
    baseline = peak_memory_bytes()
    with compiled_model(backend, subject, anew=number == 0) as compiled:
        if compiled.compile_ns is not None:
            series["compile_ns"] = [compiled.compile_ns]
        model, load_ns = _loaded(backend, subject, compiled.path, case)
        series["load_ns" if compiled.cold else "cached_load_ns"] = [load_ns]
        generator = np.random.default_rng(number)
        examples = [model.example(generator, case.batch) for _ in range(_EXAMPLES)]
        first, first_ns = _timed(lambda: model.predict(examples[0]))
        series["first_prediction_ns"] = [first.duration_ns if isinstance(first, Elsewhere) else first_ns]
        others = [
            backend.load(subject, compiled.path, case.requested_units, case.threads) for _ in range(case.streams - 1)
        ]
        steady = measure_steady([model, *others], examples, case)
        series["latency_ns"] = list(steady.samples)
        if not backend.elsewhere:
            series["peak_memory_bytes"], series["baseline_memory_bytes"] = [peak_memory_bytes()], [baseline]
        if steady.energy_uj is not None:
            series["energy_uj"] = [steady.energy_uj]
        observation = model.observe()
        if compiled.cold:
            del model, others
            gc.collect()
            _, cached_ns = _loaded(backend, subject, compiled.path, case)
            series["cached_load_ns"] = [cached_ns]
    return Answer(
        series=tuple(Series(name=name, samples=tuple(samples)) for name, samples in series.items()),
        round=steady.round,
        placement=observation.placement,
        flags=observation.flags,
    )


def _loaded(backend: Backend, subject: Subject, path: Path, case: BenchCase) -> tuple[LoadedModel, int]:
    """A loaded model, and how long that took: by its own word where it lies on another device."""
    model, spent = _timed(lambda: backend.load(subject, path, case.requested_units, case.threads))
    return model, model.load_ns if isinstance(model, LoadedElsewhere) else spent


def _timed(work: Callable[[], T]) -> tuple[T, int]:
    begin = time.perf_counter_ns()
    result = work()
    return result, time.perf_counter_ns() - begin


if __name__ == "__main__":
    main()
