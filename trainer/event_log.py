"""A training's curves as TensorBoard reads them, written while it runs."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from tinyml.errors import UnavailableError
from tinyml.schema import EpochRecord


def check_available() -> None:
    """Raises UnavailableError where TensorBoard is not installed."""
    if importlib.util.find_spec("tensorboard") is None:
        raise UnavailableError(
            "--tensorboard needs TensorBoard", value="not installed", hint="pip install 'tinyml-coreml[tensorboard]'"
        )


class EventLog:
    """The event files of one training, in a folder of their own.

    Args:
        folder: Made where it lacks.
        records: The epochs that are over; written first where the folder has none of them.
    """

    def __init__(self, folder: Path, records: list[EpochRecord]) -> None:
        check_available()
        from torch.utils.tensorboard import SummaryWriter

        new = not any(folder.glob("events.*"))
        # What an interrupted run wrote of later epochs, which are trained again, is not shown.
        self._writer = SummaryWriter(str(folder), purge_step=None if new else len(records) + 1)
        if new:
            for record in records:
                self.add(record)

    def add(self, record: EpochRecord) -> None:
        """Writes an epoch: curves are called "loss/train", "loss/val", "accuracy/val", "learning rate"."""
        scalars = {
            "loss/train": record.train_loss,
            "loss/val": record.val_loss,
            "accuracy/train": record.train_accuracy,
            "accuracy/val": record.val_accuracy,
            "learning rate": record.lr,
            "images a second": record.images_per_second,
        }
        for name, value in scalars.items():
            if value is not None:
                self._writer.add_scalar(name, value, record.epoch)
        self._writer.flush()

    def close(self) -> None:
        """Ends the file."""
        self._writer.close()
