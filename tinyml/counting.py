"""Numbers of things in words."""

from __future__ import annotations


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """A number and what it counts: "1 epoch", "2 epochs", "80,000 images".

    Args:
        count: How many.
        noun: One of them, or what ends with one: "image an epoch" has `plural` "images an epoch".
        plural: Several of them; None: the noun with an s.
    """
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
