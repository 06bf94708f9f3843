"""Commands as a user can type them, for hints and for what comes next."""

from __future__ import annotations

import shlex
from pathlib import Path


def command(*words: str | Path | None, results: Path | None = None) -> str:
    """`tinyml` with `words`, each quoted for a shell; None is left out.

    Args:
        words: A verb, its arguments and its options; an option whose value is a path stands as two words.
        results: The folder of results; named where it is not the default.
    """
    told = ["tinyml", *(str(word) for word in words if word is not None)]
    if results is not None and results != Path("results"):
        told += ["--results", str(results)]
    return shlex.join(told)
