"""What networks with LayerNorm are trained with, as DeiT is: https://arxiv.org/abs/2012.12877."""

from __future__ import annotations

from collections.abc import Mapping


def as_deit(*, epochs: int, demo_lr: float) -> Mapping[str, Mapping[str, object]]:
    """An architecture's `recipes`.

    Args:
        epochs: Of the recipe `best`.
        demo_lr: The learning rate of the recipe `demo`.
    """
    return {
        # SGD at 0.1 does not suit them in any case. ViT's authors warm up for 10,000 steps.
        "reference": {"warmup_epochs": 10, "warmup_start_lr": 1e-3, "clip_norm": 1.0},
        "best": {
            "epochs": epochs,
            "warmup_epochs": 10,
            "optimizer": "adamw",
            "lr": 1e-3,
            "weight_decay": 0.05,
            "clip_norm": 1.0,
            "drop_path": 0.1,
            "crop_padding": 4,
            "mixup_alpha": 0.8,
        },
        "demo": {"optimizer": "adamw", "lr": demo_lr},
    }
