"""The torch types that carry MIL's while a program runs."""

from __future__ import annotations

import numpy as np
import torch

from ..program.dtypes import DTYPES

_TORCH: dict[np.dtype[np.generic], torch.dtype] = {
    np.dtype(np.bool_): torch.bool,
    np.dtype(np.float32): torch.float32,
    np.dtype(np.int8): torch.int8,
    np.dtype(np.int16): torch.int16,
    np.dtype(np.int32): torch.int32,
    np.dtype(np.int64): torch.int64,
    np.dtype(np.uint8): torch.uint8,
}

CARRIERS: dict[str, torch.dtype] = {name: _TORCH[dtype.carrier] for name, dtype in DTYPES.items()}
"""By the name of the MIL type."""
