"""The batched augmentation against a per-image torchvision v2 pipeline of the same steps, in one run, one thread.

python tests/speed/augment.py
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from torchvision.transforms import v2

from tinyml.schema import Preprocess
from tinyml.trainer.data.augment import Augment

BATCH, ROUNDS = 128, 9


def seconds(work: Callable[[], object]) -> float:
    """The wall time of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    """Prints both rates and their ratio."""
    torch.set_num_threads(1)
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


if __name__ == "__main__":
    main()
