"""The two faces of progress on standard error: rich bars on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from tinyml.heartbeat import SECONDS


class _Rate(TextColumn):
    """Units a second, in the unit of the task."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: object) -> Text:
        """Renders "123 images/s"; nothing before the first measurement."""
        speed = getattr(task, "finished_speed", None) or getattr(task, "speed", None)
        return Text(f"{speed:,.0f} {getattr(task, 'fields', {}).get('unit', '')}/s" if speed else "")


class TerminalProgress:
    """A bar with count, rate and time left."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def start(self, label: str, total: int | None, unit: str, done: int = 0) -> None:
        """Begins a bar; ends the one before it. One that only tells time shows how long it has been going on."""
        self.finish()
        counted: tuple[ProgressColumn, ...] = (
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
        )
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(24),
            *((TimeElapsedColumn(),) if unit == SECONDS else counted),
        )
        self._bar = Progress(
            *columns, TextColumn("{task.fields[info]}", markup=False), console=self._console, transient=True
        )
        self._bar.start()
        self._task = self._bar.add_task(label, total=total, unit=unit, completed=done, info="")

    def advance(self, amount: int = 1, info: str = "") -> None:
        """Moves the bar on."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=amount, info=info)

    def finish(self) -> None:
        """Removes the bar."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def say(self, line: str) -> None:
        """Prints a line above the bar; a command in it can be copied, since the terminal breaks it and nobody else."""
        console = self._bar.console if self._bar is not None else self._console
        console.print(line, markup=False, highlight=False, soft_wrap=True)


class LineProgress:
    """At most one line every `every_s` seconds, so that a log stays readable."""

    def __init__(self, every_s: float = 15.0) -> None:
        self._every_s = every_s
        self._label = ""
        self._unit = ""
        self._total: int | None = None
        self._done = self._earlier = 0
        self._began = self._told = time.monotonic()

    def start(self, label: str, total: int | None, unit: str, done: int = 0) -> None:
        """Begins a count."""
        self._label, self._total, self._unit = label, total, unit
        self._done = self._earlier = done
        self._began = self._told = time.monotonic()

    def advance(self, amount: int = 1, info: str = "") -> None:
        """Counts on, and tells where it stands if it has been silent for long enough."""
        self._done += amount
        now = time.monotonic()
        if now - self._told >= self._every_s:
            self._told = now
            of = f"/{self._total}" if self._total is not None else ""
            rate = (self._done - self._earlier) / (now - self._began)
            shown = f", {rate:,.0f} {self._unit}/s" if rate >= 1 and self._unit != SECONDS else ""
            self.say(f"{self._label}: {self._done}{of} {self._unit}{shown} {info}".rstrip())

    def finish(self) -> None:
        """Ends the count."""
        self._label = ""

    def say(self, line: str) -> None:
        """Prints a line."""
        print(line, file=sys.stderr, flush=True)  # noqa: T201
