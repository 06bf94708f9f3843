"""What is known to train each architecture well from scratch at 64x64."""

from __future__ import annotations

from tinyml.schema import TrainConfig

from ..recipe import recipes


@recipes.register("best")
def best(model: str, data: str) -> TrainConfig:
    """A longer training with the optimizer, mixing and regularization that suit convolutional networks.

    The weights are averaged (0.9995) and mixing stops for the last 10 epochs. Mixing gains most where capacity is ample
    (CutMix, https://arxiv.org/abs/1905.04899; MixUp, https://arxiv.org/abs/1710.09412).
    """
    return TrainConfig(
        model=model,
        recipe="best",
        data=data,
        epochs=150,
        warmup_epochs=5,
        weight_decay=5e-4,
        label_smoothing=0.1,
        ema_decay=0.9995,
        crop_padding=8,
        color_jitter=0.4,
        erasing=0.25,
        cutmix_alpha=1.0,
        mixup_alpha=0.2,
        mix_probability=0.8,
        mix_off_epochs=10,
    )
