"""For the `shapes` data set on a CPU."""

from __future__ import annotations

from tinyml.schema import TrainConfig

from ..device import cpu_multiplies_bf16
from ..recipe import Recipe, recipes


def demo(model: str, data: str) -> TrainConfig:
    """A short training on two CPU cores with the `shapes` data set, for `alexnet`, which learns it soonest.

    No augmentation but mirroring and small shifts, and bfloat16 where the CPU has it in hardware: twice as fast there.
    """
    return TrainConfig(
        model=model,
        recipe="demo",
        data=data,
        epochs=4,
        batch_size=32,
        lr=0.02,
        weight_decay=5e-4,
        warmup_epochs=1,
        crop_padding=2,
        rotation_degrees=0.0,
        color_jitter=0.0,
        erasing=0.0,
        dropout=0.0,
        precision="bf16" if cpu_multiplies_bf16() else "fp32",
        save_every=100,
    )


recipes.add("demo", Recipe(make=demo))
