"""The steady state of a loaded model: warm, back to back, with a watch on the machine."""

from __future__ import annotations

import gc
import itertools
import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tinyml.schema import BenchCase, Round

from .backend import Elsewhere, LoadedElsewhere, LoadedModel
from .energy import energy_meter
from .warmup import LONGEST_S, warm_up
from .watch import Moment, known_work_ns, meanwhile, moment


@dataclass(frozen=True, kw_only=True)
class Steady:
    """One round's samples and what the machine did meanwhile."""

    samples: tuple[int, ...]
    """Nanoseconds of one prediction each, in the order in which they ended."""
    round: Round
    energy_uj: int | None
    """Of one prediction; None where nothing measures it."""


def measure_steady(models: Sequence[LoadedModel], examples: Sequence[object], case: BenchCase) -> Steady:
    """This round's share of the case: one caller a model, each in a thread of its own where there are several.

    Never longer than its share of `max_seconds`, but always one prediction a caller.
    """
    share = _Share(case)
    if isinstance(models[0], LoadedElsewhere):
        return _measured_elsewhere(share, models[0], examples, case)
    stream = itertools.cycle(examples)
    warm = warm_up(
        lambda: models[0].predict(next(stream)),
        case.warmup,
        longest_s=min(LONGEST_S, share.longest_ns / 1e9),
    )
    for other in models[1:]:
        for _ in range(max(1, case.warmup)):
            other.predict(next(stream))
    meter = energy_meter()
    before = known_work_ns()
    gc.collect()
    gc.disable()
    meter.start()
    began = time.time_ns()
    begin = moment()
    samples, end = _alone(share, models[0], examples) if len(models) == 1 else _together(share, models, examples)
    energy = meter.stop()
    gc.enable()
    after = known_work_ns()
    found = meanwhile(begin, end)
    return Steady(
        samples=tuple(samples),
        round=Round(
            samples=len(samples),
            warmup=warm.predictions,
            steady=warm.steady,
            began_ns=began,
            elapsed_ns=found.elapsed_ns,
            processor_ns=found.processor_ns,
            waited_ns=found.waited_ns,
            other_load=round(found.other_load, 3),
            throttled=found.throttled,
            known_work_ns=(before, after),
        ),
        energy_uj=round(energy / len(samples)) or None if energy is not None else None,
    )


def _measured_elsewhere(share: _Share, model: LoadedModel, examples: Sequence[object], case: BenchCase) -> Steady:
    """On a device that times itself; what this machine does meanwhile says nothing of it."""
    for _, example in zip(range(case.warmup), itertools.cycle(examples), strict=False):
        model.predict(example)
    began = time.time_ns()
    samples = share.run(model, examples)
    done = Round(samples=len(samples), warmup=case.warmup, steady=True, began_ns=began, elapsed_ns=sum(samples))
    return Steady(samples=tuple(samples), round=done, energy_uj=None)


class _Share:
    """How much one caller measures in one round."""

    def __init__(self, case: BenchCase) -> None:
        self._repeats = math.ceil(case.min_repeats / case.rounds / case.streams)
        self._least_ns = int(case.min_seconds / case.rounds * 1e9)
        self.longest_ns = math.inf if case.max_seconds is None else case.max_seconds / case.rounds * 1e9

    def run(self, model: LoadedModel, examples: Sequence[object]) -> list[int]:
        """Predicts until there is enough; nanoseconds of each prediction."""
        predict, clock, samples, stream = model.predict, time.perf_counter_ns, [], itertools.cycle(examples)
        start = clock()
        while True:
            example = next(stream)
            begin = clock()
            answer = predict(example)
            end = clock()
            samples.append(answer.duration_ns if isinstance(answer, Elsewhere) else end - begin)
            spent = end - start
            if (len(samples) >= self._repeats and spent >= self._least_ns) or spent >= self.longest_ns:
                return samples


def _alone(share: _Share, model: LoadedModel, examples: Sequence[object]) -> tuple[list[int], Moment]:
    return share.run(model, examples), moment()


def _together(share: _Share, models: Sequence[LoadedModel], examples: Sequence[object]) -> tuple[list[int], Moment]:
    """The samples of all callers, and the moment when the last one was done and none had ended.

    A thread that has ended takes with it what the system knows of its waiting.
    """
    found: list[list[int]] = [[] for _ in models]
    failures: list[BaseException] = []
    ready, done, told = threading.Barrier(len(models)), threading.Barrier(len(models) + 1), threading.Event()

    def call(i: int) -> None:
        try:
            ready.wait()
            found[i] = share.run(models[i], examples)
        except BaseException as error:  # noqa: BLE001 (told by the thread that waits)
            failures.append(error)
        finally:
            done.wait()
            told.wait()

    threads = [threading.Thread(target=call, args=(i,), daemon=True) for i in range(len(models))]
    for thread in threads:
        thread.start()
    done.wait()
    end = moment()
    told.set()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return [sample for samples in itertools.zip_longest(*found) for sample in samples if sample is not None], end
