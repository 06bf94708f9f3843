"""Six image classifiers for 64x64 images, one file each, from scratch; a new file here is a new architecture."""

from .architecture import (
    INPUT_SIZE,
    Architecture,
    ModelSummary,
    architectures,
    build,
    check_rates,
    count_macs,
    count_parameters,
    recomputes,
    set_recompute,
    summaries,
)

__all__ = [
    "INPUT_SIZE",
    "Architecture",
    "ModelSummary",
    "architectures",
    "build",
    "check_rates",
    "count_macs",
    "count_parameters",
    "recomputes",
    "set_recompute",
    "summaries",
]
