"""What is known to train each architecture well from scratch at 64x64, at any length."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tinyml.schema import TrainConfig

from ..architecture import architectures
from ..optimizer import optimizers
from ..recipe import Recipe, recipes

BARE, FULL = 12.0, 100.0
"""Passes: up to the first images are hardly changed, from the second on everything is as for a long training."""

MIXED_FROM, LEAST_MIXED = 6.0, 0.2
"""From so many passes on, at least so many images are mixed, by CutMix alone where the length asks for no more."""

GROWN_FROM = 4.0
"""Passes from which on a network can also take in what full-size images show; below, nearly all are small ones.

Their share grows little by little over the next two: a budget's passes depend on it, and it on them.
"""

SMALL_BATCHES = ((2.5, 32), (8.0, 64))
"""Below so many passes, batches of so many images: more updates of the same images."""

MUON = "muon"
"""Its step takes long whatever the batch, so batches stay as they are."""

AVERAGED_SHARE = 0.03
"""Of the updates, over which the weights are averaged."""


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
        rotation_degrees=0.0,
        alternate_flip=True,
        color_jitter=0.4,
        erasing=0.25,
        cutmix_alpha=1.0,
        mixup_alpha=0.2,
        mix_probability=0.8,
        mix_off_epochs=10,
    )


def fit(config: TrainConfig, *, passes: float, images: int, given: Collection[str]) -> Mapping[str, object]:
    """What fewer passes ask for: less regularization, since nothing is learned by heart yet, and more updates.

    With few passes the rate falls in a straight line, batches are smaller at the same rate (so that the rate for each
    image is higher), the average reaches less far back, and most images are small. From scratch a
    network is trained by its quick optimizer, if it has one, unless an optimizer or a rate is given.
    """
    if passes >= FULL:
        return {}
    strength = min(1.0, max(0.0, (passes - BARE) / (FULL - BARE)))
    gentle = min(1.0, passes / FULL)
    fresh = config.init is None  # what weights know already, steps as long as Muon's overwrite at first
    few = fresh and passes < BARE and not {"optimizer", "lr"} & set(given)
    quick = architectures.get(config.model).quick_optimizer if few else None
    total = config.total_epochs or config.epochs
    mixed = config.mix_probability * strength
    least = LEAST_MIXED if passes >= MIXED_FROM and config.mix_probability > 0 and mixed < LEAST_MIXED else 0.0
    small = next((size for below, size in SMALL_BATCHES if passes < below), config.batch_size)
    batch = config.batch_size if MUON in (quick, config.optimizer) else small
    steps = max(1.0, passes * images / batch)
    dropout = architectures.get(config.model).dropout if config.dropout is None else config.dropout
    own = {} if quick is None else {"optimizer": quick, **optimizers.get(quick).settings}
    return {
        **own,
        "batch_size": min(batch, config.batch_size),
        "scheduler": "linear" if passes < BARE else config.scheduler,
        "warmup_epochs": round(min(config.warmup_epochs, 0.05 * total), 3),
        "mix_off_epochs": round(min(config.mix_off_epochs, 0.15 * total), 3),
        "mix_probability": round(max(mixed, least), 3),
        "mixup_alpha": config.mixup_alpha if strength and not least else 0.0,
        "cutmix_alpha": 1.0 if least else config.cutmix_alpha if strength else 0.0,
        "erasing": round(config.erasing * strength, 3),
        "color_jitter": round(config.color_jitter * strength, 3),
        "crop_padding": config.crop_padding if strength else min(config.crop_padding, 4),
        "dropout": round(dropout * gentle, 3),
        "drop_path": round(config.drop_path * strength, 3),
        "ema_decay": round(min(0.9998, max(0.5, 1.0 - 1.0 / (AVERAGED_SHARE * steps))), 5) if steps >= 100 else None,
        "full_size_share": round(0.15 + 0.2 * min(1.0, max(0.0, (passes - GROWN_FROM) / 2.0)), 3),
    }


recipes.add("best", Recipe(make=best, fit=fit, quicker_precision=True))
