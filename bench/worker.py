"""One measurement in one fresh process: `python -m tinyml.bench.worker`, a Request on standard input.

A process of its own, so that no case inherits another's memory, caches or threads, and a crash ends one case only.
The answer is written to a file: libraries may print what they like. An expected error is part of the answer; anything
else ends the process with a traceback, which the runner reports as a failure.
"""

from __future__ import annotations

import gc
import itertools
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from tinyml.errors import TinyMLError, UnsupportedOpsError
from tinyml.machine import peak_memory_bytes
from tinyml.progress import Silent
from tinyml.schema import BenchCase, Placement, Series
from tinyml.store import parse_json, write_json
from tinyml.workspace import read_artifact, read_checkpoint

from .backend import Backend, Subject, backends
from .protocol import Answer, Request
from .stats import validity_flags

_IMAGES = 16
"""Random images that are predicted in turn, so that no two calls in a row see the same one."""


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
    subject = open_subject(Path(request.manifest), request.case.format)
    if request.task == "latency":
        return _latency(backend, subject, request.case)
    return _accuracy(backend, subject, request)


def open_subject(manifest: Path, kind: str) -> Subject:
    """The model that a manifest describes; `kind` is "torch" for a checkpoint."""
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


def _latency(backend: Backend, subject: Subject, case: BenchCase) -> Answer:
    """Compile, load and first prediction once each, then the steady state; batch 1, all on the monotonic clock.

    `baseline_memory_bytes` is the process's peak after its imports and before the model, so the difference to
    `peak_memory_bytes` is what the model and its runtime took.
    """
    series: list[Series] = []
    size = subject.spec.preprocess.input_size
    images = np.random.default_rng(0).integers(0, 256, (_IMAGES, size, size, 3), dtype=np.uint8)
    placement: Placement | None = None
    with tempfile.TemporaryDirectory() as folder:
        baseline = peak_memory_bytes()
        begin = time.perf_counter_ns()
        compiled = backend.compile(subject, Path(folder))
        compile_ns = time.perf_counter_ns() - begin
        begin = time.perf_counter_ns()
        model = backend.load(subject, compiled, case.requested_units, case.threads)
        load_ns = time.perf_counter_ns() - begin
        begin = time.perf_counter_ns()
        model.predict(images[0])
        first_ns = time.perf_counter_ns() - begin

        stream = itertools.cycle(images)
        for _ in range(case.warmup):
            model.predict(next(stream))
        samples: list[int] = []
        gc.collect()
        gc.disable()
        end = time.perf_counter_ns() + int(case.min_seconds * 1e9)
        while len(samples) < case.min_repeats or time.perf_counter_ns() < end:
            image = next(stream)
            begin = time.perf_counter_ns()
            model.predict(image)
            samples.append(time.perf_counter_ns() - begin)
        gc.enable()
        peak = peak_memory_bytes()

        observation = model.observe()
        placement = observation.placement
        if compiled != subject.path:
            series.append(Series(name="compile_ns", samples=(compile_ns,)))
            del model
            begin = time.perf_counter_ns()
            backend.load(subject, compiled, case.requested_units, case.threads)
            series.append(Series(name="cached_load_ns", samples=(time.perf_counter_ns() - begin,)))
    for name, values in {
        "load_ns": (load_ns,),
        "first_prediction_ns": (first_ns,),
        "latency_ns": tuple(samples),
        "peak_memory_bytes": (peak,),
        "baseline_memory_bytes": (baseline,),
    }.items():
        series.append(Series(name=name, samples=values))
    return Answer(series=tuple(series), placement=placement, flags=(*validity_flags(samples), *observation.flags))


if __name__ == "__main__":
    main()
