"""Commands as a user can type them, for hints and for what comes next."""

from __future__ import annotations

import shlex
from pathlib import Path

FIRST_LOOK = ("--data", "shapes", "--recipe", "demo")
"""The options of the shortest training there is, which needs no network."""
FIRST_MODEL = "resnet20"
"""The model that it takes the least time with."""


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


def first_training(model: str | None = None, results: Path | None = None) -> str:
    """A hint for whoever has no checkpoint yet: a training that runs anywhere, as it stands."""
    told = command("train", model or FIRST_MODEL, *FIRST_LOOK, results=results)
    return f"train one first, on images of your own with --data FOLDER, or for a first look: {told}"
