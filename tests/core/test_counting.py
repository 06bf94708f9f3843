"""One thing in the singular, none and several in the plural."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tinyml.counting import counted

ROOT = Path(__file__).parents[2]
BY_HAND = re.compile(r"""'s'\s*(?:\*|if .* else '')|"s"\s*(?:\*|if .* else "")""")


@pytest.mark.parametrize(
    ("count", "told"), [(0, "0 epochs"), (1, "1 epoch"), (2, "2 epochs"), (80_000, "80,000 epochs")]
)
def test_numbers(count: int, told: str) -> None:
    assert counted(count, "epoch") == told


def test_words_that_take_no_s() -> None:
    assert counted(1, "process", "processes") == "1 process"
    assert counted(2, "process", "processes") == "2 processes"


def test_nobody_makes_a_plural_by_hand() -> None:
    # The flag "s" in an export variant's name is none.
    own = {"export/compressions/activations.py", "export/compressions/palette.py"}
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in ("tinyml", "trainer", "export", "bench")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not any(parent.is_symlink() for parent in path.parents) and str(path.relative_to(ROOT)) not in own
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if BY_HAND.search(line)
    ]
    assert found == []
