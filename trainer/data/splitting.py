"""Class-balanced splits that depend on a seed and the images' paths alone.

Within a class the images are ranked by the SHA-256 of "seed/path" (in Unicode's normal form C), so the split is
the same on every platform and with every version of every library, in whatever order the files were listed.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence

from .writing import Item


def balanced_split(items: Iterable[Item], fractions: Sequence[float], seed: int) -> list[list[Item]]:
    """One list a fraction, then the rest; in each class every fraction is rounded, but is at least one image.

    The lists keep the order of `items`. The rest of a class with few images may be empty.
    """
    classes: defaultdict[int, list[Item]] = defaultdict(list)
    for item in items:
        classes[item.label].append(item)
    parts: list[list[Item]] = [[] for _ in range(len(fractions) + 1)]
    for members in classes.values():
        ranked = sorted(members, key=lambda item: _rank(item, seed))
        part_of: dict[Item, int] = {}
        for part, fraction in enumerate(fractions):
            count = max(1, int(fraction * len(members) + 0.5))
            part_of.update((item, part) for item in ranked[len(part_of) : len(part_of) + count])
        for item in members:
            parts[part_of.get(item, len(fractions))].append(item)
    return parts


def _rank(item: Item, seed: int) -> bytes:
    """A Mac hands out names taken apart ("e" and an accent), most others composed: both must rank alike."""
    path = unicodedata.normalize("NFC", item.path)
    return hashlib.sha256(f"{seed}/{path}".encode(errors="surrogateescape")).digest()
