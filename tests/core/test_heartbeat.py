"""Signs of life: a count of seconds while a block runs, and none after it."""

import threading

import pytest

from tinyml.cli.progress_bar import LineProgress
from tinyml.heartbeat import beating
from tinyml.progress import Silent


class Counting(Silent):
    def __init__(self) -> None:
        self.label, self.beats, self.running = "", 0, False
        self.third = threading.Event()

    def start(self, label: str, total: int | None, unit: str, done: int = 0) -> None:
        assert (total, unit) == (None, "s")
        self.label, self.running = label, True

    def advance(self, amount: int = 1, info: str = "") -> None:
        self.beats += amount
        if self.beats == 3:
            self.third.set()

    def finish(self) -> None:
        self.running = False


def test_it_beats_while_the_block_runs_and_ends_with_it() -> None:
    heard = Counting()
    with beating(heard, "w8: converting", every_s=0.001):
        assert heard.third.wait(30)
        assert heard.running
    beats = heard.beats
    assert (heard.label, heard.running) == ("w8: converting", False)
    assert "heartbeat" not in [thread.name for thread in threading.enumerate()]
    assert heard.beats == beats


def test_it_ends_with_an_error_too() -> None:
    heard = Counting()
    with pytest.raises(ValueError, match="no"), beating(heard, "x", every_s=0.001):
        raise ValueError("no")
    assert not heard.running


def test_a_log_tells_the_time_and_no_rate(capsys: pytest.CaptureFixture[str]) -> None:
    progress = LineProgress(every_s=0.0)
    progress.start("w8: converting", None, "s")
    progress.advance()
    assert capsys.readouterr().err == "w8: converting: 1 s\n"
