"""What a training leaves on disk: checkpoints, the history, and the state to resume from."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator

from torch import nn

from tinyml.schema import History, Metrics, ModelSpec, Provenance, TrainConfig
from tinyml.store import write_json
from tinyml.workspace import RunFolder

from . import checkpoint
from .data import Dataset
from .state import Parts, Position, write_state

MINUTE = 60.0
SAVE_SHARE = 0.01


class SaveDue:
    """When an unfinished epoch is saved, lest a kill lose hours: once a minute, or rarer where that costs over 1%."""

    def __init__(self) -> None:
        self._took = 0.0
        self.reset()

    def reset(self) -> None:
        """Something was saved just now."""
        self._since = time.monotonic()

    def now(self) -> bool:
        """Whether a save is due."""
        return time.monotonic() - self._since >= max(MINUTE, self._took / SAVE_SHARE)

    @contextlib.contextmanager
    def timed(self) -> Iterator[None]:
        """Around a save."""
        began = time.monotonic()
        yield
        self._took = time.monotonic() - began
        self.reset()


class Saver:
    """The files of one training.

    Raises:
        OSError: The folder cannot be written to; better found out now than after an epoch.
    """

    def __init__(self, run: RunFolder, config: TrainConfig, spec: ModelSpec, dataset: Dataset) -> None:
        self._config, self._spec, self._dataset = config, spec, dataset
        self._run, self._folder = run, run.checkpoints
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self._folder):
            pass

    def checkpoints(
        self, network: nn.Module, epoch: int, metrics: Metrics | None, *, best: bool = False, made: Provenance
    ) -> None:
        """Writes `last`, and after an epoch also `best` and the periodic one where they are due.

        Args:
            network: Whose weights.
            epoch: How many epochs it has completed.
            metrics: What it reached; None: an epoch is unfinished.
            best: Whether that is the best so far.
            made: Where they are from.
        """
        names = ["last"]
        if best:
            names.append("best")
        if metrics is not None and epoch % self._config.save_every == 0:
            names.append(f"epoch-{epoch:03d}")
        for name in names:
            checkpoint.save(
                self._folder,
                name,
                network,
                spec=self._spec,
                config=self._config,
                dataset_sha256=self._dataset.sha256,
                dataset=self._dataset.identity,
                epoch=epoch,
                metrics=() if metrics is None else (metrics,),
                made=made,
            )

    def progress(self, history: History, position: Position, parts: Parts) -> None:
        """Writes the history, and last of all the state: whoever resumes finds everything that it speaks of."""
        write_json(self._run.history, history)
        write_state(self._run.state, position, parts)


class Elsewhere:
    """In place of a Saver, in the processes of a team that do not write."""

    def checkpoints(
        self, network: nn.Module, epoch: int, metrics: Metrics | None, *, best: bool = False, made: Provenance
    ) -> None:
        """Nothing."""

    def progress(self, history: History, position: Position, parts: Parts) -> None:
        """Nothing."""
