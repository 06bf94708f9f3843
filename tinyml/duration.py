"""Times for people."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """A time in words: "2 h 10 min", "3 min 20 s", "45 s"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
