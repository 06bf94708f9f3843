"""What data, augmentation, counting and the schedule add to the bare forward, backward and update; and images a second.

CPU time of one thread, both in turn step by step, so that other work on the machine burdens neither.

python tests/speed/training_loop.py [MODEL ...] [--steps N]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import TypeVar

import torch

from tinyml.trainer.architecture import architectures
from tinyml.trainer.data import Batch, TrainBatches, open_dataset
from tinyml.trainer.learner import Learner
from tinyml.trainer.memory import keep_freed_memory
from tinyml.trainer.objective import objective_of
from tinyml.trainer.pace import Counted
from tinyml.trainer.recipe import configure
from tinyml.trainer.schedule import learning_rate
from tinyml.trainer.start import Scratch
from tinyml.trainer.tally import Tally

T = TypeVar("T")
CPU = torch.device("cpu")
BATCH = 32


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """CPU seconds of one call, and what it returned."""
    began = time.process_time()
    result = work()
    return time.process_time() - began, result


def compare(model: str, recipe: str, size: int, steps: int) -> None:
    """Prints a row for `model` at `size` pixels."""
    dataset = open_dataset("shapes")
    changes: dict[str, object] = {"batch_size": BATCH, "resolution": str(size), "epochs": 200}
    config = configure(recipe, model, "shapes", changes)
    index = dataset.index
    split = dataset.split("train")
    objective = objective_of(config, split.labels, len(index.labels))
    learner = Learner(Scratch().network(config, index.labels), objective, config, CPU)
    learner.begin()
    batches = TrainBatches(split, config, index.preprocess, len(index.labels), CPU)
    pace, tally = Counted(config, len(batches)), Tally(CPU)
    source = iter([])  # type: ignore[var-annotated]
    bare, loop, number = [], [], 0

    def whole() -> Batch:
        nonlocal source
        if (batch := next(source, None)) is None:
            source = batches.epoch(1, 0, pace)
            batch = next(source)
        answer = learner.answer(batch)
        learner.learn(learning_rate(config, pace.at(number), len(batches)))
        tally.add(answer.loss, answer.logits, batch.targets)
        return batch

    def alone() -> None:
        learner.answer(batch)
        learner.learn(1e-4)

    batch = whole()
    while number < steps:
        number += 1
        seconds, batch = timed(whole)
        loop.append(seconds)
        bare.append(timed(alone)[0])
    both, one = statistics.median(loop), statistics.median(bare)
    print(f"{model}\t{recipe}\t{size}\t{BATCH / one:.1f}\t{BATCH / both:.1f}\t{both / one:.3f}", flush=True)


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="*", default=["efficientnet"])
    parser.add_argument("--steps", type=int, default=9)
    parser.add_argument("--recipes", default="best,reference")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    print("model\trecipe\tpixels\timages/CPU s, bare\timages/CPU s, loop\tratio")
    for model in arguments.models:
        for recipe in arguments.recipes.split(","):
            for size in (32, 64) if architectures.get(model).takes_any_size else (64,):
                compare(model, recipe, size, arguments.steps)


if __name__ == "__main__":
    main()
