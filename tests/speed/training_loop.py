"""What data, augmentation, counting and the schedule add to the bare forward, backward and update.

    python tests/speed/training_loop.py [MODEL ...] [--steps 9] [--output results/training-loop]

Processor time of one thread, the parts in turn step by step, so that other work on the machine burdens none. Batches
are made in a thread of their own: where a second core is free, a step takes what `loop` says; on one core, `with data`.
The last table is a step of networks with depthwise kernels that are larger than their map, beside torch's own gradient.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import torch
from torch import nn

from tinyml.bench.environment import this_environment
from tinyml.bench.markdown_table import table
from tinyml.counting import counted
from tinyml.machine import keep_freed_memory
from tinyml.store import write_bytes
from tinyml.trainer.architecture import architectures
from tinyml.trainer.data import Batch, TrainBatches, open_dataset
from tinyml.trainer.depthwise import DepthwiseConv2d
from tinyml.trainer.learner import Learner
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
    """Processor seconds of one call, and what it returned."""
    began = time.process_time()
    result = work()
    return time.process_time() - began, result


class Training:
    """A training of `model` at `size` pixels, step by step."""

    def __init__(self, model: str, recipe: str, size: int, batch_size: int = BATCH) -> None:
        dataset = open_dataset("shapes")
        changes: dict[str, object] = {"batch_size": batch_size, "resolution": str(size), "epochs": 200}
        self.config = configure(recipe, model, "shapes", changes)
        index, split = dataset.index, dataset.split("train")
        objective = objective_of(self.config, split.labels, len(index.labels))
        self.learner = Learner(Scratch().network(self.config, index.labels), objective, self.config, CPU)
        self.learner.begin()
        self.batches = TrainBatches(split, self.config, index.preprocess, len(index.labels), CPU)
        self.pace, self.tally, self.number = Counted(self.config, len(self.batches)), Tally(CPU), 0

    def jobs(self) -> Iterator[Callable[[], Batch]]:
        """What makes each batch."""
        for epoch in itertools.count(1):
            yield from self.batches.jobs(epoch, 0, self.pace)

    def step(self, batch: Batch) -> None:
        """All that the loop does with a batch."""
        answer = self.learner.answer(batch)
        answer.loss.item()
        self.learner.learn(learning_rate(self.config, self.pace.at(self.number), len(self.batches)))
        self.tally.add(answer.loss, answer.logits, batch)
        self.number += 1

    def bare(self, batch: Batch) -> None:
        """Forward, backward and update."""
        self.learner.answer(batch)
        self.learner.learn(1e-4)


def compare(model: str, recipe: str, size: int, batch_size: int, steps: int) -> dict[str, Any]:
    """The medians of a step's parts."""
    training = Training(model, recipe, size, batch_size)
    took: dict[str, list[float]] = {"data": [], "loop": [], "bare": []}
    for number, job in zip(range(steps + 2), training.jobs(), strict=False):
        data, batch = timed(job)
        loop, _ = timed(partial(training.step, batch))
        bare, _ = timed(partial(training.bare, batch))
        if number >= 2:  # the first ones compile kernels
            for name, seconds in (("data", data), ("loop", loop), ("bare", bare)):
                took[name].append(seconds)
    ratio = statistics.median(a / b for a, b in zip(took["loop"], took["bare"], strict=True))
    whole = statistics.median((a + c) / b for a, b, c in zip(took["loop"], took["bare"], took["data"], strict=True))
    return {
        "model": model,
        "recipe": recipe,
        "pixels": size,
        "batch": batch_size,
        "images_per_second": batch_size / statistics.median(took["bare"]),
        "loop": ratio,
        "with_data": whole,
    }


def depthwise(model: str, size: int, steps: int) -> dict[str, Any]:
    """A step with torch's gradient of all kernels, and with ours of those that are larger than their map."""
    training = Training(model, "best", size)
    ours, plain = DepthwiseConv2d.forward, nn.Conv2d.forward
    took: dict[str, list[float]] = {"ours": [], "torch": []}
    for number, job in zip(range(steps + 1), training.jobs(), strict=False):
        batch = job()
        for name, forward in (("ours", ours), ("torch", plain)):
            with patch.object(DepthwiseConv2d, "forward", forward):
                seconds, _ = timed(partial(training.bare, batch))
            if number:
                took[name].append(seconds)
    each = sorted(a / b for a, b in zip(took["torch"], took["ours"], strict=True))
    return {"model": model, "pixels": size, "faster": statistics.median(each), "range": (each[0], each[-1])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=["resnet20", "resnet", "efficientnet"])
    parser.add_argument("--steps", type=int, default=9)
    parser.add_argument("--recipes", default="best,reference")
    parser.add_argument("--batches", default="32,128", help="of networks below 50 million multiply-accumulates")
    parser.add_argument("--output", type=Path, default=None)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    rows = []
    for model in asked.models:
        for recipe in asked.recipes.split(","):
            for size in (32, 64) if architectures.get(model).smallest <= 32 else (64,):
                for batch in map(int, asked.batches.split(",")) if model == "resnet20" else (BATCH,):
                    rows.append(compare(model, recipe, size, batch, asked.steps))
                    print(rows[-1], flush=True)
    kernels = [
        depthwise(model, size, asked.steps)
        for model in asked.models
        if model == "efficientnet"
        for size in (32, 48, 64)
    ]
    print(kernels)
    if asked.output is None:
        return
    here = this_environment(("torch",))
    machine: dict[str, Any] = {
        "cpu": here.cpu,
        "cores": here.cores,
        "torch": torch.__version__,
        "load": os.getloadavg()[0],
    }
    told = table(
        ("model", "recipe", "pixels", "batch", "images a processor second, bare", "loop", "with data"),
        [
            [r["model"], r["recipe"], str(r["pixels"]), str(r["batch"]), f"{r['images_per_second']:,.0f}",
             f"{r['loop']:.3f}", f"{r['with_data']:.3f}"]
            for r in rows
        ],
        text_columns=2,
    )  # fmt: skip
    faster = table(
        ("model", "pixels", "torch's time over ours"),
        [
            [r["model"], str(r["pixels"]), f"{r['faster']:.2f} ({r['range'][0]:.2f} to {r['range'][1]:.2f})"]
            for r in kernels
        ],
        text_columns=1,
    )
    words = f"{' '.join(asked.models)} --steps {asked.steps} --output {asked.output}"
    text = (
        "# What the training loop adds to forward, backward and update\n\n"
        f"`python tests/speed/training_loop.py {words}` on {machine['cpu']},\n"
        f"{counted(machine['cores'], 'core')}, torch {machine['torch']}, one thread, load {machine['load']:.1f}.\n"
        f"Processor time, medians of {asked.steps} steps with their parts in turn. `loop`: with schedule, checks and\n"
        "counting, batches being made by another thread; `with data`: that thread's time added, as on one core.\n\n"
        + "\n".join(told)
        + ("\n\nDepthwise kernels larger than their map, a whole step:\n\n" + "\n".join(faster) if kernels else "")
        + "\n"
    )
    write_bytes(asked.output.with_suffix(".md"), text.encode())
    record = {"machine": machine, "steps": rows, "depthwise": kernels}
    write_bytes(asked.output.with_suffix(".json"), (json.dumps(record, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
