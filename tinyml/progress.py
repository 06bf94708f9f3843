"""How long work reports itself. Libraries call it, only the command line draws it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """One bar at a time, and lines that stay."""

    def start(self, label: str, total: int | None, unit: str, done: int = 0) -> None:
        """Begins a bar of `total` units (None: unknown), and ends the one before it.

        `done` of them were done earlier (a training resumed, a file fetched in part) and are no part of the rate.
        """

    def advance(self, amount: int = 1, info: str = "") -> None:
        """Moves the bar on; `info` replaces the text beside it ("loss 1.23")."""

    def finish(self) -> None:
        """Ends the bar."""

    def say(self, line: str) -> None:
        """Prints one line that stays."""


class Silent:
    """A Progress that shows nothing."""

    def start(self, label: str, total: int | None, unit: str, done: int = 0) -> None:
        """Ignores it."""

    def advance(self, amount: int = 1, info: str = "") -> None:
        """Ignores it."""

    def finish(self) -> None:
        """Ignores it."""

    def say(self, line: str) -> None:
        """Ignores it."""
