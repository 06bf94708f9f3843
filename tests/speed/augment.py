"""The batched augmentation: beside a per-image torchvision v2 pipeline of the same steps, and by recipe; one thread.

python tests/speed/augment.py

Milliseconds of processor time for a batch of 128 images of 64x64 pixels, gathered, augmented, mixed, and laid in memory
as the network takes them. `least` of all rounds is what other work on the machine burdens least.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torchvision.transforms import v2

from tinyml.machine import keep_freed_memory
from tinyml.schema import Preprocess, TrainConfig
from tinyml.trainer.data import Batch, Split, TrainBatches
from tinyml.trainer.data.augment import Augment
from tinyml.trainer.pace import Counted
from tinyml.trainer.recipe import changed, configure

BATCH, ROUNDS, CLASSES = 128, 9, 200
CPU = torch.device("cpu")


def seconds(work: Callable[[], object]) -> float:
    """The processor time of one call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def beside_torchvision() -> None:
    """Prints both rates and their ratio."""
    preprocess = Preprocess()
    images = torch.randint(0, 256, (BATCH, 3, 64, 64), dtype=torch.uint8)
    single = v2.Compose(
        [
            v2.RandomCrop(64, padding=4),
            v2.RandomHorizontalFlip(),
            v2.RandomRotation(10, interpolation=v2.InterpolationMode.BILINEAR),
            v2.ColorJitter(0.2, 0.2, 0.2, 0.02),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(preprocess.mean, preprocess.std),
            v2.RandomErasing(0.5),
        ]
    )
    augment, generator = Augment(), torch.Generator().manual_seed(0)
    ours, theirs = [], []
    for _ in range(ROUNDS):  # in turn, so that a busy machine slows both
        ours.append(seconds(lambda: augment(images, preprocess, generator)))
        theirs.append(seconds(lambda: torch.stack([single(image) for image in images])))
    a, b = statistics.median(ours), statistics.median(theirs)
    print(f"batched {BATCH / a:,.0f} images/s, per image {BATCH / b:,.0f} images/s, ratio {b / a:.1f}")


def configs() -> Iterator[tuple[str, TrainConfig]]:
    """What is augmented, by name."""
    short = configure("best", "resnet", "noise", {"batch_size": BATCH}, passes=10.0)
    long = configure("best", "resnet", "noise", {"batch_size": BATCH})
    yield "best, short", short
    yield "best, short, 48 px", changed(short, {"resolution": "48"})
    yield "best, short, 32 px", changed(short, {"resolution": "32"})
    yield "best, long", long
    yield "best, long, with --policy trivial", changed(long, {"policy": "trivial"})
    yield "reference", configure("reference", "resnet", "noise", {"batch_size": BATCH})


def by_recipe() -> None:
    """Prints milliseconds a batch."""
    noise = np.random.default_rng(0).integers(0, 256, (2048, 64, 64, 3), dtype=np.uint8)
    split = Split(images=noise, labels=np.arange(len(noise)) % CLASSES)
    for name, config in configs():
        batches = TrainBatches(split, config, Preprocess(), CLASSES, CPU)
        jobs: Iterator[Callable[[], Batch]] = itertools.chain.from_iterable(
            batches.jobs(epoch, 0, Counted(config, len(batches))) for epoch in (1, 2)
        )
        took = [1000 * seconds(job) for job in jobs][1:]
        print(f"{name}: {statistics.median(took):.1f} ms, least {min(took):.1f} ms")


if __name__ == "__main__":
    torch.set_num_threads(1)
    keep_freed_memory()
    beside_torchvision()
    by_recipe()
