"""Outputs of a model for a reader, and for a file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tinyml.npz import write_npz
from tinyml.store import atomic_file, check_output

BEST = 5
"""How many labels of a dictionary of probabilities are shown."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One output in words; `low` and `high` are None where it has no finite range."""

    name: str
    type: str
    text: str
    low: float | None = None
    high: float | None = None


def summary(outputs: Mapping[str, Any]) -> list[Summary]:
    """The outputs of a prediction in words."""
    return [_summary(name, value) for name, value in outputs.items()]


def _summary(name: str, value: Any) -> Summary:
    if isinstance(value, dict):
        best = sorted(value.items(), key=lambda item: -item[1])[:BEST]
        text = ", ".join(f"{label} {probability:.4f}" for label, probability in best)
        return Summary(name=name, type=f"dictionary of {len(value)}", text=text)
    if isinstance(value, Image.Image):
        return Summary(name=name, type="image", text=f"{value.mode} {value.width}x{value.height}")
    if isinstance(value, np.ndarray):
        return _array(name, value)
    return Summary(name=name, type=type(value).__name__, text=str(value))


def _array(name: str, value: np.ndarray) -> Summary:
    kind = f"{value.dtype} {list(value.shape)}"
    if not value.size:
        return Summary(name=name, type=kind, text="empty")
    low, high = float(value.min()), float(value.max())
    text = f"{low:.6g}" if value.size == 1 else f"{low:.6g} to {high:.6g}, mean {float(value.mean()):.6g}"
    finite = math.isfinite(low) and math.isfinite(high)
    return Summary(name=name, type=kind, text=text, low=low if finite else None, high=high if finite else None)


def save_arrays(path: Path, outputs: Mapping[str, Any]) -> Path:
    """Writes the outputs to an .npz file: dictionaries as NAME_labels and NAME_values, images as pixels."""
    check_output(path, ".npz")
    arrays: dict[str, Any] = {}
    for name, value in outputs.items():
        if isinstance(value, dict):
            arrays[f"{name}_labels"] = np.array(list(value))
            arrays[f"{name}_values"] = np.array(list(value.values()))
        else:
            arrays[name] = np.asarray(value)
    with atomic_file(path) as temporary:
        write_npz(temporary, arrays)
    return path
