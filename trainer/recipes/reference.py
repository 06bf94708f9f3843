"""The plain protocol that published comparisons on Tiny ImageNet use."""

from __future__ import annotations

from tinyml.schema import TrainConfig

from ..recipe import Recipe, recipes


def reference(model: str, data: str) -> TrainConfig:
    """50 epochs of SGD at 0.1 with a cosine, weight decay 1e-3, and standard augmentation; no mixing."""
    return TrainConfig(model=model, recipe="reference", data=data)


recipes.add("reference", Recipe(make=reference))
