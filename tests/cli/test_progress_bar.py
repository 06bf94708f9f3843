"""Progress on standard error: what was done before a bar began counts as done, never as speed."""

from __future__ import annotations

import itertools
import types

import pytest
from rich.progress import Progress

from tinyml.cli import progress_bar
from tinyml.cli.progress_bar import LineProgress, TerminalProgress


def test_a_log_counts_what_was_done_before_and_leaves_it_out_of_the_rate(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = itertools.count(100.0, 10.0)
    monkeypatch.setattr(progress_bar, "time", types.SimpleNamespace(monotonic=lambda: next(seconds)))
    progress = LineProgress(every_s=5.0)
    progress.start("epoch 2 of 3", 1000, "images", done=600)
    progress.advance(50, "loss 1.2")
    assert capsys.readouterr().err == "epoch 2 of 3: 650/1000 images, 5 images/s loss 1.2\n"


def test_a_bar_begins_where_the_work_does(monkeypatch: pytest.MonkeyPatch) -> None:
    bars: list[Progress] = []

    class Kept(Progress):
        def start(self) -> None:
            bars.append(self)
            super().start()

    monkeypatch.setattr(progress_bar, "Progress", Kept)
    progress = TerminalProgress()
    progress.start("epoch 2 of 3", 1000, "images", done=600)
    progress.advance(50)
    progress.finish()
    [task] = bars[0].tasks
    assert task.completed == 650
    assert task.speed is None  # one step made: nothing measured yet, and certainly not the 600
