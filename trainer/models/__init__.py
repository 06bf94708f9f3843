"""Six image classifiers for 64x64 images, one file each, from scratch; a new file here is a new architecture."""

from .architecture import (
    Architecture,
    ModelSummary,
    architectures,
    build,
    check_rates,
    count_macs,
    count_parameters,
    summaries,
)

__all__ = [
    "Architecture",
    "ModelSummary",
    "architectures",
    "build",
    "check_rates",
    "count_macs",
    "count_parameters",
    "summaries",
]
