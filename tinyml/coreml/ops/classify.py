"""Op: classify."""

from __future__ import annotations

import torch
from torch import Tensor

from .registry import op


@op("classify", exact=True, folds=False)
def classify(probabilities: Tensor, classes: tuple[object, ...]) -> tuple[str | int, dict[str | int, float]]:
    """The label of the greatest probability (of the first one where several are), and all probabilities by label."""
    labels = classes[0]
    values = probabilities.reshape(-1)
    if not isinstance(labels, tuple) or len(labels) != len(values):
        raise ValueError(f"{len(values)} probabilities for {len(labels) if isinstance(labels, tuple) else 0} classes")
    return labels[int(torch.argmax(values))], dict(zip(labels, values.tolist(), strict=True))
