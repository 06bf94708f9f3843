"""Lines of Markdown tables, whatever their cells hold."""

from __future__ import annotations

from collections.abc import Sequence


def line(cells: Sequence[str]) -> str:
    """One row of a table."""
    return f"| {' | '.join(escaped(cell) for cell in cells)} |"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, text_columns: int) -> list[str]:
    """A table, its columns from `text_columns` on aligned to the right."""
    rule = [*["---"] * text_columns, *["---:"] * (len(columns) - text_columns)]
    return [line(columns), f"| {' | '.join(rule)} |", *(line(row) for row in rows)]


def escaped(text: str) -> str:
    """`text` on one line, read as text: a run may come from anywhere."""
    for mark in "\\`*[]<>|":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())
