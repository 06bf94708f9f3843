"""The one way to print: tables on a terminal, plain lines in a pipe, one JSON document with `--json`."""

from __future__ import annotations

import io
import json
import math
import sys
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel

    from tinyml.progress import Progress


class Output:
    """What a verb prints with.

    With `json`, standard output carries the one document and everything else goes to standard error. `silent`: another
    process says it all.
    """

    def __init__(self, *, json: bool = False, silent: bool = False) -> None:
        self.json, self._silent = json, silent

    @property
    def progress(self) -> Progress:
        """Bars on a terminal's standard error, sparse lines elsewhere."""
        from tinyml.progress import Silent

        from .progress_bar import LineProgress, TerminalProgress

        if self._silent:
            return Silent()
        return TerminalProgress() if sys.stderr.isatty() else LineProgress()

    def line(self, text: str) -> None:
        """One line of result."""
        if self._silent:
            return
        print(text, file=sys.stderr if self.json else sys.stdout, flush=True)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table: aligned under `title` on a terminal, tab-separated with a header in a pipe, nothing with JSON."""
        if self.json:
            return
        if not sys.stdout.isatty():
            for row in (columns, *rows):
                self.line("\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in row))
            return
        columns, rows = _shown(columns), [_shown(row) for row in rows]
        widths = [max(_width(row[i]) for row in (columns, *rows)) for i in range(len(columns))]
        numeric = [bool(rows) and all(_is_number(row[i]) for row in rows) for i in range(len(columns))]
        self.line(f"\n{title}")
        for n, row in enumerate((columns, *rows)):
            cells = zip(row, widths, numeric, strict=True)
            self.line("  ".join(_padded(cell, width, right=right) for cell, width, right in cells).rstrip())
            if n == 0:
                self.line("  ".join(_rule() * width for width in widths))

    def document(self, value: BaseModel | Sequence[BaseModel] | dict[str, Any] | list[Any]) -> None:
        """The JSON document of a verb; printed only with JSON."""
        if self.json and not self._silent:
            document = _finite(_jsonable(value))
            text = json.dumps(document, indent=2, ensure_ascii=not _is_unicode(), allow_nan=False)
            print(text, flush=True)  # noqa: T201


def _finite(value: Any) -> Any:
    """JSON has no infinity, nor what is no number: None stands for both."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def tell_every_character() -> None:
    """Lets standard output and standard error show what their encoding lacks as escapes, instead of failing at it.

    A terminal may know ASCII only, and the name of a class or a file may hold anything, even bytes that are no text.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _is_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "").replace("_", "").startswith("utf")


def _rule() -> str:
    return "\u2500" if _is_unicode() else "-"


def _shown(row: Sequence[str]) -> list[str]:
    """The cells as the terminal will show them, which decides how wide they are."""
    encoding = sys.stdout.encoding or "ascii"
    return [cell.encode(encoding, "backslashreplace").decode(encoding) for cell in row]


def _jsonable(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {key: _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    return value


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text if not unicodedata.combining(c))


def _padded(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


def _is_number(text: str) -> bool:
    return text in ("", "-", "not run") or text.lstrip("-+")[:1].isdigit()
