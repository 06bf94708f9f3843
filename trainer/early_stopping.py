"""When a training ends because it no longer gets better."""

from __future__ import annotations

from collections.abc import Sequence

from tinyml.schema import EpochRecord


def stopped_early(records: Sequence[EpochRecord], patience: int | None) -> bool:
    """Whether the last `patience` epochs brought no better validation accuracy than one before them."""
    if patience is None or len(records) <= patience:
        return False
    before = max(record.val_accuracy for record in records[:-patience])
    return all(record.val_accuracy <= before for record in records[-patience:])
